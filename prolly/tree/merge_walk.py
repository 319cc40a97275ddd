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

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from prolly.codec import ADDRESS_BYTES
from prolly.codec.node import Child, Inner

from .operations import node_weight, same_keys
from .reader import NodeReader

# Whose leaves a stretch of the result holds: those of one side, which alone changed
# it; records merged one by one; or the same leaves on both sides.
OURS, THEIRS, MERGED, AGREED = range(4)

NOT_ZERO = re.compile(rb"[^\0]")

Entry = tuple[bytes, Child]
Roots = tuple[bytes | None, bytes | None, bytes | None]


class Patch(NamedTuple):
    """A stretch in which the leaves of ours and theirs differ.

    It lies behind the key ``after`` (``None`` at the start) up to and including
    ``upto``. ``gap`` is the weight of the agreed leaves between the patch before and
    this one, or less. ``side`` is OURS or THEIRS when only that one differs from base.
    ``is_even`` tells that leaves of ours and theirs have the same last keys and
    weights. Of a stretch that one side changed, base's leaves are the other side's.
    """

    after: bytes | None
    upto: bytes
    gap: int
    side: int
    is_even: bool
    base: list[Entry]
    ours: list[Entry]
    theirs: list[Entry]

    @property
    def is_leaf(self) -> bool:
        """Tell whether each version has one leaf here."""
        return len(self.base) == len(self.ours) == len(self.theirs) == 1

    def of(self, side: int) -> list[Entry]:
        """Return the leaves of ours or of theirs."""
        return self.theirs if side == THEIRS else self.ours


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
        self._equal_too = equal_too
        self._weight_far = weight_far
        self._gap = weight_far
        self.patches: list[Patch] = []

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
            if not alike:
                self._differing(level, after, columns, span)
            elif not level:
                self._agreed(ours.weights[o_low:o_high])
            after = upto

    def _paired(self, after: bytes | None, nodes: Sequence[list[bytes]]) -> bool:
        """Compare the leaves below one node a side, when they end at the same keys.

        The common case, after updates, goes without lists of all keys. False, and
        nothing is done, when it is not at hand.
        """
        if not all(len(some) == 1 for some in nodes) or not all(
            tree.height for tree in self._trees
        ):
            return False
        base, ours, theirs = (self._reader.read_inner(some[0], 1) for some in nodes)
        if not same_keys(base, ours) or not same_keys(base, theirs):
            return False
        done = 0
        for at in self._differ(base, ours, theirs):
            self._agreed(ours.weights[done:at])
            start = ours.key(at - 1) if at else after
            done = at + 1
            self._leaf((start, ours.key(at)), at, (base, ours, theirs))
        self._agreed(ours.weights[done:])
        return True

    def _differ(self, base: Inner, ours: Inner, theirs: Inner) -> list[int]:
        """Return where the children of nodes of the same keys want a look."""
        differ = _differing_places(ours.addresses, theirs.addresses)
        if self._equal_too:
            alike = _differing_places(ours.addresses, base.addresses)
            differ = sorted({*differ, *alike})
        return differ

    def _leaf(
        self,
        bounds: tuple[bytes | None, bytes],
        at: int,
        nodes: tuple[Inner, Inner, Inner],
    ) -> None:
        """Note the patch of one leaf on each side, all of the same last key."""
        base, ours, theirs = nodes
        key = bounds[1]
        here = slice(at * ADDRESS_BYTES, (at + 1) * ADDRESS_BYTES)
        address, our_address, their_address = (
            base.addresses[here],
            ours.addresses[here],
            theirs.addresses[here],
        )
        our_weight, their_weight = ours.weights[at], theirs.weights[at]
        mine = [(key, Child(our_address, ours.counts[at], our_weight))]
        other = [(key, Child(their_address, theirs.counts[at], their_weight))]
        side = _side(address, our_address, their_address)
        old = (other, mine, [(key, base.child(at))])[side]
        is_even = our_weight == their_weight
        self.patches.append(Patch(*bounds, self._gap, side, is_even, old, mine, other))
        self._gap = 0

    def _agreed(self, weights: Sequence[int]) -> None:
        """Pass leaves that are the same on both sides."""
        if self._gap < self._weight_far:
            self._gap += sum(weights)

    def _differing(
        self, level: int, after: bytes | None, columns: _Columns, span: _Span
    ) -> None:
        """Open nodes that differ, or note the patch when they are leaves."""
        nodes = [
            column.addresses[low:high]
            for column, (low, high) in zip(columns, span, strict=True)
        ]
        base, ours, theirs = nodes
        if level == 1 and self._paired(after, nodes):
            return
        if level:
            opened: list[_Column] = []
            for at, tree in enumerate(self._trees):
                alike = next((n for n in range(at) if nodes[n] == nodes[at]), None)
                opened.append(
                    tree.open(nodes[at], level) if alike is None else opened[alike]
                )
            self._stretch(level - 1, after, (opened[0], opened[1], opened[2]))
            return
        mine, other = columns[1].entries(*span[1]), columns[2].entries(*span[2])
        side = _side(base, ours, theirs)
        old = columns[0].entries(*span[0]) if side == MERGED else (other, mine)[side]
        upto = max(some[-1][0] for some in (old, mine, other) if some)
        is_even = _shape(mine) == _shape(other)
        self.patches.append(
            Patch(after, upto, self._gap, side, is_even, old, mine, other)
        )
        self._gap = 0


def _side(base: object, ours: object, theirs: object) -> int:
    """Tell whose leaves stand where ours and theirs differ."""
    if ours == base:
        return THEIRS
    return OURS if theirs == base else MERGED


def _differing_places(one: bytes, other: bytes) -> list[int]:
    """Return the indexes at which two columns of addresses of one length differ.

    At the speed of big integers: a list of the addresses would take five times as long.
    """
    both = int.from_bytes(one) ^ int.from_bytes(other)
    mask = both.to_bytes(len(one))
    places: list[int] = []
    found = NOT_ZERO.search(mask)
    while found is not None:
        places.append(found.start() // ADDRESS_BYTES)
        found = NOT_ZERO.search(mask, (places[-1] + 1) * ADDRESS_BYTES)
    return places


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
) -> list[Patch]:
    """Return the patches between (base, ours, theirs), in key order.

    ``None`` stands for an empty tree. With ``equal_too`` stretches that both sides
    changed in the same way are patches, too. Gaps are told up to ``weight_far``.
    """
    walk = _Walk(reader, roots, weight_far, equal_too=equal_too)
    walk.run()
    return walk.patches
