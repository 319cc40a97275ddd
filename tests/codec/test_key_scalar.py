"""Floats, dates, datetimes and decimals inside keys."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import key_scalar
from prolly.codec.cbor import DECIMAL_EXPONENT_MAX
from prolly.errors import Corrupt, LimitExceeded
from prolly.testing.strategies import decimals


@given(st.lists(st.floats(allow_nan=False), max_size=8))
def test_floats_sort_as_their_bytes(numbers: list[float]) -> None:
    """Sorting by bytes sorts by number."""
    by_bytes = sorted(numbers, key=key_scalar.encode_float)
    assert by_bytes == sorted(numbers)


@given(st.lists(decimals(), max_size=8))
def test_decimals_sort_as_their_bytes(numbers: list[Decimal]) -> None:
    """Sorting by bytes sorts by number."""
    by_bytes = sorted(numbers, key=key_scalar.encode_decimal)
    assert by_bytes == sorted(numbers)


def test_the_ends_of_the_calendar_come_back() -> None:
    """The first and last date and instant that Python has."""
    for day in (date.min, date(1969, 12, 31), date(1970, 1, 1), date.max):
        assert key_scalar.decode_date(key_scalar.encode_date(day)) == day
    for instant in (datetime.min, datetime(1970, 1, 1), datetime.max):
        instant = instant.replace(tzinfo=UTC)
        raw = key_scalar.encode_datetime(instant)
        assert key_scalar.decode_datetime(raw) == instant


def test_one_past_the_calendar_is_refused() -> None:
    """The day and the microsecond behind the last are Corrupt."""
    for read, raw in (
        (key_scalar.decode_date, key_scalar.encode_date(date.max)),
        (
            key_scalar.decode_datetime,
            key_scalar.encode_datetime(datetime.max.replace(tzinfo=UTC)),
        ),
    ):
        past = (int.from_bytes(raw, "big") + 1).to_bytes(len(raw), "big")
        with pytest.raises(Corrupt):
            read(past)


def test_the_exponent_of_a_decimal_ends_at_its_limit() -> None:
    """The limit passes and one past it does not, on both sides, for zero too."""
    for digits in ((0,), (1, 2), (1, 0)):
        for sign in (1, -1):
            inside = Decimal((0, digits, sign * DECIMAL_EXPONENT_MAX))
            raw = key_scalar.encode_decimal(inside)
            back, end = key_scalar.decode_decimal(raw, 0)
            assert back.as_tuple() == inside.as_tuple()
            assert end == len(raw)
            outside = Decimal((0, digits, sign * (DECIMAL_EXPONENT_MAX + 1)))
            with pytest.raises(LimitExceeded):
                key_scalar.encode_decimal(outside)
