"""How many conflicts are open, by dataset, and what to do about them."""

from __future__ import annotations

from collections.abc import Mapping

from .output import plural, visible


def told_conflicts(counts: Mapping[str, int], *, tried: bool = False) -> list[str]:
    """Return lines on open conflicts, and what to do next; none without any."""
    if not counts:
        return []
    total = sum(counts.values())
    width = max(len(visible(name)) for name in counts)
    lines = [f"{plural(total, 'conflict')}:"]
    lines += [f"  {visible(name):{width}}  {n:,}" for name, n in counts.items()]
    if not tried:
        lines.append(
            "next: prolly conflicts, prolly resolve DATASET [KEY] --ours|--theirs|-i,"
        )
        lines.append("then prolly merge --continue; or prolly merge --abort")
    return lines
