"""Columns give the strings that a leaf holds, in whichever form they are asked for."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import Reference, encode_referring
from prolly.codec.byte_strings import ByteStrings, EvenStrings, ListedStrings
from prolly.codec.node import encode_leaf
from prolly.codec.reference import Referring
from prolly.codec.stored_leaf import StoredLeaf
from prolly.errors import Corrupt

REFERRING = encode_referring([Reference(bytes(range(32)), 3)])

keys = st.one_of(
    st.binary(min_size=1, max_size=3),
    st.binary(min_size=4, max_size=4),
    st.integers(0, 300).map(lambda number: b"key:%05d" % number),
    st.sampled_from([b"k" * size for size in (22, 23, 24, 255, 256, 900)]),
)
even_keys = st.binary(min_size=4, max_size=4)
values = st.one_of(
    st.binary(max_size=4),
    st.binary(min_size=30, max_size=30),
    st.sampled_from([bytes(size) for size in (0, 23, 24, 255, 256, 1000)]),
    st.just(REFERRING),
)
even_values = st.binary(min_size=30, max_size=30)
records = st.one_of(
    st.dictionaries(keys, values, max_size=40),
    st.dictionaries(even_keys, values, max_size=40),
    st.dictionaries(even_keys, even_values, max_size=40),
    st.dictionaries(keys, even_values, max_size=40),
)


def columns(entries: dict[bytes, bytes]) -> tuple[ByteStrings, ByteStrings]:
    """Return the columns of the leaf of the records."""
    order = sorted(entries)
    leaf = encode_leaf(order, [entries[key] for key in order])
    return StoredLeaf(leaf).columns()


@given(records, st.slices(40))
def test_columns_hold_what_the_leaf_holds(
    entries: dict[bytes, bytes], places: slice
) -> None:
    """All strings, each with its kind, and every part of them in a row."""
    order = sorted(entries)
    low, high, _ = places.indices(len(order))
    whole = slice(low, max(low, high))
    for column, expected in zip(
        columns(entries), (order, [entries[key] for key in order]), strict=True
    ):
        assert column.apart() == list(column) == expected
        assert list(map(type, column)) == list(map(type, expected))
        assert len(column) == len(expected)
        assert column.joined() == b"".join(expected)
        assert column.joined(b"\xff") == b"\xff".join(expected)
        part = column[whole]
        assert part.apart() == expected[whole]
        assert part.joined(b",") == b",".join(expected[whole])
        assert all(column[place] == one for place, one in enumerate(expected))


def test_strings_of_one_length_are_even() -> None:
    """The quick form is used where it may be, and only there."""
    even = {b"key:%05d" % number: bytes(30) for number in range(9)}
    assert [type(one) for one in columns(even)] == [EvenStrings, EvenStrings]
    mixed = {**even, b"key:00003": b"other"}
    assert [type(one) for one in columns(mixed)] == [EvenStrings, ListedStrings]
    referring = {**mixed, b"key:00004": REFERRING}
    assert Referring in map(type, columns(referring)[1])


def test_beginnings_are_compared_and_left_out() -> None:
    """``begin_with`` speaks of every string, ``behind`` leaves the beginning out."""
    entries = {b"key:%05d" % number: b"head%02d" % number for number in range(20)}
    _, column = columns(entries)
    assert isinstance(column, EvenStrings)
    assert column.begin_with(b"head")
    assert not column.begin_with(b"head0")
    assert not column.begin_with(b"heat")
    assert not column.begin_with(b"head00and more")
    assert column.behind(4).apart() == [b"%02d" % number for number in range(20)]
    assert column.behind(6).apart() == [b""] * 20
    assert column.part(slice(10, 20)).begin_with(b"head1")


def test_damaged_bytes_never_show_as_another_error() -> None:
    """A leaf that lost its form is Corrupt, whatever was damaged."""
    source = random.Random(5)
    order = [b"key:%03d" % number for number in range(60)]
    whole = encode_leaf(order, [b"value %d" % number for number in range(60)])
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[source.randrange(20)] = source.randrange(256)
        try:
            found = StoredLeaf(bytes(damaged)).columns()
        except Corrupt:
            continue
        assert len(found[0]) == len(found[1])


def test_an_inner_node_has_no_columns() -> None:
    """Bytes of another form are Corrupt."""
    with pytest.raises(Corrupt):
        StoredLeaf(b"\x05\x80").columns()
