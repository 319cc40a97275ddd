"""One row while it is merged: its cells, where they are from, and what is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from prolly.chunks import ChunkWriter
from prolly.codec import ChunkType, Reference, address_of, cbor, outline_row
from prolly.maps import ABSENT, blob_length, read_blob, write_blob

from .value_order import same

ReadChunk = Callable[[bytes], bytes | None]

# Of these types two values are equal in Python only if their encodings are.
PLAIN_TYPES = frozenset({"bool", "int", "text", "bytes", "date", "uuid"})

_PIECE_HEAD = bytes((ChunkType.BLOB_PIECE,))


class MergedRow:
    """The cells of a row in the order of slots, ours where nothing else was decided.

    ``open`` are slots that nothing decided, with the reasons; ``loses_ours`` and
    ``loses_theirs`` tell that keep-both dropped a cell of that side.
    """

    __slots__ = (
        "cells",
        "has_new",
        "has_ours",
        "has_theirs",
        "loses_ours",
        "loses_theirs",
        "open",
        "reason",
    )

    def __init__(self, ours: Sequence[Any]) -> None:
        self.cells = list(ours)
        self.open: list[int] = []
        self.reason = ""
        # Whether a cell differs from theirs, from ours, or from both.
        self.has_ours = self.has_theirs = self.has_new = False
        self.loses_ours = self.loses_theirs = False

    def take(self, slot: int, cell: Any) -> None:
        """Let a cell of theirs stand."""
        self.cells[slot] = cell
        self.has_theirs = True

    def keep(self) -> None:
        """Let a cell of ours stand that differs from theirs."""
        self.has_ours = True

    def put(self, slot: int, cell: Any) -> None:
        """Let a new cell stand."""
        self.cells[slot] = cell
        self.has_new = True

    def leave(self, slot: int, reason: str) -> None:
        """Leave a cell open; ours stands meanwhile."""
        self.open.append(slot)
        self.reason = self.reason or reason
        self.has_ours = True

    def stored(self, ours: bytes, theirs: bytes) -> bytes | None:
        """Return the bytes of the side that has this very row, or None."""
        if self.has_new or (self.has_ours and self.has_theirs):
            return None
        return theirs if self.has_theirs else ours


class CellAccess:
    """Cells in and out of line: compared, loaded and written under one schema's
    fills."""

    def __init__(
        self, fills: Sequence[Any], read: ReadChunk, writer: ChunkWriter
    ) -> None:
        self._fills = fills
        self._read = read
        self._writer = writer

    def decode(self, stored: bytes) -> list[Any]:
        """Return the cells of a row not inline, a ``Reference`` for each outside."""
        return outline_row.outline_cells(stored, self._fills, self.read)

    def read(self, reference: Reference) -> bytes:
        """Return the bytes that a reference of a row stands for."""
        return read_blob(self._read, reference)

    def load(self, cell: Any) -> Any:
        """Return a cell's value, read if it is out of line."""
        return cbor.decode(self.read(cell)) if type(cell) is Reference else cell

    def encode(self, cells: Sequence[Any]) -> bytes:
        """Return the stored row; what is out of line is read only if it must come in.

        Raises as ``prolly.codec.row.encode``.
        """
        known = [
            outline_row.OutlineCell(cell, blob_length(self._read, cell))
            if type(cell) is Reference
            else cell
            for cell in cells
        ]
        return outline_row.encode_stored(known, self._fills, self._write, self.read)

    def _write(self, data: bytes) -> Reference:
        return write_blob(self._writer, data)


def same_cell(one: Any, other: Any) -> bool:
    """Tell whether two cells are equal, without reading what is out of line.

    A cell stays inline in one row and moves out in another by what stands beside it.
    """
    if one is other:
        return True
    if type(one) is Reference:
        one, other = other, one
    if type(other) is not Reference:
        return same(one, other)
    if type(one) is Reference:
        return bool(one == other)
    if one is ABSENT or other.kind != ChunkType.BLOB_PIECE:
        return False
    return bool(address_of(_PIECE_HEAD + cbor.encode(one)) == other.address)
