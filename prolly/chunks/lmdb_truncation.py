"""Whether the data file of an LMDB environment is as long as its last commit says.

LMDB maps the file and believes it. A page that is not there any more, since somebody
cut the file off, is a fault of the bus when it is read, and that ends the process: so
the length is looked at before LMDB looks at the file.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from prolly.errors import Corrupt, Error

from .lmdb_pages import (
    EndsEarlyError,
    Meta,
    NotUnderstoodError,
    ReadAt,
    iter_free_lists,
    newest_meta,
    reading,
)
from .storage_failures import from_os_error, index_replaced, unreadable

# Other processes may commit, and use free pages again, while one looks at them. It
# takes three commits within one look; so many in a row are no accident.
LOOKS_MAX = 10


class FileIdentity(NamedTuple):
    """What tells a file from another that has its name: file system and inode."""

    device: int
    inode: int


def identity_of(path: str) -> FileIdentity:
    """Return which file stands there. Raises OSError."""
    status = os.stat(path)
    return FileIdentity(status.st_dev, status.st_ino)


def require_whole(
    path: str, *, create: bool = False, is_open: FileIdentity | None = None
) -> None:
    """Raise Corrupt ``index-truncated`` for a data file that was cut off.

    A file that is no environment is left for LMDB to refuse, and so is one that is not
    there; with ``create`` an empty one too: it is about to be made. With ``is_open`` it
    must be the file that is open already: what is written to another one, or to one
    that was removed, is lost. Raises StorageFailed ``index-replaced``, and others, and
    Denied ``unreadable``.
    """
    try:
        # Without waiting: whatever it is, it is not to hold up whoever looks.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        if is_open is not None:
            raise index_replaced(path) from None
        return
    except OSError as error:
        raise unreadable(error, path) from error
    try:
        if is_open is not None:
            status = os.fstat(descriptor)
            if (status.st_dev, status.st_ino) != is_open:
                raise index_replaced(path)
        _require_whole(descriptor, path, create)
    except OSError as error:
        raise from_os_error(error, "looking at the index") from error
    finally:
        os.close(descriptor)


def _require_whole(descriptor: int, path: str, create: bool) -> None:
    read_at = reading(descriptor)
    looked_at = None
    for _ in range(LOOKS_MAX):
        try:
            meta = newest_meta(read_at)
        except EndsEarlyError:
            size = os.fstat(descriptor).st_size
            if create and not size:
                return
            raise _truncated(path, size) from None
        except NotUnderstoodError:
            return
        # The size is asked after the page was read: it only grows, and it grows first.
        size = os.fstat(descriptor).st_size
        whole = (meta.last_page + 1) * meta.page_bytes
        if size >= whole or _lacks_only_free_pages(read_at, meta, size):
            return
        if looked_at == meta.transaction:
            break
        looked_at = meta.transaction
    raise _truncated(path, size, whole)


def _lacks_only_free_pages(read_at: ReadAt, meta: Meta, size: int) -> bool:
    """Tell whether no page behind the end holds anything.

    A page that one transaction takes and gives back is never written, and the file may
    end before it. LMDB reads no free page before it has written it.
    """
    first = size // meta.page_bytes
    free: set[int] = set()
    try:
        for _transaction, pages in iter_free_lists(read_at, meta):
            free.update(page for page in pages if first <= page <= meta.last_page)
    except NotUnderstoodError:
        return False
    return len(free) == meta.last_page + 1 - first


def _truncated(path: str, size: int, whole: int = 0) -> Error:
    wanted = f", of {whole} that its last commit names" if whole else ""
    return Corrupt(
        f"{path} was cut off: it has {size} bytes{wanted}",
        code="index-truncated",
        hint="Restore the file data.mdb from a backup, or clone another replica.",
        path=path,
        actual=size,
    )
