"""Tables written to SQLite: they come back, and nothing else in the file changes."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from prolly import Repository, Schema
from prolly.errors import AlreadyExists, Denied, Invalid, LimitExceeded, StorageFailed
from prolly.ops import export_table, import_table, open_table, sqlite_file, write_table
from prolly.ops.sqlite_output import SQLITE_COLUMNS_MAX
from prolly.tables import COLUMN_TYPES
from prolly.testing.repositories import memory_repository
from prolly.testing.strategies import typed_tables

COLUMNS = [("id", COLUMN_TYPES["int"]), ("name", COLUMN_TYPES["text"])]
SCHEMA = Schema.create([("id", "int"), ("name", "text")], "id")


@pytest.fixture
def repo() -> Iterator[Repository]:
    """A repository in memory with the table ``t`` of two rows."""
    with memory_repository() as repo:
        with repo.transaction("main") as tx:
            rows = [{"id": 1, "name": "Ada"}, {"id": 2, "name": None}]
            tx.table("t", schema=SCHEMA).load(rows)
        yield repo


def query(path: Path, sql: str) -> list[Any]:
    """Return the rows of a query."""
    with closing(sqlite3.connect(path)) as opened:
        return opened.execute(sql).fetchall()


def load(repo: Repository, name: str, place: Path, form: str) -> None:
    """Import a file as a table, into the working state."""
    with (
        open_table(place, form) as source,
        repo.working_area().edit("import") as workspace,
    ):
        import_table(workspace, name, source)


@settings(max_examples=40)
@given(made=typed_tables(long_integers=False, fills=False))
def test_an_export_comes_back_as_the_same_table(
    tmp_path_factory: pytest.TempPathFactory, made: Any
) -> None:
    """Root, key, types and nullability are those of the table exported."""
    schema, rows = made
    path = tmp_path_factory.mktemp("sqlite") / "x.db"
    with memory_repository() as repo:
        with repo.transaction("main") as tx:
            loaded = tx.table('a "b"', schema=schema)
            loaded.load((schema.names, rows), on_duplicate="last")
        export_table(repo.at("main"), 'a "b"', path)
        load(repo, "again", path, 'sqlite:a "b"')
        found = repo.at_working().datasets
        assert found["again"].root == found['a "b"'].root
        assert repo.at_working().table("again").schema == schema


def test_the_table_is_one_that_others_can_use(repo: Repository, tmp_path: Path) -> None:
    """It has a primary key, and what may not be null says so."""
    path = tmp_path / "x.db"
    assert export_table(repo.at("main"), "t", path) == 2
    [(sql,)] = query(path, "SELECT sql FROM sqlite_schema WHERE name = 't'")
    assert sql == (
        'CREATE TABLE "t" ("id" INTEGER NOT NULL, "name" TEXT, PRIMARY KEY ("id"))'
    )
    assert query(path, "SELECT * FROM t ORDER BY id") == [(1, "Ada"), (2, None)]
    assert query(path, "PRAGMA integrity_check") == [("ok",)]


def test_other_tables_stay(repo: Repository, tmp_path: Path) -> None:
    """Only the table that is written is made anew, in one transaction."""
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as opened:
        opened.executescript(
            "CREATE TABLE other (x); INSERT INTO other VALUES (7);"
            "CREATE TABLE T (old); CREATE VIEW seen AS SELECT * FROM other;"
        )
    export_table(repo.at("main"), "t", path)
    assert query(path, "SELECT x FROM other") == [(7,)]
    assert query(path, "SELECT count(*) FROM t") == [(2,)]
    with pytest.raises(AlreadyExists) as caught:
        export_table(repo.at("main"), "t", path, "sqlite:SEEN")
    assert caught.value.code == "view-exists"
    export_table(repo.at("main"), "t", path, "sqlite:copy of t")
    assert query(path, 'SELECT count(*) FROM "copy of t"') == [(2,)]


def test_errors_leave_the_file_as_it_was(repo: Repository, tmp_path: Path) -> None:
    """A number past 64 bits is refused, in a new file and in one that is there."""
    with repo.transaction("main") as tx:
        tx.table("big", schema=SCHEMA).load([{"id": n} for n in (1, 2**63)])
    path = tmp_path / "x.db"
    for _ in range(2):
        before = path.read_bytes() if path.exists() else None
        with pytest.raises(LimitExceeded) as caught:
            export_table(repo.at("main"), "big", path, "sqlite:t")
        assert caught.value.code == "value-too-large"
        assert (path.read_bytes() if path.exists() else None) == before
        assert len(list(tmp_path.iterdir())) == (before is not None)
        export_table(repo.at("main"), "t", path)


def test_a_locked_file_is_named(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program's transaction is waited for, then reported, on both ways."""
    monkeypatch.setattr(sqlite_file, "LOCK_WAIT_SECONDS", 0)
    path = tmp_path / "x.db"
    export_table(repo.at("main"), "t", path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageFailed) as caught:
            export_table(repo.at("main"), "t", path)
        assert caught.value.code == "file-locked"
        with pytest.raises(StorageFailed) as caught:
            load(repo, "again", path, "sqlite:t")
        assert caught.value.code == "file-locked"
        assert caught.value.hint


@pytest.mark.parametrize("place", [io.BytesIO(), "-"])
def test_a_stream_is_no_database(place: Any) -> None:
    """Neither standard output nor an open file takes one."""
    with pytest.raises(Invalid) as caught:
        write_table(place, COLUMNS, [], "sqlite:t")
    assert caught.value.code == "not-a-file"


def test_what_sqlite_cannot_name_is_refused(tmp_path: Path) -> None:
    """Columns that differ in case alone, too many of them, a reserved table."""
    path = tmp_path / "x.db"
    twice = [("a", COLUMN_TYPES["int"]), ("A", COLUMN_TYPES["int"])]
    with pytest.raises(Invalid) as caught:
        write_table(path, twice, [], "sqlite:t")
    assert caught.value.code == "duplicate-column"
    write_table(path, [("ä", twice[0][1]), ("Ä", twice[0][1])], [], "sqlite:t")
    many = [(f"c{number}", COLUMN_TYPES["int"]) for number in range(SQLITE_COLUMNS_MAX)]
    write_table(path, many, [range(SQLITE_COLUMNS_MAX)], "sqlite:t")
    with pytest.raises(LimitExceeded) as caught_wide:
        write_table(path, [*many, twice[1]], [], "sqlite:t")
    assert caught_wide.value.code == "too-many-columns"
    with pytest.raises(Invalid) as reserved:
        write_table(path, COLUMNS, [], "sqlite:sqlite_x")
    assert reserved.value.code == "bad-sqlite"


def test_a_file_that_is_no_database_stays(repo: Repository, tmp_path: Path) -> None:
    """It is not overwritten."""
    path = tmp_path / "x.db"
    path.write_bytes(b"somebody's notes\n" * 100)
    with pytest.raises(Invalid) as caught:
        export_table(repo.at("main"), "t", path)
    assert caught.value.code == "bad-sqlite"
    assert path.read_bytes().startswith(b"somebody's")
    with pytest.raises((Denied, Invalid)):
        export_table(repo.at("main"), "t", "/dev/null", "sqlite:t")
