"""What differs between two trees, found by skipping every subtree that is equal.

Each side is a stack of nodes still to look at, in key order, its root at first. Equal
addresses on top of both are dropped together: that is where all the time is saved. Else
the higher node gives way to its children, and two leaves, or what is left of them, are
compared up to the smaller of their last keys. Inner nodes of the same keys pair up
their children, and each pair that differs is compared by itself. Since equal stretches
of records make equal nodes but for a few at each seam, the cost is O(changes x depth)
node reads.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, takewhile

from prolly.codec.node import Inner, Leaf
from prolly.codec.stored_leaf import StoredLeaf

from .operations import (
    Difference,
    changed_values,
    compare,
    leaf_changes,
    same_keys,
)
from .reader import NodeReader

# The level of records taken out of their leaf: below every node.
RECORDS = -1


class _Side:
    """One tree's nodes that are not compared yet, as (address, level)."""

    def __init__(
        self, reader: NodeReader, bounds: tuple[bytes | None, bytes | None]
    ) -> None:
        self._reader = reader
        self._start, self._stop = bounds
        self._stack: list[tuple[bytes, int]] = []
        self.keys: list[bytes] = []
        self.values: list[bytes] = []

    def begin(self, root: bytes | None) -> None:
        """Make a tree the next to be compared, if it is there and holds anything."""
        if root is None:
            return
        node = self._reader.hold(root)
        # A leaf that claims nothing is empty, or no leaf: decoding tells.
        if isinstance(node, Inner) or node.entries_claimed() or len(node.decode()):
            self._stack.append((root, node.level))

    def below(self, node: Inner) -> _Side:
        """Return a side of just the children of a node."""
        twin = _Side(self._reader, (self._start, self._stop))
        twin.push(twin.children(node))
        return twin

    @property
    def top(self) -> tuple[bytes, int] | None:
        """(address, level) of the next node, records of an open leaf first."""
        if self.keys:
            return b"", RECORDS
        return self._stack[-1] if self._stack else None

    def skip(self) -> None:
        """Drop the next node: it is equal on both sides."""
        self._stack.pop()

    def open(self) -> None:
        """Replace the next node by its children, or by its records."""
        node = self.pop()
        if isinstance(node, StoredLeaf):
            self.open_leaf(node.decode())
        else:
            self.push(self.children(node))

    def pop(self) -> Inner | StoredLeaf:
        """Take the next node from the stack and read it."""
        return self._reader.hold_at(*self._stack.pop())

    def hold(self, node: Inner, places: Sequence[int]) -> Iterator[Inner | StoredLeaf]:
        """Read children of a node, ahead of whoever takes them."""
        return self._reader.hold_ahead(node, places)

    def within(self, found: Iterable[Difference]) -> Iterable[Difference]:
        """Leave out differences of keys before the start."""
        start = self._start
        return found if start is None else [one for one in found if one[0] >= start]

    def places_within(self, node: Inner, places: list[int]) -> list[int]:
        """Leave out those children of a node that do not meet the bounds."""
        if self._start is None and self._stop is None:
            return places
        within = self._places(node)
        return [place for place in places if place in within]

    def open_leaf(self, leaf: Leaf) -> None:
        """Make the records of a leaf the next to be compared."""
        self.keys, self.values = leaf.keys(), leaf.values
        if self._start is not None and self.keys and self.keys[0] < self._start:
            low = bisect_left(self.keys, self._start)
            self.keys, self.values = self.keys[low:], self.values[low:]

    def children(self, node: Inner) -> list[tuple[bytes, int]]:
        """Return the children of a node that meet the bounds, as (address, level)."""
        places = self._places(node)
        addresses = node.child_addresses()[places.start : places.stop]
        below = node.level - 1
        return [(address, below) for address in addresses]

    def _places(self, node: Inner) -> range:
        """Return which children of a node meet the bounds."""
        low = 0 if self._start is None else node.position(self._start)
        high = len(node) if self._stop is None else node.position(self._stop) + 1
        return range(low, min(high, len(node)))

    def push(self, nodes: list[tuple[bytes, int]]) -> None:
        """Make these nodes, in key order, the next to be compared."""
        self._stack += reversed(nodes)

    def take(self, last: bytes | None) -> tuple[list[bytes], list[bytes]]:
        """Take open records up to and including ``last``; all of them for ``None``."""
        if last is None or self.keys[-1] <= last:
            taken = self.keys, self.values
            self.keys, self.values = [], []
            return taken
        end = bisect_right(self.keys, last)
        taken = self.keys[:end], self.values[:end]
        self.keys, self.values = self.keys[end:], self.values[end:]
        return taken

    def rest(self) -> Iterator[tuple[list[bytes], list[bytes]]]:
        """Yield all records that are left, leaves read ahead and none of them kept."""
        while (top := self.top) is not None:
            if top[1] == RECORDS:
                yield self.take(None)
                continue
            node = self.pop()
            if isinstance(node, Inner) and node.level == 1:
                for leaf in self._reader.read_leaves(node, self._places(node)):
                    self.open_leaf(leaf)
                    yield self.take(None)
            elif isinstance(node, Inner):
                self.push(self.children(node))
            else:
                self.open_leaf(node.decode())


def diff(
    reader: NodeReader,
    old: bytes | None,
    new: bytes | None,
    *,
    start: bytes | None = None,
    stop: bytes | None = None,
) -> Iterator[Difference]:
    """Yield (key, old value, new value) where the trees differ, in key order.

    ``None`` stands for an absent record, and as a root for a tree that is absent. Only
    keys with start <= key < stop count; to resume behind a key, start at
    ``key + b"\\0"``. Lazy: nodes are read as the caller goes on.
    """
    runs = _runs(reader, old, new, (start, stop))
    found = chain.from_iterable(runs)
    return found if stop is None else takewhile(lambda one: one[0] < stop, found)


def _runs(
    reader: NodeReader,
    old: bytes | None,
    new: bytes | None,
    bounds: tuple[bytes | None, bytes | None],
) -> Iterator[Iterable[Difference]]:
    if old == new:
        return
    ours, theirs = _Side(reader, bounds), _Side(reader, bounds)
    ours.begin(old)
    theirs.begin(new)
    yield from _walk(ours, theirs)


def _walk(ours: _Side, theirs: _Side) -> Iterator[Iterable[Difference]]:
    """Compare what is left of two sides, which begin at the same key."""
    while (left := ours.top) is not None and (right := theirs.top) is not None:
        if left == right and left[1] != RECORDS:
            ours.skip()
            theirs.skip()
        elif left[1] > right[1]:
            ours.open()
        elif left[1] < right[1]:
            theirs.open()
        elif left[1] != RECORDS:
            yield from _open_both(ours, theirs)
        else:
            last = min(ours.keys[-1], theirs.keys[-1])
            yield compare(ours.take(last), theirs.take(last))
    yield from _rest(ours, removed=True)
    yield from _rest(theirs, removed=False)


def _open_both(ours: _Side, theirs: _Side) -> Iterator[Iterable[Difference]]:
    """Open two nodes of one level; yield the differences found on the spot."""
    old, new = ours.pop(), theirs.pop()
    if isinstance(old, Inner) and isinstance(new, Inner):
        if old.has_keys_of(new):
            yield from _pairs(ours, theirs, (old, new))
        else:
            ours.push(ours.children(old))
            theirs.push(theirs.children(new))
        return
    assert isinstance(old, StoredLeaf) and isinstance(new, StoredLeaf)
    found: Iterable[Difference] | None = old.changed_values(new)
    if found is None:
        leaves = old.decode(), new.decode()
        if not same_keys(*leaves):
            ours.open_leaf(leaves[0])
            theirs.open_leaf(leaves[1])
            return
        found = changed_values(*leaves)
    yield ours.within(found)


def _pairs(
    ours: _Side, theirs: _Side, nodes: tuple[Inner, Inner]
) -> Iterator[Iterable[Difference]]:
    """Compare two inner nodes of the same keys, as an edit in place leaves them.

    Both begin at the same key. Then each child holds all records of a stretch of keys
    in one tree, and its counterpart all of the same stretch in the other.
    """
    old, new = nodes
    places = ours.places_within(old, old.differing_children(new))
    pairs = zip(ours.hold(old, places), theirs.hold(new, places), strict=True)
    for before, after in pairs:
        if isinstance(before, Inner) and isinstance(after, Inner):
            if before.has_keys_of(after):
                yield from _pairs(ours, theirs, (before, after))
            else:
                yield from _walk(ours.below(before), theirs.below(after))
            continue
        assert isinstance(before, StoredLeaf) and isinstance(after, StoredLeaf)
        yield ours.within(leaf_changes(before, after))


def _rest(side: _Side, *, removed: bool) -> Iterator[Iterable[Difference]]:
    """Yield what only one side has left."""
    for keys, values in side.rest():
        if removed:
            yield [(k, v, None) for k, v in zip(keys, values, strict=True)]
        else:
            yield [(k, None, v) for k, v in zip(keys, values, strict=True)]
