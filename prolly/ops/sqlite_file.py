"""Open SQLite files; turn what SQLite says into errors of the package.

A file is read through one read transaction, from the first look at the columns to the
last row, so that what another program writes meanwhile is not seen. While it reads,
a file that is not in WAL mode cannot be written by others, and the reverse.

A write-ahead log beside a file belongs to its name: played into another file that took
its place it would spoil it. So ``settle`` comes before a file is replaced.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from prolly.errors import (
    AlreadyExists,
    Denied,
    Error,
    Invalid,
    LimitExceeded,
    NotFound,
    StorageFailed,
)

if TYPE_CHECKING:
    import sqlite3

# How long to wait for another program that writes the same file.
LOCK_WAIT_SECONDS = 2.0
# A cell is held in memory whole, and more than once while it is typed and stored.
CELL_BYTES_MAX = 128 * 1024 * 1024

MAGIC = b"SQLite format 3\0"
# Where the header of a file says how it is written, and what it says for a log.
_MODE_PLACE = 18
_WRITE_AHEAD = 2


def quoted(name: str) -> str:
    """Return a name as SQL takes it, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def connect(path: Path, name: str, *, writable: bool) -> sqlite3.Connection:
    """Open a database; what it holds cannot make it run code or write elsewhere.

    Raises as :func:`failures`.
    """
    # Starting a program is felt, and few imports are of this format.
    import sqlite3

    mode = "rwc" if writable else _reading_mode(path)
    # ``Path.as_uri`` escapes what would be read as a parameter.
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    with failures(name):
        opened = sqlite3.connect(
            uri, uri=True, isolation_level=None, timeout=LOCK_WAIT_SECONDS
        )
        try:
            opened.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CELL_BYTES_MAX)
            opened.execute(f"PRAGMA query_only = {not writable}")
            opened.execute("PRAGMA trusted_schema = OFF")
            opened.execute("PRAGMA cell_size_check = ON")
        except BaseException:
            opened.close()
            raise
    return opened


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _reading_mode(path: Path) -> str:
    """Return how to open a file that is read.

    One in WAL mode has a log while somebody has it open. Who may only read leaves an
    empty log behind, and needs one: where none can be made, nobody else writes.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_MODE_PLACE + 1)
    except OSError:
        return "ro"
    is_logged = head.startswith(MAGIC) and head[_MODE_PLACE:] == bytes([_WRITE_AHEAD])
    if not is_logged or _log(path).exists():
        return "ro"
    return "rw" if os.access(path.parent, os.W_OK) else "ro&immutable=1"


def settle(path: Path, name: str) -> None:
    """Take what stands in a log beside a database into it, before it is replaced.

    Nothing is done where no database is. Raises StorageFailed ``file-locked`` where
    another program has it open, and as :func:`failures`.
    """
    if not (_log(path).exists() and path.exists()):
        return
    try:
        with (
            closing(connect(path, name, writable=True)) as opened,
            failures(name),
        ):
            opened.execute("PRAGMA journal_mode = DELETE")
    except StorageFailed as error:
        if error.code == "file-locked":
            error.hint = "Close the file in the other program, then try again."
        raise


@contextmanager
def failures(name: str) -> Iterator[None]:
    """Turn errors of SQLite in the block into those of the package.

    StorageFailed ``file-locked``, ``disk-full``, ``io-error``; Invalid ``bad-sqlite``,
    ``sqlite-constraint``; Denied ``file-denied``; LimitExceeded ``field-too-long``,
    ``value-too-large``.
    """
    import sqlite3

    try:
        yield
    except sqlite3.Error as error:
        raise _failure(error, name) from error
    except OverflowError as error:
        raise LimitExceeded(
            f"{name}: a whole number is past 64 bits, more than SQLite holds",
            code="value-too-large",
            hint="Export as jsonl or parquet, which hold it.",
            source=name,
        ) from error


def _failure(error: sqlite3.Error, name: str) -> Error:
    # Extended names begin with the plain one: SQLITE_BUSY_SNAPSHOT.
    code = getattr(error, "sqlite_errorname", "").removeprefix("SQLITE_")
    kind = code.partition("_")[0]
    message = f"{name}: {error}"
    if code == "READONLY_ROLLBACK":
        hint = f"A program that wrote it was killed: `sqlite3 {name} .schema` mends it."
        return Denied(message, code="file-denied", hint=hint, source=name)
    if kind == "CONSTRAINT":
        hint = "Change the rows so that it holds, or the constraint."
        return Invalid(message, code="sqlite-constraint", hint=hint, source=name)
    if kind in ("BUSY", "LOCKED"):
        return StorageFailed(
            f"{name} is locked by another program",
            code="file-locked",
            hint="Try again when the other program has ended its transaction.",
            source=name,
        )
    if kind == "FULL":
        hint = "Make room, then try again."
        return StorageFailed(message, code="disk-full", hint=hint, source=name)
    if kind == "IOERR":
        hint = "Look at the disk and the file."
        return StorageFailed(message, code="io-error", hint=hint, source=name)
    if kind in ("CANTOPEN", "PERM", "READONLY", "AUTH"):
        hint = "Check the permissions of the file and its directory."
        return Denied(message, code="file-denied", hint=hint, source=name)
    if kind == "TOOBIG":
        return LimitExceeded(
            f"{name}: a cell is over {CELL_BYTES_MAX:,} bytes",
            code="field-too-long",
            hint="Keep large values in a blob.",
            source=name,
            limit=CELL_BYTES_MAX,
        )
    return Invalid(
        message,
        code="bad-sqlite",
        hint="It is damaged, no database, or holds what cannot be read.",
        source=name,
    )


def _table_names(opened: sqlite3.Connection, kind: str) -> list[str]:
    """Return the names of the tables, or views, those of SQLite itself left out."""
    found = opened.execute(
        "SELECT name FROM sqlite_schema WHERE type = ? "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        (kind,),
    )
    return [name for (name,) in found]


def is_view(opened: sqlite3.Connection, table: str) -> bool:
    """Tell whether a name, as it is spelt in the file, is that of a view."""
    return table in _table_names(opened, "view")


def pick_table(opened: sqlite3.Connection, name: str, wanted: str) -> str:
    """Return the table or view that is meant: the one named, or the only one there is.

    A view beside the only table leaves that the only one. Raises NotFound
    ``no-such-table``, Invalid ``format-unknown``.
    """
    tables = _table_names(opened, "table")
    names = tables + _table_names(opened, "view")
    shown = ", ".join(names[:20]) or "none"
    if not wanted:
        only = tables or names
        if len(only) == 1:
            return only[0]
        raise Invalid(
            f"{name} has {len(only)} tables",
            code="format-unknown",
            hint=f"Say which: --format sqlite:TABLE; there are {shown}.",
            source=name,
        )
    # SQLite takes names of either case for the same.
    for one in names:
        if one == wanted or one.lower() == wanted.lower():
            return one
    raise NotFound(
        f"{name} has no table {wanted!r}",
        code="no-such-table",
        hint=f"Its tables are: {shown}.",
        source=name,
        table=wanted,
    )


def is_a_view(name: str, table: str) -> AlreadyExists:
    """Return (not raise) the error for a view where a table is to be made."""
    return AlreadyExists(
        f"{name}: {table!r} is a view",
        code="view-exists",
        hint="Choose another name: --format sqlite:TABLE.",
        source=name,
        table=table,
    )
