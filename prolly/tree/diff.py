"""What differs between two trees, found by skipping every subtree that is equal.

Each side is a stack of nodes still to look at, in key order, its root at first. Equal
addresses on top of both are dropped together: that is where all the time is saved. Else
the higher node gives way to its children, and two leaves, or what is left of them, are
compared up to the smaller of their last keys. Since equal stretches of records make
equal nodes but for a few at each seam, the cost is O(changes x depth) node reads.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import compress
from operator import ne

from prolly.codec.node import Inner, Leaf
from prolly.codec.stored_leaf import StoredLeaf

from .operations import Difference, changed_values, compare, same_keys
from .reader import NodeReader

# The level of records taken out of their leaf: below every node.
RECORDS = -1


class _Side:
    """One tree's nodes that are not compared yet, as (address, level)."""

    def __init__(
        self,
        reader: NodeReader,
        root: bytes | None,
        bounds: tuple[bytes | None, bytes | None],
    ) -> None:
        self._reader = reader
        self._start, self._stop = bounds
        self._stack: list[tuple[bytes, int]] = []
        self.keys: list[bytes] = []
        self.values: list[bytes] = []
        if root is not None and len(node := reader.read(root)):
            self._stack.append((root, node.level))

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

    def is_within(self, leaf: StoredLeaf) -> bool:
        """Tell whether no key of a leaf lies before the start."""
        return self._start is None or leaf.first_key() >= self._start

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
    for differences in _runs(reader, old, new, (start, stop)):
        for difference in differences:
            if stop is not None and difference[0] >= stop:
                return
            yield difference


def _runs(
    reader: NodeReader,
    old: bytes | None,
    new: bytes | None,
    bounds: tuple[bytes | None, bytes | None],
) -> Iterator[Iterable[Difference]]:
    if old == new:
        return
    ours, theirs = _Side(reader, old, bounds), _Side(reader, new, bounds)
    while True:
        left, right = ours.top, theirs.top
        if left is None or right is None:
            break
        if left == right and left[1] != RECORDS:
            ours.skip()
            theirs.skip()
        elif left[1] > right[1]:
            ours.open()
        elif left[1] < right[1]:
            theirs.open()
        elif left[1] != RECORDS:
            yield _open_both(ours, theirs)
        else:
            last = min(ours.keys[-1], theirs.keys[-1])
            yield compare(ours.take(last), theirs.take(last))
    yield from _rest(ours, removed=True)
    yield from _rest(theirs, removed=False)


def _open_both(ours: _Side, theirs: _Side) -> Iterable[Difference]:
    """Open two nodes of one level; return the differences found on the spot.

    Nodes with the same keys, as an edit in place leaves them, are compared as whole
    lists: children pair up, so equal ones are never put on the stacks. Leaves whose
    lengths are the same too are compared as bytes, and nothing in them is decoded.
    """
    old, new = ours.pop(), theirs.pop()
    if isinstance(old, Inner) and isinstance(new, Inner):
        pairs = ours.children(old), theirs.children(new)
        if same_keys(old, new):
            differing = list(map(ne, *pairs))
            pairs = (
                list(compress(pairs[0], differing)),
                list(compress(pairs[1], differing)),
            )
        ours.push(pairs[0])
        theirs.push(pairs[1])
        return ()
    assert isinstance(old, StoredLeaf) and isinstance(new, StoredLeaf)
    is_within = ours.is_within(old)
    found = old.changed_values(new) if is_within else None
    return (
        _open_leaves((ours, theirs), (old, new), is_within) if found is None else found
    )


def _open_leaves(
    sides: tuple[_Side, _Side], leaves: tuple[StoredLeaf, StoredLeaf], is_within: bool
) -> Iterable[Difference]:
    old, new = leaves[0].decode(), leaves[1].decode()
    if is_within and same_keys(old, new):
        return changed_values(old, new)
    sides[0].open_leaf(old)
    sides[1].open_leaf(new)
    return ()


def _rest(side: _Side, *, removed: bool) -> Iterator[Iterable[Difference]]:
    """Yield what only one side has left."""
    for keys, values in side.rest():
        if removed:
            yield [(k, v, None) for k, v in zip(keys, values, strict=True)]
        else:
            yield [(k, None, v) for k, v in zip(keys, values, strict=True)]
