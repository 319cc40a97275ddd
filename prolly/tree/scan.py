"""Read records: one by key, one by number, many in order.

Every function costs O(depth) node reads, and a scan one more for each leaf it passes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from prolly.codec.node import Inner, Leaf, Node
from prolly.errors import Corrupt

from .reader import NodeReader

Batch = tuple[list[bytes], list[bytes]]


def get(reader: NodeReader, root: bytes, key: bytes) -> bytes | None:
    """Return the stored value of exactly ``key``, or ``None``."""
    node = reader.hold(root)
    while isinstance(node, Inner):
        index = node.position(key)
        if index == len(node):
            return None
        node = reader.hold_below(node, index)
    return node.find(key)


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
    for leaf in _leaves(reader, reader.read(root), (start, stop), reverse):
        low = 0 if start is None else leaf.position(start)
        high = len(leaf) if stop is None else leaf.position(stop)
        if low >= high:
            continue
        keys, values = leaf.keys()[low:high], leaf.values[low:high]
        if reverse:
            keys.reverse()
            values.reverse()
        yield keys, values


def _leaves(
    reader: NodeReader,
    node: Node,
    bounds: tuple[bytes | None, bytes | None],
    reverse: bool,
) -> Iterator[Leaf]:
    if isinstance(node, Leaf):
        yield node
        return
    start, stop = bounds
    low = 0 if start is None else node.position(start)
    high = len(node) if stop is None else min(node.position(stop) + 1, len(node))
    places = range(high - 1, low - 1, -1) if reverse else range(low, high)
    if node.level == 1:
        yield from reader.read_leaves(node, places)
        return
    for index in places:
        yield from _leaves(reader, reader.read_below(node, index), bounds, reverse)


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
