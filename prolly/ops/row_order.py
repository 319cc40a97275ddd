"""Where rows stand in a merged file: ours in their order, those that theirs has added
beside the neighbours that they have there.

The rows that both files have divide each file into stretches. A stretch that theirs put
behind such a row, or before the first one, comes to stand behind that row here. Where
ours has put rows there, too, both stretches are merged by key if each is in ascending
order, as in a sorted file; else ours come first. So where no row is in both files,
theirs stand behind ours. Key columns are compared as numbers where all are whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import merge as merge_sorted
from itertools import pairwise
from typing import Any

from prolly.tables import COLUMN_TYPES

from .line_file import Key


def merged_order(
    ours: Iterable[Key], theirs: Iterable[Key], common: Collection[Key]
) -> Iterator[Key]:
    """Yield all keys of both files once; ``common`` are those that both have."""
    added = stretches(theirs, common)
    for anchor, mine in stretches(ours, common).items():
        if anchor is not None:
            yield anchor
        yield from _woven(mine, added.get(anchor, ()))


def stretches(
    keys: Iterable[Key], common: Collection[Key]
) -> Mapping[Key | None, list[Key]]:
    """Return the keys that stand behind each common one, and before all (None)."""
    found: dict[Key | None, list[Key]] = {None: []}
    stretch = found[None]
    for key in keys:
        if key in common:
            stretch = found[key] = []
        else:
            stretch.append(key)
    return found


def _woven(ours: Sequence[Key], theirs: Sequence[Key]) -> Iterable[Key]:
    if not ours or not theirs:
        return ours or theirs
    rank = _ranking([*ours, *theirs])
    if all(_is_sorted([rank(key) for key in side]) for side in (ours, theirs)):
        return merge_sorted(ours, theirs, key=rank)
    return [*ours, *theirs]


def _is_sorted(ranks: Sequence[Any]) -> bool:
    return all(one <= other for one, other in pairwise(ranks))


def _ranking(keys: Sequence[Key]) -> Any:
    """Return what gives a key its place among these."""
    exact = COLUMN_TYPES["int"].exact
    numeric = [
        all(type(part) is int or exact(part) for part in parts)
        for parts in zip(*keys, strict=True)
    ]

    def rank(key: Key) -> tuple[Any, ...]:
        return tuple(
            int(part) if is_number else str(part)
            for part, is_number in zip(key, numeric, strict=True)
        )

    return rank
