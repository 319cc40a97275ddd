"""Lists as sets, and maps by path: two kinds of value that merge from within.

A set is a list whose order and repeats do not count. An element stands in the merged
set if both sides have it, or one side has it and the base has not: what one side adds
is in, what one side takes out is out. The merged list has each element once, in the
order of ``value_order``.

A map merges key by key: what one side changed is taken, what both changed alike stands,
and where both sides hold a map it goes one level down. Anything else that both changed,
lists included, does not merge; then the map as a whole does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from prolly.codec import cbor
from prolly.maps import ABSENT

from .value_order import order_key, same


class PathClash(NamedTuple):
    """The keys that lead to what both sides changed differently."""

    path: tuple[str, ...]


def merge_sets(base: Sequence[Any], ours: Sequence[Any], theirs: Sequence[Any]) -> Any:
    """Return the merged list, sorted and without repeats."""
    stood, mine, other = (
        {cbor.encode(element): element for element in side}
        for side in (base, ours, theirs)
    )
    kept = [
        element
        for spelt, element in {**mine, **other}.items()
        if (spelt in mine and spelt in other) or spelt not in stood
    ]
    return sorted(kept, key=order_key)


def merge_maps(
    base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]
) -> dict[str, Any] | PathClash:
    """Return the merged map, or the first clash in the order of keys."""
    merged = {}
    for key in sorted(base.keys() | ours.keys() | theirs.keys()):
        value = _merge_entry(*(one.get(key, ABSENT) for one in (base, ours, theirs)))
        if type(value) is PathClash:
            return PathClash((key, *value.path))
        if value is not ABSENT:
            merged[key] = value
    return merged


def _merge_entry(base: Any, ours: Any, theirs: Any) -> Any:
    if same(ours, theirs) or same(base, theirs):
        return ours
    if same(base, ours):
        return theirs
    # What is not there yet on either side is an empty map to whoever fills it.
    versions = [base, ours, theirs]
    if base is None or base is ABSENT:
        versions = [{} if one is None else one for one in (None, ours, theirs)]
    if {dict} != set(map(type, versions)):
        return PathClash(())
    return merge_maps(versions[0], versions[1], versions[2])
