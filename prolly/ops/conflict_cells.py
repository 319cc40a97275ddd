"""The cells of a sheet of conflicts: how keys, values and rows are spelt and read.

As exports spell them where a spreadsheet leaves that alone. A text that it might take
for a number, a date or a formula stands in quotes, as in JSON; null is ``null``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from prolly.codec import FileEntry, json_form
from prolly.errors import Error, Invalid
from prolly.maps import ABSENT, Files, OrderedMap
from prolly.repo import SIDES, Conflict, Conflicts, Side
from prolly.tables import ColumnType, Schema, Table, column_type

# What is taken for a conflict in place of a side: the cell beside it.
OWN_VALUE = "value"

# A spreadsheet keeps numbers as floats, so of longer ones it changes the last digits.
DIGITS_SAFE = 15

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?")
# Begins with a letter, holds no digit (MARCH1 is a date) and no mark of a formula.
_WORDS = re.compile(r"[^\W\d_][^\d\t=@]*")
_NOT_WORDS = {"true", "false", "null", "nan", "inf", "infinity"}

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode


class Line(NamedTuple):
    """What identifies a line of the sheet."""

    dataset: str
    kind: str
    key: str
    field: str


class Speller:
    """Spells the conflicts of one dataset, and reads what was spelt."""

    def __init__(self, conflicts: Conflicts, dataset: str) -> None:
        self._schemas: dict[Side, Schema | None] = {
            side: conflicts.schema(dataset, side) for side in SIDES
        }
        self._records: OrderedMap | Table | None = None
        if not conflicts.is_blob(dataset):
            records = conflicts.records(dataset)
            self._records = None if isinstance(records, Files) else records
        table = self._records if isinstance(self._records, Table) else None
        self._now: Schema | None = None if table is None else table.schema
        self._conflicts, self._dataset = conflicts, dataset
        self._key_schemas = _of_other_keys(self._now, self._schemas.values())
        self._columns = {side: conflicts.columns(dataset, side) for side in SIDES}

    def name(self, conflict: Conflict, field: str) -> Line:
        """Return what identifies the line of a field, or of the whole."""
        is_typed = self._now is not None and conflict.kind != "schema"
        parts = json_form.key_to_json(conflict.key, exact=not is_typed)
        return Line(conflict.dataset, conflict.kind, _dumps(parts), field)

    def key(self, conflict_kind: str, text: str) -> Any:
        """Return the key that a cell spells. Raises Invalid, ValueError."""
        parts = json_form.STRICT_DECODER.decode(text)
        if type(parts) is not list:
            raise ValueError("a key is a JSON array")
        if not parts:
            return ()
        if conflict_kind == "schema":
            if len(parts) > 1 or type(parts[0]) is not str:
                raise ValueError("a part of a description is one text")
            return parts[0]
        if self._now is None:
            return json_form.key_from_json(parts)
        for schema in self._key_schemas:
            # A key with no form under the schema of now is spelt as a side does.
            with suppress(Error, ValueError):
                key = _typed_key(schema, parts)
                is_listed = json_form.key_to_json(key) == parts
                if is_listed and self._conflicts.find(self._dataset, key):
                    return key
        return _typed_key(self._now, parts)

    def cells(self, conflict: Conflict, field: str) -> tuple[str, ...]:
        """Return base, ours and theirs as cells."""
        return tuple([self._cell(conflict, side, field) for side in SIDES])

    def taken(self, conflict: Conflict, field: str) -> tuple[str, str]:
        """Return what was taken, and what value stands where that is no side's.

        Both are empty for what is open, and for what a sheet cannot give back.
        """
        if conflict.settled in SIDES:
            return str(conflict.settled), ""
        is_settled = conflict.settled is not None or field in conflict.settled_fields
        records = self._records
        if not is_settled or conflict.kind == "schema" or records is None:
            return "", ""
        try:
            row = records.get(conflict.key, ABSENT)
        except Invalid:
            # A side's key, which the table has no place for by now.
            row = ABSENT
        if row is ABSENT:
            # Of a record that is gone no field has a value.
            return ("", "") if field else (OWN_VALUE, "")
        if self._now is None:
            return OWN_VALUE, _dumps(json_form.to_json(row, exact=True))
        if field:
            kind = column_type(self._now.column(field).type)
            return OWN_VALUE, _cell_text(kind, row[field])
        return OWN_VALUE, _row_text(self._now, row)

    def is_json(self, field: str) -> bool:
        """Tell whether the cells of a field are of type json."""
        column = None if self._now is None else self._now.by_name.get(field)
        return column is not None and column.type == "json"

    def _cell(self, conflict: Conflict, side: Side, field: str) -> str:
        value = getattr(conflict, side)
        schema = self._schemas[side]
        column = self._columns[side].get(field)
        if value is ABSENT or (field and column is None):
            return ""
        if column is not None:
            return _cell_text(column_type(column.type), value[column.name])
        if isinstance(value, FileEntry):
            return _dumps(json_form.to_json(value.summary()))
        if schema is None or conflict.kind == "schema":
            return _dumps(json_form.to_json(value, exact=True))
        return _row_text(schema, value)

    def value(self, text: str, field: str) -> Any:
        """Return what a cell under ``value`` spells. Raises Invalid, ValueError."""
        if field:
            assert self._now is not None
            kind = column_type(self._now.column(field).type)
            return {field: read_text(kind, text)}
        if not text:
            return ABSENT
        form = json_form.STRICT_DECODER.decode(text)
        if self._now is None:
            return json_form.from_json(form)
        if type(form) is not dict:
            raise ValueError("a row is a JSON object")
        return {
            name: None
            if cell is None
            else column_type(self._now.column(name).type).from_json(cell)
            for name, cell in form.items()
        }


def _of_other_keys(now: Schema | None, sides: Iterable[Schema | None]) -> list[Schema]:
    """Return the schemas that may spell a key, none where all have the same types."""
    if now is None:
        return []
    known = [now, *[one for one in sides if one is not None]]
    types = {tuple([column.type for column in one.key_columns]) for one in known}
    return known if len(types) > 1 else []


def _typed_key(schema: Schema, parts: list[Any]) -> Any:
    columns = schema.key_columns
    if len(parts) != len(columns):
        raise ValueError("it has another number of parts")
    key = tuple(
        None if part is None else column_type(column.type).from_json(part)
        for column, part in zip(columns, parts, strict=True)
    )
    return key if len(key) > 1 else key[0]


def _cell_text(kind: ColumnType, cell: Any) -> str:
    return "null" if cell is None else safe_text(kind, cell)


def _row_text(schema: Schema, row: Mapping[str, Any]) -> str:
    types = {one.name: column_type(one.type) for one in schema.columns}
    cells = [
        f"{_dumps(name)}: {'null' if one is None else types[name].json_text(one)}"
        for name, one in row.items()
    ]
    return "{" + ", ".join(cells) + "}"


def safe_text(kind: ColumnType, value: Any) -> str:
    """Return a cell's text, in quotes where a spreadsheet might change it."""
    text = kind.format_text(value)
    return text if _is_safe(text) else _dumps(text)


def _is_safe(text: str) -> bool:
    if _NUMBER.fullmatch(text):
        return sum(map(str.isdigit, text)) <= DIGITS_SAFE
    if text[:1] in ("{", "["):
        return text.isprintable()
    is_words = _WORDS.fullmatch(text) is not None and text.isprintable()
    return is_words and text == text.strip() and text.lower() not in _NOT_WORDS


def read_text(kind: ColumnType, text: str) -> Any:
    """Return the value that a cell spells, in quotes or without.

    ``null`` and an empty cell are null; empty text is two quotes. Raises Invalid
    ``value-type``, ValueError for open quotes.
    """
    if text in ("", "null"):
        return None
    if text.startswith('"'):
        form = json_form.STRICT_DECODER.decode(text)
        assert type(form) is str
        return kind.parse_text(form)
    if kind.name == "bool":
        # A spreadsheet writes TRUE and FALSE.
        text = text.lower()
    return kind.parse_text(text)
