"""Spell records as CSV, TSV, JSON lines or JSON, in UTF-8.

The spelling is a function of the records alone: LF ends a line, a CSV cell is quoted
only if it must be, JSON has no blanks. Null is an empty CSV cell, in a text column too,
where it reads back as empty text: JSON keeps the difference. In JSON a decimal is a
number with all its digits; what JSON lacks is spelt ``{"$bytes"}`` and ``{"$float"}``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from prolly.errors import Invalid
from prolly.tables import ColumnType

from .table_source import BATCH_ROWS

Columns = Sequence[tuple[str, ColumnType]]
Rows = Iterable[Sequence[Any]]


def _batches(rows: Rows) -> Iterator[list[tuple[Any, ...]]]:
    """Yield batches of rows as lists of columns."""
    left = iter(rows)
    while batch := list(islice(left, BATCH_ROWS)):
        yield list(zip(*batch, strict=True))


def csv_chunks(columns: Columns, rows: Rows, delimiter: str = ",") -> Iterator[bytes]:
    """Yield the header and the rows as CSV; ``rows`` hold values in column order.

    Raises Invalid ``nul-character`` for a text that no CSV reader takes back.
    """
    header: list[tuple[Any, ...]] = [(name,) for name, _ in columns]
    yield _csv_text(header, delimiter)
    for batch in _batches(rows):
        cells = [
            kind.format_many(values)
            for (_, kind), values in zip(columns, batch, strict=True)
        ]
        yield _csv_text(cells, delimiter)


def _csv_text(columns: Sequence[Sequence[Any]], delimiter: str) -> bytes:
    text = _spelt(zip(*columns, strict=True), delimiter)
    if "\r" in text:
        # The writer quotes only its own line end, but readers split at this one too: so
        # let it take both for one, row by row, and put the right one behind each.
        rows = zip(*columns, strict=True)
        spelt = [_spelt([row], delimiter, "\r\n")[:-2] for row in rows]
        text = "\n".join([*spelt, ""])
    if "\0" in text:
        raise Invalid(
            "a text holds a NUL character, which CSV cannot carry",
            code="nul-character",
            hint="Export as jsonl.",
        )
    return text.encode()


def _spelt(rows: Rows, delimiter: str, line_end: str = "\n") -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=line_end)
    writer.writerows(rows)
    return buffer.getvalue()


def json_line_chunks(columns: Columns, rows: Rows) -> Iterator[bytes]:
    """Yield one object a line."""
    for lines in _json_lines(columns, rows):
        yield ("\n".join(lines) + "\n").encode()


def json_array_chunks(columns: Columns, rows: Rows) -> Iterator[bytes]:
    """Yield one array, an object a line."""
    before = b"[\n"
    for lines in _json_lines(columns, rows):
        yield before + ",\n".join(lines).encode()
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def _json_lines(columns: Columns, rows: Rows) -> Iterator[list[str]]:
    names = [json.dumps(name, ensure_ascii=False) for name, _ in columns]
    fields = ",".join(name.replace("%", "%%") + ":%s" for name in names)
    spell = f"{{{fields}}}".__mod__
    for batch in _batches(rows):
        texts = [
            kind.json_text_many(values)
            for (_, kind), values in zip(columns, batch, strict=True)
        ]
        yield list(map(spell, zip(*texts, strict=True)))
