"""Sums of changes: what a counter of two replicas stands at.

``base + (ours - base) + (theirs - base)``, without rounding: whole numbers stay whole,
and where a decimal takes part, the sum is a decimal with the exponent of the finest of
the three. So the order in which changes come together does not matter, but for the
zeros at the end of decimals that were written with different numbers of digits.
"""

from __future__ import annotations

from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    Clamped,
    Context,
    Decimal,
    DecimalException,
    Inexact,
    InvalidOperation,
    Overflow,
    Rounded,
)

from prolly.codec import cbor

Number = int | Decimal

# Of ours and theirs together, before the base is taken off: one digit more than a
# value.
_SUM_DIGITS = cbor.DECIMAL_DIGITS_MAX + 2


def is_number(value: object) -> bool:
    """Tell whether a value can be counted: an int or a decimal, no bool and no
    float."""
    return type(value) is int or type(value) is Decimal


def sum_of_changes(base: Number, ours: Number, theirs: Number) -> Number | None:
    """Return the sum; None where it has more digits than a value may have."""
    if type(base) is int and type(ours) is int and type(theirs) is int:
        return ours + theirs - base
    context = Context(
        prec=_SUM_DIGITS,
        Emax=MAX_EMAX,
        Emin=MIN_EMIN,
        traps=[Clamped, Inexact, InvalidOperation, Overflow, Rounded],
    )
    try:
        total = context.add(Decimal(ours), Decimal(theirs))
        return context.subtract(total, Decimal(base))
    except DecimalException:
        return None
