"""Numbers of bytes as people read them."""

from __future__ import annotations

STEP = 1024
UNITS = ("kB", "MB", "GB", "TB")


def size_text(count: int) -> str:
    """Return a number of bytes in the unit that suits it: ``417 B``, ``1.2 MB``."""
    if abs(count) < STEP:
        return f"{count} B"
    power = 1
    while power < len(UNITS) and abs(count) >= STEP ** (power + 1):
        power += 1
    return f"{count / STEP**power:.1f} {UNITS[power - 1]}"
