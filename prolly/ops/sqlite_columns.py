"""How the ten column types stand in SQLite, which has five kinds of cells.

    type      declared       cells           type      declared        cells
    bool      BOOLEAN        0, 1            bytes     BLOB            blobs
    int       INTEGER        integers        date      DATE TEXT       2026-01-31
    float     REAL           reals           datetime  DATETIME TEXT   RFC 3339
    decimal   DECIMAL TEXT   1.10            uuid      UUID TEXT       36 characters
    text      TEXT           text            json      JSON TEXT       JSON

SQLite reads a declared type by its words: ``TEXT`` in it keeps a cell as it was
written, where ``DECIMAL`` or ``JSON`` alone would turn 1.10 into 1.1. Two floats that a
REAL column does not hold are the text ``nan`` and the blob ``-0.0``. A whole number
past 64 bits has no place and is refused.

A column of another program is what it is declared as if every cell fits and comes back
as it was written, else what its cells are: int, float, text, bytes; json for a mixture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from prolly.errors import Error
from prolly.tables import COLUMN_TYPES, ColumnType, InferredColumn

from .table_source import Reader

DECLARED = {
    "bool": "BOOLEAN",
    "int": "INTEGER",
    "float": "REAL",
    "decimal": "DECIMAL TEXT",
    "text": "TEXT",
    "bytes": "BLOB",
    "date": "DATE TEXT",
    "datetime": "DATETIME TEXT",
    "uuid": "UUID TEXT",
    "json": "JSON TEXT",
}

# A word in a declared type and what it promises; the first that is found counts.
_WORDS = (
    ("BOOL", "bool"),
    ("DECIMAL", "decimal"),
    ("NUMERIC", "decimal"),
    ("DATETIME", "datetime"),
    ("TIMESTAMP", "datetime"),
    ("DATE", "date"),
    ("UUID", "uuid"),
    ("GUID", "uuid"),
    ("JSON", "json"),
    ("INT", "int"),
    ("CHAR", "text"),
    ("CLOB", "text"),
    ("TEXT", "text"),
    ("BLOB", "bytes"),
    ("REAL", "float"),
    ("FLOA", "float"),
    ("DOUB", "float"),
)
# What cells may be by themselves, in order of preference.
_BY_CELLS = ("int", "float", "text", "bytes", "json")

_NEGATIVE_ZERO = b"-0.0"


def promised_type(declared: str) -> str | None:
    """Return the column type that a declared type promises, or ``None``."""
    upper = declared.upper()
    return next((name for word, name in _WORDS if word in upper), None)


class SqliteColumn:
    """One column of a table in SQLite, and the types that it may still be."""

    def __init__(self, name: str, declared: str, *, is_nullable: bool) -> None:
        self.name = name
        self.promised = promised_type(declared)
        self._is_nullable = is_nullable
        self._has_values = False
        others = [one for one in _BY_CELLS if one != self.promised]
        self._possible = [self.promised, *others] if self.promised else others

    def add(self, cells: Sequence[Any]) -> None:
        """Look at a batch of cells."""
        full = [one for one in cells if one is not None]
        if not full:
            return
        self._has_values = True
        # Most types fall at the first cell; then whole batches cost nothing.
        for part in (full[:1], full):
            self._possible = [one for one in self._possible if self._holds(one, part)]

    def _holds(self, type_name: str, cells: list[Any]) -> bool:
        try:
            values = self.reader(type_name)(cells)
        except Error:
            return False
        if type_name != self.promised or type_name in ("text", "json"):
            return True
        texts = [one for one in cells if type(one) is str]
        spelt = COLUMN_TYPES[type_name].format_text
        return len(texts) < len(cells) or list(map(spelt, values)) == texts

    def result(self) -> InferredColumn:
        """Return the first type that holds all cells; without cells, the promised."""
        if not self._has_values and self.promised is None:
            return InferredColumn(self.name, "text", self._is_nullable)
        # What was promised to be JSON and is not is refused later, with its row.
        found = self._possible[0] if self._possible else "json"
        return InferredColumn(self.name, found, self._is_nullable)

    def reader(self, type_name: str) -> Reader:
        """Return what turns cells of this column into values of a type."""
        kind = COLUMN_TYPES[type_name]
        convert = _READERS.get(type_name)
        if type_name == "json":
            convert = _parsed if self.promised == "json" else None
        if type_name == "float" and self.promised != "float":
            convert = None
        if convert is None:
            return kind.check_many
        turn = convert

        def read(cells: Sequence[Any]) -> Sequence[Any]:
            values = [None if one is None else turn(kind, one) for one in cells]
            return kind.check_many(values)

        return read


def _bool(kind: ColumnType, cell: Any) -> Any:
    return bool(cell) if type(cell) is int and cell in (0, 1) else cell


def _float(kind: ColumnType, cell: Any) -> Any:
    if type(cell) is str:
        return kind.parse_text(cell)
    return -0.0 if cell == _NEGATIVE_ZERO else cell


def _parsed(kind: ColumnType, cell: Any) -> Any:
    return kind.parse_text(cell) if type(cell) is str else cell


def _decimal(kind: ColumnType, cell: Any) -> Any:
    # A real in a column of decimals has no more digits than it is written with.
    if type(cell) is float and math.isfinite(cell):
        return kind.parse_text(repr(cell) if cell else "0.0")
    return _parsed(kind, cell)


_READERS: dict[str, Callable[[ColumnType, Any], Any]] = {
    "bool": _bool,
    "float": _float,
    "decimal": _decimal,
    "date": _parsed,
    "datetime": _parsed,
    "uuid": _parsed,
}


def cells_of(kind: ColumnType, values: Sequence[Any]) -> Sequence[Any]:
    """Return the values of a column as cells for SQLite."""
    if kind.name in ("int", "text", "bytes"):
        return values
    if kind.name == "bool":
        return [None if one is None else int(one) for one in values]
    if kind.name == "float":
        return [_float_cell(one) for one in values]
    form = kind.format_text
    return [None if one is None else form(one) for one in values]


def _float_cell(value: Any) -> Any:
    if value == 0.0:
        return _NEGATIVE_ZERO if math.copysign(1.0, value) < 0 else value
    # SQLite takes not-a-number for null.
    return "nan" if value != value else value
