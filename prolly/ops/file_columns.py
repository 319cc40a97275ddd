"""The columns of three plain files made one, by their names.

    base  ours  theirs   merged
    c     c     c        c, where ours has it
    -     c     -        c, where ours has it
    -     -     c        c, behind the column that it follows in theirs
    c     -     c        dropped; or kept, where theirs wrote cells of it
    c     c     -        dropped; or kept, where ours wrote cells of it

A column that is kept is a conflict, shown at the cells that were written: the side that
removed it has an empty cell there. A renamed column is one removed and one added.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

Side = Literal["ours", "theirs"]


class MergedColumns(NamedTuple):
    """The columns of the result, and those that a side removed and that are kept."""

    names: tuple[str, ...]
    kept: dict[str, Side]


def merge_columns(
    base: Sequence[str],
    ours: Sequence[str],
    theirs: Sequence[str],
    wrote: Callable[[Side, str], bool],
) -> MergedColumns:
    """Return the merged columns; ``wrote(side, name)``: has it changed cells of it?

    ``kept`` tells for each such column which side removed it.
    """
    kept: dict[str, Side] = {}
    dropped: set[str] = set()
    for name in base:
        if name in ours and name not in theirs:
            if wrote("ours", name):
                kept[name] = "theirs"
            else:
                dropped.add(name)
        elif name in theirs and name not in ours:
            if wrote("theirs", name):
                kept[name] = "ours"
            else:
                dropped.add(name)
    merged = [name for name in ours if name not in dropped]
    for place, name in enumerate(theirs):
        if name in merged or name in dropped:
            continue
        before = [one for one in theirs[:place] if one in merged]
        merged.insert(merged.index(before[-1]) + 1 if before else 0, name)
    return MergedColumns(tuple(merged), kept)
