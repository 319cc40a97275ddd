"""Keys: byte order equals value order, and one spelling for each."""

from __future__ import annotations

import contextlib
import struct
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prolly.codec import KEY_BYTES_MAX, key
from prolly.codec.node import encode_leaf
from prolly.codec.stored_leaf import StoredLeaf
from prolly.errors import Corrupt, Invalid, LimitExceeded
from prolly.testing.strategies import (
    byte_strings,
    decimals,
    integers,
    key_parts,
    key_scalars,
    keys,
    texts,
)

RANKS = (type(None), bytes, str, tuple, int, float, bool, UUID, date, datetime, Decimal)


def order(part: Any) -> tuple[Any, ...]:
    """Return what the documented order of a part is compared by."""
    rank = RANKS.index(type(part))
    if part is None:
        return (rank,)
    if isinstance(part, tuple):
        return (rank, tuple(map(order, part)))
    if isinstance(part, str):
        return (rank, part.encode("utf-32-be"))
    if isinstance(part, float):
        return (rank, part, struct.pack(">d", part)[0] < 0x80)
    if isinstance(part, UUID):
        return (rank, part.bytes)
    if isinstance(part, Decimal):
        sign, _, exponent = part.as_tuple()
        assert isinstance(exponent, int)
        return (rank, part, exponent if sign else -exponent)
    return (rank, part)


def alike(left: Any, right: Any) -> bool:
    """Tell whether two keys are one: the same types, signs and trailing zeros."""
    if isinstance(left, tuple):
        return (
            isinstance(right, tuple)
            and len(left) == len(right)
            and all(map(alike, left, right))
        )
    return type(left) is type(right) and order(left) == order(right)


@given(keys())
def test_decode_undoes_encode(user_key: Any) -> None:
    """Every user key comes back the same; datetimes as the same instant."""
    assert alike(key.decode_key(key.encode_key(user_key)), user_key)


@given(st.lists(key_parts(), max_size=4), st.lists(key_parts(), max_size=4))
def test_byte_order_is_value_order(left: list[Any], right: list[Any]) -> None:
    """Tuples compare as their bytes do, over all types and depths."""
    ours, theirs = tuple(map(order, left)), tuple(map(order, right))
    left_bytes, right_bytes = key.encode(tuple(left)), key.encode(tuple(right))
    assert (ours < theirs) == (left_bytes < right_bytes)
    assert (ours == theirs) == (left_bytes == right_bytes)


@given(
    st.sampled_from(
        [key_scalars(), integers(), decimals(), texts(), byte_strings()]
    ).flatmap(lambda kind: st.tuples(kind, kind))
)
def test_byte_order_is_value_order_within_a_type(pair: tuple[Any, Any]) -> None:
    """Scalars of one type, drawn often enough to lie close together."""
    left, right = pair
    assert (order(left) < order(right)) == (
        key.encode_key(left) < key.encode_key(right)
    )


@given(st.lists(key_scalars(), min_size=2, max_size=3), st.lists(key_scalars()))
def test_no_key_is_cut_short_by_what_follows(some: list[Any], more: list[Any]) -> None:
    """The bytes of leading parts are a prefix of the bytes of the tuple."""
    assert key.encode(tuple(some + more)).startswith(key.encode(tuple(some)))


@given(st.lists(key_parts(), max_size=4), st.lists(key_parts(), max_size=3))
def test_the_end_of_the_first_parts_is_found(some: list[Any], more: list[Any]) -> None:
    """end_of_parts is where their encoding ends; too few are Corrupt."""
    try:
        first, whole = key.encode(tuple(some)), key.encode((*some, *more))
    except LimitExceeded:
        return
    assert key.end_of_parts(whole, len(some)) == len(first)
    with pytest.raises(Corrupt):
        key.end_of_parts(whole, len(some) + len(more) + 1)


@given(st.binary(max_size=24))
def test_decode_reads_only_what_encode_writes(data: bytes) -> None:
    """Any bytes are either the encoding of their parts or Corrupt."""
    for read, write in ((key.decode, key.encode), (key.decode_key, key.encode_key)):
        try:
            found: Any = read(data)
        except Corrupt as error:
            assert error.code == "key-spelling"
        else:
            assert write(found) == data


@given(keys(), st.data())
def test_a_damaged_key_never_raises_anything_but_corrupt(
    user_key: Any, data: st.DataObject
) -> None:
    """One changed byte, a cut or an addition is refused or another key."""
    raw = bytearray(key.encode_key(user_key))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255))
    for damaged in (bytes(raw), bytes(raw[:at]), bytes(raw) + b"\xff"):
        with contextlib.suppress(Corrupt):
            assert key.encode(key.decode(damaged)) == damaged


whole_numbers = st.integers(1, 8).flatmap(
    lambda size: st.lists(st.integers(256 ** (size - 1), 256**size - 1))
)


@given(st.one_of(st.lists(texts()), st.lists(keys()), whole_numbers))
def test_the_bulk_forms_equal_single_calls(user_keys: list[Any]) -> None:
    """encode_keys and decode_keys are maps of the single calls."""
    encoded = [key.encode_key(one) for one in user_keys]
    assert key.encode_keys(user_keys) == encoded
    assert key.decode_keys(encoded) == [key.decode_key(one) for one in encoded]


pieces = st.sampled_from(
    [b"\x00", b"\x02", b"\xff", b"a", b"\x15", b"\x16", b"\x17", b"\xc3\xa9", b"\x80"]
)


@given(
    st.one_of(
        st.lists(st.binary(max_size=5).map(lambda data: b"\x02" + data), max_size=5),
        st.lists(st.lists(pieces, max_size=5).map(b"".join), max_size=4),
    )
)
def test_bulk_decoding_of_any_bytes_equals_single_calls(datas: list[bytes]) -> None:
    """The fast path accepts nothing that the slow one refuses."""
    try:
        expected = [key.decode_key(data) for data in datas]
    except Corrupt:
        with pytest.raises(Corrupt):
            key.decode_keys(datas)
    else:
        assert key.decode_keys(datas) == expected


@given(
    st.one_of(
        st.lists(st.integers(0, 2**32), min_size=1, unique=True),
        st.lists(st.integers(2**40, 2**41), min_size=1, unique=True),
        st.lists(st.text("ab\0é", min_size=3, max_size=3), min_size=1, unique=True),
        st.lists(st.tuples(st.text("ab", max_size=1), st.integers(1, 9)), unique=True),
    )
)
def test_keys_of_a_leaf_decode_as_they_stand_there(some: list[Any]) -> None:
    """Columns of even and of other lengths give what single calls do."""
    datas = sorted(map(key.encode_key, some))
    stored, _ = StoredLeaf(encode_leaf(datas, datas)).columns()
    assert key.decode_keys(stored) == [key.decode_key(data) for data in datas]


@given(st.lists(st.binary(min_size=3, max_size=3), min_size=1, max_size=6, unique=True))
@example([b"\x01\x80", b"\xff\xff"])
@example([b"\x00\x80", b"\xff\xff"])
def test_integers_are_told_by_the_first_and_the_last(ends: list[bytes]) -> None:
    """No key between two integers of one length is anything else."""
    for head in b"\x0c\x12\x13\x14\x15\x16\x17\x1c\x21":
        datas = sorted(bytes((head,)) + end for end in ends)
        stored, _ = StoredLeaf(encode_leaf(datas, datas)).columns()
        try:
            is_certain = key.are_integers(stored)
        except Corrupt:
            with pytest.raises(Corrupt):
                key.decode_keys(datas)
        else:
            if is_certain:
                assert {*map(type, map(key.decode_key, datas))} == {int}


def test_only_keys_of_one_length_are_told_to_be_integers() -> None:
    """Of both signs, without a look at those between."""

    def are_integers(*some: Any) -> bool:
        datas = [key.encode_key(one) for one in some]
        return key.are_integers(StoredLeaf(encode_leaf(datas, datas)).columns()[0])

    assert (
        are_integers(256, 300, 65535) and are_integers(-65535, -256) and are_integers(7)
    )
    assert not are_integers(0)
    assert not are_integers(255, 256)
    assert not are_integers("ab", "cd")
    assert not are_integers((1, 2), (1, 3))


@given(
    st.one_of(
        st.tuples(texts(3), st.lists(st.one_of(texts(5), byte_strings(5)))),
        st.tuples(byte_strings(3), st.lists(st.one_of(byte_strings(5), texts(5)))),
    )
)
def test_a_prefix_range_holds_exactly_the_keys_with_the_prefix(
    drawn: tuple[Any, list[Any]],
) -> None:
    """For text and bytes, over scalar keys that may begin with NUL or ff."""
    prefix, others = drawn
    start, stop = key.prefix_range(prefix)
    longer = [
        prefix + type(prefix)(other) for other in others if type(other) is type(prefix)
    ]
    for other in others + longer:
        data = key.encode_key(other)
        inside = start <= data and (stop is None or data < stop)
        assert inside == (type(other) is type(prefix) and other.startswith(prefix))


@given(
    st.lists(key_scalars(), max_size=2).map(tuple),
    st.lists(st.lists(key_parts(), max_size=3).map(tuple), max_size=5),
)
def test_a_tuple_range_holds_exactly_the_tuples_with_its_parts(
    prefix: tuple[Any, ...], others: list[tuple[Any, ...]]
) -> None:
    """The leading parts decide, whatever follows them."""
    start, stop = key.prefix_range(prefix)
    for other in others + [prefix + other for other in others]:
        data = key.encode(other)
        inside = start <= data and (stop is None or data < stop)
        lead = other[: len(prefix)]
        assert inside == (alike(lead, prefix))


@pytest.mark.parametrize(
    ("parts", "spelling"),
    [
        ((None,), "00"),
        (("foo\0bar",), "02666f6f00ff62617200"),
        ((b"foo\0bar",), "01666f6f00ff62617200"),
        (((b"foo\0bar", None, ()),), "0501666f6f00ff6261720000ff050000"),
        ((-5551212,), "11ab4b93"),
        ((0,), "14"),
        ((-1,), "13fe"),
        ((255,), "15ff"),
        ((256,), "160100"),
        ((2**64 - 1,), "1cffffffffffffffff"),
        ((-(2**64) + 1,), "0c0000000000000000"),
        ((2**64,), "1d09010000000000000000"),
        ((-(2**64),), "0bf6feffffffffffffffff"),
        ((-42.0,), "213fbaffffffffffff"),
        ((False, True), "2627"),
        ((UUID(int=1),), "30" + "00" * 15 + "01"),
    ],
)
def test_known_bytes_of_the_tuple_layer(parts: tuple[Any, ...], spelling: str) -> None:
    """Examples of the public specification, and others worked by hand from it."""
    assert key.encode(parts).hex() == spelling
    assert key.decode(bytes.fromhex(spelling)) == parts


@pytest.mark.parametrize(
    ("user_key", "code"),
    [
        (("a",), "key-one-part"),
        (((1, 2),), "key-one-part"),
        ((), "key-empty"),
        ([1, 2], "key-type"),
        (("a", [1]), "key-type"),
        (("a", ("b", {})), "key-type"),
        (float("nan"), "key-nan"),
        (Decimal("NaN"), "key-nan"),
        (Decimal("-0"), "key-range"),
        (datetime(2020, 1, 2), "key-range"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), "key-range"),
        ("\ud800", "key-type"),
        (("a", "\ud800"), "key-type"),
    ],
)
def test_what_is_no_key_is_refused_with_a_hint(user_key: Any, code: str) -> None:
    """Each reason has a stable code."""
    for call in (key.encode_key, lambda one: key.encode_keys([one])):
        with pytest.raises(Invalid) as caught:
            call(user_key)
        assert caught.value.code == code
        assert caught.value.hint


@pytest.mark.parametrize("fill", ["a", b"a", "\u00e9", "\0"])
def test_a_key_may_be_as_long_as_the_limit_and_no_longer(fill: Any) -> None:
    """1,024 encoded bytes pass, one more does not, in all four calls."""
    unit = len(key.encode_key(fill)) - 2
    longest = fill * ((KEY_BYTES_MAX - 2) // unit)
    data = key.encode_key(longest)
    assert len(data) == KEY_BYTES_MAX
    assert key.decode_key(data) == longest
    assert key.encode_keys([longest]) == [data]
    for call in (key.encode_key, lambda one: key.encode_keys([one])):
        with pytest.raises(LimitExceeded) as caught:
            call(longest + fill)
        assert caught.value.code == "key-too-long"
    for read in (key.decode_key, lambda one: key.decode_keys([one])):
        with pytest.raises(Corrupt):
            read(data[:-1] + b"aa\0")


def test_an_integer_may_have_255_bytes_and_no_more() -> None:
    """The tuple layer's own limit, on both sides of zero."""
    for largest in (2**2040 - 1, -(2**2040) + 1):
        assert key.decode_key(key.encode_key(largest)) == largest
        with pytest.raises(LimitExceeded):
            key.encode_key(largest + (1 if largest > 0 else -1))


def test_nesting_ends_at_its_limit() -> None:
    """16 levels pass; the 17th is refused both ways, without deep recursion."""
    part: Any = "x"
    for _ in range(key.KEY_DEPTH_MAX):
        part = (part,)
    assert key.decode(key.encode((part,))) == (part,)
    with pytest.raises(LimitExceeded):
        key.encode(((part,),))
    with pytest.raises(Corrupt):
        key.decode(b"\x05" + key.encode((part,)) + b"\0")
    with pytest.raises(Corrupt):
        key.decode(b"\x05" * 1000)


@pytest.mark.parametrize(
    "spelling",
    [
        "0261", "02ff00", "02eda08000", "0161", "05", "0500ff", "1500", "160001",
        "13ff", "12fffe", "1d08ffffffffffffffff", "1d0900ffffffffffffffff", "1d",
        "0bf70000000000000000", "0b", "217ff0", "21fff8000000000000", "203f800000",
        "3000", "4000000000", "40ffffffff", "41ffffffffffffffff", "41", "42",
        "4202800000000b00", "4202800000000b00ffff", "42008000000b",
        "4202800000000a000000", "42028000000001000000", "42028000000065000000",
        "42037fffffff0b000000", "4201", "420180000000ff",
        "32" + "00" * 12, "33" + "00" * 10, "43", "4f", "ff", "03", "28",
    ],
)  # fmt: skip
def test_other_spellings_are_refused(spelling: str) -> None:
    """Truncated, padded, unknown and foreign forms are Corrupt."""
    with pytest.raises(Corrupt) as caught:
        key.decode(bytes.fromhex(spelling))
    assert caught.value.code == "key-spelling"


@pytest.mark.parametrize("spelling", ["", "05026100026200" + "00"])
def test_bytes_that_no_user_key_has_are_refused(spelling: str) -> None:
    """No part, and a lone nested tuple, are tuples of the layer but not user keys."""
    data = bytes.fromhex(spelling)
    key.decode(data)
    with pytest.raises(Corrupt):
        key.decode_key(data)


def test_a_datetime_is_its_instant() -> None:
    """Two offsets of one instant are one key, which comes back in UTC."""
    east = datetime(2020, 1, 2, 12, tzinfo=timezone(timedelta(hours=5)))
    utc = east.astimezone(UTC)
    assert key.encode_key(east) == key.encode_key(utc)
    back = key.decode_key(key.encode_key(east))
    assert back == east and back.tzinfo is UTC


def test_decimals_of_equal_value_stand_side_by_side() -> None:
    """1.1 and 1.10 are two keys with nothing between them but more zeros."""
    texts_in_order = ["-2", "-1.100", "-1.10", "-1.1", "-1E-9", "0E+3", "0", "0.0",
                      "1E-9", "1.0999", "1.1", "1.10", "1.100", "1.1001", "1E+2", "100",
                      "1E+3"]  # fmt: skip
    encoded = [key.encode_key(Decimal(text)) for text in texts_in_order]
    assert encoded == sorted(encoded)
    assert [str(key.decode_key(data)) for data in encoded] == texts_in_order


def test_a_prefix_of_another_type_is_refused() -> None:
    """Only text, bytes and tuples have prefixes."""
    with pytest.raises(Invalid) as caught:
        key.prefix_range(5)
    assert caught.value.code == "key-prefix"
    assert key.prefix_range(()) == (b"", None)
