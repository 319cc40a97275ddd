"""Values of one column type as values of another, and whether that loses anything.

A value is taken by its text, as an export would write it and an import read it; into
json it goes as it is. Nothing is lost if both are the same text or the same number:
5 as 5.0, 1.5 as "1.5"; but "007" as 7 loses its zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from prolly.errors import Error, Invalid

from .column import Column
from .type_registry import column_type

_NUMBERS = (int, float, Decimal)


def converted(old: Column, new: Column, values: Sequence[Any]) -> Sequence[Any]:
    """Return a column's values as those of another type; null stays null.

    Raises Invalid ``value-type`` or LimitExceeded ``value-too-large``.
    """
    if new.type in (old.type, "json"):
        return values
    before, after = column_type(old.type), column_type(new.type)
    return [
        None if one is None else after.parse_text(before.format_text(one))
        for one in values
    ]


def first_lossy(
    old: Column, new: Column, values: Sequence[Any], now: Sequence[Any]
) -> int | None:
    """Return the place of the first value that the conversion does not keep."""
    if new.type in (old.type, "json"):
        return None
    before, after = column_type(old.type), column_type(new.type)
    for place, (one, other) in enumerate(zip(values, now, strict=True)):
        if one is None or before.format_text(one) == after.format_text(other):
            continue
        are_numbers = isinstance(one, _NUMBERS) and isinstance(other, _NUMBERS)
        if not are_numbers or one != other:
            return place
    return None


def converted_fill(old: Column, new_type: str) -> Any:
    """Return the fill of a column that gets another type; else Invalid."""
    if old.fill is None or new_type in (old.type, "json"):
        return old.fill
    text = column_type(old.type).format_text(old.fill)
    try:
        return column_type(new_type).parse_text(text)
    except Error as error:
        raise Invalid(
            f"the fill of column {old.name!r} cannot become {new_type}: {error}",
            code="column-fill",
            hint="Choose a type that its fill has a form in, or add another column.",
            column=old.name,
        ) from error
