"""Infer column types from cells, so that no export ever changes what was imported.

A type is inferred only if every cell of the column comes back as it was written: mixed
whole and decimal numbers are decimal, ``007`` stays text, ``1.10`` is never a float. An
empty CSV cell fits every type (it is null, and empty text in a text column). A column
of empty cells alone is text.

One pass, and the memory is a few names for each column: the types still possible.
A batch is tested as a whole by ``exact_many``; a text column has no candidates left
after its first cell and costs nothing more.

From text neither bytes nor JSON is ever inferred: any word is base64, and CSV cells
that look like JSON are text that somebody quoted. From JSON the kinds of its values
say more, see :class:`JsonInference`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from prolly.errors import Error

from .column_types import ColumnType
from .type_registry import COLUMN_TYPES

# In order of preference. An int column is also decimal, so decimal comes later; int
# and float never share a text, since a float is written with a point or an exponent.
TEXT_CANDIDATES = ("bool", "int", "float", "decimal", "date", "datetime", "uuid")
# What a JSON string may be taken for: numbers in quotes are meant to be text.
STRING_CANDIDATES = ("date", "datetime", "uuid")


class InferredColumn(NamedTuple):
    """What a column was found to be. ``nullable``: a null (an empty cell) was seen."""

    name: str
    type_name: str
    nullable: bool


class TextState(NamedTuple):
    """What a column of texts may be: names of types, and whether cells were seen.

    ``finite``: a number was seen that is one, where the type may be float.
    """

    possible: tuple[str, ...]
    empty: bool
    filled: bool
    finite: bool


def _candidates(names: Iterable[str]) -> list[ColumnType]:
    return [COLUMN_TYPES[name] for name in names]


class TextInference:
    """Infers the types of columns whose cells are text, as in CSV."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._columns = [_TextColumn() for _ in self._names]

    def add(self, rows: Sequence[Sequence[str]]) -> None:
        """Look at a batch of rows, each as wide as the header."""
        for column, cells in zip(self._columns, zip(*rows, strict=True), strict=False):
            column.add(cells)

    def state(self) -> list[TextState]:
        """Return what was found so far, for ``join`` elsewhere."""
        return [column.state() for column in self._columns]

    def join(self, state: Sequence[TextState]) -> None:
        """Take in what other rows of the same columns were found to be."""
        for column, one in zip(self._columns, state, strict=True):
            column.join(one)

    def result(self) -> list[InferredColumn]:
        """Return the columns in the order of the header."""
        return [
            InferredColumn(name, *column.result())
            for name, column in zip(self._names, self._columns, strict=True)
        ]


class _TextColumn:
    """The types that a column of texts may still be."""

    def __init__(self, names: Sequence[str] = TEXT_CANDIDATES) -> None:
        self._possible = _candidates(names)
        self._empty = False
        self._filled = False
        self._finite = False

    def add(self, cells: Sequence[str]) -> None:
        if not self._possible:
            return
        if "" in cells:
            self._empty = True
            cells = [cell for cell in cells if cell]
            if not cells:
                return
        self._filled = True
        self._keep_exact(cells[:1])
        self._keep_exact(cells)

    def _keep_exact(self, cells: Sequence[str]) -> None:
        possible = [one for one in self._possible if one.exact_many(cells)]
        if not self._finite and any(one.name == "float" for one in possible):
            self._finite = any(math.isfinite(float(cell)) for cell in cells)
        self._possible = possible

    def state(self) -> TextState:
        names = tuple(one.name for one in self._possible)
        return TextState(names, self._empty, self._filled, self._finite)

    def join(self, other: TextState) -> None:
        self._possible = [one for one in self._possible if one.name in other.possible]
        self._empty |= other.empty
        self._filled |= other.filled
        self._finite |= other.finite

    def result(self) -> tuple[str, bool]:
        """Return (type name, nullable). An empty cell of a text column is no null."""
        for one in self._possible if self._filled else ():
            # A column of nothing but "nan" or "inf" is words, not numbers.
            if one.name != "float" or self._finite:
                return one.name, self._empty
        return "text", False


class JsonInference:
    """Infers the types of columns whose cells are JSON values.

    Booleans are bool, whole numbers int. Numbers with a point are float where the
    float is written just so, and decimal otherwise or when mixed with whole numbers.
    Strings are text, unless all are dates, datetimes or UUIDs in their exact form. The
    spellings ``{"$bytes"}``, ``{"$decimal"}`` and ``{"$float"}`` say their type. Any
    other object, an array, or a mixture is json. Null, or a name left out, makes a
    column nullable.
    """

    def __init__(self) -> None:
        self._columns: dict[str, _JsonColumn] = {}
        self._rows = 0

    def add(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Look at a batch of rows with cells in the order of ``names``."""
        self._rows += len(rows)
        columns = [self._columns.setdefault(name, _JsonColumn()) for name in names]
        for column, cells in zip(columns, zip(*rows, strict=True), strict=False):
            column.add(cells)

    def result(self) -> list[InferredColumn]:
        """Return the columns in the order in which their names were first seen."""
        return [
            InferredColumn(name, *column.result(self._rows))
            for name, column in self._columns.items()
        ]


class _JsonColumn:
    """The kinds of JSON values that a column was seen to hold."""

    def __init__(self) -> None:
        self._kinds: set[str] = set()
        self._strings = _TextColumn(STRING_CANDIDATES)
        self._undecimal = False
        self._rows = 0

    def add(self, cells: Sequence[Any]) -> None:
        self._rows += len(cells)
        kinds = set(map(type, cells))
        self._kinds.update(map(_PLAIN_KINDS.get, kinds, ["json"] * len(kinds)))
        if dict in kinds:
            self._kinds.discard("object")
            for cell in cells:
                if type(cell) is dict:
                    self._kinds.add(_spelt_kind(cell))
        if str in kinds:
            strings = [cell for cell in cells if type(cell) is str]
            self._kinds.update({"empty"} if "" in strings else ())
            self._strings.add(strings)
        if float in kinds and not self._undecimal:
            self._undecimal = any(map(_is_negative_zero, cells))

    def result(self, rows: int) -> tuple[str, bool]:
        """Return (type name, nullable); a batch without the name left it out."""
        nullable = "null" in self._kinds or self._rows < rows
        empty = "empty" in self._kinds
        kinds = self._kinds - {"null", "empty"}
        if kinds == {"text"}:
            return ("text" if empty else self._strings.result()[0]), nullable
        if not kinds:
            return "text", nullable
        if kinds <= {"float", "special"}:
            return "float", nullable
        if len(kinds) == 1:
            return kinds.pop(), nullable
        if kinds <= {"int", "float", "decimal"} and not self._undecimal:
            return "decimal", nullable
        return "json", nullable


_PLAIN_KINDS = {
    type(None): "null",
    bool: "bool",
    int: "int",
    float: "float",
    Decimal: "decimal",
    str: "text",
    dict: "object",
}
_SPELT_KINDS = {"$bytes": "bytes", "$decimal": "decimal", "$float": "special"}


def _spelt_kind(cell: dict[str, Any]) -> str:
    """Return what an object of one ``$name`` stands for; json for any other."""
    if len(cell) != 1:
        return "json"
    [(name, form)] = cell.items()
    kind = _SPELT_KINDS.get(name, "json")
    if kind == "json" or type(form) is not str:
        return "json"
    type_name = "float" if kind == "special" else kind
    try:
        COLUMN_TYPES[type_name].parse_text(form)
    except Error:
        return "json"
    return kind


def _is_negative_zero(cell: Any) -> bool:
    return type(cell) is float and not cell and math.copysign(1.0, cell) < 0
