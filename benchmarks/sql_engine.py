"""sqlite3 and doltlite, which share one interface: the ``sqlite3`` module.

Both get prepared statements through ``execute`` and ``executemany`` inside one explicit
transaction, the form that both documents advise for bulk work, on a connection with
``isolation_level=None`` so that Python adds no statement of its own.
"""

from __future__ import annotations

import csv
import importlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from .engine import Engine, Lookup, consume, prefix_stop
from .records import COLUMNS

_SQL_TYPES = ("INTEGER", "TEXT", "TEXT", "REAL", "BLOB")
_QUOTED = [f'"{name}"' for name in COLUMNS]


class SqliteEngine(Engine):
    """The SQLite that Python brings: no versions, the floor for a table."""

    name: ClassVar[str] = "sqlite3"
    # WAL with synchronous FULL is the fastest mode that still syncs each commit. Its
    # documents advise WITHOUT ROWID for small records with a key that is no integer.
    use: ClassVar[str] = "WAL, synchronous FULL, WITHOUT ROWID for the text key"
    modules: ClassVar[tuple[str, ...]] = ("sqlite3",)
    distributions: ClassVar[tuple[str, ...]] = ()
    ready: ClassVar[str] = "import sqlite3"
    file: ClassVar[str] = "records.sqlite"
    map_suffix: ClassVar[str] = " WITHOUT ROWID"

    connection: Any

    def _connect(self) -> None:
        sqlite3 = importlib.import_module("sqlite3")
        self.connection = sqlite3.connect(
            self.directory / self.file, isolation_level=None
        )
        self._configure()

    def _configure(self) -> None:
        self._execute("PRAGMA journal_mode=WAL")
        self._execute("PRAGMA synchronous=FULL")

    def _execute(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        # A statement that is not read to its end keeps its transaction open.
        rows: list[Any] = self.connection.execute(statement, values).fetchall()
        return rows

    def create(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._connect()

    def open(self) -> None:
        self._connect()

    def close(self) -> None:
        self.connection.close()

    def _create_table(self) -> None:
        if self.form == "map":
            columns, suffix = "k TEXT PRIMARY KEY, v BLOB", self.map_suffix
        else:
            pairs = zip(_QUOTED, _SQL_TYPES, strict=True)
            columns = ", ".join(f"{name} {kind}" for name, kind in pairs)
            columns, suffix = columns.replace("INTEGER", "INTEGER PRIMARY KEY"), ""
        self._execute(f"CREATE TABLE records({columns}){suffix}")

    @property
    def _key(self) -> str:
        return "k" if self.form == "map" else "id"

    @property
    def _insert(self) -> str:
        marks = "?, ?" if self.form == "map" else ", ".join("?" * len(COLUMNS))
        return f"INSERT INTO records VALUES({marks})"

    @property
    def _update(self) -> str:
        if self.form == "map":
            return "UPDATE records SET v = ?2 WHERE k = ?1"
        cells = ", ".join(f"{one} = ?{at}" for at, one in enumerate(_QUOTED, 1))
        return f"UPDATE records SET {cells} WHERE id = ?1"

    def load(self, records: Iterable[Any], *, ordered: bool) -> None:
        self._create_table()
        self._execute("BEGIN")
        self.connection.executemany(self._insert, records)
        self._commit()

    def load_csv(self, path: Path) -> None:
        # The affinity of the columns turns the text of the cells into numbers, in C.
        with path.open(newline="", encoding="utf-8") as file:
            self.load(islice(csv.reader(file), 1, None), ordered=False)

    def _commit(self) -> str:
        self._execute("COMMIT")
        return ""

    def lookup(self) -> Lookup:
        execute = self.connection.execute
        wanted = "v" if self.form == "map" else "*"
        statement = f"SELECT {wanted} FROM records WHERE {self._key} = ?"
        return lambda key: execute(statement, (key,)).fetchone()

    def write(
        self,
        *,
        updates: Sequence[Any] = (),
        inserts: Sequence[Any] = (),
        deletes: Sequence[Any] = (),
    ) -> str:
        self._execute("BEGIN")
        if updates:
            self.connection.executemany(self._update, updates)
        if inserts:
            self.connection.executemany(self._insert, inserts)
        if deletes:
            statement = f"DELETE FROM records WHERE {self._key} = ?"
            self.connection.executemany(statement, [(key,) for key in deletes])
        return self._commit()

    def _rows(self, where: str = "", values: Sequence[Any] = ()) -> Iterator[Any]:
        statement = f"SELECT * FROM records{where} ORDER BY {self._key}"
        rows: Iterator[Any] = self.connection.execute(statement, values)
        return rows

    def scan(self) -> int:
        return consume(self._rows())

    def range(self, start: Any, stop: Any) -> int:
        where = f" WHERE {self._key} >= ? AND {self._key} < ?"
        return consume(self._rows(where, (start, stop)))

    def prefix(self, prefix: Any) -> int:
        return self.range(prefix, prefix_stop(prefix))

    def create_indexes(self) -> None:
        self._execute("BEGIN")
        self._execute('CREATE INDEX by_group ON records("group")')
        self._execute("CREATE UNIQUE INDEX by_name ON records(name)")
        self._commit()

    def query_index(self, group: str, limit: int) -> int:
        statement = 'SELECT * FROM records WHERE "group" = ? LIMIT ?'
        return len(self._execute(statement, (group, limit)))

    def write_blob(self, content: bytes) -> None:
        self._execute("CREATE TABLE IF NOT EXISTS blobs(id INTEGER PRIMARY KEY, v)")
        self._execute("BEGIN")
        statement = "INSERT INTO blobs VALUES(1, ?1) ON CONFLICT(id) DO UPDATE SET v=?1"
        self._execute(statement, (content,))
        self._commit()

    def read_blob(self) -> bytes:
        found: bytes = self._execute("SELECT v FROM blobs WHERE id = 1")[0][0]
        return found


class DoltliteEngine(SqliteEngine):
    """doltlite: the same interface over a prolly tree, with commits."""

    name: ClassVar[str] = "doltlite"
    # Its documents: every level of synchronous but OFF syncs, journal_mode is inert,
    # and dolt_commit inside BEGIN ends the SQL transaction too, so one sync is enough.
    use: ClassVar[str] = "BEGIN, statements, dolt_commit: one sync for both commits"
    modules: ClassVar[tuple[str, ...]] = ("doltlite", "sqlite3")
    distributions: ClassVar[tuple[str, ...]] = ("doltlite",)
    ready: ClassVar[str] = "import doltlite, sqlite3"
    file: ClassVar[str] = "records.doltlite"
    # A text key is clustered there without being asked.
    map_suffix: ClassVar[str] = ""

    def _configure(self) -> None:
        assert self._execute("SELECT doltlite_engine()") == [("prolly",)]

    def _commit(self) -> str:
        return str(self._execute("SELECT dolt_commit('-A', '-m', 'write')")[0][0])

    def diff(self, old: str, new: str) -> int:
        # The table function compares two snapshots and hands out both sides of a row.
        names = ("k", "v") if self.form == "map" else COLUMNS
        cells = [f'"{side}_{name}"' for side in ("from", "to") for name in names]
        table = f"dolt_diff_records('{old}', '{new}')"
        statement = f"SELECT diff_type, {', '.join(cells)} FROM {table}"
        return consume(self.connection.execute(statement))

    def branch(self, name: str) -> None:
        self._execute("SELECT dolt_branch(?)", (name,))

    def switch(self, name: str) -> None:
        self._execute("SELECT dolt_checkout(?)", (name,))

    def merge(self, name: str) -> str:
        return str(self._execute("SELECT dolt_merge(?)", (name,))[0][0])

    def rewind(self, commits: int) -> None:
        self._execute("SELECT dolt_reset('--hard', ?)", (f"HEAD~{commits}",))

    def compact(self) -> None:
        self._execute("SELECT dolt_gc()")
