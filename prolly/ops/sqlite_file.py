"""Open SQLite files; turn what SQLite says into errors of the package.

A file is read through one read transaction, from the first look at the columns to the
last row, so that what another program writes meanwhile is not seen. While it reads,
a file that is not in WAL mode cannot be written by others, and the reverse.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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


def quoted(name: str) -> str:
    """Return a name as SQL takes it, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def connect(path: Path, name: str, *, writable: bool) -> sqlite3.Connection:
    """Open a database; what it holds cannot make it run code or write elsewhere.

    Raises as :func:`failures`.
    """
    # Starting a program is felt, and few imports are of this format.
    import sqlite3

    # ``Path.as_uri`` escapes what would be read as a parameter.
    uri = path.absolute().as_uri() + ("?mode=rwc" if writable else "?mode=ro")
    with failures(name):
        opened = sqlite3.connect(
            uri, uri=True, isolation_level=None, timeout=LOCK_WAIT_SECONDS
        )
        try:
            opened.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CELL_BYTES_MAX)
            opened.execute("PRAGMA trusted_schema = OFF")
            opened.execute("PRAGMA cell_size_check = ON")
        except BaseException:
            opened.close()
            raise
    return opened


@contextmanager
def failures(name: str) -> Iterator[None]:
    """Turn errors of SQLite in the block into those of the package.

    StorageFailed ``file-locked``, ``disk-full``, ``io-error``; Invalid ``bad-sqlite``;
    Denied ``file-denied``; LimitExceeded ``field-too-long``, ``value-too-large``.
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


def table_names(opened: sqlite3.Connection) -> list[str]:
    """Return the names of the tables and views, those of SQLite itself left out."""
    found = opened.execute(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    )
    return [name for (name,) in found]


def pick_table(opened: sqlite3.Connection, name: str, wanted: str) -> str:
    """Return the table that is meant: the one named, or the only one there is.

    Raises NotFound ``no-such-table``, Invalid ``format-unknown``.
    """
    names = table_names(opened)
    shown = ", ".join(names[:20]) or "none"
    if not wanted:
        if len(names) == 1:
            return names[0]
        raise Invalid(
            f"{name} has {len(names)} tables",
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
