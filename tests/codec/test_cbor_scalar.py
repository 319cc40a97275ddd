"""Dates, decimals and ids as values: what is right, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from prolly.codec.cbor import DECIMAL_DIGITS_MAX, DECIMAL_EXPONENT_MAX
from prolly.codec.cbor_scalar import SCALAR_FAULTS, strict_decimal

RIGHT = [
    date(2026, 1, 31),
    UUID(int=7),
    datetime(2026, 1, 31, tzinfo=UTC),
    Decimal("1.10"),
    Decimal((0, (9,) * DECIMAL_DIGITS_MAX, DECIMAL_EXPONENT_MAX)),
]
WRONG = [
    (datetime(2026, 1, 31), "value-type"),
    (datetime(2026, 1, 1, tzinfo=timezone(timedelta(seconds=1))), "value-type"),
    (Decimal("NaN"), "value-type"),
    (Decimal("-0"), "value-type"),
    (Decimal((0, (1,), DECIMAL_EXPONENT_MAX + 1)), "decimal-too-long"),
    (Decimal((0, (9,) * (DECIMAL_DIGITS_MAX + 1), 0)), "decimal-too-long"),
]


@pytest.mark.parametrize("value", RIGHT, ids=str)
def test_what_has_a_spelling_has_no_fault(value: Any) -> None:
    """Each kind has a check, which finds nothing in an ordinary value."""
    assert SCALAR_FAULTS[type(value)](value) is None


@pytest.mark.parametrize(("value", "code"), WRONG, ids=str)
def test_what_has_none_is_told_by_its_code(value: Any, code: str) -> None:
    """Naive and odd times, and decimals without a place in the order, are faults."""
    found = SCALAR_FAULTS[type(value)](value)
    assert found is not None and found[0] == code


@pytest.mark.parametrize("pair", [[-2, 110], (-2, 110)])
def test_a_decimal_is_two_integers(pair: Any) -> None:
    """An exponent and a mantissa give the decimal with its trailing zeros."""
    assert str(strict_decimal(pair, False)) == "1.10"


@pytest.mark.parametrize(
    "pair", [7, [1], [1, 2, 3], [1.0, 2], [1, True], [DECIMAL_EXPONENT_MAX + 1, 1]]
)
def test_anything_else_is_no_decimal(pair: Any) -> None:
    """Other shapes and types, and exponents out of range, are ValueErrors."""
    with pytest.raises(ValueError, match="decimal"):
        strict_decimal(pair, False)
