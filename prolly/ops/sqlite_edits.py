"""Rows of one table of an SQLite file that are to change, and how they are written.

All else in the file stays: triggers do not run, since what they would write elsewhere
is no part of the edits. The order in which rows change does not matter to constraints
that hold in the end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from .sqlite_file import quoted

Row = dict[str, Any]


class Edit(NamedTuple):
    """A row that is ``removed``, ``modified`` or ``added``, by column."""

    change: str
    row: Row


def apply_edits(
    opened: sqlite3.Connection, table: str, key: Sequence[str], edits: Sequence[Edit]
) -> None:
    """Change a table in one transaction; errors are those of SQLite."""
    rows = {
        change: [one.row for one in edits if one.change == change]
        for change in ("removed", "modified", "added")
    }
    opened.execute("BEGIN IMMEDIATE")
    with _without_triggers(opened, table):
        # A row that goes may make room for one that comes.
        _run(opened, (_deletion(table, key, row) for row in rows["removed"]))
        opened.execute("SAVEPOINT modified")
        try:
            _run(opened, (_update(table, key, row) for row in rows["modified"]))
        except sqlite3.IntegrityError:
            # Two rows that exchange what is unique are never both there meanwhile.
            opened.execute("ROLLBACK TO modified")
            _run(opened, (_deletion(table, key, row) for row in rows["modified"]))
            _run(opened, (_insertion(table, row) for row in rows["modified"]))
        _run(opened, (_insertion(table, row) for row in rows["added"]))
    opened.execute("COMMIT")


def _run(
    opened: sqlite3.Connection, statements: Iterable[tuple[str, list[Any]]]
) -> None:
    for statement in statements:
        opened.execute(*statement)


@contextmanager
def _without_triggers(opened: sqlite3.Connection, table: str) -> Iterator[None]:
    """Set the triggers of a table aside for the block; a transaction must be open."""
    found = opened.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' "
        "AND tbl_name = ? COLLATE NOCASE ORDER BY rowid",
        (table,),
    ).fetchall()
    for name, _ in found:
        opened.execute(f"DROP TRIGGER {quoted(name)}")
    yield
    for _, sql in found:
        opened.execute(sql)


def _deletion(table: str, key: Sequence[str], row: Row) -> tuple[str, list[Any]]:
    statement = f"DELETE FROM {quoted(table)} WHERE {_is_row(key)}"
    return statement, [row[name] for name in key]


def _update(table: str, key: Sequence[str], row: Row) -> tuple[str, list[Any]]:
    cells = {name: cell for name, cell in row.items() if name not in key}
    sets = ", ".join(f"{quoted(name)} = ?" for name in cells)
    statement = f"UPDATE {quoted(table)} SET {sets} WHERE {_is_row(key)}"
    return statement, [*cells.values(), *[row[name] for name in key]]


def _insertion(table: str, row: Row) -> tuple[str, list[Any]]:
    names = ", ".join(map(quoted, row))
    marks = ", ".join("?" * len(row))
    statement = f"INSERT INTO {quoted(table)} ({names}) VALUES ({marks})"
    return statement, list(row.values())


def _is_row(key: Sequence[str]) -> str:
    return " AND ".join(f"{quoted(name)} = ?" for name in key)
