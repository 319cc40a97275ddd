"""Records as they are printed: JSON lines, and words for people.

A row in JSON is spelt as ``export --format jsonl`` spells it: a decimal is a number with
all its digits, and what JSON lacks is escaped. A map's value keeps its type.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prolly import ABSENT, Change, OrderedMap, Schema, Table
from prolly.codec import json_form
from prolly.tables import ColumnType, column_type

from .output import visible

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode

# A cell that is longer is cut on a terminal, where it would only wrap.
CELL_CHARS = 40


def key_parts(key: Any) -> list[Any]:
    """Return a key as JSON shows it: an array of its parts."""
    return json_form.key_to_json(key)


def key_words(key: Any) -> str:
    """Return a key as a person types it: bare text, else a JSON array."""
    if isinstance(key, str) and key and not key.startswith("["):
        return visible(key)
    return _dumps(key_parts(key))


def value_text(value: Any) -> str:
    """Return any value as JSON text."""
    return _dumps(json_form.to_json(value))


class RecordText:
    """Spells the records of one dataset."""

    def __init__(self, dataset: OrderedMap | Table) -> None:
        schema = dataset.schema if isinstance(dataset, Table) else None
        self.types: dict[str, ColumnType] = types_of(schema) if schema else {}
        self._is_table = schema is not None

    def value(self, value: Any) -> str:
        """Return a row or a map's value as JSON text."""
        if not self._is_table:
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
        return kind.json_text(value)

    def record(self, key: Any, value: Any) -> str:
        """Return what ``get`` and ``scan`` print as JSON."""
        if self._is_table:
            return self.value(value)
        return f'{{"key": {_dumps(key_parts(key))}, "value": {value_text(value)}}}'


def types_of(schema: Schema) -> dict[str, ColumnType]:
    """Return the column types of a schema by column name."""
    return {column.name: column_type(column.type) for column in schema.columns}


def change_json(change: Change, sides: tuple[RecordText, RecordText]) -> str:
    """Return one difference as JSON text; ``sides`` spell the old and the new record."""
    parts = [
        f'"dataset": {_dumps(change.dataset)}',
        f'"key": {_dumps(key_parts(change.key))}',
        f'"change": "{change.kind}"',
    ]
    for name, value, side in zip(
        ("old", "new"), (change.old, change.new), sides, strict=True
    ):
        if value is not ABSENT:
            parts.append(f'"{name}": {side.value(value)}')
    if isinstance(change.old, Mapping) and isinstance(change.new, Mapping):
        if change.fields:
            parts.append(f'"fields": {_dumps(list(change.fields))}')
    return "{" + ", ".join(parts) + "}"


def aligned(
    header: list[str], rows: Iterable[list[str]], right: list[bool], cut: bool
) -> Iterator[str]:
    """Yield lines of a table; widths come from the first rows, so it streams.

    ``right`` tells which columns are numbers. ``cut`` shortens long cells.
    """
    from itertools import chain, islice

    left = iter(rows)
    first = list(islice(left, WIDTH_ROWS))
    widths = [
        min(max(map(len, column)), CELL_CHARS)
        for column in zip(header, *first, strict=True)
    ]
    pads = [str.rjust if is_right else str.ljust for is_right in right]
    for row in chain([header], first, left):
        if cut:
            row = [
                cell if len(cell) <= CELL_CHARS else cell[: CELL_CHARS - 1] + "…"
                for cell in row
            ]
        cells = [
            pad(cell, width) for pad, cell, width in zip(pads, row, widths, strict=True)
        ]
        yield "  ".join(cells).rstrip()


# Enough rows to guess good widths from, few enough to begin at once.
WIDTH_ROWS = 500
