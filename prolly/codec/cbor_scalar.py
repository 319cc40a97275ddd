"""The values that are neither plain nor containers: dates, decimals and ids.

What is wrong with one before it is spelt, and reading a decimal strictly. ``cbor``
loads this module with the first value of these kinds. Page: docs/spec/values.md.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from .cbor import DECIMAL_DIGITS_MAX, DECIMAL_EXPONENT_MAX

_MINUTE = timedelta(minutes=1)


def strict_decimal(pair: Any, immutable: bool) -> Decimal:
    """Return the decimal of an exponent and a mantissa, else raise ValueError."""
    if type(pair) not in (list, tuple) or len(pair) != 2:
        raise ValueError("a decimal is an exponent and a mantissa")
    exponent, mantissa = pair
    if type(exponent) is not int or type(mantissa) is not int:
        raise ValueError("a decimal is two integers")
    if abs(exponent) > DECIMAL_EXPONENT_MAX:
        raise ValueError("decimal exponent outside its range")
    digits = tuple(map(int, str(abs(mantissa))))
    return Decimal((int(mantissa < 0), digits, exponent))


def _datetime_fault(value: datetime) -> tuple[str, str] | None:
    offset = value.utcoffset()
    if offset is None:
        return "value-type", "a datetime without an offset has no place in time"
    if offset % _MINUTE:
        return "value-type", "the offset of a datetime must be whole minutes"
    return None


def _decimal_fault(value: Decimal) -> tuple[str, str] | None:
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return "value-type", f"a decimal must be finite, not {value}"
    if sign and digits == (0,):
        return "value-type", "a decimal cannot be negative zero"
    if abs(exponent) > DECIMAL_EXPONENT_MAX or len(digits) > DECIMAL_DIGITS_MAX:
        return "decimal-too-long", "a decimal has too many digits or too far a point"
    return None


def _no_fault(value: object) -> None:
    return None


SCALAR_FAULTS: dict[type, Callable[[Any], tuple[str, str] | None]] = {
    datetime: _datetime_fault,
    Decimal: _decimal_fault,
    date: _no_fault,
    UUID: _no_fault,
}
