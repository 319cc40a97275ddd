"""Where three trees differ, leaf by leaf, told by what parents say of their children.

The walk goes down from the roots, level by level. A *stretch* is what lies between two
keys at which no tree has a node that spans them: each of the three either ends a node
there or has ended before. Stretches whose nodes are equal in ours and theirs are left
out, whatever base has there; the others are cut at the keys where all three may be cut,
and opened, down to the leaves. No leaf is read. What remains are *patches*: the
smallest stretches in which the leaves of ours and theirs differ.

A tree lower than the others stands at the levels that it lacks as its own root. O(nodes
above the leaves that differ).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prolly.codec.node import Child

from .merge_patches import (
    MERGED,
    Differing,
    Entry,
    Patch,
    ThreeAddresses,
    ThreeNodes,
    differing_children,
    leaf_patches,
    side_of,
)
from .merge_strips import Strip
from .operations import node_weight, same_keys
from .reader import NodeReader

Roots = tuple[bytes | None, bytes | None, bytes | None]
# The key behind which something lies, and its last key.
Bounds = tuple[bytes | None, bytes]


class _Column:
    """Consecutive nodes of one level of one tree, as parallel lists."""

    __slots__ = ("addresses", "counts", "keys", "weights")

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.addresses: list[bytes] = []
        self.counts: list[int] = []
        self.weights: list[int] = []

    def child(self, at: int) -> Child:
        return Child(self.addresses[at], self.counts[at], self.weights[at])

    def entries(self, low: int, high: int) -> list[Entry]:
        return [(self.keys[at], self.child(at)) for at in range(low, high)]


class _Tree:
    """One of the three trees."""

    def __init__(self, reader: NodeReader, root: bytes | None) -> None:
        self._reader = reader
        self._top = _Column()
        self.height = 0
        if root is not None and len(node := reader.read(root)):
            self.height = node.level
            self._top.keys.append(node.key(len(node) - 1))
            self._top.addresses.append(root)
            self._top.counts.append(node.count())
            self._top.weights.append(node_weight(node))

    @property
    def top(self) -> _Column:
        """The root, alone in its column; an empty column for an empty tree."""
        return self._top

    def open(self, addresses: Sequence[bytes], level: int) -> _Column:
        """Return the children of nodes of one level."""
        if level > self.height:
            return self._top if addresses else _Column()
        column = _Column()
        for address in addresses:
            node = self._reader.read_inner(address, level)
            column.keys += node.keys()
            column.addresses += node.child_addresses()
            column.counts += node.counts
            column.weights += node.weights
        return column


_Columns = tuple[_Column, _Column, _Column]
# Where a stretch begins and ends in each of three columns.
_Span = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


class _Walk:
    """The walk over three trees; ``patches`` is what it found, in key order."""

    def __init__(
        self, reader: NodeReader, roots: Roots, weight_far: int, *, equal_too: bool
    ) -> None:
        base, ours, theirs = (_Tree(reader, root) for root in roots)
        self._reader = reader
        self._trees = base, ours, theirs
        self._lowest = min(tree.height for tree in self._trees)
        self._equal_too = equal_too
        self._weight_far = weight_far
        self._gap = weight_far
        self.patches: list[Patch | Strip] = []

    def run(self) -> None:
        """Walk from the roots, as one stretch."""
        base, ours, theirs = self._trees
        level = max(base.height, ours.height, theirs.height)
        self._stretch(level, None, (base.top, ours.top, theirs.top))

    def _stretch(self, level: int, after: bytes | None, columns: _Columns) -> None:
        """Compare the nodes of one level in one stretch."""
        base, ours, theirs = columns
        for upto, span in _cuts(columns):
            (b_low, b_high), (o_low, o_high), (t_low, t_high) = span
            here = ours.addresses[o_low:o_high]
            alike = here == theirs.addresses[t_low:t_high]
            if alike and self._equal_too:
                alike = here == base.addresses[b_low:b_high]
            if not alike and level:
                self._differing(level, (after, upto), columns, span)
            elif not alike:
                self._patch(after, columns, span)
            elif not level:
                self._agreed(ours.weights[o_low:o_high])
            after = upto

    def _differing(
        self, level: int, bounds: Bounds, columns: _Columns, span: _Span
    ) -> None:
        """Open nodes that differ."""
        nodes = [
            column.addresses[low:high]
            for column, (low, high) in zip(columns, span, strict=True)
        ]
        if all(len(some) == 1 for some in nodes):
            weight = columns[1].weights[span[1][0]]
            if self._alike(
                level, bounds, (nodes[0][0], nodes[1][0], nodes[2][0]), weight
            ):
                return
        self._open(level, bounds[0], nodes)

    def _open(
        self, level: int, after: bytes | None, nodes: Sequence[Sequence[bytes]]
    ) -> None:
        """Compare the children of nodes of one level, whatever keys they have."""
        opened: list[_Column] = []
        for at, tree in enumerate(self._trees):
            alike = next((n for n in range(at) if nodes[n] == nodes[at]), None)
            opened.append(
                tree.open(nodes[at], level) if alike is None else opened[alike]
            )
        self._stretch(level - 1, after, (opened[0], opened[1], opened[2]))

    def _alike(
        self, level: int, bounds: Bounds, addresses: ThreeAddresses, weight: int
    ) -> bool:
        """Compare the children of one node a side, when all three have the same keys.

        The common case, after updates, pairs them up by their places. False, and
        nothing is done, when it is not at hand.
        """
        if level > self._lowest:
            return False
        base, ours, theirs = (self._reader.read_inner(one, level) for one in addresses)
        if not same_keys(base, ours) or not same_keys(ours, theirs):
            return False
        nodes = base, ours, theirs
        differing = differing_children(nodes, equal_too=self._equal_too)
        if level == 1:
            strip = Strip(bounds, addresses, differing, weight)
            self._leaves(strip, nodes, differing)
            return True
        for at, children in differing:
            start = ours.key(at - 1) if at else bounds[0]
            below = start, ours.key(at)
            if not self._alike(level - 1, below, children, ours.weight(at)):
                self._open(level - 1, start, [[child] for child in children])
        return True

    def _leaves(
        self, strip: Strip, nodes: ThreeNodes, differing: list[Differing]
    ) -> None:
        """Note the differing leaves of nodes of level 1 that have the same keys."""
        _, ours, theirs = nodes
        weights = ours.weights
        if not differing:
            self._agreed(weights)
            return
        first, last = differing[0][0], differing[-1][0]
        self._agreed(weights[:first])
        if ours.has_weights_of(theirs):
            strip.measure(self._gap, weights[first : last + 1])
            self.patches.append(strip)
        else:
            places = [at for at, _ in differing]
            self.patches += leaf_patches(strip.after, nodes, places, self._gap)
        self._gap = 0
        self._agreed(weights[last + 1 :])

    def _agreed(self, weights: Sequence[int]) -> None:
        """Pass leaves that are the same on both sides."""
        if self._gap < self._weight_far:
            self._gap += sum(weights)

    def _patch(self, after: bytes | None, columns: _Columns, span: _Span) -> None:
        """Note the patch of leaves that differ."""
        base, ours, theirs = (
            column.addresses[low:high]
            for column, (low, high) in zip(columns, span, strict=True)
        )
        mine, other = columns[1].entries(*span[1]), columns[2].entries(*span[2])
        side = side_of(base, ours, theirs)
        old = columns[0].entries(*span[0]) if side == MERGED else (other, mine)[side]
        upto = max(some[-1][0] for some in (old, mine, other) if some)
        is_even = _shape(mine) == _shape(other)
        self.patches.append(
            Patch(after, upto, self._gap, side, is_even, old, mine, other)
        )
        self._gap = 0


def _shape(entries: list[Entry]) -> list[tuple[bytes, int]]:
    return [(key, child.weight) for key, child in entries]


def _cuts(columns: _Columns) -> Iterator[tuple[bytes, _Span]]:
    """Yield (last key, span) of the smallest stretches that three columns share.

    A column may be cut behind a key when one of its nodes ends there or when it has no
    node behind it, and a stretch ends where all three may be cut.
    """
    places = [{key: end for end, key in enumerate(one.keys, 1)} for one in columns]
    common = set().union(*places)
    for column, place in zip(columns, places, strict=True):
        if column.keys:
            end = column.keys[-1]
            common -= {key for key in common - place.keys() if key < end}
    starts = 0, 0, 0
    for key in sorted(common):
        ends = (
            places[0].get(key, len(columns[0].keys)),
            places[1].get(key, len(columns[1].keys)),
            places[2].get(key, len(columns[2].keys)),
        )
        yield (
            key,
            ((starts[0], ends[0]), (starts[1], ends[1]), (starts[2], ends[2])),
        )
        starts = ends


def find_patches(
    reader: NodeReader, roots: Roots, weight_far: int, *, equal_too: bool = False
) -> list[Patch | Strip]:
    """Return the patches between (base, ours, theirs), in key order.

    ``None`` stands for an empty tree. With ``equal_too`` stretches that both sides
    changed in the same way are patches, too. Gaps are told up to ``weight_far``.
    """
    walk = _Walk(reader, roots, weight_far, equal_too=equal_too)
    walk.run()
    return walk.patches
