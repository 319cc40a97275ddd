"""Give the free pages of the index back to the file system, in place.

LMDB reuses the pages that a commit frees, but its file never shrinks. Here the blocks
of free pages are released by punching holes: the file keeps its length and everything
else about it, and takes less room. Nothing is moved or rewritten, so other processes
may have the file open and mapped, and a crash at any instant leaves it as it was: LMDB
never reads a free page before it has written it again.

Which pages are free stands in a tree of the file that the binding does not show, so
this module reads it: meta pages, branch, leaf and overflow pages of LMDB 0.9 (data
version 1, little-endian, 64 bits), as its ``mdb.c`` lays them out.

    page    number u64 | pad u16 | flags u16 | lower u16, upper u16 | slots u16 ...
    meta    page head | magic u32 | version u32 | address u64 | map size u64 |
            free tree (48 bytes) | main tree (48) | last page u64 | transaction u64
    tree    page size u32 | flags u16 | depth u16 | three counts u64 | entries u64 |
            root u64
    node    low u16 | high u16 | flags u16 | key size u16 | key | data
    free    key: transaction u64; data: count u64, then so many page numbers u64
"""

from __future__ import annotations

import ctypes
import os
from array import array
from collections.abc import Callable, Iterator
from itertools import islice
from struct import Struct
from struct import error as StructError

ReadAt = Callable[[int, int], bytes]

META_MAGIC = 0xBEEFC0DE
META_VERSION = 1
_META = Struct("<16xIIQQ I36xQ 48x QQ")
_PAGE_HEAD = Struct("<QHHHH")
_NODE_HEAD = Struct("<HHHH")
_WORD = Struct("<Q")

BRANCH, LEAF, OVERFLOW = 0x01, 0x02, 0x04
BIG_DATA = 0x01
NO_PAGE = 2**64 - 1

# LMDB's trees are at most 32 pages deep; a longer way down is no tree of its own.
TREE_DEPTH_MAX = 32

# LMDB's own bound; a smaller number is no page size.
PAGE_BYTES_LEAST = 256

# Of fallocate(2): release the blocks, and leave the length of the file as it is.
KEEP_SIZE = 0x01
PUNCH_HOLE = 0x02


class _NotUnderstoodError(Exception):
    """The file is not laid out as this module knows it."""


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
    except (OSError, StructError, ValueError, _NotUnderstoodError):
        return 0
    finally:
        os.close(descriptor)


def _release(descriptor: int, oldest_reader: int | None) -> int:
    def read_at(offset: int, size: int) -> bytes:
        data = os.pread(descriptor, size, offset)
        if len(data) != size:
            raise _NotUnderstoodError("the file ends early")
        return data

    before = os.fstat(descriptor).st_blocks
    page_bytes, pages = _free_pages(read_at, oldest_reader)
    punch = _punch()
    for first, last in _runs(sorted(pages)):
        start, size = first * page_bytes, (last - first + 1) * page_bytes
        if punch(descriptor, KEEP_SIZE | PUNCH_HOLE, start, size):
            break
    released = (before - os.fstat(descriptor).st_blocks) * 512
    return max(released, 0)


def _free_pages(read_at: ReadAt, oldest_reader: int | None) -> tuple[int, list[int]]:
    """Return the page size, and the pages that no snapshot in use has."""
    metas = []
    page_bytes = _META.unpack(read_at(0, _META.size))[4]
    if page_bytes < PAGE_BYTES_LEAST or page_bytes & (page_bytes - 1):
        raise _NotUnderstoodError("a strange page size")
    for number in range(2):
        meta = _META.unpack(read_at(number * page_bytes, _META.size))
        magic, version, _address, _map_bytes, _page_bytes, root, last, written = meta
        if magic != META_MAGIC or version != META_VERSION:
            raise _NotUnderstoodError("no meta page of LMDB 0.9")
        metas.append((written, root, last))
    newest, root, last_page = max(metas)
    # Pages freed by transaction t were used by those before t.
    bound = newest if oldest_reader is None else min(newest, oldest_reader)
    pages: list[int] = []
    if root != NO_PAGE:
        for freed_by, numbers in _free_lists(read_at, page_bytes, root):
            if freed_by < bound:
                pages += numbers
    if any(not 2 <= page <= last_page for page in pages):
        raise _NotUnderstoodError("a free page outside of the file")
    return page_bytes, pages


def _free_lists(
    read_at: ReadAt, page_bytes: int, root: int, depth: int = 0
) -> Iterator[tuple[int, list[int]]]:
    """Yield (transaction, pages that it freed) of the free tree."""
    if depth > TREE_DEPTH_MAX:
        raise _NotUnderstoodError("a tree without end")
    page = read_at(root * page_bytes, page_bytes)
    number, _pad, flags, lower, _upper = _PAGE_HEAD.unpack_from(page)
    if number != root or not flags & (BRANCH | LEAF):
        raise _NotUnderstoodError("no page of a tree")
    slots = array("H", page[_PAGE_HEAD.size : lower])
    for at in slots:
        low, high, node_flags, key_size = _NODE_HEAD.unpack_from(page, at)
        if flags & BRANCH:
            child = low | high << 16 | node_flags << 32
            yield from _free_lists(read_at, page_bytes, child, depth + 1)
            continue
        data_at = at + _NODE_HEAD.size + key_size
        (freed_by,) = _WORD.unpack_from(page, at + _NODE_HEAD.size)
        size = low | high << 16
        if node_flags & BIG_DATA:
            (overflow,) = _WORD.unpack_from(page, data_at)
            data = read_at(overflow * page_bytes, _PAGE_HEAD.size + size)
            first, _pad, kind, _low, _high = _PAGE_HEAD.unpack_from(data)
            if first != overflow or not kind & OVERFLOW:
                raise _NotUnderstoodError("no overflow page")
            data = data[_PAGE_HEAD.size :]
        else:
            data = page[data_at : data_at + size]
        words = array("Q", data)
        if len(words) < 1 + words[0]:
            raise _NotUnderstoodError("a list of free pages that is too short")
        yield freed_by, list(islice(words, 1, 1 + words[0]))


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
        raise _NotUnderstoodError("no fallocate") from None
    function.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    function.restype = ctypes.c_int
    return function
