"""The pieces and nodes of one stored blob, found by their place in the value.

Level 0 is the pieces; a *unit* of a level is a piece or a node with the stretch of the
value that it covers. Each look-up descends from the root through decoded nodes, of
which those used last are kept, so walking to a neighbour reads one node at most.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import NamedTuple

from prolly.codec import BlobNode, ChunkType, Reference

from .blob import bad_blob, read_blob_node, read_blob_root, read_piece

# Decoded nodes kept: the paths of an edit and their neighbours, under a megabyte.
NODES_KEPT = 32

ReadChunk = Callable[[bytes], bytes | None]


class Child(NamedTuple):
    """An entry of a node: a piece or a node below, and the bytes it covers."""

    address: bytes
    length: int


class Unit(NamedTuple):
    """A piece or node with the stretch [start, end) of the value that it covers."""

    start: int
    end: int
    address: bytes


class _Placed(NamedTuple):
    node: BlobNode
    ends: list[int]


class BlobTree:
    """One stored blob, for reading and as the old side of an edit. Not thread-safe.

    ``None`` for the reference is a blob that was never written: no bytes. Raises
    Corrupt as read_blob, here and whenever something is read.
    """

    def __init__(self, read: ReadChunk, reference: Reference | None) -> None:
        self.reference = reference
        self._read = read
        self._kept: dict[bytes, _Placed] = {}
        self._last_piece: tuple[bytes, bytes] = (b"", b"")
        self._root: _Placed | None = None
        if reference is None:
            self.length = 0
        elif reference.kind == ChunkType.BLOB_PIECE:
            piece = read_piece(read, reference.address, None)
            self._last_piece = (reference.address, piece)
            self.length = len(piece)
        else:
            self._root = _placed(read_blob_root(read, reference))
            self.length = self._root.ends[-1]

    @property
    def height(self) -> int:
        """The level of the root; 0 for a single piece or nothing."""
        return 0 if self._root is None else self._root.node.level

    def unit(self, level: int, offset: int) -> Unit:
        """Return the unit of a level that holds the byte at ``offset``.

        ``level`` is at most the height, and ``offset`` lies in the value.
        """
        assert 0 <= offset < self.length and level <= self.height
        assert self.reference is not None
        if self._root is None:
            return Unit(0, self.length, self.reference.address)
        placed, address = self._root, self.reference.address
        start, end = 0, self.length
        while placed.node.level > level:
            index = bisect_right(placed.ends, offset - start)
            address = placed.node.addresses[index]
            end = start + placed.ends[index]
            start = end - placed.node.lengths[index]
            if placed.node.level == 1:
                break
            placed = self._load(address, placed.node.level - 1, end - start)
        return Unit(start, end, address)

    def children(self, level: int, start: int, stop: int) -> list[Child]:
        """Return the children in [start, stop) of one node; both are their borders."""
        unit, placed = self._node(level, start)
        low = bisect_right(placed.ends, start - unit.start)
        high = bisect_left(placed.ends, stop - unit.start) + 1
        node = placed.node
        pairs = zip(node.addresses[low:high], node.lengths[low:high], strict=True)
        return [Child(*pair) for pair in pairs]

    def count_children(self, level: int, start: int, stop: int) -> int:
        """Return how many children of one node begin in [start, stop)."""
        unit, placed = self._node(level, start)
        low = bisect_right(placed.ends, start - unit.start)
        return bisect_left(placed.ends, stop - unit.start) - low + (stop > start)

    def piece(self, unit: Unit) -> bytes:
        """Return the bytes of a unit of level 0; the last one is kept."""
        address, piece = self._last_piece
        if address != unit.address or len(piece) != unit.end - unit.start:
            piece = read_piece(self._read, unit.address, unit.end - unit.start)
            self._last_piece = (unit.address, piece)
        return piece

    def iter_range(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes of [start, stop), which lies in the value, in parts."""
        assert start >= 0 and stop <= self.length
        while start < stop:
            unit = self.unit(0, start)
            end = min(unit.end, stop)
            piece = self.piece(unit)
            if (start, end) == (unit.start, unit.end):
                yield piece
            else:
                yield piece[start - unit.start : end - unit.start]
            start = end

    def _node(self, level: int, offset: int) -> tuple[Unit, _Placed]:
        unit = self.unit(level, offset)
        assert self._root is not None
        if level == self._root.node.level:
            return unit, self._root
        return unit, self._load(unit.address, level, unit.end - unit.start)

    def _load(self, address: bytes, level: int, length: int) -> _Placed:
        placed = self._kept.pop(address, None)
        if placed is None:
            placed = _placed(read_blob_node(self._read, address))
            if len(self._kept) >= NODES_KEPT:
                del self._kept[next(iter(self._kept))]
        # The node used last stands last, so the first is the one to forget.
        self._kept[address] = placed
        if placed.node.level != level or placed.ends[-1] != length:
            raise bad_blob("a node is of another level or length than told")
        return placed


def _placed(node: BlobNode) -> _Placed:
    return _Placed(node, list(accumulate(node.lengths)))
