"""Rows of which some cells, or the whole, stand outside of their leaf.

    outline  references | CBOR [ presence, moved, cell, ... ]     largest cells outside
    whole    reference  | nothing                                 the plain row outside

For rows whose plain form is over the inline limit. ``moved`` marks, as the presence
does, the cells that the references stand for, in column order; the others follow
inline. Page: docs/spec/rows.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from . import cbor, row
from .reference import (
    INLINE_BYTES_MAX,
    REFERENCE_BYTES,
    REFERENCES_MAX,
    Reference,
    Referring,
    decode_referring,
    encode_referring,
)

Write = Callable[[bytes], Reference]
Read = Callable[[Reference], bytes]


class OutlineCell(NamedTuple):
    """A cell that stands out of line: its blob, and the bytes of its encoding."""

    reference: Reference
    size: int


def encode_outline(
    cells: Sequence[object], fills: Sequence[object], write: Write
) -> Referring:
    """Return the stored value of a row whose plain form is over the inline limit.

    The largest cells by encoded size (the first of equals) are handed to ``write``, as
    their canonical bytes and in column order, until the rest fits. If no choice of
    cells makes it fit, the whole plain row is. A function of the record alone.
    """
    stored = row.stored_positions(cells, fills)
    encoded = {position: cbor.encode(cells[position]) for position in stored}
    moved = _choose_moved(stored, {at: len(data) for at, data in encoded.items()})
    if moved is None:
        return encode_referring([write(row.encode(cells, fills))])
    references = [write(encoded[position]) for position in moved]
    return _outline(stored, moved, references, encoded)


def encode_stored(
    cells: Sequence[object], fills: Sequence[object], write: Write, read: Read
) -> bytes:
    """Return the stored value of a row, plain or not, some of whose cells are outside.

    A cell may be an :class:`OutlineCell` of a row with these fills, which is read only
    if it has to come in: the other cells decide that. ``read`` gives the bytes that a
    reference stands for. Raises as ``encode`` and what ``read`` raises.
    """
    places = [at for at, cell in enumerate(cells) if type(cell) is OutlineCell]
    if not places:
        plain = row.encode(cells, fills)
        fits = len(plain) <= INLINE_BYTES_MAX
        return plain if fits else encode_outline(cells, fills, write)
    # A cell that equals its fill is stored nowhere, so none of these does.
    outside: dict[int, Any] = {at: cells[at] for at in places}
    inside = [fills[at] if at in outside else one for at, one in enumerate(cells)]
    stored = tuple(sorted({*row.stored_positions(inside, fills), *places}))
    encoded = {at: cbor.encode(cells[at]) for at in stored if at not in outside}
    sizes = {at: len(data) for at, data in encoded.items()}
    sizes.update({at: cell.size for at, cell in outside.items()})
    plain_size = len(cbor.array_header(1 + len(stored))) + sum(sizes.values())
    plain_size += len(cbor.encode(row.presence_of(stored)))
    moved = None
    if plain_size > INLINE_BYTES_MAX:
        moved = _choose_moved(stored, sizes)
    if moved is None or not outside.keys() <= set(moved):
        loaded = list(cells)
        for at, cell in outside.items():
            loaded[at] = cbor.decode(read(cell.reference))
        return encode_stored(loaded, fills, write, read)
    references = [
        outside[at].reference if at in outside else write(encoded[at]) for at in moved
    ]
    return _outline(stored, moved, references, encoded)


def decode_outline(value: bytes, fills: Sequence[object], read: Read) -> list[Any]:
    """Return the cells of a row with cells, or the whole of it, out of line.

    ``read`` gives the bytes that a reference stands for. Raises Corrupt ``row``,
    ``reference`` or ``value-spelling``, and what ``read`` raises.
    """
    return [
        cbor.decode(read(cell)) if type(cell) is Reference else cell
        for cell in outline_cells(value, fills, read)
    ]


def outline_cells(value: bytes, fills: Sequence[object], read: Read) -> list[Any]:
    """Return the cells as ``decode_outline``, but a :class:`Reference` for each
    outside.

    Only a row that is whole out of line is read.
    """
    references, payload = decode_referring(value)
    if not payload:
        if len(references) != 1:
            raise row.bad_row("a row that is whole out of line has one reference")
        return row.decode(read(references[0]), fills)
    parts = cbor.decode(payload)
    if type(parts) is not list or len(parts) < 2:
        raise row.bad_row("it is no array of presence, moved bits and cells")
    presence, moved_bits, *inline = parts
    stored = row.positions_of(presence, len(fills))
    moved = row.positions_of(moved_bits, len(fills))
    outside = set(moved)
    kept = [position for position in stored if position not in outside]
    if len(moved) != len(references) or len(kept) != len(inline):
        raise row.bad_row("its bits, references and cells do not match")
    if not outside.issubset(stored):
        raise row.bad_row("a cell that is not stored is marked as moved")
    cells = list(fills)
    for position, cell in zip(kept, inline, strict=True):
        cells[position] = cell
    for position, reference in zip(moved, references, strict=True):
        cells[position] = reference
    return cells


def _outline(
    stored: tuple[int, ...],
    moved: tuple[int, ...],
    references: Sequence[Reference],
    encoded: dict[int, bytes],
) -> Referring:
    outside = set(moved)
    inline = [encoded[position] for position in stored if position not in outside]
    head = cbor.array_header(2 + len(inline))
    bits = cbor.encode(row.presence_of(stored)) + cbor.encode(row.presence_of(moved))
    return encode_referring(references, head + bits + b"".join(inline))


def _choose_moved(
    stored: tuple[int, ...], sizes: dict[int, int]
) -> tuple[int, ...] | None:
    """Return the fewest largest cells whose moving makes the row fit, or None.

    ``sizes`` are the lengths of the encodings of the stored cells.
    """
    by_size = sorted(stored, key=lambda position: (-sizes[position], position))
    cells_size = sum(sizes.values())
    presence = cbor.encode(row.presence_of(stored))
    for count in range(1, min(len(by_size), REFERENCES_MAX) + 1):
        cells_size -= sizes[by_size[count - 1]]
        moved = tuple(sorted(by_size[:count]))
        head = cbor.array_header(2 + len(stored) - count)
        bits_size = len(presence) + len(cbor.encode(row.presence_of(moved)))
        size = 1 + REFERENCE_BYTES * count + len(head) + bits_size + cells_size
        if size <= INLINE_BYTES_MAX:
            return moved
    return None
