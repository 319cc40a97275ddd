"""The parts of a key that need arithmetic: float, date, datetime, decimal.

    float     8 bytes: IEEE 754 big-endian; sign bit flipped if it is 0, else all bits
    date      4 bytes: days since 1970-01-01, plus 2^31, big-endian
    datetime  8 bytes: microseconds since 1970-01-01T00:00Z, plus 2^63, big-endian
    decimal   sign 00 negative, 01 zero, 02 positive
              zero:   2^31 - exponent, 4 bytes
              others: 2^31 + place of the first digit, 4 bytes; digits without trailing
                      zeros, two in a byte as 10a+b+1, then 00; number of trailing
                      zeros, 2 bytes; negative: all bytes behind the sign inverted

Datetimes are ordered by instant: the offset is not part of the key, and they come back
in UTC, equal to what was given. Decimals keep their trailing zeros, so 1.1 and 1.10 are
two keys, ordered by value and then by the number of digits. Page: docs/spec/keys.md.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from prolly.errors import Invalid, LimitExceeded

from .cbor import DECIMAL_DIGITS_MAX, DECIMAL_EXPONENT_MAX
from .key import misspelt

_DOUBLE = struct.Struct(">d")
_SIGN_BIT = 1 << 63
_ALL_BITS = (1 << 64) - 1
_DAY_BIAS = 1 << 31
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLACE_BIAS = 1 << 31
_INVERTED = bytes(range(255, -1, -1))


def encode_float(value: float) -> bytes:
    """Return 8 bytes in number order, -0.0 before 0.0; Invalid ``key-nan`` for NaN."""
    if math.isnan(value):
        raise Invalid(
            "NaN cannot stand in a key",
            code="key-nan",
            hint="NaN has no place in an order; use null instead.",
        )
    bits = int.from_bytes(_DOUBLE.pack(value), "big")
    flipped = bits ^ (_ALL_BITS if bits & _SIGN_BIT else _SIGN_BIT)
    return flipped.to_bytes(8, "big")


def decode_float(raw: bytes) -> float:
    """Return the float of 8 bytes; Corrupt if it is NaN."""
    flipped = int.from_bytes(raw, "big")
    bits = flipped ^ (_SIGN_BIT if flipped & _SIGN_BIT else _ALL_BITS)
    value: float = _DOUBLE.unpack(bits.to_bytes(8, "big"))[0]
    if math.isnan(value):
        raise misspelt("NaN")
    return value


def encode_date(value: date) -> bytes:
    """Return 4 bytes in calendar order."""
    return (value.toordinal() - _EPOCH_DAY + _DAY_BIAS).to_bytes(4, "big")


def decode_date(raw: bytes) -> date:
    """Return the date of 4 bytes; Corrupt outside the years 1 to 9999."""
    try:
        return date.fromordinal(int.from_bytes(raw, "big") - _DAY_BIAS + _EPOCH_DAY)
    except (ValueError, OverflowError) as error:
        raise misspelt("date outside the years 1 to 9999") from error


def encode_datetime(value: datetime) -> bytes:
    """Return 8 bytes in order of instants.

    Raises Invalid ``key-range`` for a naive datetime and for an instant that lies
    outside the years 1 to 9999 of UTC.
    """
    if value.utcoffset() is None:
        raise Invalid(
            "a datetime without an offset cannot stand in a key",
            code="key-range",
            hint="Give it a time zone, for example value.replace(tzinfo=UTC).",
        )
    try:
        instant = value.astimezone(UTC)
    except OverflowError as error:
        raise Invalid(
            "a datetime in a key must lie within the years 1 to 9999 of UTC",
            code="key-range",
            hint="Use a date, or text.",
        ) from error
    return ((instant - _EPOCH) // _MICROSECOND + _SIGN_BIT).to_bytes(8, "big")


def decode_datetime(raw: bytes) -> datetime:
    """Return the instant of 8 bytes, in UTC; Corrupt outside the years 1 to 9999."""
    try:
        return _EPOCH + timedelta(microseconds=int.from_bytes(raw, "big") - _SIGN_BIT)
    except OverflowError as error:
        raise misspelt("datetime outside the years 1 to 9999") from error


def encode_decimal(value: Decimal) -> bytes:
    """Return the bytes of a decimal, in number order.

    Raises Invalid ``key-nan`` unless finite, ``key-range`` for negative zero;
    LimitExceeded ``key-too-long`` past the limits of a decimal value.
    """
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise Invalid(
            f"{value} cannot stand in a key",
            code="key-nan",
            hint="A decimal in a key must be finite.",
        )
    if abs(exponent) > DECIMAL_EXPONENT_MAX or len(digits) > DECIMAL_DIGITS_MAX:
        raise LimitExceeded(
            "a decimal in a key has too many digits or too far a point",
            code="key-too-long",
            hint=f"Its exponent lies within +-{DECIMAL_EXPONENT_MAX}.",
        )
    if digits == (0,):
        if sign:
            raise Invalid(
                "negative zero cannot stand in a key as a decimal",
                code="key-range",
                hint="Use zero.",
            )
        return b"\x01" + (_PLACE_BIAS - exponent).to_bytes(4, "big")
    return _encode_nonzero(sign, bytes(digits), exponent)


def _encode_nonzero(sign: int, digits: bytes, exponent: int) -> bytes:
    kept = digits.rstrip(b"\0")
    zeros = len(digits) - len(kept)
    place = len(digits) - 1 + exponent
    if len(kept) % 2:
        kept += b"\0"
    pairs = bytes(
        10 * high + low + 1 for high, low in zip(kept[::2], kept[1::2], strict=True)
    )
    body = b"%b%b\0%b" % (
        (_PLACE_BIAS + place).to_bytes(4, "big"),
        pairs,
        zeros.to_bytes(2, "big"),
    )
    return b"\0" + body.translate(_INVERTED) if sign else b"\x02" + body


def decode_decimal(data: bytes, at: int) -> tuple[Decimal, int]:
    """Return the decimal that begins at an offset and the offset behind it."""
    start = at
    sign = data[at : at + 1]
    if sign == b"\x01":
        at += 5
        exponent = _PLACE_BIAS - int.from_bytes(data[start + 1 : at], "big")
        parts: tuple[int, tuple[int, ...], int] = (0, (0,), exponent)
    else:
        at, parts = _decode_nonzero(data, at + 1, negative=sign == b"\0")
    if abs(parts[2]) > DECIMAL_EXPONENT_MAX:
        raise misspelt("decimal exponent outside its range")
    value = Decimal(parts)
    if encode_decimal(value) != data[start:at]:
        raise misspelt("a decimal is not in its one form")
    return value, at


def _decode_nonzero(
    data: bytes, at: int, *, negative: bool
) -> tuple[int, tuple[int, tuple[int, ...], int]]:
    end = data.find(b"\xff" if negative else b"\0", at + 4)
    body = data[at : end + 3]
    if end <= at + 4 or len(body) != end + 3 - at:
        raise misspelt("a decimal without digits or without an end")
    if negative:
        body = body.translate(_INVERTED)
    digits: list[int] = []
    for pair in body[4:-3]:
        digits += divmod(pair - 1, 10)
    if max(digits) > 9:
        raise misspelt("a pair of decimal digits past 99")
    if not digits[-1]:
        digits.pop()
    zeros = int.from_bytes(body[-2:], "big")
    if len(digits) + zeros > DECIMAL_DIGITS_MAX:
        raise misspelt("a decimal with too many digits")
    digits += [0] * zeros
    exponent = int.from_bytes(body[:4], "big") - _PLACE_BIAS - len(digits) + 1
    return end + 3, (int(negative), tuple(digits), exponent)


# What ``key`` takes up with the first such part: encoders by type, each with the code
# of its type in front, and by that code what reads one again.
ENCODERS: dict[type, Callable[[Any], bytes]] = {
    float: lambda value: b"\x21" + encode_float(value),
    UUID: lambda value: b"\x30" + value.bytes,
    date: lambda value: b"\x40" + encode_date(value),
    datetime: lambda value: b"\x41" + encode_datetime(value),
    Decimal: lambda value: b"\x42" + encode_decimal(value),
}
SIZED: dict[int, tuple[int, Callable[[bytes], Any]]] = {
    0x21: (8, decode_float),
    0x30: (16, lambda raw: UUID(bytes=raw)),
    0x40: (4, decode_date),
    0x41: (8, decode_datetime),
}
UNSIZED: dict[int, Callable[[bytes, int], tuple[Any, int]]] = {0x42: decode_decimal}
