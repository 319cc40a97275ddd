"""Rows: plain, with cells out of line, and whole out of line."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import cbor2
import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import INLINE_BYTES_MAX, Reference, Referring, cbor, row
from prolly.codec.node import encode_leaf
from prolly.codec.reference import decode_referring
from prolly.codec.stored_leaf import StoredLeaf
from prolly.errors import Corrupt, Invalid, LimitExceeded
from prolly.testing.strategies import cells, values


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


@given(cells())
def test_decode_undoes_encode(pair: tuple[list[Any], list[Any]]) -> None:
    """Every row comes back, by the fast and by the strict way."""
    some, fills = pair
    data = row.encode(some, fills)
    assert spelt(row.decode(data, fills)) == spelt(some)
    assert spelt(row.check(data, fills)) == spelt(some)


@given(st.lists(st.lists(st.one_of(st.none(), values(2)), min_size=3, max_size=3)))
def test_decoding_many_equals_decoding_each(rows: list[list[Any]]) -> None:
    """The bulk form is a map of the single call."""
    for fills in ([None, None, None], [0, "", None]):
        datas = [row.encode(one, fills) for one in rows]
        many = row.decode_many(datas, fills)
        assert list(map(spelt, many)) == list(map(spelt, rows))


@given(
    st.lists(st.integers(0, 255), min_size=1, max_size=20),
    st.sampled_from([[None, None, None], [0, "", None]]),
    st.sampled_from([None, 7]),
)
def test_rows_of_one_length_come_as_columns(
    numbers: list[int], fills: list[Any], cell: int | None
) -> None:
    """A column of a leaf, whose rows need not be taken apart, gives the same cells."""
    rows = [[number, f"{number:03d}", cell] for number in numbers]
    datas = [row.encode(one, fills) for one in rows]
    keys = [b"key:%02d" % place for place in range(len(rows))]
    _, stored = StoredLeaf(encode_leaf(keys, datas)).columns()
    columns = row.decode_columns(stored, fills)
    assert list(map(list, zip(*columns, strict=True))) == rows
    assert list(map(list, row.decode_columns(datas, fills))) == list(map(list, columns))


@given(cells(), st.data())
def test_a_damaged_row_is_corrupt_or_another_row(
    pair: tuple[list[Any], list[Any]], data: st.DataObject
) -> None:
    """The strict way reads only what encode writes for these fills."""
    some, fills = pair
    raw = bytearray(row.encode(some, fills))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    for damaged in (bytes(raw), bytes(raw[:at]), bytes(raw) + b"\0"):
        for read in (row.check, row.decode, _decode_alone):
            try:
                found = read(damaged, fills)
            except Corrupt:
                continue
            if read is row.check:
                assert row.encode(found, fills) == damaged


def _decode_alone(data: bytes, fills: list[Any]) -> list[Any]:
    return row.decode_many([data], fills)[0]


def test_a_cell_equal_to_its_fill_is_not_stored() -> None:
    """Equal means equal bytes: 1, 1.0, True and 1.00 are different; null is a cell."""
    fills = [1, 1, 1, None, 0, Decimal("1.0"), 0.0]
    some = [1, 1.0, True, None, None, Decimal("1.00"), -0.0]
    data = row.encode(some, fills)
    stored = cbor2.loads(data)
    assert stored == [bytes([0b1110110]), 1.0, True, None, Decimal("1.00"), -0.0]
    assert spelt(row.decode(data, fills)) == spelt(some)


def test_a_column_added_at_the_end_leaves_rows_as_they_are() -> None:
    """Zero bytes of presence are left out, so only stored cells count."""
    short = row.encode([1, None], [None, None])
    long = row.encode([1] + [None] * 30, [None] * 31)
    assert short == long
    assert row.encode([], []) == row.encode([None], [None])


@given(cells(), st.lists(st.integers(0, 2000), max_size=40), st.data())
def test_cells_outside_before_make_no_other_row(
    pair: tuple[list[Any], list[Any]], sizes: list[int], data: st.DataObject
) -> None:
    """A row is stored alike from values and from cells that stand outside already."""
    some = pair[0] + [bytes([n % 251]) * size for n, size in enumerate(sizes)]
    fills = pair[1] + [None] * len(sizes)
    pieces = Pieces()
    stored = row.encode_stored(some, fills, pieces.write, pieces.read)
    plain = row.encode(some, fills)
    assert (stored == plain) is (len(plain) <= INLINE_BYTES_MAX)
    moved = []
    for cell, fill in zip(some, fills, strict=True):
        coded = cbor.encode(cell)
        is_outside = coded != cbor.encode(fill) and data.draw(st.booleans())
        outside = row.OutlineCell(pieces.write(coded), len(coded))
        moved.append(outside if is_outside else cell)
    assert row.encode_stored(moved, fills, pieces.write, pieces.read) == stored


def test_a_cell_that_stays_outside_is_not_read() -> None:
    """Only its length counts; it comes in when the others leave room for it."""
    pieces = Pieces()
    long = cbor.encode(b"x" * 5000)
    outside = row.OutlineCell(pieces.write(long), len(long))

    def read(reference: Reference) -> bytes:
        raise AssertionError("it was read")

    stored = row.encode_stored([1, outside], [None, None], pieces.write, read)
    assert row.outline_cells(stored, [None, None], read) == [1, outside.reference]
    short = cbor.encode(b"x" * 500)
    inside = row.OutlineCell(pieces.write(short), len(short))
    stored = row.encode_stored([1, inside], [None, None], pieces.write, pieces.read)
    assert row.decode(stored, [None, None]) == [1, b"x" * 500]


@given(cells(), st.lists(st.integers(0, 2000), min_size=1, max_size=40))
def test_an_outline_gives_the_row_back(
    pair: tuple[list[Any], list[Any]], sizes: list[int]
) -> None:
    """Whatever the sizes, the row comes back, fits, and is written the same again."""
    some = pair[0] + [bytes([n % 251]) * size for n, size in enumerate(sizes)]
    fills = pair[1] + [None] * len(sizes)
    pieces = Pieces()
    value = row.encode_outline(some, fills, pieces.write)
    assert type(value) is Referring and len(value) <= INLINE_BYTES_MAX
    assert spelt(row.decode_outline(value, fills, pieces.read)) == spelt(some)
    assert row.encode_outline(some, fills, pieces.write) == value


def test_the_largest_cells_move_first_and_ties_go_by_position() -> None:
    """No more cells move than must, and references stand in column order."""
    some = [b"a" * 300, b"b" * 500, b"c" * 300, b"d" * 500, "small"]
    written: list[bytes] = []

    def write(data: bytes) -> Reference:
        written.append(data)
        return Reference(blake3(data).digest(), 3)

    value = row.encode_outline(some, [None] * 5, write)
    assert written == [cbor.encode(some[1]), cbor.encode(some[3])]
    payload = cbor2.loads(decode_referring(value)[1])
    assert payload == [b"\x1f", b"\x0a", some[0], some[2], "small"]
    written.clear()
    row.encode_outline([b"a" * 600, b"b" * 600], [None] * 2, write)
    assert written == [cbor.encode(b"a" * 600)]


def test_a_row_of_many_small_cells_goes_out_whole() -> None:
    """When no choice fits, the plain row is written, and told apart when read."""
    some = [f"cell-{n:04}" for n in range(200)]
    pieces = Pieces()
    value = row.encode_outline(some, [None] * 200, pieces.write)
    references, payload = decode_referring(value)
    assert payload == b"" and len(references) == 1
    assert pieces.read(references[0]) == row.encode(some, [None] * 200)
    assert row.decode_outline(value, [None] * 200, pieces.read) == some


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
            row.decode_outline(value, [None, None], pieces.read)


def test_a_wrong_cell_is_named_by_its_position() -> None:
    """The path of the error begins with the column, whatever cells are stored."""
    with pytest.raises(Invalid) as caught:
        row.encode([None, 1, {"a": [1, {2}]}], [None, 1, None])
    assert caught.value.path == [2, "a", 1]
    with pytest.raises(Invalid) as caught:
        row.encode(["fine", "\ud800"], [None, None])
    assert caught.value.path == [1]


def test_a_cell_may_nest_one_level_less_than_a_value() -> None:
    """The row itself is one level."""
    cell: Any = 0
    for _ in range(cbor.VALUE_DEPTH_MAX - 1):
        cell = [cell]
    assert row.decode(row.encode([cell], [None]), [None]) == [cell]
    with pytest.raises(LimitExceeded):
        row.encode([[cell]], [None])


def test_column_ids_agree_and_are_probed() -> None:
    """The same name and type make the same id; a taken one gives the next probe."""
    first = row.column_id("name", "text", ())
    assert row.column_id("name", "text", ()) == first < 2**32
    assert row.column_id("name", "int", ()) != first
    second = row.column_id("name", "text", {first})
    assert second not in (first, row.column_id("name", "text", {first, second}))


def test_a_cell_that_nests_too_deep_names_its_column() -> None:
    """The row is one level of nesting; the error's path begins with the position."""
    deep: object = 1
    for _ in range(cbor.VALUE_DEPTH_MAX):
        deep = [deep]
    with pytest.raises(LimitExceeded) as caught:
        row.encode(["fits", deep], [None, None])
    assert caught.value.facts["path"][0] == 1
