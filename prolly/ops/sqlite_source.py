"""Read tables and views of SQLite files, with or without row ids.

Types follow the declared ones where the cells allow it, see ``sqlite_columns``. The
primary key of the table is the key of a new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from prolly.errors import Invalid
from prolly.tables import InferredColumn

from .byte_source import ByteSource
from .format_names import refuse_compression
from .sqlite_columns import SqliteColumn, promised_type
from .sqlite_file import MAGIC, connect, failures, is_view, pick_table, quoted
from .table_source import BATCH_ROWS, Batch, Reader, TableSource, check_header

if TYPE_CHECKING:
    import sqlite3


class SqliteSource(TableSource):
    """Rows of cells from a table of one or more SQLite files.

    ``table`` may be empty for files with one table. The files stay as they are while
    the source is open, see ``sqlite_file``. A cell has the type that SQLite gives it.
    """

    format_name = "sqlite"
    text_cells = False
    typed_cells = True
    place_word = "row"

    def __init__(self, files: Sequence[ByteSource], table: str) -> None:
        super().__init__(files)
        self._wanted = table
        self._databases: list[_Database] = []
        self._inferred: list[InferredColumn] | None = None
        self._taken = 0
        for file in files:
            _check_file(file)

    @property
    def _opened(self) -> list[_Database]:
        while len(self._databases) < len(self.files):
            file = self.files[len(self._databases)]
            found = _Database(file, self._wanted)
            self._databases.append(found)
            _check_same(self._databases[0], found)
        return self._databases

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of the table in the first file."""
        return self._opened[0].names

    @property
    def key(self) -> tuple[str, ...]:
        """The primary key of the table in the first file; none if it has none."""
        return self._opened[0].key

    @property
    def generated(self) -> frozenset[str]:
        """The columns that SQLite computes from others, in the first file."""
        return frozenset(one.name for one in self._opened[0].listed if one.is_generated)

    @property
    def promised(self) -> dict[str, str | None]:
        """What the declared types promise in the first file, by column."""
        return {one.name: promised_type(one.declared) for one in self._opened[0].listed}

    @property
    def is_view(self) -> bool:
        """Tell whether the first file has a view of this name, not a table."""
        return self._opened[0].is_view

    def infer(self) -> list[InferredColumn]:
        """Read everything once and return the type of every column."""
        if self._inferred is None:
            columns = self._opened[0].columns()
            for batch in self.iter_batches():
                cells = zip(*batch.rows, strict=True)
                for column, values in zip(columns, cells, strict=True):
                    column.add(values)
            self._inferred = [column.result() for column in columns]
        return self._inferred

    def cell_reader(self, column: InferredColumn) -> Reader:
        """Return what turns cells of a column into values of its type."""
        found = {one.name: one for one in self._opened[0].columns()}
        known = found.get(column.name, SqliteColumn(column.name, "", is_nullable=True))
        return known.reader(column.type_name)

    def iter_batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows of all files in order, ``size`` at a time."""
        wanted = self.columns
        self._taken = 0
        for database in self._opened:
            before = 0
            for rows in database.iter_rows(wanted, size):
                numbers = range(before + 1, before + 1 + len(rows))
                before += len(rows)
                self._taken += len(rows)
                yield Batch(database.name, numbers, rows)

    @property
    def position(self) -> int:
        """How many bytes of ``size`` the running iteration has read, about."""
        rows = sum(one.count_rows() for one in self._opened)
        return self.size * min(self._taken, rows) // rows if rows else self.size

    def close(self) -> None:
        """Let go of the files and of their locks."""
        for database in self._databases:
            database.close()
        super().close()


def _check_file(file: ByteSource) -> None:
    if file.compression:
        raise refuse_compression(file.name)
    if file.path is None:
        raise Invalid(
            f"{file.name}: a database is read from a file, not from a stream",
            code="not-a-file",
            hint="Save it to a file first, and name that.",
            path=file.name,
        )
    if file.size and not file.head.startswith(MAGIC):
        raise Invalid(
            f"{file.name} is no SQLite database",
            code="bad-sqlite",
            hint="Name the format it has: --format FORMAT.",
            source=file.name,
        )


def _check_same(first: _Database, other: _Database) -> None:
    missing = [one for one in first.names if one not in other.names]
    more = [one for one in other.names if one not in first.names]
    if missing or more:
        raise Invalid(
            f"{other.name}: its columns are not those of the first file",
            code="columns-differ",
            hint=f"Missing: {', '.join(missing)}; not there before: {', '.join(more)}.",
            source=other.name,
            missing=missing,
            more=more,
        )


class _Listed(NamedTuple):
    """A column as SQLite lists it; ``key_place``: in the primary key, from 1."""

    name: str
    declared: str
    is_nullable: bool
    key_place: int
    is_generated: bool


class _Database:
    """One table of one file, read as it was when it was opened."""

    def __init__(self, file: ByteSource, wanted: str) -> None:
        assert file.path is not None
        self.name = file.name
        self._rows: int | None = None
        self._connection: sqlite3.Connection = connect(
            file.path, file.name, writable=False
        )
        try:
            with failures(self.name):
                # The transaction begins with the first look.
                self._connection.execute("BEGIN")
                self.table = pick_table(self._connection, self.name, wanted)
                self.is_view = is_view(self._connection, self.table)
                self.listed = self._list_columns()
            self.names = check_header([one.name for one in self.listed], self.name, 1)
        except BaseException:
            self._connection.close()
            raise

    def _list_columns(self) -> list[_Listed]:
        # Hidden columns are those of a virtual table (1), and generated ones (2, 3).
        found = self._connection.execute(
            'SELECT name, type, "notnull" = 0, pk, hidden > 1 '
            "FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid",
            (self.table,),
        )
        return [_Listed(*one) for one in found]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key, in its order."""
        parts = sorted(
            (one.key_place, one.name) for one in self.listed if one.key_place
        )
        return tuple(name for _, name in parts)

    def columns(self) -> list[SqliteColumn]:
        """Return the columns, nothing known of their cells yet."""
        return [
            SqliteColumn(one.name, one.declared, is_nullable=bool(one.is_nullable))
            for one in self.listed
        ]

    def count_rows(self) -> int:
        """Return how many rows there are; counted once."""
        if self._rows is None:
            with failures(self.name):
                query = f"SELECT count(*) FROM {quoted(self.table)}"
                [(self._rows,)] = self._connection.execute(query)
        return self._rows

    def iter_rows(self, names: Sequence[str], size: int) -> Iterator[list[list[Any]]]:
        """Yield the rows, cells in the order of ``names``."""
        listed = ", ".join(map(quoted, names))
        with failures(self.name):
            cursor = self._connection.execute(
                f"SELECT {listed} FROM {quoted(self.table)}"
            )
            while rows := cursor.fetchmany(size):
                yield list(map(list, rows))

    def close(self) -> None:
        """End the transaction and close the file."""
        self._connection.close()
