"""Errors of the operating system and of LMDB, told as errors of this package.

One function each. The class answers what to do now: free space, give permission, open
the store again.
"""

from __future__ import annotations

import errno
import os
import resource

import lmdb

from prolly.errors import (
    Corrupt,
    Denied,
    Error,
    Invalid,
    NotFound,
    ReadOnly,
    Stale,
    StorageFailed,
    Unsupported,
)

# The device is full, the quota is used up, the file may not grow past a limit of the
# process: for whoever writes these are one thing.
DISK_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

READ_ONLY_ERRNOS = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})

# LMDB writes runs of dirty pages; one that finds no room needed less than this.
ROOM_BYTES = 4 * 1024 * 1024

# After these the open environment is of no use, though what is committed is intact.
BROKEN_ENVIRONMENT = (
    lmdb.PanicError,
    lmdb.CorruptedError,
    lmdb.PageNotFoundError,
    lmdb.BadTxnError,
    lmdb.BadDbiError,
)


def from_os_error(error: OSError, doing: str) -> Error:
    """Return what to raise for a failed call of the operating system."""
    if error.errno in DISK_FULL_ERRNOS:
        return _disk_full(doing, error)
    if error.errno in READ_ONLY_ERRNOS:
        return _read_only(doing, error)
    return _io_error(doing, error, error.errno or 0)


def _io_error(doing: str, error: Exception, number: int) -> StorageFailed:
    if number in (errno.EMFILE, errno.ENFILE):
        return StorageFailed(
            f"{doing}: too many files are open",
            code="too-many-files",
            hint="Allow this process more open files (ulimit -n).",
            errno=number,
        )
    return StorageFailed(
        f"{doing}: {error}",
        code="io-error",
        hint="Look at the disk and the system's log; the store is as it was.",
        errno=number,
    )


def from_lmdb_error(error: lmdb.Error, doing: str, path: str = "") -> Error:
    """Return what to raise for an error of LMDB that no retry has helped.

    ``path`` is the data file; with it a short write is told from a bad disk.
    """
    if isinstance(error, BROKEN_ENVIRONMENT):
        return StorageFailed(
            f"{doing}: the index failed and was closed: {error}",
            code="environment-failed",
            hint="Try again; if it stays, run `prolly fsck`.",
        )
    if isinstance(error, lmdb.InvalidError):
        return Corrupt(
            f"{doing}: {error}",
            code="index-damaged",
            hint="The file data.mdb is not an index: restore it from a backup.",
        )
    if isinstance(error, lmdb.MapFullError):
        return StorageFailed(
            f"{doing}: the map of the index cannot grow",
            code="map-full",
            hint="Allow this process more address space (ulimit -v).",
        )
    if isinstance(error, lmdb.ReadersFullError):
        return StorageFailed(
            f"{doing}: every reader slot of the store is taken",
            code="readers-full",
            hint="Close other processes that read this store.",
        )
    if isinstance(error, lmdb.BadValsizeError):
        return Invalid(
            f"{doing}: a key that is empty or too long",
            code="address",
            hint="Give an address of 32 bytes, or a shorter name.",
        )
    number = errno_of(error)
    if number in DISK_FULL_ERRNOS:
        return _disk_full(doing, error)
    if number == errno.EIO and path and _has_no_room(path):
        return _disk_full(doing, error)
    if number in READ_ONLY_ERRNOS or isinstance(error, lmdb.ReadonlyError):
        return _read_only(doing, error)
    return _io_error(doing, error, number)


def errno_of(error: lmdb.Error) -> int:
    """Return the errno of a failed call of the system; LMDB's own are negative.

    0 for an error that Python code made, which has none.
    """
    return int(getattr(error, "code", 0))


def _has_no_room(path: str) -> bool:
    """Tell whether the file can hardly grow.

    A write that the system cuts short for want of room is an I/O error to LMDB, the
    same as one of a failing disk.
    """
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    try:
        size = os.stat(path).st_size
        disk = os.statvfs(path)
    except OSError:
        return False
    limited = limit != resource.RLIM_INFINITY and size + ROOM_BYTES > limit
    return limited or disk.f_bavail * disk.f_frsize < ROOM_BYTES


def _disk_full(doing: str, error: Exception) -> StorageFailed:
    return StorageFailed(
        f"{doing}: the disk is full ({error})",
        code="disk-full",
        hint="Free some space, then try again; the store is as it was.",
    )


def _read_only(doing: str, error: Exception) -> ReadOnly:
    return ReadOnly(
        f"{doing}: the store cannot be written ({error})",
        code="read-only",
        hint="Check the permissions of the directory and how it is mounted.",
    )


def unreadable(error: OSError, path: str) -> Error:
    """Return what to raise when a file of the store may not even be read."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return Denied(
            f"{path} may not be read",
            code="unreadable",
            hint="Ask its owner for permission to read it.",
            path=path,
        )
    return from_os_error(error, f"reading {os.path.basename(path)}")


def opened_read_only(path: str) -> ReadOnly:
    """Return what to raise when a store that is open for reading is to change."""
    return ReadOnly(
        f"the store in {path} is read-only here",
        code="read-only",
        hint="Open it for writing, or check the permissions of the directory.",
        path=path,
    )


def map_outgrown() -> StorageFailed:
    """Return what to raise when other processes grow the map all the time."""
    return StorageFailed(
        "the index grows faster than this process can follow",
        code="map-resized",
        hint="Try again.",
    )


def read_outrun() -> Stale:
    """Return what to raise when every read without a lock was overtaken by commits."""
    return Stale(
        "the store is written faster than it can be read without its file of locks",
        code="read-outrun",
        hint="Try again, or ask for permission to write lock.mdb.",
    )


def store_closed() -> Invalid:
    """Return what to raise for the use of a store after its end."""
    return Invalid("the store is closed", code="closed", hint="Open it again.")


def index_missing(path: str) -> Corrupt:
    """Return what to raise for a store whose index is gone, and the rest left."""
    return Corrupt(
        f"the store lacks its index: {path} is not there",
        code="index-missing",
        hint="Put the file back from a backup, or clone from another replica; a new "
        "repository in this place would not have the data.",
        path=path,
    )


def index_damaged(path: str, what: str) -> Corrupt:
    """Return what to raise, or to list, for an index whose pages are wrong."""
    return Corrupt(
        f"the index of the store is damaged: {what}",
        code="index-damaged",
        hint="Restore the file data.mdb from a backup, or clone another replica.",
        path=path,
    )


def index_replaced(path: str) -> StorageFailed:
    """Return what to raise when another index stands where this one was opened."""
    return StorageFailed(
        f"{path} was removed or replaced while it was open",
        code="index-replaced",
        hint="Nothing was written: open the repository that is there now, or put the "
        "old files back and open it again.",
        path=path,
    )


def no_store(directory: str) -> NotFound:
    """Return what to raise for a directory that holds no store."""
    return NotFound(
        f"there is no store in {directory}",
        code="no-store",
        hint="Make one with `prolly init`.",
        path=directory,
    )


def engine_mismatch(found: str) -> Unsupported:
    """Return what to raise for another engine than the one of the format."""
    return Unsupported(
        f"the index of a store is a file of LMDB 0.9: {found}",
        code="engine-version",
        hint="Install lmdb 3 with its default engine.",
    )
