"""Tables of SQLite files of other programs: types, keys, and every bad input."""

from __future__ import annotations

import gzip
import io
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from prolly import Repository
from prolly.errors import Denied, Error, Invalid, LimitExceeded, NotFound
from prolly.ops import import_table, open_table, sqlite_file
from prolly.testing.repositories import memory_repository


@pytest.fixture
def repo() -> Iterator[Repository]:
    """An empty repository in memory."""
    with memory_repository() as repo:
        yield repo


def database(path: Path, script: str) -> Path:
    """Return a database made by a script."""
    with closing(sqlite3.connect(path)) as opened:
        opened.executescript(script)
    return path


def load(repo: Repository, places: Any, form: str = "sqlite:t", **how: Any) -> Any:
    """Import into the table ``t`` of the working state."""
    with (
        open_table(places, form) as source,
        repo.working_area().edit("import") as workspace,
    ):
        return import_table(workspace, "t", source, **how)


def rows_of(repo: Repository) -> list[dict[str, Any]]:
    """Return the rows of the table ``t``."""
    return list(repo.at_working().table("t").rows())


@pytest.mark.parametrize("end", ["", " WITHOUT ROWID"])
def test_the_primary_key_is_the_key(repo: Repository, tmp_path: Path, end: str) -> None:
    """In its own order, with row ids and without."""
    script = (
        f'CREATE TABLE t ("a b" TEXT, n INT NOT NULL, v, PRIMARY KEY (n, "a b")){end};'
        "INSERT INTO t VALUES ('x', 2, 1.5), ('y', 1, NULL);"
    )
    load(repo, database(tmp_path / "x.db", script))
    table = repo.at_working().table("t")
    assert table.schema.key == ("n", "a b")
    assert list(table.keys()) == [(1, "y"), (2, "x")]
    assert table[2, "x"] == {"a b": "x", "n": 2, "v": 1.5}


def test_without_a_primary_key_one_is_named(repo: Repository, tmp_path: Path) -> None:
    """A view has none, and is read all the same."""
    script = (
        "CREATE TABLE b (id, v); INSERT INTO b VALUES (1, 'x');"
        "CREATE VIEW t AS SELECT id, v || '!' AS v FROM b;"
    )
    path = database(tmp_path / "x.db", script)
    with pytest.raises(Invalid) as caught:
        load(repo, path)
    assert caught.value.code == "missing-key"
    load(repo, path, key="id")
    assert rows_of(repo) == [{"id": 1, "v": "x!"}]


def test_the_only_table_needs_no_name(repo: Repository, tmp_path: Path) -> None:
    """Of several one must be named; the hint lists them."""
    path = database(tmp_path / "x.db", "CREATE TABLE t (id INTEGER PRIMARY KEY);")
    load(repo, path, "")
    database(path, "CREATE TABLE u (id);")
    with pytest.raises(Invalid) as caught:
        load(repo, path, "sqlite")
    assert caught.value.code == "format-unknown"
    assert "t, u" in caught.value.hint
    with pytest.raises(NotFound) as absent:
        load(repo, path, "sqlite:v")
    assert (absent.value.code, absent.value.table) == ("no-such-table", "v")
    load(repo, path, "sqlite:T")


def test_several_files_are_one_table(repo: Repository, tmp_path: Path) -> None:
    """Columns may stand in another order, and must be the same."""
    first = database(
        tmp_path / "a.db", "CREATE TABLE t (id, v); INSERT INTO t VALUES (1, 'x');"
    )
    second = database(
        tmp_path / "b.db", "CREATE TABLE t (v, id); INSERT INTO t VALUES ('y', 2);"
    )
    load(repo, [first, second], key="id")
    assert rows_of(repo) == [{"id": 1, "v": "x"}, {"id": 2, "v": "y"}]
    third = database(tmp_path / "c.db", "CREATE TABLE t (id, w);")
    with pytest.raises(Invalid) as caught:
        load(repo, [first, third])
    assert caught.value.code == "columns-differ"


def test_what_others_write_meanwhile_is_not_seen(
    repo: Repository, tmp_path: Path
) -> None:
    """One read transaction covers the look at the types and the load."""
    script = (
        "PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, v INT);"
        "INSERT INTO t VALUES (1, 10);"
    )
    path = database(tmp_path / "x.db", script)
    with open_table(path, "sqlite:t") as source:
        source.infer()
        with closing(sqlite3.connect(path)) as other:
            other.executescript("INSERT INTO t VALUES (2, 'twenty');")
        with repo.working_area().edit("import") as workspace:
            assert import_table(workspace, "t", source).rows == 1
    assert rows_of(repo) == [{"id": 1, "v": 10}]


@pytest.mark.parametrize("cut", [16, 100, 1000, 4096, 9000])
def test_a_cut_database_is_refused(repo: Repository, tmp_path: Path, cut: int) -> None:
    """No page that is missing is taken for an empty one."""
    script = "CREATE TABLE t (id INTEGER PRIMARY KEY, v);" + "".join(
        f"INSERT INTO t VALUES ({number}, '{'x' * 100}');" for number in range(200)
    )
    path = database(tmp_path / "x.db", script)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(Invalid) as caught:
        load(repo, path)
    assert caught.value.code == "bad-sqlite"
    assert caught.value.hint


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """CSV, an archive, a stream and no file at all."""
    path = tmp_path / "x.db"
    path.write_bytes(b"a,b\n1,2\n")
    cases = [
        (path, "bad-sqlite"),
        (io.BytesIO(b"SQLite format 3\0"), "not-a-file"),
        (io.BytesIO(gzip.compress(b"x")), "format-compressed"),
        (tmp_path / "absent.db", "no-file"),
        (tmp_path, "not-a-file"),
    ]
    for place, code in cases:
        with pytest.raises(Error) as caught:
            open_table(place, "sqlite:t")
        assert caught.value.code == code
    path.write_bytes(b"")
    with pytest.raises(NotFound), open_table(path, "sqlite:t") as source:
        source.infer()


def test_bad_cells_name_their_rows(repo: Repository, tmp_path: Path) -> None:
    """A null key, a misfit for a stored column, text that is no UTF-8."""
    path = database(
        tmp_path / "x.db",
        "CREATE TABLE t (id, v INT); INSERT INTO t VALUES (1, 5), (NULL, 6);",
    )
    with pytest.raises(Invalid) as caught:
        load(repo, path, key="id")
    assert (caught.value.code, caught.value.line) == ("null-key", 2)
    assert "row 2" in caught.value.message
    database(path, "UPDATE t SET id = 2, v = 6 WHERE id IS NULL;")
    load(repo, path, key="id")
    database(path, "UPDATE t SET v = 'six' WHERE id = 2;")
    with pytest.raises(Invalid) as misfit:
        load(repo, path)
    assert (misfit.value.code, misfit.value.column) == ("schema-violation", "v")
    assert load(repo, path, widen=True).widened == ("v",)
    database(path, "UPDATE t SET v = CAST(x'ff' AS TEXT) WHERE id = 2;")
    with pytest.raises(Invalid) as encoding:
        load(repo, path)
    assert encoding.value.code == "bad-sqlite"


def test_a_huge_cell_is_refused(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the limit it is read, one byte past it is not."""
    monkeypatch.setattr(sqlite_file, "CELL_BYTES_MAX", 10_000)
    path = database(tmp_path / "x.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, v);")
    # The limit is one of the whole row, whose head takes some bytes.
    database(path, "INSERT INTO t VALUES (1, zeroblob(9990));")
    load(repo, path)
    database(path, "INSERT INTO t VALUES (2, zeroblob(10001));")
    with pytest.raises(LimitExceeded) as caught:
        load(repo, path)
    assert caught.value.code == "field-too-long"


def test_progress_reaches_the_size(repo: Repository, tmp_path: Path) -> None:
    """The position never passes the size, and is there at the end."""
    seen: list[tuple[int, int]] = []
    numbers = ", ".join(f"({number})" for number in range(5_000))
    path = database(
        tmp_path / "x.db",
        f"CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES {numbers};",
    )
    load(repo, path, progress=lambda done, total: seen.append((done, total)))
    assert all(done <= total for done, total in seen)
    assert seen[-1] == (path.stat().st_size,) * 2


def test_reading_leaves_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file in WAL mode, also where no log can be made."""
    path = database(tmp_path / "x.db", "PRAGMA journal_mode = WAL; CREATE TABLE t (a);")
    before = path.read_bytes()
    for is_writable in (True, False):
        monkeypatch.setattr(os, "access", lambda *_, found=is_writable: found)
        with open_table(path) as source:
            assert source.columns == ("a",)
            assert list(source.iter_batches()) == []
    assert os.listdir(tmp_path) == ["x.db"]
    assert path.read_bytes() == before


def test_a_journal_of_a_killed_program_is_named(tmp_path: Path) -> None:
    """Who only reads cannot take it back, and is told what does."""
    path = database(tmp_path / "x.db", "CREATE TABLE t (a);")
    child = os.fork()
    if not child:
        try:
            opened = sqlite3.connect(path, isolation_level=None)
            opened.execute("PRAGMA cache_size = 1")
            opened.execute("BEGIN")
            opened.executemany("INSERT INTO t VALUES (?)", [(b"x" * 500,)] * 1_000)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert (tmp_path / "x.db-journal").exists()
    with pytest.raises(Denied) as caught, open_table(path) as source:
        list(source.iter_batches())
    assert "x.db .schema" in caught.value.hint
    with closing(sqlite3.connect(path)) as opened:
        assert opened.execute("SELECT count(*) FROM t").fetchall() == [(0,)]
