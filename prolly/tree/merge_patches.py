"""Patches: the smallest stretches in which the leaves of ours and theirs differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from operator import ne, or_
from typing import NamedTuple

from prolly.codec.node import Child, Inner

# Whose leaves a stretch of the result holds: those of one side, which alone changed
# it; records merged one by one; or the same leaves on both sides.
OURS, THEIRS, MERGED, AGREED = range(4)

Entry = tuple[bytes, Child]
# Of base, ours and theirs.
ThreeAddresses = tuple[bytes, bytes, bytes]
ThreeNodes = tuple[Inner, Inner, Inner]
# Which child of three nodes differs, and its addresses.
Differing = tuple[int, ThreeAddresses]


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

    @property
    def weight(self) -> int:
        """The weight of its leaves; of ours, where they are not even."""
        return sum(child.weight for _, child in self.ours)

    @property
    def last_weight(self) -> int:
        """The weight of the last leaf; 0 where a side has none."""
        leaves = self.of(self.side)
        return leaves[-1][1].weight if leaves else 0

    def of(self, side: int) -> list[Entry]:
        """Return the leaves of ours or of theirs."""
        return self.theirs if side == THEIRS else self.ours

    def leaves_changed(self, side: int) -> int:
        """Return how many leaves one side alone changed here."""
        return max(len(self.base), len(self.of(side))) if side == self.side else 0


def side_of(base: object, ours: object, theirs: object) -> int:
    """Tell whose leaves stand where ours and theirs differ."""
    if ours == base:
        return THEIRS
    return OURS if theirs == base else MERGED


def differing_children(nodes: ThreeNodes, *, equal_too: bool) -> list[Differing]:
    """Return the children of nodes with the same keys that want a look."""
    base, ours, theirs = (node.child_addresses() for node in nodes)
    unlike: Iterable[bool] = map(ne, ours, theirs)
    if equal_too:
        unlike = map(or_, unlike, map(ne, ours, base))
    places = compress(range(len(ours)), unlike)
    return [(at, (base[at], ours[at], theirs[at])) for at in places]


def leaf_patches(
    after: bytes | None, nodes: ThreeNodes, places: Sequence[int], gap: int
) -> Iterator[Patch]:
    """Yield the patches of one leaf a side at some places of nodes of level 1.

    ``gap`` is that of the first, and ``after`` the key before the nodes.
    """
    base, ours, theirs = nodes
    weights = ours.weights
    done = places[0]
    for at in places:
        gap += sum(weights[done:at])
        start = ours.key(at - 1) if at else after
        key = ours.key(at)
        old, mine, other = base.child(at), ours.child(at), theirs.child(at)
        side = side_of(old.address, mine.address, other.address)
        old = (other, mine, old)[side]
        columns = [(key, old)], [(key, mine)], [(key, other)]
        is_even = mine.weight == other.weight
        yield Patch(start, key, gap, side, is_even, *columns)
        gap, done = 0, at + 1
