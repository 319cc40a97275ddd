"""Plain rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import cbor, row
from prolly.codec.node import encode_leaf
from prolly.codec.stored_leaf import StoredLeaf
from prolly.errors import Corrupt, Invalid, LimitExceeded
from prolly.testing.strategies import cells, values


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
