"""Records as they are printed: JSON lines, and words for people.

A row in JSON is spelt as ``export --format jsonl`` spells it: a decimal is a number
with all its digits, and what JSON lacks is escaped. In a map no schema tells the types,
so keys and values are spelt exactly: what is printed can be typed, and is the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from prolly import ABSENT, Schema, Table
from prolly.codec import FileEntry, json_form
from prolly.maps import SortedMapping
from prolly.tables import ColumnType, column_type

from .display_width import cut as cut_text
from .display_width import padded, width
from .output import visible

if TYPE_CHECKING:
    from prolly import Change, Comparison

_encode = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode

# JSON lets these stand in a string as they are, but terminals obey some of them.
_CONTROLS = {code: f"\\u{code:04x}" for code in range(127, 160)}

# What stands for a cell without text; text that reads the same gets quotes.
_OUR_WORDS = ("null", "(none)", "(deleted)")

# A cell that is longer is cut on a terminal, where it would only wrap.
CELL_CHARS = 40


def _dumps(form: Any) -> str:
    return _safe(_encode(form))


def _safe(text: str) -> str:
    return text if text.isprintable() else text.translate(_CONTROLS)


def key_parts(key: Any, *, typed: bool) -> list[Any]:
    """Return a key as JSON shows it: an array of its parts.

    ``typed``: a table's key, where the column's type tells a date from a text.
    """
    return json_form.key_to_json(key, exact=not typed)


def key_words(key: Any, *, typed: bool) -> str:
    """Return a key as a person types it: bare where that will do, else a JSON array.

    ``typed`` as of ``key_parts``.
    """
    if typed and not isinstance(key, (tuple, str)) and key is not None:
        [part] = key_parts(key, typed=True)
        return str(next(iter(part.values()))) if isinstance(part, dict) else _bare(part)
    if isinstance(key, str) and key.isprintable() and key and key[0] != "[":
        return key
    return _dumps(key_parts(key, typed=typed))


def _bare(part: Any) -> str:
    return part if isinstance(part, str) else _dumps(part)


def bare_text(text: str) -> str:
    """Return text as a person reads it: in quotes, as JSON, only if it would mislead.

    So do control characters, spaces at an end, nothing at all, and what looks like a
    word of ours.
    """
    if text and text not in _OUR_WORDS and text[0] != '"' and visible(text) == text:
        return text if text == text.strip() else _dumps(text)
    return visible(_dumps(text))


def value_text(value: Any) -> str:
    """Return any value as exact JSON text; of a file what is known of it."""
    if isinstance(value, FileEntry):
        return _dumps(json_form.to_json(value.summary()))
    return _dumps(json_form.to_json(value, exact=True))


class RecordText:
    """Spells the records of one dataset: a table's by its schema, a map's without."""

    def __init__(self, schema: Schema | None) -> None:
        self.is_table = schema is not None
        self.types = {} if schema is None else types_of(schema)
        self.key = () if schema is None else schema.key

    @classmethod
    def of(cls, records: SortedMapping) -> RecordText:
        """Return the speller of a dataset."""
        return cls(records.schema if isinstance(records, Table) else None)

    def value(self, value: Any) -> str:
        """Return a row or a map's value as JSON text."""
        if not self.is_table:
            return value_text(value)
        cells = (
            f"{_dumps(name)}: {self.cell(name, one)}" for name, one in value.items()
        )
        return "{" + ", ".join(cells) + "}"

    def cell(self, name: str, value: Any) -> str:
        """Return one cell of a row as JSON text."""
        kind = self.types.get(name)
        if value is None or kind is None:
            return value_text(value)
        return _safe(kind.json_text(value))

    def plain(self, name: str, value: Any) -> str:
        """Return one cell of a row, not null, as a person reads it: without quotes."""
        return value if type(value) is str else self.types[name].format_text(value)

    def words(self, name: str, value: Any) -> str:
        """Return one cell of a row, or a map's value, as a person reads it."""
        kind = self.types.get(name)
        if value is None or kind is None:
            return visible(value_text(value))
        if type(value) is str and kind.name == "text":
            return bare_text(value)
        return visible(kind.format_text(value))

    def csv_cell(self, name: str, value: Any) -> str:
        """Return one cell of a row as an export to CSV writes it."""
        return "" if value is None else self.types[name].format_text(value)

    def record(self, key: Any, value: Any) -> str:
        """Return what ``get`` and ``scan`` print as JSON."""
        if self.is_table:
            return self.value(value)
        parts = _dumps(key_parts(key, typed=False))
        return f'{{"key": {parts}, "value": {value_text(value)}}}'


def types_of(schema: Schema) -> dict[str, ColumnType]:
    """Return the column types of a schema by column name."""
    return {column.name: column_type(column.type) for column in schema.columns}


class ChangeText:
    """Spells the differences of one comparison."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._sides: dict[str, tuple[RecordText, RecordText]] = {}

    def sides(self, dataset: str) -> tuple[RecordText, RecordText]:
        """Return what spells a dataset's old and its new records."""
        found = self._sides.get(dataset)
        if found is None:
            old, new = self._comparison.schemas(dataset)
            found = RecordText(old or new), RecordText(new or old)
            self._sides[dataset] = found
        return found

    def is_table(self, dataset: str) -> bool:
        """Tell whether the records are rows."""
        return self.sides(dataset)[0].is_table

    def json(self, change: Change, *, only_fields: bool) -> str:
        """Return one difference as JSON text."""
        key = key_parts(change.key, typed=self.is_table(change.dataset))
        parts = [
            f'"dataset": {_dumps(change.dataset)}',
            f'"key": {_dumps(key)}',
            f'"change": "{change.kind}"',
        ]
        for name, text in zip(("old", "new"), self.sides(change.dataset), strict=True):
            value = getattr(change, name)
            if value is not ABSENT:
                if only_fields and change.fields:
                    value = {one: value[one] for one in change.fields if one in value}
                parts.append(f'"{name}": {text.value(value)}')
        if change.fields:
            parts.append(f'"fields": {_dumps(list(change.fields))}')
        return "{" + ", ".join(parts) + "}"

    def cells(self, change: Change, field: str) -> list[str]:
        """Return a field's old and new value, those that there are, as JSON text."""
        pairs = zip((change.old, change.new), self.sides(change.dataset), strict=True)
        return [
            text.cell(field, row[field]) if field in row else "(none)"
            for row, text in pairs
        ]

    def csv_cells(self, change: Change, field: str) -> list[str]:
        """Return a field's old and new value as an export to CSV writes them."""
        pairs = zip((change.old, change.new), self.sides(change.dataset), strict=True)
        return [text.csv_cell(field, row.get(field)) for row, text in pairs]

    def csv_whole(self, change: Change) -> list[str]:
        """Return the old and the new record as JSON text; empty where there is none."""
        pairs = zip((change.old, change.new), self.sides(change.dataset), strict=True)
        return ["" if one is ABSENT else text.value(one) for one, text in pairs]


# Enough rows to guess good widths from, few enough to begin at once.
WIDTH_ROWS = 500


def aligned(
    header: list[str], rows: Iterable[list[str]], right: list[bool], cut: bool
) -> Iterator[str]:
    """Yield lines of a table; widths come from the first rows, so it streams.

    ``right`` tells which columns are numbers. ``cut`` shortens long cells.
    """
    left = iter(rows)
    first = list(islice(left, WIDTH_ROWS))
    widths = [
        min(max(map(width, column)), CELL_CHARS)
        for column in zip(header, *first, strict=True)
    ]
    pads = [str.rjust if is_right else str.ljust for is_right in right]
    for row in chain([header], first, left):
        if not "".join(row).isascii():
            yield _aligned_wide(row, widths, right, cut)
            continue
        if cut:
            row = [
                cell if len(cell) <= CELL_CHARS else cell[: CELL_CHARS - 1] + "…"
                for cell in row
            ]
        cells = [
            pad(cell, columns)
            for pad, cell, columns in zip(pads, row, widths, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def _aligned_wide(
    row: list[str], widths: list[int], right: list[bool], cut: bool
) -> str:
    """Return a line with characters that may take two columns, or none."""
    cells = [
        padded(cut_text(cell, CELL_CHARS) if cut else cell, columns, right=is_right)
        for cell, columns, is_right in zip(row, widths, right, strict=True)
    ]
    return "  ".join(cells).rstrip()
