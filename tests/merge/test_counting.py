"""Sums of changes: exact, and refused where a value could not hold them."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import cbor
from prolly.merge.counting import Number, is_number, sum_of_changes
from prolly.testing import strategies

numbers = st.one_of(strategies.integers(), strategies.decimals())


@given(numbers, numbers, numbers)
def test_sums_are_exact(base: Number, ours: Number, theirs: Number) -> None:
    """No rounding, whatever the types and the context of the caller."""
    with localcontext(prec=3):
        total = sum_of_changes(base, ours, theirs)
    assert total is not None
    assert Fraction(total) == Fraction(ours) + Fraction(theirs) - Fraction(base)
    whole = {type(base), type(ours), type(theirs)} == {int}
    assert type(total) is (int if whole else Decimal)
    cbor.encode(total)


@given(st.lists(strategies.decimals(), min_size=3, max_size=3))
def test_the_finest_exponent_stands(three: list[Decimal]) -> None:
    """A sum of decimals has as many digits behind the point as the finest of them."""
    total = sum_of_changes(three[0], three[1], three[2])
    assert isinstance(total, Decimal)
    exponents = [int(one.as_tuple().exponent) for one in three]
    assert total.as_tuple().exponent == min(exponents)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Decimal("1E+999999"), Decimal("1E-999999")),
        (Decimal("9" * 2460 + "E+100"), Decimal("0.1")),
        (10**2465, Decimal("1E-100")),
    ],
)
def test_a_sum_with_too_many_digits_is_none(ours: Number, theirs: Number) -> None:
    """Numbers far apart are refused at once, not spelt out."""
    assert sum_of_changes(0, ours, theirs) is None
    assert sum_of_changes(0, theirs, ours) is None


def test_zero_is_never_negative() -> None:
    """The format has no negative zero of decimals."""
    total = sum_of_changes(Decimal("-1.0"), Decimal("-1.5"), Decimal("0.5"))
    assert str(total) == "0.0"


def test_what_counts() -> None:
    """Ints and decimals; no floats, no bools, no null."""
    assert is_number(1) and is_number(Decimal(1))
    assert not any(map(is_number, (1.0, True, None, "1")))
