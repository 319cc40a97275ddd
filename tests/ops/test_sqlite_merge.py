"""A table of three SQLite files merged into a copy of ours."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from prolly.errors import Error
from prolly.ops import merge_files

Row = tuple[Any, ...]
Make = Callable[..., str]

BASE = [(1, "Ada", 1.6, b"\0"), (2, "Bob", None, b""), (3, "Cy", 5, None)]
COLUMNS = "id INTEGER PRIMARY KEY, name TEXT, n, b BLOB"


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make a database with the tables ``t`` and ``other``; returns its path."""

    def make(name: str, rows: list[Row], columns: str = COLUMNS) -> str:
        path = str(tmp_path / f"{name}.db")
        with closing(sqlite3.connect(path)) as opened, opened:
            opened.execute(f"CREATE TABLE t ({columns})")
            opened.execute("CREATE TABLE other (x)")
            opened.execute("INSERT INTO other VALUES (?)", (name,))
            marks = ", ".join("?" * len(rows[0]))
            opened.executemany(f"INSERT INTO t VALUES ({marks})", rows)
        return path

    return make


def rows_of(path: str, table: str = "t") -> list[Row]:
    """Return the rows of a table."""
    with closing(sqlite3.connect(path)) as opened:
        return list(opened.execute(f"SELECT * FROM {table} ORDER BY 1"))


def test_rows_merge_cell_by_cell(make: Make) -> None:
    """Of all types; what else is in the file is ours'."""
    base = make("base", BASE)
    ours = make(
        "ours", [(1, "Ada L", 1.6, b"\0"), (2, "Bob", None, b""), (4, "D", 1, b"")]
    )
    theirs = make(
        "theirs",
        [(1, "Ada", 2, b"\0\1"), (2, "Bob", 1.0, b""), BASE[2], (5, "E", 1, b"x")],
    )
    found = merge_files(*[f"{one}:t" for one in (ours, base, theirs)], key="id")
    assert (found.added, found.removed, found.modified) == (1, 0, 2)
    assert not found.conflicts
    found.write(ours)
    assert rows_of(ours) == [
        (1, "Ada L", 2, b"\0\1"),
        (2, "Bob", 1.0, b""),
        (4, "D", 1, b""),
        (5, "E", 1, b"x"),
    ]
    assert rows_of(ours, "other") == [("ours",)]


def test_a_conflict_keeps_ours_and_what_merged(make: Make) -> None:
    """There are no marks in a table; a policy settles as in other files."""
    base = make("base", BASE)
    ours = make("ours", [(1, "A", 1.6, b"\0"), BASE[1], (3, "Cy", 7, None)])
    theirs = make("theirs", [(1, "B", 1.7, b"\0"), BASE[1], (3, "Cy", 6, None)])
    how: dict[str, Any] = {"key": "id", "format_name": "sqlite:t"}
    found = merge_files(ours, base, theirs, policies=["n=counter"], **how)
    assert [(one.key, one.fields) for one in found.conflicts] == [((1,), ("name",))]
    out = str(Path(ours).with_name("out.db"))
    found.write(out)
    assert rows_of(out) == [(1, "A", 1.7, b"\0"), BASE[1], (3, "Cy", 8, None)]
    found = merge_files(ours, base, theirs, policies=["theirs"], **how)
    found.write(out)
    assert rows_of(out) == rows_of(theirs)


def test_an_empty_base_is_none(make: Make, tmp_path: Path) -> None:
    """Rows of both files stand."""
    (tmp_path / "none.db").write_bytes(b"")
    ours, theirs = make("ours", BASE[:1]), make("theirs", BASE[1:])
    found = merge_files(
        ours, tmp_path / "none.db", theirs, key="id", format_name="sqlite:t"
    )
    found.write(ours)
    assert rows_of(ours) == BASE


def test_what_does_not_fit_is_refused(make: Make) -> None:
    """Other columns, a stream, a constraint of the table; ours stays as it was."""
    base, ours = make("base", BASE), make("ours", BASE)
    how: dict[str, Any] = {"key": "id", "format_name": "sqlite:t"}
    narrow = make("narrow", [(1, "x")], "id INTEGER PRIMARY KEY, name")
    with pytest.raises(Error, match="columns") as raised:
        merge_files(ours, base, narrow, **how)
    assert raised.value.code == "columns-differ"
    found = merge_files(ours, base, base, **how)
    for place in ("-", io.BytesIO()):
        with pytest.raises(Error) as raised:
            found.write(place)
        assert raised.value.code == "not-a-file"
    strict = make("strict", BASE, COLUMNS.replace("TEXT", "TEXT UNIQUE"))
    theirs = make("theirs", [*BASE, (9, "Ada", 1, None)])
    found = merge_files(strict, base, theirs, **how)
    with pytest.raises(Error, match="UNIQUE") as raised:
        found.write(strict)
    assert raised.value.code == "bad-sqlite"
    assert rows_of(strict) == BASE
