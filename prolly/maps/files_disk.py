"""Files of the operating system: their errors as ours, and that they hold still."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from prolly.errors import Denied, Error, Invalid, NotFound, Stale, StorageFailed


@contextmanager
def disk_errors(name: str) -> Iterator[None]:
    """Turn errors of the operating system about a file into ours.

    NotFound ``no-file``, Denied ``file-denied``, StorageFailed ``disk-full`` and
    ``io-error``, Invalid ``not-a-file``.
    """
    try:
        yield
    except OSError as error:
        raise storage_error(error, name) from error


def storage_error(error: OSError, name: str) -> Error:
    """Return what an error of the operating system about file ``name`` means here."""
    message = f"{name}: {error.strerror or error}"
    kind = _KINDS.get(error.errno or 0, _FAILED)
    return kind(message, path=name)


def require_regular(status: os.stat_result, name: str) -> None:
    """Raise Invalid ``symlink`` or ``not-a-file`` for what is no regular file."""
    if stat.S_ISLNK(status.st_mode):
        raise symlink_refused(name)
    if not stat.S_ISREG(status.st_mode):
        raise Invalid(
            f"{name} is no regular file",
            code="not-a-file",
            hint="Only regular files can be kept.",
            path=name,
        )


def symlink_refused(name: str) -> Invalid:
    """Return (not raise) the error for a symbolic link."""
    return Invalid(
        f"{name} is a symbolic link, and links are not followed",
        code="symlink",
        hint="Put the file itself there, or leave the link out.",
        path=name,
    )


def require_unchanged(
    before: os.stat_result, after: os.stat_result, size: int, name: str
) -> None:
    """Raise Stale ``file-changed`` when a file was written while it was read."""
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if not same or size != before.st_size:
        raise Stale(
            f"{name} changed while it was read",
            code="file-changed",
            hint="Try again when nobody writes it; nothing of it was kept.",
            path=name,
        )


def regular_status(stream: Any) -> os.stat_result | None:
    """Return the status of a stream that is a regular file at its beginning."""
    try:
        status = os.fstat(stream.fileno())
        if stat.S_ISREG(status.st_mode) and stream.tell() == 0:
            return status
    except (AttributeError, OSError, ValueError):
        # A stream without a file, or one that cannot tell, as `io` defines them.
        pass
    return None


_DENIED = partial(Denied, code="file-denied", hint="Check the permissions.")
_FULL = partial(StorageFailed, code="disk-full", hint="Make room, then try again.")
_ABSENT = partial(NotFound, code="no-file", hint="Check the name.")
_FAILED = partial(StorageFailed, code="io-error", hint="Look at the disk and the file.")

_KINDS: dict[int, Callable[..., Error]] = {
    errno.ENOENT: _ABSENT,
    errno.ENOTDIR: _ABSENT,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: _DENIED,
    errno.EISDIR: partial(Invalid, code="not-a-file", hint="Name a file."),
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
}
