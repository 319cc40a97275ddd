"""Read records: one by key, one by number, many in order.

Every function costs O(depth) node reads, and a scan one more for each leaf it passes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate

from prolly.codec.byte_strings import ByteStrings
from prolly.codec.node import Inner
from prolly.codec.stored_leaf import StoredLeaf
from prolly.errors import Corrupt

from .reader import Held, NodeReader, ReadAhead

Batch = tuple[list[bytes], list[bytes]]
# What keys are wanted: from the first on, to before the second; ``None`` is no bound.
Bounds = tuple[bytes | None, bytes | None]


def get(reader: NodeReader, root: bytes, key: bytes) -> bytes | None:
    """Return the stored value of exactly ``key``, or ``None``."""
    return reader.find(root, key)


def iter_batches(
    reader: NodeReader,
    root: bytes,
    *,
    start: bytes | None = None,
    stop: bytes | None = None,
    reverse: bool = False,
) -> Iterator[Batch]:
    """Yield (keys, values) of records with start <= key < stop, a leaf at a time.

    Batches and the records in them are in key order, or both in reverse. No batch is
    empty. The lists belong to the caller.
    """
    bounds = start, stop
    for leaf, within in _leaves(reader, reader.hold(root), bounds, reverse):
        keys, values = leaf.records()
        if within != _UNBOUND:
            part = _part(keys, within)
            keys, values = keys[part], values[part]
        if reverse:
            keys.reverse()
            values.reverse()
        if keys:
            yield keys, values


def iter_columns(
    reader: NodeReader, root: bytes, bounds: Bounds, *, reverse: bool = False
) -> Iterator[tuple[ByteStrings, ByteStrings]]:
    """Yield keys and values within the bounds, a leaf at a time, not yet apart.

    In ``reverse`` the last leaf comes first; in each the records are in key order.
    """
    for leaf, within in _leaves(reader, reader.hold(root), bounds, reverse):
        keys, values = leaf.columns()
        if within != _UNBOUND:
            part = _part(keys.apart(), within)
            keys, values = keys.part(part), values.part(part)
        if len(keys):
            yield keys, values


def _part(keys: list[bytes], bounds: Bounds) -> slice:
    """Return where the keys within the bounds stand."""
    start, stop = bounds
    low = 0 if start is None else bisect_left(keys, start)
    return slice(low, len(keys) if stop is None else bisect_left(keys, stop))


def _leaves(
    reader: NodeReader,
    node: Held,
    bounds: Bounds,
    reverse: bool,
    ahead: ReadAhead | None = None,
) -> Iterator[tuple[StoredLeaf, Bounds]]:
    """Yield the leaves below a node, each with those bounds that may lie in it."""
    if isinstance(node, StoredLeaf):
        yield node, bounds
        return
    ahead = ahead or ReadAhead()
    start, stop = bounds
    low = 0 if start is None else node.position(start)
    high = len(node) if stop is None else min(node.position(stop) + 1, len(node))
    places = range(high - 1, low - 1, -1) if reverse else range(low, high)
    within = {low: (start, None), high - 1: (None, stop)}
    if high - low == 1:
        within = {low: bounds}
    if node.level == 1:
        leaves = reader.hold_leaves(node, places, ahead)
        for index, leaf in zip(places, leaves, strict=True):
            yield leaf, within.get(index, _UNBOUND)
        return
    for index in places:
        below = within.get(index, _UNBOUND)
        child = reader.hold_below(node, index)
        yield from _leaves(reader, child, below, reverse, ahead)


_UNBOUND: Bounds = (None, None)


def count(reader: NodeReader, root: bytes) -> int:
    """Return the number of records, from the root node alone."""
    return reader.read(root).count()


def nth(reader: NodeReader, root: bytes, index: int) -> tuple[bytes, bytes] | None:
    """Return (key, value) of the record with ``index`` records before it, or None."""
    node = reader.read(root)
    if not 0 <= index < node.count():
        return None
    while isinstance(node, Inner):
        ends = list(accumulate(node.counts))
        place = bisect_right(ends, index)
        index -= ends[place - 1] if place else 0
        node = reader.read_below(node, min(place, len(node) - 1))
    if index >= len(node):
        raise Corrupt(
            "a node holds fewer records than its parents count",
            code="node-count",
            hint="Run `prolly fsck --full`.",
        )
    return node.key(index), node.values[index]


def rank(reader: NodeReader, root: bytes, key: bytes) -> int:
    """Return how many records have a key below ``key``."""
    node = reader.read(root)
    before = 0
    while isinstance(node, Inner):
        index = node.position(key)
        before += sum(node.counts[:index])
        if index == len(node):
            return before
        node = reader.read_below(node, index)
    return before + node.position(key)
