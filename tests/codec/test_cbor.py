"""Values: one spelling for each, and no other is read."""

from __future__ import annotations

import contextlib
import enum
import math
import struct
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import cbor
from prolly.errors import Corrupt, Error, Invalid, LimitExceeded
from prolly.testing.strategies import values


def nested(depth: int, inner: Any = 0) -> Any:
    """Return a value inside this many lists."""
    for _ in range(depth):
        inner = [inner]
    return inner


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are one to the format: types, signs, offsets, NaN."""
    if isinstance(left, tuple):
        left = list(left)
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        if left.keys() != right.keys():
            return False
        return all(same(item, right[name]) for name, item in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float):
        if math.isnan(left):
            return bool(math.isnan(right))
        return struct.pack(">d", left) == struct.pack(">d", right)
    if isinstance(left, datetime):
        return bool(left == right and left.utcoffset() == right.utcoffset())
    if isinstance(left, Decimal):
        return bool(left.as_tuple() == right.as_tuple())
    return bool(left == right)


@given(values())
def test_decode_undoes_encode(value: Any) -> None:
    """Every value comes back the same, by the strict and by the fast way."""
    data = cbor.encode(value)
    assert same(cbor.decode(data), value)
    assert same(cbor.decode_unchecked(data), value)


@given(values(), values())
def test_equal_bytes_mean_the_same_value(left: Any, right: Any) -> None:
    """Two values share an encoding exactly when they are one to the format."""
    assert (cbor.encode(left) == cbor.encode(right)) == same(left, right)


@given(st.binary(max_size=24))
def test_decode_reads_only_what_encode_writes(data: bytes) -> None:
    """Any bytes are either the encoding of their value or Corrupt."""
    try:
        value = cbor.decode(data)
    except Corrupt as error:
        assert error.code == "value-spelling"
    else:
        assert cbor.encode(value) == data


@given(values(), st.data())
def test_a_damaged_encoding_never_raises_anything_but_corrupt(
    value: Any, data: st.DataObject
) -> None:
    """One changed byte, a cut or an addition is refused or another value."""
    raw = bytearray(cbor.encode(value))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    for damaged in (bytes(raw), bytes(raw[:at]), bytes(raw) + b"\0"):
        with contextlib.suppress(Corrupt):
            assert cbor.encode(cbor.decode(damaged)) == damaged


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        (1.5, "f93e00"),
        (65504.0, "f97bff"),
        (65505.0, "fa477fe100"),
        (5.960464477539063e-08, "f90001"),
        (2.0**-25, "fa33000000"),
        (1.401298464324817e-45, "fa00000001"),
        (3.4028234663852886e38, "fa7f7fffff"),
        (0.1, "fb3fb999999999999a"),
        (5e-324, "fb0000000000000001"),
        (0.0, "f90000"),
        (-0.0, "f98000"),
        (math.inf, "f97c00"),
        (-math.inf, "f9fc00"),
    ],
)
def test_a_float_takes_its_shortest_spelling(value: float, spelling: str) -> None:
    """Half, single and double precision: the first that keeps the value."""
    assert cbor.encode(value).hex() == spelling


@given(st.floats(allow_nan=False))
def test_no_shorter_float_keeps_the_value(value: float) -> None:
    """The size chosen is the smallest of three that gives the value back."""
    fits = []
    for size, form in ((3, ">e"), (5, ">f"), (9, ">d")):
        try:
            if struct.unpack(form, struct.pack(form, value))[0] == value:
                fits.append(size)
        except OverflowError:
            continue
    assert len(cbor.encode(value)) == min(fits)


@pytest.mark.parametrize("bits", [0x7FF8 << 48, 0xFFF8 << 48, 0x7FF8000000000123])
def test_there_is_one_nan(bits: int) -> None:
    """Sign and payload of NaN are dropped."""
    nan = struct.unpack(">d", bits.to_bytes(8, "big"))[0]
    assert cbor.encode(nan).hex() == "f97e00"


class Colour(enum.IntEnum):
    """A subclass of int."""

    RED = 1


class Name(str):
    """A subclass of text."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({1}, []),
        (object(), []),
        (bytearray(b"x"), []),
        (1j, []),
        (Colour.RED, []),
        (Name("x"), []),
        ([0, {"a": (1, {2})}], [1, "a", 1]),
        ({"a": {1: 2}}, ["a", 1]),
        ({b"k": 1}, [b"k"]),
        (["\ud800"], [0]),
        ({"\udfff": 1}, ["\udfff"]),
        (datetime(2020, 1, 2), []),
        ([datetime(2020, 1, 2, tzinfo=timezone(timedelta(seconds=1)))], [0]),
        ([Decimal("NaN")], [0]),
        (Decimal("-Infinity"), []),
        (Decimal("-0.00"), []),
    ],
)
def test_what_is_no_value_is_refused_with_the_path(value: Any, path: list[Any]) -> None:
    """Invalid value-type names type and path, and has a hint."""
    with pytest.raises(Invalid) as caught:
        cbor.encode(value)
    assert caught.value.code == "value-type"
    assert caught.value.path == path
    assert caught.value.type
    assert caught.value.hint


def test_a_naive_datetime_gets_a_hint_about_time_zones() -> None:
    """The hint says how to give it an offset."""
    with pytest.raises(Invalid) as caught:
        cbor.encode({"at": datetime(2020, 1, 2)})
    assert "tzinfo" in caught.value.hint


def test_a_datetime_of_a_named_zone_keeps_its_offset() -> None:
    """Zone names are not stored, the offset of that moment is."""
    summer = datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    back = cbor.decode(cbor.encode(summer))
    assert back == summer
    assert back.utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize(
    ("inside", "outside", "code"),
    [
        (nested(cbor.VALUE_DEPTH_MAX), nested(cbor.VALUE_DEPTH_MAX + 1), "too-deep"),
        (
            nested(cbor.VALUE_DEPTH_MAX, Decimal(2**100)),
            nested(cbor.VALUE_DEPTH_MAX + 1, Decimal(2**100)),
            "too-deep",
        ),
        (
            2 ** (8 * cbor.INT_BYTES_MAX) - 1,
            2 ** (8 * cbor.INT_BYTES_MAX),
            "integer-too-long",
        ),
        (
            [-(2 ** (8 * cbor.INT_BYTES_MAX))],
            [-(2 ** (8 * cbor.INT_BYTES_MAX)) - 1],
            "integer-too-long",
        ),
        (
            Decimal((0, (1,), cbor.DECIMAL_EXPONENT_MAX)),
            Decimal((0, (1,), cbor.DECIMAL_EXPONENT_MAX + 1)),
            "decimal-too-long",
        ),
        (Decimal((0, (9,) * 2466, 0)), Decimal((0, (9,) * 2467, 0)), "decimal-too-lo"),
    ],
)
def test_limits_hold_at_the_limit_and_one_past_it(
    inside: Any, outside: Any, code: str
) -> None:
    """The last value within a limit comes back; the next is refused, both ways."""
    assert cbor.decode(cbor.encode(inside)) == inside
    with pytest.raises(LimitExceeded) as caught:
        cbor.encode(outside)
    assert code in caught.value.code
    with pytest.raises(Corrupt):
        cbor.decode(cbor2.dumps(outside, canonical=True))


def test_hostile_nesting_neither_crashes_nor_recurses() -> None:
    """A million levels are refused on the way in and on the way out."""
    for head in (b"\x81", b"\xc0", b"\xc4\x82", b"\xa1\x61a", b"\xd8\xff"):
        with pytest.raises(Corrupt):
            cbor.decode(head * 1_000_000)
    deep: list[Any] = []
    deep.append(deep)
    with pytest.raises(LimitExceeded):
        cbor.encode(deep)
    with pytest.raises(LimitExceeded):
        cbor.encode(nested(10_000))


def test_hostile_numbers_are_refused_before_they_cost() -> None:
    """A decimal of a million digits is refused by its length."""
    mantissa = b"\xc2\x5a" + (1_000_000).to_bytes(4, "big") + b"\xff" * 1_000_000
    for data in (
        mantissa,
        b"\xc4\x82\x00" + mantissa,
        b"\xc5\x82\x1a\xff\xff\xff\xff1",
    ):
        with pytest.raises(Corrupt):
            cbor.decode(data)


def test_types_that_python_holds_equal_have_their_own_bytes() -> None:
    """1, 1.0, True and decimal 1 are four values."""
    assert (
        len({cbor.encode(v) for v in (1, 1.0, True, Decimal(1), Decimal("1.0"))}) == 5
    )


def test_map_order_is_that_of_the_encoded_keys() -> None:
    """Any insertion order gives one encoding: shorter keys first, then by bytes."""
    one = {"b": 1, "aa": 2, "": 3, "a": 4, "\u00e9": 5}
    other = dict(sorted(one.items()))
    assert cbor.encode(one) == cbor.encode(other)
    assert list(cbor.decode(cbor.encode(one))) == ["", "a", "b", "aa", "\u00e9"]


@pytest.mark.parametrize("count", [0, 23, 24, 255, 256, 65535, 65536])
def test_an_array_header_is_what_the_library_writes(count: int) -> None:
    """The head made by hand equals that of a real array."""
    real = cbor2.dumps([0] * count)
    assert cbor.array_header(count) == real[: len(real) - count]


def test_scalar_kinds_are_spelt_as_the_library_does() -> None:
    """The registered tags are those of cbor2's canonical mode."""
    for value in (
        date(1, 1, 1),
        datetime(2020, 1, 2, tzinfo=UTC),
        UUID(int=5),
        Decimal("1.10"),
        2**64,
        -(2**64) - 1,
    ):
        assert cbor.encode(value) == cbor2.dumps(value, canonical=True)


def test_every_error_is_one_of_the_package() -> None:
    """Odd inputs never show an exception of the library beneath."""
    for value in ({"a": {"b": {1, 2}}}, [1, [2, [object]]], "\ud800", {None: 1}):
        with pytest.raises(Error):
            cbor.encode(value)


@given(st.lists(st.binary(max_size=300) | st.just(bytes(70_000)), max_size=20))
def test_many_byte_strings_are_spelt_as_one_by_one(values: list[bytes]) -> None:
    """The bulk form gives what encode gives."""
    assert cbor.encode_byte_strings(values) == list(map(cbor.encode, values))


@pytest.mark.parametrize("size", [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32])
def test_byte_string_headers_are_the_shortest(size: int) -> None:
    """A header is that of the standard: one byte, or one and 1, 2, 4 or 8 more."""
    head = cbor.byte_string_header(size)
    assert len(head) == next(
        1 + more
        for more, end in ((0, 24), (1, 2**8), (2, 2**16), (4, 2**32), (8, 2**64))
        if size < end
    )
    assert head[0] >> 5 == 2
    if len(head) > 1:
        assert int.from_bytes(head[1:]) == size


@given(st.lists(values() | st.just(2**8200) | st.just([0] * 200), max_size=12))
def test_decoding_many_equals_decoding_each(some: list[Any]) -> None:
    """Values of all kinds, whichever way they are read."""
    with contextlib.suppress(LimitExceeded):
        datas = list(map(cbor.encode, some))
        assert cbor.decode_many(datas) == list(map(cbor.decode, datas))


@given(st.lists(values(), min_size=2, max_size=5), st.data())
def test_many_damaged_values_are_corrupt(some: list[Any], data: st.DataObject) -> None:
    """A byte changed, or moved from one value to the next, is found as in each."""
    datas = list(map(cbor.encode, some))
    place = data.draw(st.integers(0, len(datas) - 2))
    joined = datas[place] + datas[place + 1]
    border = data.draw(st.integers(0, len(joined)))
    damaged = [*datas[:place], joined[:border], joined[border:], *datas[place + 2 :]]
    flipped = data.draw(st.integers(0, 255)), data.draw(st.integers(0, 8))
    damaged[place] = bytes(
        byte ^ flipped[0] if at == flipped[1] else byte
        for at, byte in enumerate(damaged[place])
    )
    expected: list[Any] | None = None
    with contextlib.suppress(Corrupt):
        expected = list(map(cbor.decode, damaged))
    if expected is None:
        with pytest.raises(Corrupt):
            cbor.decode_many(damaged)
    else:
        assert list(map(cbor.encode, cbor.decode_many(damaged))) == damaged


@pytest.mark.parametrize(
    "datas",
    [
        [b"\x42x", b"y\x01"],
        [b"\x01\x02", b"\x03\x04\x05"],
        [b"\x01\x02", b""],
        [b"\x18\x01\x02", b"\x01\x02"],
        [b"\xd9\x01\x00\x82\x01", b"\x02\x01"],
        [b"\x01\xff", b"\x01\x02"],
    ],
)
def test_runs_that_are_not_of_so_many_values_are_none(datas: list[bytes]) -> None:
    """Nothing runs over into the next, is missing, too many, or misspelt."""
    assert cbor.decode_runs([b"\x01\x02", *datas, b"\x01\x41x"], 2) is None
    mark = cbor.decode_runs([b"\x01\x02", b"\x01\x41x"], 2)
    assert mark is not None and [*mark[:2], *mark[3:5]] == [1, 2, 1, b"x"]
