"""Give the free pages of the index back to the file system, in place.

LMDB reuses the pages that a commit frees, but its file never shrinks. Here the blocks
of free pages are released by punching holes: the file keeps its length and everything
else about it, and takes less room. Nothing is moved or rewritten, so other processes
may have the file open and mapped, and a crash at any instant leaves it as it was: LMDB
never reads a free page before it has written it again.

Which pages are free stands in a tree of the file (``lmdb_pages``).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator

from .lmdb_pages import (
    NotUnderstoodError,
    ReadAt,
    iter_free_lists,
    newest_meta,
    reading,
)

# Of fallocate(2): release the blocks, and leave the length of the file as it is.
KEEP_SIZE = 0x01
PUNCH_HOLE = 0x02


def release_free_pages(path: str, oldest_reader: int | None) -> int:
    """Punch holes where no snapshot of the file has a page; return the bytes released.

    The caller holds the write transaction of the environment, and has had every commit
    synced. ``oldest_reader`` is the smallest transaction that a reader of any process
    has open. As LMDB itself does before it reuses a page, one that the last transaction
    but one may have used is left alone, so that either meta page can be relied upon.
    Returns 0 where the file system has no holes, or the file is not understood.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return _release(descriptor, oldest_reader)
    except (OSError, NotUnderstoodError):
        return 0
    finally:
        os.close(descriptor)


def _release(descriptor: int, oldest_reader: int | None) -> int:
    before = os.fstat(descriptor).st_blocks
    page_bytes, pages = _free_pages(reading(descriptor), oldest_reader)
    punch = _punch()
    for first, last in _runs(sorted(pages)):
        start, size = first * page_bytes, (last - first + 1) * page_bytes
        if punch(descriptor, KEEP_SIZE | PUNCH_HOLE, start, size):
            break
    released = (before - os.fstat(descriptor).st_blocks) * 512
    return max(released, 0)


def _free_pages(read_at: ReadAt, oldest_reader: int | None) -> tuple[int, list[int]]:
    """Return the page size, and the pages that no snapshot in use has."""
    meta = newest_meta(read_at)
    # Pages freed by transaction t were used by those before t.
    bound = meta.transaction
    if oldest_reader is not None:
        bound = min(bound, oldest_reader)
    pages: list[int] = []
    for freed_by, numbers in iter_free_lists(read_at, meta):
        if freed_by < bound:
            pages += numbers
    if any(not 2 <= page <= meta.last_page for page in pages):
        raise NotUnderstoodError("a free page outside of the file")
    return meta.page_bytes, pages


def _runs(pages: list[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of each run of consecutive pages."""
    first = last = -1
    for page in pages:
        if page == last + 1 and first >= 0:
            last = page
            continue
        if first >= 0:
            yield first, last
        first = last = page
    if first >= 0:
        yield first, last


def _punch() -> Callable[[int, int, int, int], int]:
    """Return ``fallocate`` of the C library, which returns 0 when it did its work."""
    try:
        function = ctypes.CDLL(None, use_errno=True).fallocate
    except (OSError, AttributeError):
        raise NotUnderstoodError("no fallocate") from None
    function.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    function.restype = ctypes.c_int
    return function
