"""Strips: nodes of level 1 that differ in leaves, and in nothing else that counts.

A strip is one node of level 1 a side: all three have the same keys, and the leaves of
ours and theirs the same weights. So all its patches are of one leaf and even (but one
of both sides, whose records have to be looked at), and where they stand as they are,
the node of the result is that of the host with the guest's leaves written over its own:
no patch need be made, no leaf sought in the tree. Updates make strips, and nothing but
strips.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prolly.codec.node import Inner

from .merge_patches import (
    MERGED,
    OURS,
    Differing,
    Patch,
    ThreeAddresses,
    ThreeNodes,
    leaf_patches,
    side_of,
)
from .merge_records import MergedRecords, PatchMerge
from .reader import NodeReader
from .renewal import Renewal


class Strip:
    """One strip, told by addresses; its nodes are read again when they are needed.

    It lies behind the key ``after`` up to and including ``upto``. ``gap`` is as of a
    patch, for the first differing leaf; ``weight`` that of the leaves from there to
    the last differing one, and ``last_weight`` that of the latter.
    """

    __slots__ = (
        "_addresses",
        "_is_even",
        "_last",
        "_merged",
        "_own_weight",
        "_places",
        "_stored",
        "after",
        "gap",
        "last_weight",
        "upto",
        "weight",
    )

    def __init__(
        self,
        bounds: tuple[bytes | None, bytes],
        addresses: ThreeAddresses,
        differing: Iterable[Differing],
        own_weight: int,
    ) -> None:
        self.after, self.upto = bounds
        self._addresses = addresses
        self._own_weight = own_weight
        # Where leaves were changed by ours, by theirs, by both.
        self._places: tuple[list[int], list[int], list[int]] = [], [], []
        self._last = -1
        for at, (base, ours, theirs) in differing:
            self._places[side_of(base, ours, theirs)].append(at)
            self._last = at
        self._merged: list[MergedRecords] = []
        self._is_even: bool | None = None
        self._stored: dict[int, bytes] = {}
        self.gap = self.weight = self.last_weight = 0

    def measure(self, gap: int, weights: Sequence[int]) -> None:
        """Take the gap before the first differing leaf, and what weighs up to the last.

        ``weights`` are those of all leaves from the first to the last that differ.
        """
        self.gap = gap
        self.weight = sum(weights)
        self.last_weight = weights[-1]

    def leaves_changed(self, side: int) -> int:
        """Return how many leaves one side alone changed here."""
        return len(self._places[side])

    def last_key(self, reader: NodeReader) -> bytes:
        """Return the last key of the last differing leaf."""
        return self._node(reader, OURS).key(self._last)

    def _node(self, reader: NodeReader, side: int) -> Inner:
        return reader.read_inner(self._addresses[1 + side], 1)

    def _nodes(self, reader: NodeReader) -> ThreeNodes:
        base, ours, theirs = (reader.read_inner(one, 1) for one in self._addresses)
        return base, ours, theirs

    def is_even(self, reader: NodeReader, records: PatchMerge) -> bool:
        """Tell whether all its patches are; those of both sides are merged to see it.

        What was merged is kept, the leaves of one node at most.
        """
        if self._is_even is None:
            self._is_even = self._merges_even(reader, records)
        return self._is_even

    def _merges_even(self, reader: NodeReader, records: PatchMerge) -> bool:
        places = self._places[MERGED]
        if not places:
            return True
        nodes = self._nodes(reader)
        for at in places:
            base, ours, theirs = (node.address(at) for node in nodes)
            found = records.leaf(base, ours, theirs)
            if found is None:
                return False
            self._merged.append(found)
            if found.chunk is None:
                return False
        return True

    def patches(self, reader: NodeReader) -> list[tuple[Patch, MergedRecords | None]]:
        """Return its patches, with the records of those that are merged already."""
        nodes = self._nodes(reader)
        differing = sorted(at for places in self._places for at in places)
        merged = iter(self._merged)
        return [
            (patch, next(merged, None) if patch.side == MERGED else None)
            for patch in leaf_patches(self.after, nodes, differing, self.gap)
        ]

    def merged_leaves(self) -> list[bytes]:
        """Return the chunks of the leaves of both sides. The strip must be even."""
        assert self._is_even, "it was found even"
        return [one.chunk for one in self._merged if one.chunk is not None]

    def stored(self, addresses: Sequence[bytes]) -> None:
        """Take the addresses of ``merged_leaves``, which are not kept any longer."""
        self._stored = dict(zip(self._places[MERGED], addresses, strict=True))
        self._merged = []

    def renewal(self, reader: NodeReader, host: int) -> Renewal | None:
        """Return the node of the result, for when its merged leaves are stored.

        ``None`` when it is that of the host.
        """
        guest = self._places[1 - host]
        if not guest and not self._places[MERGED]:
            return None

        def renewed() -> Inner:
            node, other = self._node(reader, host), self._node(reader, 1 - host)
            return node.over_leaves_of(other, guest, self._stored)

        old = self._addresses[1 + host]
        return Renewal(old, self.upto, self._own_weight, renewed)
