"""Rows from another replica: read many at a time, refused as one at a time."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prolly.codec import cbor, row
from prolly.codec.byte_strings import ByteStrings, EvenStrings
from prolly.codec.node import encode_leaf
from prolly.codec.received_row import check_rows
from prolly.codec.stored_leaf import StoredLeaf
from prolly.errors import Corrupt

CELLS = st.none() | st.integers(-300, 300) | st.binary(max_size=3) | st.lists(st.none())
# Cells of one kind and length; what follows a row's presence is made of such.
ALIKE = [
    st.integers(24, 255),
    st.integers(-65536, -257),
    st.integers(1 << 32, (1 << 64) - 1),
    st.integers(-24, 23),
    st.booleans(),
    st.binary(min_size=3, max_size=3),
    st.binary(min_size=24, max_size=24),
    st.text("ab\0", min_size=3, max_size=3),
    st.sampled_from(["\xe9\xe8", "\u20aca", "a\u20ac", "\U0001f600"]),
    st.text("xyz", min_size=30, max_size=30),
    st.floats(width=16, allow_nan=False, allow_infinity=False),
    st.floats(width=64).filter(lambda one: len(cbor.encode(one)) == 9),
]


def columns_of(datas: list[bytes]) -> ByteStrings:
    """Return rows as a leaf has them."""
    leaf = StoredLeaf(encode_leaf([b"%03d" % at for at in range(len(datas))], datas))
    return leaf.columns()[1]


def require_alike(values: Any, datas: list[bytes], fills: list[Any]) -> None:
    """Check rows all together, and compare with what is found one by one."""
    try:
        expected = [row.check(one, fills) for one in datas]
    except Corrupt:
        with pytest.raises(Corrupt):
            check_rows(values, fills)
        return
    found = check_rows(values, fills)
    for column, cells in zip(found, zip(*expected, strict=True), strict=True):
        assert column.kinds == {*map(type, cells)}
        if column.cells is not None:
            spelt = sorted(map(cbor.encode, column.cells))
            assert spelt == sorted(map(cbor.encode, cells))


@given(st.integers(1, 4), st.sampled_from([None, 7, 1, True, 1.0, math.nan]), st.data())
def test_rows_together_are_as_each_alone(
    width: int, fill: object, data: st.DataObject
) -> None:
    """Alike or not, of even length or not, with fills or without; wrong or not."""
    fills: list[Any] = [fill] * width
    rows = data.draw(st.lists(st.lists(CELLS, min_size=width, max_size=width)))
    rows.append([1] * width)
    datas = [row.encode(one, fills) for one in rows]
    require_alike(datas, datas, fills)
    place = data.draw(st.integers(0, len(datas) - 1))
    at = data.draw(st.integers(0, len(datas[place]) - 1))
    wrong = bytearray(datas[place])
    wrong[at] ^= data.draw(st.integers(1, 255))
    datas[place] = bytes(wrong)
    require_alike(datas, datas, fills)


@given(st.data())
def test_rows_of_one_shape_are_as_each_alone(data: st.DataObject) -> None:
    """Right ones are told by their shape, and wrong bytes are found as ever."""
    kinds = data.draw(st.lists(st.sampled_from(ALIKE), min_size=1, max_size=4))
    rows = data.draw(st.lists(st.tuples(*kinds), min_size=2, max_size=5))
    fills: list[Any] = [None] * (1 + len(kinds))
    datas = [row.encode([None, *one], fills) for one in rows]
    values = columns_of(datas)
    require_alike(values, datas, fills)
    place = data.draw(st.integers(0, len(datas) - 1))
    at = data.draw(st.integers(0, len(datas[place]) - 1))
    wrong = bytearray(datas[place])
    wrong[at] = data.draw(
        st.integers(0, 255) | st.sampled_from(b"\x00\x17\x18\xf6\xff")
    )
    datas[place] = bytes(wrong)
    if type(values) is EvenStrings:
        require_alike(columns_of(datas), datas, fills)


@given(st.integers(1, 20), st.data())
def test_rows_that_store_different_columns_are_as_each_alone(
    width: int, data: st.DataObject
) -> None:
    """With few and with many nulls, so that presences have one byte or more."""
    cells = st.none() | st.integers(0, 300) | st.text("xé", max_size=2)
    rows = data.draw(
        st.lists(
            st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=5
        )
    )
    fills: list[Any] = [None] * width
    datas = [row.encode(one, fills) for one in rows]
    require_alike(datas, datas, fills)
    place = data.draw(st.integers(0, len(datas) - 1))
    at = data.draw(st.integers(0, len(datas[place]) - 1))
    wrong = bytearray(datas[place])
    wrong[at] = data.draw(st.integers(0, 255))
    datas[place] = bytes(wrong)
    require_alike(datas, datas, fills)


def test_a_shape_tells_without_taking_apart() -> None:
    """Rows of texts, bytes, floats and numbers of one length each stay as they are."""
    cells = ["abcd", b"12", 1 / 3, 1000, -1000, 5, True]
    datas = [row.encode(cells, [None] * 7)] * 9
    found = check_rows(columns_of(datas), [None] * 7)
    assert [column.kinds for column in found] == [{type(one)} for one in cells]
    assert {column.cells for column in found} == {None}


def double(bits: str) -> bytes:
    """Return a row of one double, whatever it is."""
    return b"\x82\x41\x01\xfb" + bytes.fromhex(bits)


NAN = struct.pack(">d", math.nan).hex()


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ([double("3fd5555555555555")], double("3fd5555560000000")),
        ([double("3fd5555555555555")], double("3ff0000000000000")),
        ([double("3fd5555555555555")], double("7ff0000000000000")),
        ([double("3fd5555555555555")], double(NAN)),
        ([double("3fd5555555555555")], double("fff8000000000001")),
        ([double("7fe5555555555555")], double("ffffffffffffffff")),
        ([b"\x82\x41\x01\xfa\x3e\xaa\xaa\xab"], b"\x82\x41\x01\xfa\x3f\x80\0\0"),
        ([b"\x82\x41\x01\x19\x01\x00"], b"\x82\x41\x01\x19\x00\xff"),
        ([b"\x82\x41\x01\x39\x01\x00"], b"\x82\x41\x01\x39\x00\xff"),
        ([b"\x82\x41\x01\x18\x18"], b"\x82\x41\x01\x18\x17"),
        ([b"\x82\x41\x01\x62ab"], b"\x82\x41\x01\x62a\xc3"),
        # A character that begins in one cell and ends in the next one.
        (
            [b"\x82\x41\x01\x62\xc3\xa9", b"\x82\x41\x01\x62a\xc3"],
            b"\x82\x41\x01\x62\xa9b",
        ),
        ([b"\x82\x41\x01\x63abc"], b"\x82\x41\x01\x63\xed\xa0\x80"),
        ([b"\x82\x41\x01\x05"], b"\x82\x41\x01\xf6"),
        ([b"\x82\x41\x01\x05"], b"\x82\x41\x01\xf7"),
        ([b"\x82\x41\x01\x42ab"], b"\x82\x41\x02\x42ab"),
    ],
)
def test_one_wrong_row_of_a_shape_is_refused(values: list[bytes], wrong: bytes) -> None:
    """Numbers that have a shorter spelling, halves of characters, nulls."""
    for datas in ([*values, wrong], [wrong, *values], [wrong, wrong]):
        with pytest.raises(Corrupt):
            check_rows(columns_of(datas), [None])


@pytest.mark.parametrize(
    "value",
    [
        b"\x82\x41\x01\xf6",
        b"\x82\x42\x01\x00\x05",
        b"\x82\x58\x01\x01\x05",
        b"\x98\x02\x41\x01\x05",
        b"\x82\x41\x01\x18\x05",
        b"\x82\x41\x04\x05",
        b"\x83\x41\x01\x05\x06",
        b"\x82\x41\x01\x78\x02ab",
        b"\x82\x41\x01\x58\x02ab",
        b"\x82\x41\x01\x79\x00\x1e" + b"a" * 30,
        b"\xf6",
        b"",
    ],
)
def test_other_spellings_are_refused(value: bytes) -> None:
    """A stored null, loose bits, long heads, columns that there are not, no row."""
    fills = [None, None]
    for others in ([], [row.encode([5, None], fills)]):
        datas = [value, *others, value]
        for values in (datas, columns_of(datas)):
            with pytest.raises(Corrupt):
                check_rows(values, fills)


def test_rows_of_nothing_are_right() -> None:
    """Of columns that are all null."""
    for values in ([b"\x81\x40"] * 3, columns_of([b"\x81\x40"] * 3)):
        found = check_rows(values, [None, None])
        assert [column.kinds for column in found] == [{type(None)}] * 2


FILLS = [1, True, 1.0, 0.0, -0.0, math.nan, math.inf, b"", ""]


@example(1.0, 1)
@example(math.nan, math.nan)
@example(0.0, -0.0)
@given(st.sampled_from(FILLS), st.sampled_from(FILLS))
def test_a_stored_fill_is_refused(cell: object, fill: object) -> None:
    """Only where it is spelt like the fill."""
    data = b"\x82\x41\x01" + cbor.encode(cell)
    require_alike([data, data], [data, data], [fill])
