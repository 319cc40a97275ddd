"""How many conflicts are open, by dataset, and what to do about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from .output import plural, visible


def counts_by_dataset(conflicts: Mapping[Any, Any]) -> dict[str, int]:
    """Return how many are open by dataset, of a merge that waits or was only tried."""
    from prolly import Conflicts

    if isinstance(conflicts, Conflicts):
        return conflicts.counts()
    return dict(sorted(Counter(name[0] for name in conflicts).items()))


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
