"""Write a file so that it is there whole or not at all; streams as they come.

A file is written beside its target under a temporary name and moved over it at the end,
so a reader, a full disk or an interruption never meets half of it. What is no regular
file (a pipe, a terminal, ``/dev/null``) and an open stream are written straight.

The temporary name is ``.NAME.PROCESS-NUMBER.prolly-part``. Whoever writes one holds a
lock on it; one without that was left by a process that was killed, and goes when the
next file is written in that directory.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, BinaryIO

from prolly.chunks import sync_directory
from prolly.maps import storage_error

from .byte_source import Place
from .compressed_stream import Compression, deflate, require_zstd

_SUFFIX = ".prolly-part"
# What SQLite puts beside a file that it writes.
_COMPANIONS = ("-journal", "-wal", "-shm")
# So much of a name is in the temporary one, which must not be too long by that.
_NAME_CHARS = 50

# No name comes twice in one process: what somebody clears away is never a new file.
_numbers = count()


def write_chunks(
    place: Place, chunks: Iterable[bytes], *, compression: Compression = ""
) -> None:
    """Write ``chunks`` one after another, compressed if asked.

    Raises Unsupported ``missing-extra``, StorageFailed ``disk-full`` or ``io-error``,
    Denied, NotFound ``no-file``; the file is then as it was. An error of ``chunks``
    passes, with the same promise. A stream is left open, and its own errors (a closed
    pipe) pass as they are.
    """
    if compression == "zst":
        require_zstd()
    with output(place) as file, deflate(file, compression) as writer:
        for chunk in chunks:
            writer.write(chunk)


@contextmanager
def output(place: Place) -> Iterator[BinaryIO]:
    """Give what to write to: the stream itself, or a file that replaces ``place``.

    The file appears when the block ends well; raises as :func:`write_chunks`.
    """
    if isinstance(place, (str, os.PathLike)):
        with replacement(os.fspath(place)) as file:
            yield file
    else:
        yield place
        place.flush()


@contextmanager
def replacement(name: str) -> Iterator[Any]:
    """Give a file to write, and move it over ``name`` when the block ends well.

    Its ``name`` is the path where it stands until then.
    """
    target = os.path.realpath(name)
    try:
        mode = _mode(target)
        if mode is not None and not stat.S_ISREG(mode):
            with open(target, "wb") as file:
                yield file
            return
        temporary, descriptor = _create_beside(target)
        try:
            with open(temporary, "wb", opener=lambda *_: descriptor) as file:
                yield file
                file.flush()
                if mode is not None:
                    os.fchmod(file.fileno(), stat.S_IMODE(mode))
                os.fsync(file.fileno())
                # Closed it would have no lock, and count as left behind.
                os.replace(temporary, target)
            with suppress(OSError):
                # Some file systems cannot; then a power cut may bring the old one back.
                sync_directory(os.path.dirname(target))
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise storage_error(error, name) from error


def _mode(path: str) -> int | None:
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


def _create_beside(target: str) -> tuple[str, int]:
    """Create a new file in the directory of ``target`` with the usual permissions."""
    directory, name = os.path.split(target)
    _clear(directory)
    for number in _numbers:
        last = f".{name[:_NAME_CHARS]}.{os.getpid()}-{number}{_SUFFIX}"
        path = os.path.join(directory, last)
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            continue
        if _is_locked(descriptor) and not os.fstat(descriptor).st_nlink:
            # Somebody cleared it away before the lock was there.
            os.close(descriptor)
            continue
        return path, descriptor
    raise AssertionError("count() does not end")


def _clear(directory: str) -> None:
    """Remove the temporary files of processes that are no more."""
    with suppress(OSError), os.scandir(directory) as entries:
        left = [one.path for one in entries if one.name.endswith(_SUFFIX)]
        for path in left:
            with suppress(OSError):
                _clear_one(path)


def _clear_one(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if _is_locked(descriptor):
            for end in ("", *_COMPANIONS):
                with suppress(FileNotFoundError):
                    os.unlink(path + end)
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    """Lock an open file; tell whether that worked. A file system may have no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
