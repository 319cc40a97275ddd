"""Infer columns from Python rows: each column's type is that of its values.

All values of one type make that type. Whole numbers among floats make float, among
decimals decimal; any other mixture, a list or a map makes json; nothing but nulls makes
text. Text is never taken for a date or a number: in Python its type is what was meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from prolly.errors import Invalid

from .inference import InferredColumn

_TYPE_NAMES: dict[type, str] = {
    bool: "bool",
    int: "int",
    float: "float",
    Decimal: "decimal",
    str: "text",
    bytes: "bytes",
    bytearray: "bytes",
    memoryview: "bytes",
    date: "date",
    datetime: "datetime",
    UUID: "uuid",
}


class RowInference:
    """Gathers the types that the columns of rows were seen to hold."""

    def __init__(self) -> None:
        self._kinds: dict[str, set[type]] = {}
        self._counts: dict[str, int] = {}
        self._rows = 0

    def add_rows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Look at rows given as mappings; Invalid ``not-a-row`` for anything else."""
        for one in rows:
            if not isinstance(one, Mapping):
                raise not_a_row(one)
            self._rows += 1
            for name, value in one.items():
                self._kinds.setdefault(name, set()).add(type(value))
                self._counts[name] = self._counts.get(name, 0) + 1

    def add_columns(
        self, names: Sequence[str], columns: Sequence[Sequence[Any]]
    ) -> None:
        """Look at whole columns of equal length."""
        size = len(columns[0]) if columns else 0
        self._rows += size
        for name, values in zip(names, columns, strict=True):
            self._kinds.setdefault(name, set()).update(map(type, values))
            self._counts[name] = self._counts.get(name, 0) + size

    def result(self) -> list[InferredColumn]:
        """Return the columns in the order in which they were first seen.

        A column is nullable if a null was seen or a row left it out.
        """
        return [
            InferredColumn(
                name,
                _type_name(kinds),
                type(None) in kinds or self._counts[name] < self._rows,
            )
            for name, kinds in self._kinds.items()
        ]


def not_a_row(value: object) -> Invalid:
    """Return (not raise) the error for something that is no row."""
    return Invalid(
        f"a row is a mapping of column names, not {type(value).__name__}",
        code="not-a-row",
        hint="Give dictionaries, or (names, rows of lists).",
    )


def _type_name(kinds: set[type]) -> str:
    names = {_name_of(kind) for kind in kinds if kind is not type(None)}
    if len(names) == 1:
        return names.pop()
    if not names:
        return "text"
    if names in ({"int", "float"}, {"int", "decimal"}):
        return (names - {"int"}).pop()
    return "json"


def _name_of(kind: type) -> str:
    known = [base for base in kind.__mro__ if base in _TYPE_NAMES]
    return _TYPE_NAMES[known[0]] if known else "json"
