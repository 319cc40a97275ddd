"""Advisory locks on files, by which the processes of one store keep apart."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from prolly.errors import Error

from .storage_failures import from_os_error


@contextmanager
def file_lock(
    path: str, *, shared: bool = False, if_taken: Error | None = None
) -> Iterator[None]:
    """Hold a lock on a file, which is made when it is not there.

    Waits for whoever has it; with ``if_taken`` that is raised instead. Raises ReadOnly
    ``read-only`` where the file may not be written, and StorageFailed ``io-error``
    where the file system has no locks, or no more of them. The lock belongs to this
    open file, so two threads that take it keep each other out too.
    """
    doing = f"locking {os.path.basename(path)}"
    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise from_os_error(error, doing) from error
    try:
        try:
            fcntl.flock(descriptor, operation | (fcntl.LOCK_NB if if_taken else 0))
        except BlockingIOError:
            assert if_taken is not None, "only a lock that does not wait is refused"
            raise if_taken from None
        except OSError as error:
            raise from_os_error(error, doing) from error
        yield
    finally:
        os.close(descriptor)
