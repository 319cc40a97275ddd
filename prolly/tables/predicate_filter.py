"""Predicates at work: the rows of a batch that one selects, a column at a time.

A mask has one of True, False and None (null) a row. The loops run in C where the
operands allow: a comparison costs some 40 ns a row.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from itertools import compress, repeat
from typing import Any

from .predicate import All, Comparison, Either, Negation, Predicate

Columns = Sequence[Sequence[Any]]
Mask = Sequence[bool | None]
Masker = Callable[[Columns, int], Mask]

_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Filter:
    """A bound predicate over batches of columns, given in the order of ``names``."""

    def __init__(self, predicate: Predicate, names: Sequence[str]) -> None:
        self.predicate = predicate
        self._masker = _masker(predicate, {name: i for i, name in enumerate(names)})

    def mask(self, columns: Columns, size: int) -> Mask:
        """Return what the predicate says of each of ``size`` rows."""
        return self._masker(columns, size)

    def select(self, columns: Columns, size: int) -> list[list[Any]]:
        """Return the rows of which it is true, as columns."""
        mask = self._masker(columns, size)
        return [list(compress(column, mask)) for column in columns]


def _masker(predicate: Predicate, places: dict[str, int]) -> Masker:
    if isinstance(predicate, Comparison):
        test = _tester(predicate)
        place = places[predicate.column]
        return lambda columns, size: test(columns[place])
    if isinstance(predicate, Negation):
        inner = _masker(predicate.part, places)
        return lambda columns, size: _negated(inner(columns, size))
    assert isinstance(predicate, (All, Either))
    maskers = [_masker(part, places) for part in predicate.parts]
    join, start = (_all, True) if isinstance(predicate, All) else (_either, False)

    def joined(columns: Columns, size: int) -> Mask:
        mask: Mask = [start] * size
        for masker in maskers:
            mask = join(mask, masker(columns, size))
        return mask

    return joined


def _negated(mask: Mask) -> Mask:
    if None in mask:
        return [None if one is None else not one for one in mask]
    return list(map(operator.not_, mask))


def _all(first: Mask, second: Mask) -> Mask:
    if None not in first and None not in second:
        return list(map(operator.and_, first, second))
    return [
        False if one is False or two is False else one and two
        for one, two in zip(first, second, strict=True)
    ]


def _either(first: Mask, second: Mask) -> Mask:
    if None not in first and None not in second:
        return list(map(operator.or_, first, second))
    return [
        True if one is True or two is True else None if None in (one, two) else False
        for one, two in zip(first, second, strict=True)
    ]


def _tester(one: Comparison) -> Callable[[Sequence[Any]], Mask]:
    """Return what makes the mask of one column."""
    if one.operator == "null":
        return lambda values: [value is None for value in values]
    if one.operator in _ORDERED:
        compare, literal = _ORDERED[one.operator], one.literals[0]
        return _nullable(
            lambda values: list(map(compare, values, repeat(literal))),
            lambda value: compare(value, literal),
        )
    if one.operator == "between":
        low, high = one.literals
        return _nullable(
            lambda values: [low <= value <= high for value in values],
            lambda value: low <= value <= high,
        )
    if one.operator == "prefix":
        prefix = one.literals[0]
        return _nullable(
            lambda values: [value.startswith(prefix) for value in values],
            lambda value: value.startswith(prefix),
        )
    known = frozenset(one.literals)
    return _nullable(
        lambda values: list(map(known.__contains__, values)), known.__contains__
    )


def _nullable(
    every: Callable[[Sequence[Any]], Mask], each: Callable[[Any], bool]
) -> Callable[[Sequence[Any]], Mask]:
    """Return a tester that gives null for null; ``every`` is for columns without."""

    def test(values: Sequence[Any]) -> Mask:
        if None in values:
            return [None if value is None else each(value) for value in values]
        return every(values)

    return test
