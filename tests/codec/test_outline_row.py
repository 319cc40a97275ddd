"""Rows with cells out of line, and whole out of line."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import INLINE_BYTES_MAX, Reference, Referring, cbor, outline_row, row
from prolly.codec.reference import decode_referring
from prolly.errors import Corrupt
from prolly.testing.strategies import cells


class Pieces(dict[bytes, bytes]):
    """Where moved cells go; counts nothing, orders nothing."""

    def write(self, data: bytes) -> Reference:
        """Keep the bytes under their digest."""
        address = blake3(data).digest()
        self[address] = data
        return Reference(address, 3)

    def read(self, reference: Reference) -> bytes:
        """Give the bytes back."""
        return self[reference.address]


def spelt(cells_of_row: list[Any]) -> list[bytes]:
    """Return what tells cells apart in the format."""
    return [cbor.encode(cell) for cell in cells_of_row]


@given(cells(), st.lists(st.integers(0, 2000), max_size=40), st.data())
def test_cells_outside_before_make_no_other_row(
    pair: tuple[list[Any], list[Any]], sizes: list[int], data: st.DataObject
) -> None:
    """A row is stored alike from values and from cells that stand outside already."""
    some = pair[0] + [bytes([n % 251]) * size for n, size in enumerate(sizes)]
    fills = pair[1] + [None] * len(sizes)
    pieces = Pieces()
    stored = outline_row.encode_stored(some, fills, pieces.write, pieces.read)
    plain = row.encode(some, fills)
    assert (stored == plain) is (len(plain) <= INLINE_BYTES_MAX)
    moved = []
    for cell, fill in zip(some, fills, strict=True):
        coded = cbor.encode(cell)
        is_outside = coded != cbor.encode(fill) and data.draw(st.booleans())
        outside = outline_row.OutlineCell(pieces.write(coded), len(coded))
        moved.append(outside if is_outside else cell)
    assert outline_row.encode_stored(moved, fills, pieces.write, pieces.read) == stored


def test_a_cell_that_stays_outside_is_not_read() -> None:
    """Only its length counts; it comes in when the others leave room for it."""
    pieces = Pieces()
    long = cbor.encode(b"x" * 5000)
    outside = outline_row.OutlineCell(pieces.write(long), len(long))

    def read(reference: Reference) -> bytes:
        raise AssertionError("it was read")

    stored = outline_row.encode_stored([1, outside], [None, None], pieces.write, read)
    assert outline_row.outline_cells(stored, [None, None], read) == [
        1,
        outside.reference,
    ]
    short = cbor.encode(b"x" * 500)
    inside = outline_row.OutlineCell(pieces.write(short), len(short))
    stored = outline_row.encode_stored(
        [1, inside], [None, None], pieces.write, pieces.read
    )
    assert row.decode(stored, [None, None]) == [1, b"x" * 500]


@given(cells(), st.lists(st.integers(0, 2000), min_size=1, max_size=40))
def test_an_outline_gives_the_row_back(
    pair: tuple[list[Any], list[Any]], sizes: list[int]
) -> None:
    """Whatever the sizes, the row comes back, fits, and is written the same again."""
    some = pair[0] + [bytes([n % 251]) * size for n, size in enumerate(sizes)]
    fills = pair[1] + [None] * len(sizes)
    pieces = Pieces()
    value = outline_row.encode_outline(some, fills, pieces.write)
    assert type(value) is Referring and len(value) <= INLINE_BYTES_MAX
    assert spelt(outline_row.decode_outline(value, fills, pieces.read)) == spelt(some)
    assert outline_row.encode_outline(some, fills, pieces.write) == value


def test_the_largest_cells_move_first_and_ties_go_by_position() -> None:
    """No more cells move than must, and references stand in column order."""
    some = [b"a" * 300, b"b" * 500, b"c" * 300, b"d" * 500, "small"]
    written: list[bytes] = []

    def write(data: bytes) -> Reference:
        written.append(data)
        return Reference(blake3(data).digest(), 3)

    value = outline_row.encode_outline(some, [None] * 5, write)
    assert written == [cbor.encode(some[1]), cbor.encode(some[3])]
    payload = cbor2.loads(decode_referring(value)[1])
    assert payload == [b"\x1f", b"\x0a", some[0], some[2], "small"]
    written.clear()
    outline_row.encode_outline([b"a" * 600, b"b" * 600], [None] * 2, write)
    assert written == [cbor.encode(b"a" * 600)]


def test_a_row_of_many_small_cells_goes_out_whole() -> None:
    """When no choice fits, the plain row is written, and told apart when read."""
    some = [f"cell-{n:04}" for n in range(200)]
    pieces = Pieces()
    value = outline_row.encode_outline(some, [None] * 200, pieces.write)
    references, payload = decode_referring(value)
    assert payload == b"" and len(references) == 1
    assert pieces.read(references[0]) == row.encode(some, [None] * 200)
    assert outline_row.decode_outline(value, [None] * 200, pieces.read) == some


def test_a_hostile_outline_is_corrupt() -> None:
    """Bits, references and cells that do not match are refused."""
    pieces = Pieces()
    good = pieces.write(cbor.encode("cell"))
    for references, payload in (
        ([good, good], b""),
        ([good], cbor.encode([b"\x01", b"\x02"])),
        ([good], cbor.encode([b"\x01", b"\x01", 5])),
        ([good, good], cbor.encode([b"\x03", b"\x01", 5])),
        ([good], cbor.encode([b"\x09", b"\x08", 5])),
        ([good], cbor.encode([b"\x01\x00", b"\x01"])),
        ([good], cbor.encode([1, 2])),
        ([good], cbor.encode({})),
        ([good], b"\xff"),
    ):
        edges = b"".join(r.address + bytes([r.kind]) for r in references)
        value = bytes([len(references)]) + edges + payload
        with pytest.raises(Corrupt):
            outline_row.decode_outline(value, [None, None], pieces.read)
