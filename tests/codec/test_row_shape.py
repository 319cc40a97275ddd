"""Shapes of rows: columns come out as they would of each row alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import cbor, row
from prolly.codec.byte_strings import ByteStrings, EvenStrings
from prolly.codec.node import encode_leaf
from prolly.codec.row_shape import shape_of
from prolly.codec.stored_leaf import StoredLeaf
from prolly.errors import Corrupt

# Cells of kinds and lengths that rows of one shape share, and some that they do not.
CELLS = [
    st.integers(-24, 23) | st.booleans() | st.sampled_from(["", b""]),
    st.integers(24, 255) | st.integers(-256, -25),
    st.integers(65536, (1 << 32) - 1),
    st.floats(),
    st.text(min_size=2, max_size=2),
    st.text("a\0", min_size=24, max_size=24),
    st.binary(min_size=2, max_size=2),
    st.lists(st.none(), max_size=1),
]


def columns_of(datas: list[bytes]) -> ByteStrings:
    """Return rows as a leaf has them."""
    leaf = StoredLeaf(encode_leaf([b"%03d" % at for at in range(len(datas))], datas))
    return leaf.columns()[1]


@given(st.booleans(), st.data())
def test_columns_are_those_of_the_rows(is_filled: bool, data: st.DataObject) -> None:
    """Whatever the rows have in common; parts of a leaf, too."""
    kinds = data.draw(st.lists(st.sampled_from(CELLS), min_size=1, max_size=4))
    rows = data.draw(st.lists(st.tuples(*kinds), min_size=1, max_size=6))
    fills: list[Any] = [7 if is_filled else None, *[None] * len(kinds)]
    datas = [row.encode([fills[0], *one], fills) for one in rows]
    values = columns_of(datas)
    for some, part in ((values, datas), (values[1:], datas[1:])):
        if part:
            found = row.decode_columns(some, fills)
            due = zip(*[row.decode(one, fills) for one in part], strict=True)
            for column, cells in zip(found, due, strict=True):
                assert cbor.encode(list(column)) == cbor.encode(list(cells))


def test_most_rows_have_a_shape() -> None:
    """Of numbers, texts, bytes and what is one byte long; not with others."""

    def has_shape(*cells: object) -> bool:
        fills: list[Any] = [None] * len(cells)
        values = columns_of([row.encode(cells, fills)] * 3)
        assert isinstance(values, EvenStrings)
        return shape_of(values) is not None

    assert has_shape("x", b"y", 1, -1, 2.5, 1e300, 1 << 40, -(1 << 40), True, "", b"")
    assert has_shape("x" * 255, b"y" * 500)
    assert not has_shape("x", [1])
    assert not has_shape(1 << 70)


def test_other_heads_have_another_shape() -> None:
    """One row of the same length that differs in a head is enough."""
    for other in ([b"ab", 1], ["a", 100], ["ab", 24.0]):
        datas = [row.encode(one, [None, None]) for one in (["ab", 1], other)]
        values = columns_of([datas[0], datas[0], datas[1]])
        if isinstance(values, EvenStrings):
            assert shape_of(values) is None


def test_text_that_is_none_is_corrupt() -> None:
    """As in rows that have no shape."""
    with pytest.raises(Corrupt) as caught:
        row.decode_columns(columns_of([b"\x82\x41\x01\x61\xff"] * 2), [None])
    assert caught.value.code == "row"
    with pytest.raises(Corrupt):
        row.decode_columns(columns_of([b"\x82\x41\x02\x61a"] * 2), [None])
