"""Errors of the system and of LMDB become errors that say what to do."""

from __future__ import annotations

import errno

import lmdb
import pytest

from prolly.chunks.storage_failures import (
    BROKEN_ENVIRONMENT,
    from_lmdb_error,
    from_os_error,
    unreadable,
)
from prolly.errors import Denied, Invalid, ReadOnly, StorageFailed


def system_error(number: int) -> lmdb.Error:
    """Return an error as LMDB's binding makes it."""
    error = lmdb.Error("x")
    error.__dict__["code"] = number
    return error


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_room_is_disk_full(number: int) -> None:
    """A full device, quota or file limit is disk-full, whoever tells it."""
    for error in (
        from_os_error(OSError(number, "x"), "writing"),
        from_lmdb_error(system_error(number), "writing"),
    ):
        assert isinstance(error, StorageFailed)
        assert error.code == "disk-full"
        assert error.hint


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_no_more_files_is_no_bad_disk(number: int) -> None:
    """A process without descriptors is told so, not to look at its disk."""
    for error in (
        from_os_error(OSError(number, "x"), "reading"),
        from_lmdb_error(system_error(number), "reading"),
        unreadable(OSError(number, "x"), "a/b.pack"),
    ):
        assert isinstance(error, StorageFailed)
        assert error.code == "too-many-files" and "ulimit" in error.hint


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_no_permission_is_read_only(number: int) -> None:
    """A read-only medium or directory is ReadOnly; an unreadable file is Denied."""
    assert isinstance(from_os_error(OSError(number, "x"), "writing"), ReadOnly)
    assert isinstance(from_lmdb_error(system_error(number), "writing"), ReadOnly)
    assert isinstance(unreadable(OSError(errno.EACCES, "x"), "/p"), Denied)


def test_other_errors_are_io_errors() -> None:
    """What has no better name is io-error, with its errno."""
    for error in (
        from_os_error(OSError(errno.EIO, "x"), "writing"),
        from_lmdb_error(system_error(errno.EIO), "writing"),
        unreadable(OSError(errno.EIO, "x"), "/p"),
    ):
        assert isinstance(error, StorageFailed)
        assert (error.code, error.errno) == ("io-error", errno.EIO)


def test_errors_of_lmdb() -> None:
    """Each kind of LMDB error that a caller can meet has its code."""
    for kind in BROKEN_ENVIRONMENT:
        assert from_lmdb_error(kind("x"), "x").code == "environment-failed"
    assert from_lmdb_error(lmdb.MapFullError("x"), "x").code == "map-full"
    assert from_lmdb_error(lmdb.ReadersFullError("x"), "x").code == "readers-full"
    assert from_lmdb_error(lmdb.InvalidError("x"), "x").code == "index-damaged"
    assert isinstance(from_lmdb_error(lmdb.BadValsizeError("x"), "x"), Invalid)
