"""A table of three SQLite files merged into a copy of ours."""

from __future__ import annotations

import io
import os
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
    assert raised.value.code == "sqlite-constraint"
    assert rows_of(strict) == BASE


def test_what_is_no_table_alike_is_refused(make: Make) -> None:
    """A view, and a column of another type; a view beside the table does not matter."""
    base, ours = make("base", BASE), make("ours", BASE)
    theirs = make("theirs", [(1, "Ada", 1.6, b"\0")], COLUMNS.replace("TEXT", "REAL"))
    with pytest.raises(Error, match="another type") as raised:
        merge_files(*[f"{one}:t" for one in (ours, base, theirs)], key="id")
    assert raised.value.code == "columns-differ"
    for path in (base, ours):
        with closing(sqlite3.connect(path)) as opened, opened:
            opened.execute("CREATE VIEW v AS SELECT * FROM t")
            opened.execute("DROP TABLE other")
    with pytest.raises(Error, match="view") as raised:
        merge_files(f"{ours}:v", f"{base}:v", f"{base}:v", key="id")
    assert raised.value.code == "merge-format"
    assert not merge_files(ours, base, base, key="id").conflicts


def test_a_double_or_empty_key_is_told_by_rows(make: Make) -> None:
    """A table has rows, not lines."""
    base = make("base", [(1, 2)], "id, n")
    for rows, told in (
        ([(1, 1), (1, 2)], "in rows 1 and 2"),
        ([(1, 1), (None, 2)], "row 2"),
        ([(1.5, 1)], "row 1: the key column 'id' holds 1.5"),
    ):
        ours = make(f"ours{told[-3:]}", rows, "id, n")
        with pytest.raises(Error, match=told):
            merge_files(f"{ours}:t", f"{base}:t", f"{base}:t", key="id")


def test_nothing_else_runs_or_changes(make: Make) -> None:
    """Triggers stand but do not run; generated columns follow; unique cells swap."""
    columns = "id INTEGER PRIMARY KEY, u UNIQUE, n, g AS (n * 2) STORED"
    paths = {}
    for name, n, swapped in (("base", 1, 0), ("ours", 5, 0), ("theirs", 1, 1)):
        paths[name] = make(name, [(name,)], "x")
        with closing(sqlite3.connect(paths[name])) as opened, opened:
            opened.execute(f"CREATE TABLE p ({columns})")
            rows = [(1, "b", n), (2, "a", 2)] if swapped else [(1, "a", n), (2, "b", 2)]
            opened.executemany("INSERT INTO p (id, u, n) VALUES (?, ?, ?)", rows)
            for event in ("UPDATE", "DELETE", "INSERT"):
                opened.execute(
                    f"CREATE TRIGGER on_{event} AFTER {event} ON p "
                    f"BEGIN INSERT INTO other VALUES ('{event}'); END"
                )
    places = [f"{paths[name]}:p" for name in ("ours", "base", "theirs")]
    found = merge_files(*places, key="id")
    assert not found.conflicts
    found.write(places[0])
    assert rows_of(paths["ours"], "p") == [(1, "b", 5, 10), (2, "a", 2, 4)]
    assert rows_of(paths["ours"], "other") == [("ours",)]
    with closing(sqlite3.connect(paths["ours"])) as opened, opened:
        opened.execute("DELETE FROM p")
    assert len(rows_of(paths["ours"], "other")) == 3


def test_a_log_beside_ours_is_not_lost(make: Make, tmp_path: Path) -> None:
    """What a killed program left in one is merged, and not played into the result."""
    base, ours = make("base", BASE), make("ours", BASE)
    theirs = make("theirs", [*BASE, (5, "E", 1, b"x")])
    child = os.fork()
    if not child:
        try:
            opened = sqlite3.connect(ours, isolation_level=None)
            opened.execute("PRAGMA journal_mode = WAL")
            opened.execute("UPDATE t SET name = 'Log' WHERE id = 1")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert (tmp_path / "ours.db-wal").stat().st_size
    found = merge_files(*[f"{one}:t" for one in (ours, base, theirs)], key="id")
    found.write(ours)
    assert sorted(os.listdir(tmp_path)) == ["base.db", "ours.db", "theirs.db"]
    merged = [(1, "Log", 1.6, b"\0"), *BASE[1:], (5, "E", 1, b"x")]
    assert rows_of(ours) == merged


def test_a_file_with_a_log_that_is_open_is_not_replaced(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other program would go on in a file that is no more there."""
    monkeypatch.setattr("prolly.ops.sqlite_file.LOCK_WAIT_SECONDS", 0)
    base, ours = make("base", BASE), make("ours", BASE)
    with closing(sqlite3.connect(ours)) as opened:
        opened.execute("PRAGMA journal_mode = WAL")
        opened.execute("SELECT * FROM t").fetchall()
        found = merge_files(f"{ours}:t", f"{base}:t", f"{base}:t", key="id")
        with pytest.raises(Error) as raised:
            found.write(ours)
        assert raised.value.code == "file-locked"
        assert "Close" in raised.value.hint
        assert opened.execute("SELECT count(*) FROM t").fetchall() == [(3,)]
    found.write(ours)
    assert rows_of(ours) == BASE
