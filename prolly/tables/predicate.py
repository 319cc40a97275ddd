"""Predicates: questions about one row, closed and deterministic, kept as plain values.

A comparison asks about one column; ``All``, ``Either`` and ``Negation`` join them. As a
plain value (of the format's CBOR)::

    [ "=", column, literal ]        also != < <= > >=
    [ "prefix", column, literal ]   text or bytes that begin with the literal
    [ "in", column, [ literal, ... ] ]
    [ "between", column, low, high ]    both ends included
    [ "null", column ]
    [ "and", predicate, ... ]    [ "or", predicate, ... ]    [ "not", predicate ]

The logic is SQL's: a comparison with a null is neither true nor false but null, ``not``
null is null, ``and`` is false if a part is, ``or`` true if a part is; a row is selected
if the whole is true, and passes a check unless it is false. Only ``null`` itself never
is null. Numbers compare by value (1.1 equals 1.10, -0.0 equals 0.0), a NaN equals
nothing, text compares by code points, times by instant.

Before use a predicate is *bound* to columns: each literal becomes a value of its
column's type. Page: docs/spec/tables.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from prolly.codec import cbor
from prolly.errors import Error, Invalid, LimitExceeded

from .column import Column
from .type_registry import column_type

# Deep enough for what people and programs write; it keeps recursion shallow on hostile
# input.
PREDICATE_DEPTH_MAX = 32
# Comparisons and literals in all. A predicate is read with the schema, and is evaluated
# on every row; longer lists belong into a table.
PREDICATE_TERMS_MAX = 10_000

ORDERED = ("=", "!=", "<", "<=", ">", ">=")
OPERATORS = (*ORDERED, "prefix", "in", "between", "null")
_PREFIX_TYPES = ("text", "bytes")


class Predicate(ABC):
    """A question about a row. Immutable; equal predicates ask the same."""

    @abstractmethod
    def to_value(self) -> list[Any]:
        """Return the plain value."""

    @abstractmethod
    def comparisons(self) -> Iterator[Comparison]:
        """Yield the comparisons, from left to right."""

    @abstractmethod
    def bound(self, columns: Mapping[str, Column]) -> Predicate:
        """Return the same predicate, its literals values of their columns' types.

        Raises Invalid ``predicate`` (fields ``column``, ``position``) for a column that
        is not there, a literal that does not fit, an operator that the type has not.
        """

    @abstractmethod
    def renamed(self, old: str, new: str) -> Predicate:
        """Return the same predicate with a column's new name."""

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns that it asks about."""
        return frozenset(one.column for one in self.comparisons())


@dataclass(frozen=True, slots=True)
class Comparison(Predicate):
    """One column against literals: one, none for ``null``, two for ``between``.

    ``position`` is where it stands in a text, from 1; 0 if it never was text.
    """

    column: str
    operator: str
    literals: tuple[Any, ...]
    position: int = field(default=0, compare=False)

    def to_value(self) -> list[Any]:
        if self.operator == "in":
            return ["in", self.column, list(self.literals)]
        return [self.operator, self.column, *self.literals]

    def comparisons(self) -> Iterator[Comparison]:
        yield self

    def bound(self, columns: Mapping[str, Column]) -> Comparison:
        column = columns.get(self.column)
        if column is None:
            shown = ", ".join(list(columns)[:20])
            raise self.refuse("there is no such column", f"The columns are {shown}.")
        if self.operator != "null" and column.type == "json":
            raise self.refuse(
                "json has no order", "Of a json column only `is null` may be asked."
            )
        if self.operator == "prefix" and column.type not in _PREFIX_TYPES:
            raise self.refuse(
                f"{column.type} has no prefixes", "Only text and bytes have."
            )
        literals = tuple([self._typed(one, column) for one in self.literals])
        return replace(self, literals=literals)

    def _typed(self, literal: Any, column: Column) -> Any:
        kind = column_type(column.type)
        try:
            if type(literal) is str and column.type != "text":
                return self._ordered(kind.parse_text(literal))
            if type(literal) is Decimal and column.type == "float":
                return kind.parse_text(str(literal))
            if literal is not None:
                return self._ordered(kind.check(literal))
        except Error as error:
            raise self.refuse(error.message, error.hint) from error
        raise self.refuse("nothing is equal to null", "Ask `is null` or `is not null`.")

    def _ordered(self, value: Any) -> Any:
        if value != value:
            raise self.refuse(
                "nothing is equal to a NaN", "Leave it out, or compare with a number."
            )
        return value

    def refuse(self, problem: str, hint: str) -> Invalid:
        """Return (not raise) the error that names column and position."""
        place = f" at position {self.position}" if self.position else ""
        return Invalid(
            f"column {self.column!r}{place}: {problem}",
            code="predicate",
            hint=hint or "Compare it with a value of the column's type.",
            column=self.column,
            position=self.position,
        )

    def renamed(self, old: str, new: str) -> Comparison:
        return replace(self, column=new) if self.column == old else self


@dataclass(frozen=True, slots=True)
class _Joined(Predicate):
    parts: tuple[Predicate, ...]

    def comparisons(self) -> Iterator[Comparison]:
        for part in self.parts:
            yield from part.comparisons()

    def bound(self, columns: Mapping[str, Column]) -> Predicate:
        return type(self)(tuple([part.bound(columns) for part in self.parts]))

    def renamed(self, old: str, new: str) -> Predicate:
        return type(self)(tuple([part.renamed(old, new) for part in self.parts]))


@dataclass(frozen=True, slots=True)
class All(_Joined):
    """True if every part is; of no part, always."""

    def to_value(self) -> list[Any]:
        return ["and", *[part.to_value() for part in self.parts]]


@dataclass(frozen=True, slots=True)
class Either(_Joined):
    """True if any part is; of no part, never."""

    def to_value(self) -> list[Any]:
        return ["or", *[part.to_value() for part in self.parts]]


@dataclass(frozen=True, slots=True)
class Negation(Predicate):
    """True if its part is false; null if that is."""

    part: Predicate

    def to_value(self) -> list[Any]:
        return ["not", self.part.to_value()]

    def comparisons(self) -> Iterator[Comparison]:
        yield from self.part.comparisons()

    def bound(self, columns: Mapping[str, Column]) -> Predicate:
        return Negation(self.part.bound(columns))

    def renamed(self, old: str, new: str) -> Predicate:
        return Negation(self.part.renamed(old, new))


def predicate_of_value(value: object) -> Predicate:
    """Return the predicate that a plain value spells.

    Raises Invalid ``predicate`` for another form, LimitExceeded
    ``predicate-too-large``.
    """
    predicate = _of_value(value, 1)
    check_size(predicate)
    return predicate


def check_size(predicate: Predicate) -> None:
    """Raise LimitExceeded ``predicate-too-large`` for one too long or too deep."""
    if _depth(predicate) > PREDICATE_DEPTH_MAX:
        raise too_large("it is nested too deeply", PREDICATE_DEPTH_MAX)
    terms = sum(1 + len(one.literals) for one in predicate.comparisons())
    if terms > PREDICATE_TERMS_MAX:
        raise too_large(f"it has {terms} comparisons and literals", PREDICATE_TERMS_MAX)


def _depth(predicate: Predicate) -> int:
    if isinstance(predicate, Negation):
        return 1 + _depth(predicate.part)
    if isinstance(predicate, _Joined):
        return 1 + max(map(_depth, predicate.parts), default=0)
    return 1


def too_large(problem: str, limit: int) -> LimitExceeded:
    """Return (not raise) the error for a predicate past a limit."""
    return LimitExceeded(
        f"a predicate is too large: {problem}",
        code="predicate-too-large",
        hint=f"The limit is {limit}; ask in several steps.",
        limit=limit,
    )


def _of_value(value: object, depth: int) -> Predicate:
    if depth > PREDICATE_DEPTH_MAX:
        raise too_large("it is nested too deeply", PREDICATE_DEPTH_MAX)
    if not isinstance(value, (list, tuple)) or not value or type(value[0]) is not str:
        raise _misspelt("it is an array that begins with its operator")
    head, *rest = value
    if head == "and":
        return All(tuple([_of_value(one, depth + 1) for one in rest]))
    if head == "or":
        return Either(tuple([_of_value(one, depth + 1) for one in rest]))
    if head == "not":
        if len(rest) != 1:
            raise _misspelt("`not` has one part")
        return Negation(_of_value(rest[0], depth + 1))
    return _comparison_of_value(head, rest)


def _comparison_of_value(operator: str, rest: Sequence[Any]) -> Comparison:
    if operator not in OPERATORS:
        known = ", ".join((*OPERATORS, "and", "or", "not"))
        raise _misspelt(f"there is no operator {operator!r}; there are {known}")
    if not rest or type(rest[0]) is not str:
        raise _misspelt("behind the operator stands the name of a column")
    column, *literals = rest
    wanted = {"null": 0, "between": 2}.get(operator, 1)
    if len(literals) != wanted:
        raise _misspelt(f"{operator!r} has {wanted} literals, here are {len(literals)}")
    if operator == "in":
        if not isinstance(literals[0], (list, tuple)):
            raise _misspelt("`in` has an array of literals")
        literals = list(literals[0])
    for literal in literals:
        if isinstance(literal, (list, tuple, dict)):
            raise _misspelt("a literal is no array and no map")
    try:
        cbor.encode(literals)
    except Error as error:
        raise _misspelt(error.message) from error
    return Comparison(column, operator, tuple(literals))


def _misspelt(problem: str) -> Invalid:
    return Invalid(
        f"not a predicate: {problem}",
        code="predicate",
        hint='For example ["and", ["=", "country", "US"], [">", "feet", 100]].',
    )
