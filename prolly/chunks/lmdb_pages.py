"""The file of an LMDB environment as LMDB 0.9 lays it out: meta pages and free pages.

The binding does not show them. This is data version 1, little-endian, 64 bits, as in
LMDB's ``mdb.c``; on another machine nothing here is understood, and that is said.

    page    number u64 | pad u16 | flags u16 | lower u16, upper u16 | slots u16 ...
    meta    page head | magic u32 | version u32 | address u64 | map size u64 |
            free tree (48 bytes) | main tree (48) | last page u64 | transaction u64
    tree    page size u32 | flags u16 | depth u16 | three counts u64 | entries u64 |
            root u64
    node    low u16 | high u16 | flags u16 | key size u16 | key | data
    free    key: transaction u64; data: count u64, then so many page numbers u64
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator
from itertools import islice
from struct import Struct
from struct import error as StructError
from typing import NamedTuple

ReadAt = Callable[[int, int], bytes]

META_MAGIC = 0xBEEFC0DE
META_VERSION = 1
META = Struct("<16xIIQQ I36xQ 48x QQ")
TREE = Struct("<IHHQQQQQ")
PAGE_HEAD = Struct("<QHHHH")
NODE_HEAD = Struct("<HHHH")
WORD = Struct("<Q")
_MAGIC = Struct("<16xII")

# Where a meta page has its two trees.
_FREE_TREE_AT = 40
_MAIN_TREE_AT = 88

BRANCH, LEAF, OVERFLOW = 0x01, 0x02, 0x04
BIG_DATA, SUB_TREE = 0x01, 0x02
NO_PAGE = 2**64 - 1

# LMDB's trees are at most 32 pages deep; a longer way down is no tree of its own.
TREE_DEPTH_MAX = 32

# LMDB's own bounds; another number is no page size.
PAGE_BYTES_LEAST = 256
PAGE_BYTES_MOST = 65536


class NotUnderstoodError(Exception):
    """The file is not laid out as this module knows it."""


class EndsEarlyError(NotUnderstoodError):
    """The file is shorter than what is to be read of it."""


class Tree(NamedTuple):
    """What is told of a tree where it hangs; ``root`` is ``NO_PAGE`` without one."""

    pad: int
    flags: int
    depth: int
    branch_pages: int
    leaf_pages: int
    overflow_pages: int
    entries: int
    root: int


class Meta(NamedTuple):
    """What a meta page says of its commit.

    ``root`` is the first page of the tree of free pages, ``NO_PAGE`` for an empty one.
    """

    transaction: int
    root: int
    last_page: int
    page_bytes: int
    free: Tree
    main: Tree


def reading(descriptor: int) -> ReadAt:
    """Return what reads an open file; it raises EndsEarlyError, and OSError."""

    def read_at(offset: int, size: int) -> bytes:
        data = os.pread(descriptor, size, offset)
        if len(data) != size:
            raise EndsEarlyError("the file ends early")
        return data

    return read_at


def newest_meta(read_at: ReadAt) -> Meta:
    """Return the meta page that counts: of the two that of the later commit.

    Raises as ``both_metas``.
    """
    return max(both_metas(read_at))


def both_metas(read_at: ReadAt) -> list[Meta]:
    """Return what the two meta pages say, of the last commit and the one before.

    Raises EndsEarlyError for a file that begins as one of LMDB and ends before the
    second, NotUnderstoodError for what is none.
    """
    _require_magic(read_at(0, _MAGIC.size))
    page_bytes = META.unpack(read_at(0, META.size))[4]
    is_power = page_bytes & (page_bytes - 1) == 0
    if not PAGE_BYTES_LEAST <= page_bytes <= PAGE_BYTES_MOST or not is_power:
        raise NotUnderstoodError("a strange page size")
    metas = []
    for number in range(2):
        data = read_at(number * page_bytes, META.size)
        _require_magic(data)
        *_, root, last_page, transaction = META.unpack(data)
        free = Tree(*TREE.unpack_from(data, _FREE_TREE_AT))
        main = Tree(*TREE.unpack_from(data, _MAIN_TREE_AT))
        metas.append(Meta(transaction, root, last_page, page_bytes, free, main))
    return metas


def _require_magic(page: bytes) -> None:
    if _MAGIC.unpack_from(page) != (META_MAGIC, META_VERSION):
        raise NotUnderstoodError("no meta page of LMDB 0.9")


def iter_free_lists(read_at: ReadAt, meta: Meta) -> Iterator[tuple[int, list[int]]]:
    """Yield (transaction, pages that it freed) of the tree of free pages.

    Raises NotUnderstoodError for what is no such tree.
    """
    if meta.root == NO_PAGE:
        return
    try:
        yield from _free_lists(read_at, meta.page_bytes, meta.root)
    except (StructError, ValueError, OverflowError) as error:
        raise NotUnderstoodError("a page that is cut off") from error


def _free_lists(
    read_at: ReadAt, page_bytes: int, root: int, depth: int = 0
) -> Iterator[tuple[int, list[int]]]:
    if depth > TREE_DEPTH_MAX:
        raise NotUnderstoodError("a tree without end")
    page = read_at(root * page_bytes, page_bytes)
    number, _pad, flags, lower, _upper = PAGE_HEAD.unpack_from(page)
    if number != root or not flags & (BRANCH | LEAF):
        raise NotUnderstoodError("no page of a tree")
    slots = array("H", page[PAGE_HEAD.size : lower])
    for at in slots:
        low, high, node_flags, key_size = NODE_HEAD.unpack_from(page, at)
        if flags & BRANCH:
            child = low | high << 16 | node_flags << 32
            yield from _free_lists(read_at, page_bytes, child, depth + 1)
            continue
        data_at = at + NODE_HEAD.size + key_size
        (freed_by,) = WORD.unpack_from(page, at + NODE_HEAD.size)
        size = low | high << 16
        if node_flags & BIG_DATA:
            (overflow,) = WORD.unpack_from(page, data_at)
            data = read_at(overflow * page_bytes, PAGE_HEAD.size + size)
            first, _pad, kind, _low, _high = PAGE_HEAD.unpack_from(data)
            if first != overflow or not kind & OVERFLOW:
                raise NotUnderstoodError("no overflow page")
            data = data[PAGE_HEAD.size :]
        else:
            data = page[data_at : data_at + size]
        words = array("Q", data)
        if len(words) < 1 + words[0]:
            raise NotUnderstoodError("a list of free pages that is too short")
        yield freed_by, list(islice(words, 1, 1 + words[0]))
