"""Write records as a table of an SQLite file, with the primary key of the table.

A new file appears whole or not at all. In a file that is there the table is made anew
in one transaction, and everything else in the file stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prolly.errors import Invalid, LimitExceeded
from prolly.tables import ColumnType, Schema

from .byte_source import Place
from .output_file import replacement
from .sqlite_columns import DECLARED, cells_of
from .sqlite_file import connect, failures, is_a_view, quoted
from .table_source import BATCH_ROWS

if TYPE_CHECKING:
    import sqlite3

# What SQLite is built with, as a rule.
SQLITE_COLUMNS_MAX = 2_000

Columns = Sequence[tuple[str, ColumnType]]
Rows = Iterable[Sequence[Any]]


def write_sqlite(
    place: Place, table: str, columns: Columns, rows: Rows, schema: Schema | None = None
) -> None:
    """Write rows as ``table``, which is replaced if it is there.

    Raises Invalid ``not-a-file`` for a stream, ``duplicate-column`` for names that
    differ in their case alone; AlreadyExists ``view-exists``; and as ``failures``.
    """
    name = os.fspath(place) if isinstance(place, (str, os.PathLike)) else "-"
    if name == "-" or (os.path.exists(name) and not os.path.isfile(name)):
        raise Invalid(
            "a database is written to a file, not to a stream",
            code="not-a-file",
            hint="Name a file.",
        )
    _check_columns(columns)
    if os.path.exists(name) and os.path.getsize(name):
        _write(Path(name), name, (table, columns, schema), rows)
        return
    with replacement(name) as file:
        _write(Path(file.name), name, (table, columns, schema), rows, is_new=True)


def _check_columns(columns: Columns) -> None:
    if len(columns) > SQLITE_COLUMNS_MAX:
        raise LimitExceeded(
            f"a table of {len(columns)} columns is too wide for SQLite",
            code="too-many-columns",
            hint="Export as parquet or csv.",
            limit=SQLITE_COLUMNS_MAX,
        )
    seen: dict[str, str] = {}
    for name, _ in columns:
        other = seen.setdefault(_folded(name), name)
        if other != name:
            raise Invalid(
                f"SQLite takes the columns {other!r} and {name!r} for one",
                code="duplicate-column",
                hint="Rename one of them, or export as parquet or csv.",
                column=name,
            )


def _folded(name: str) -> str:
    """Return the name as SQLite compares it: only ASCII letters have no case."""
    return "".join(mark.lower() if mark.isascii() else mark for mark in name)


def _write(
    path: Path,
    name: str,
    form: tuple[str, Columns, Schema | None],
    rows: Rows,
    *,
    is_new: bool = False,
) -> None:
    table, columns, schema = form
    opened = connect(path, name, writable=True)
    try:
        with failures(name):
            if is_new:
                # The file is thrown away unless everything ends well.
                opened.execute("PRAGMA journal_mode = OFF")
                opened.execute("PRAGMA synchronous = OFF")
            opened.execute("BEGIN IMMEDIATE")
            _drop(opened, name, table)
            opened.execute(_definition(table, columns, schema))
        marks = ", ".join("?" * len(columns))
        insert = f"INSERT INTO {quoted(table)} VALUES ({marks})"
        for batch in _cell_batches(columns, rows):
            with failures(name):
                opened.executemany(insert, batch)
        with failures(name):
            opened.execute("COMMIT")
    finally:
        # What was not committed is rolled back.
        opened.close()


def _drop(opened: sqlite3.Connection, name: str, table: str) -> None:
    query = "SELECT type FROM sqlite_schema WHERE name = ? COLLATE NOCASE"
    kinds = {kind for (kind,) in opened.execute(query, (table,))}
    if "view" in kinds:
        raise is_a_view(name, table)
    opened.execute(f"DROP TABLE IF EXISTS {quoted(table)}")


def _definition(table: str, columns: Columns, schema: Schema | None) -> str:
    parts = []
    for name, kind in columns:
        required = schema is not None and not schema.column(name).nullable
        constraint = " NOT NULL" if required else ""
        parts.append(f"{quoted(name)} {DECLARED[kind.name]}{constraint}")
    if schema is not None:
        parts.append(f"PRIMARY KEY ({', '.join(map(quoted, schema.key))})")
    return f"CREATE TABLE {quoted(table)} ({', '.join(parts)})"


def _cell_batches(columns: Columns, rows: Rows) -> Iterator[list[tuple[Any, ...]]]:
    left = iter(rows)
    while batch := list(islice(left, BATCH_ROWS)):
        cells = [
            cells_of(kind, values)
            for (_, kind), values in zip(columns, zip(*batch, strict=True), strict=True)
        ]
        yield list(zip(*cells, strict=True))
