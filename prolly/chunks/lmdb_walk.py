"""Walking the pages of an LMDB environment, before LMDB itself follows them.

LMDB believes its file: it has no checksums, and a page number, an offset or a flag that
is wrong makes it read where nothing is, or fail an assertion, and either ends the
process. Here the same pages are read with the rules of ``lmdb_pages`` at hand: each
page of a tree is there, of the level and kind that its parent says, and used once; each
node stands within its page and fills it with the others; keys ascend, and stay within
what the parent says of them. What passes can be scanned.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from operator import ge
from typing import Any, NamedTuple

from .lmdb_pages import (
    BIG_DATA,
    BRANCH,
    LEAF,
    NO_PAGE,
    NODE_HEAD,
    OVERFLOW,
    PAGE_HEAD,
    SUB_TREE,
    TREE,
    TREE_DEPTH_MAX,
    WORD,
    Meta,
    NotUnderstoodError,
    ReadAt,
    Tree,
    both_metas,
    reading,
)

# A damaged index is restored, not mended page by page; more of the same says nothing.
DAMAGES_MAX = 100

# The first two pages are the meta pages.
_FIRST_PAGE = 2

Order = Callable[[bytes], object]


class _DamageError(Exception):
    """Something is wrong with the page at hand."""


class _Place(NamedTuple):
    """A page that a tree leads to: its depth, from 1, and the bounds of its keys."""

    number: int
    depth: int
    low: bytes | None
    high: bytes | None


class _Leaf(NamedTuple):
    """The nodes of a leaf: keys, and flags, claimed size and place of the data."""

    page: bytes
    keys: list[bytes]
    data: list[tuple[int, int, int]]


def snapshot_damages(
    path: str, transaction: int, tables: tuple[bytes, ...] | None = None
) -> list[str] | None:
    """Return what is wrong with a snapshot of an environment's file; at most 100.

    ``transaction`` says which: the caller has it open for reading, so its pages stay
    as they are. With ``tables`` only the main tree and these are walked. ``None`` when
    no meta page is of this snapshot any more: begin another one. Raises OSError.

    It takes 40 us for a page of a tree, so half a second for an index of 100 MB.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        read_at = reading(descriptor)
        try:
            metas = both_metas(read_at)
        except NotUnderstoodError as error:
            return [str(error)]
        size = os.fstat(descriptor).st_size
        for meta in metas:
            if meta.transaction == transaction:
                walk = _Walk(read_at, meta, size)
                return list(islice(walk.damages(tables), DAMAGES_MAX))
        return None
    finally:
        os.close(descriptor)


class _Walk:
    """One look at a snapshot, which knows the pages that were seen so far."""

    def __init__(self, read_at: ReadAt, meta: Meta, file_bytes: int) -> None:
        self._read_at = read_at
        self._meta = meta
        self._page_bytes = meta.page_bytes
        # Free pages may lie behind the end of the file, but no others.
        there = min(meta.last_page + 1, file_bytes // meta.page_bytes)
        self._seen = bytearray(there)
        self._found: dict[bytes, Tree] = {}

    def damages(self, tables: tuple[bytes, ...] | None) -> Iterator[str]:
        """Yield what is wrong with the trees, the main one first."""
        yield from self._tree_damages("the main tree", self._meta.main, self._look_main)
        for name, tree in self._found.items():
            if tables is None or name in tables:
                yield from self._tree_damages(_shown(name), tree, self._look_plain)
        if tables is None:
            free = self._meta.free
            look, order = self._look_free, _number
            yield from self._tree_damages("the free pages", free, look, order)

    def _tree_damages(
        self,
        name: str,
        tree: Tree,
        look: Callable[[_Leaf], None],
        order: Order = bytes,
    ) -> Iterator[str]:
        """Walk a tree; each page that is wrong is told, and not followed."""
        if tree.root == NO_PAGE:
            if tree.entries or tree.depth:
                yield f"{name} has no page, and {tree.entries} entries"
            return
        if not 0 < tree.depth <= TREE_DEPTH_MAX or (tree.flags and order is bytes):
            yield f"{name} is told of as no tree can be"
            return
        entries, is_whole = 0, True
        places = [_Place(tree.root, 1, None, None)]
        while places:
            place = places.pop()
            try:
                leaf, below = self._open(place, tree.depth, order)
                places += below
                if leaf is not None:
                    entries += len(leaf.keys)
                    look(leaf)
            except _DamageError as error:
                is_whole = False
                yield f"page {place.number} of {name}: {error}"
        if is_whole and entries != tree.entries:
            yield f"{name} has {entries} entries, and says {tree.entries}"

    def _open(
        self, place: _Place, depth: int, order: Order
    ) -> tuple[_Leaf | None, list[_Place]]:
        """Return a leaf, or the pages below, the last one first."""
        page, slots = self._page(place.number, LEAF if place.depth == depth else BRANCH)
        heads = [NODE_HEAD.unpack_from(page, at) for at in slots]
        starts = [at + NODE_HEAD.size for at in slots]
        keys = [
            page[start : start + head[3]]
            for start, head in zip(starts, heads, strict=True)
        ]
        if place.depth == depth:
            leaf = _Leaf(page, keys, _data_of(heads, starts))
            self._require_full(page, slots, heads, has_data=True)
            _require_order(keys, place, order)
            return leaf, []
        self._require_full(page, slots, heads, has_data=False)
        # The first key of a branch stands for whatever is least.
        _require_order(keys[1:], place, order)
        bounds = [place.low, *keys[1:], place.high]
        below = [
            _Place(low | high << 16 | top << 32, place.depth + 1, *bounds[at : at + 2])
            for at, (low, high, top, _size) in enumerate(heads)
        ]
        return None, below[::-1]

    def _page(self, number: int, kind: int) -> tuple[bytes, Sequence[int]]:
        """Return a page of a tree and where its nodes stand."""
        self._take(number, 1)
        size = self._page_bytes
        page = self._read(number * size, size)
        own, _pad, flags, lower, upper = PAGE_HEAD.unpack_from(page)
        if own != number or flags != kind:
            raise _DamageError(f"it is page {own} of kind {flags:#x}, not {kind:#x}")
        if not PAGE_HEAD.size <= lower <= upper <= size or lower % 2:
            raise _DamageError("its bounds are wrong")
        slots = array("H", page[PAGE_HEAD.size : lower])
        # A branch of one page has no use, and LMDB allows none.
        if len(slots) < (1 if kind == LEAF else 2):
            raise _DamageError("it is empty")
        if min(slots) < upper or max(slots) > size - NODE_HEAD.size:
            raise _DamageError("a node stands outside of it")
        return page, slots

    def _require_full(
        self,
        page: bytes,
        slots: Sequence[int],
        heads: list[tuple[int, ...]],
        *,
        has_data: bool,
    ) -> None:
        """Require that the nodes fill the page from its upper bound to its end."""
        upper = PAGE_HEAD.unpack_from(page)[4]
        filled = 0
        for at, (low, high, flags, key_size) in zip(slots, heads, strict=True):
            size = NODE_HEAD.size + key_size
            if has_data:
                size += WORD.size if flags & BIG_DATA else low | high << 16
            if at + size > len(page):
                raise _DamageError("a node leads out of it")
            filled += size + size % 2
        if filled != len(page) - upper:
            raise _DamageError("its nodes do not fill it")

    def _look_main(self, leaf: _Leaf) -> None:
        """Remember the tables that a leaf of the main tree names."""
        for key, (flags, size, at) in zip(leaf.keys, leaf.data, strict=True):
            if flags != SUB_TREE or size != TREE.size:
                raise _DamageError(f"{key!r} is no table")
            self._found[key] = Tree(*TREE.unpack_from(leaf.page, at))

    def _look_plain(self, leaf: _Leaf) -> None:
        """Check the data of a table: in the leaf, or on pages of its own."""
        for flags, size, at in leaf.data:
            if flags:
                self._long_value(leaf.page, flags, size, at)

    def _look_free(self, leaf: _Leaf) -> None:
        """Check lists of free pages: each is free once, and of no tree."""
        for flags, size, at in leaf.data:
            data = leaf.page[at : at + size]
            if flags:
                first = self._long_value(leaf.page, flags, size, at)
                data = self._read(first * self._page_bytes + PAGE_HEAD.size, size)
            words = array("Q", data[: size - size % WORD.size])
            if not words or words[0] >= len(words):
                raise _DamageError("a list of free pages is too short")
            for page in words[1 : 1 + words[0]]:
                if not len(self._seen) <= page <= self._meta.last_page:
                    self._take(page, 1)

    def _long_value(self, page: bytes, flags: int, size: int, at: int) -> int:
        """Check the pages of a long value; return the first."""
        if flags != BIG_DATA:
            raise _DamageError("a value of an unknown kind")
        (first,) = WORD.unpack_from(page, at)
        needed = (PAGE_HEAD.size - 1 + size) // self._page_bytes + 1
        self._take(first, needed)
        head = self._read(first * self._page_bytes, PAGE_HEAD.size)
        own, _pad, kind, low, high = PAGE_HEAD.unpack(head)
        count = low | high << 16
        if own != first or kind != OVERFLOW or count < needed:
            raise _DamageError(f"page {first} does not begin a long value")
        # A value that was written over a longer one keeps the other's pages.
        if count > needed:
            self._take(first + needed, count - needed)
        return int(first)

    def _take(self, first: int, count: int) -> None:
        """Mark pages as used. Raises for pages that are not there, or used before."""
        end = first + count
        if first < _FIRST_PAGE or end > len(self._seen):
            raise _DamageError(f"page {first} is not in the file")
        if any(self._seen[first:end]):
            raise _DamageError(f"page {first} is used twice")
        self._seen[first:end] = b"\x01" * count

    def _read(self, offset: int, size: int) -> bytes:
        try:
            return self._read_at(offset, size)
        except NotUnderstoodError as error:
            raise _DamageError(str(error)) from None


def _shown(name: bytes) -> str:
    """Return the name of a table, which need not be text in a damaged file."""
    return f"the table {name.decode('ascii', 'backslashreplace')}"


def _data_of(
    heads: list[tuple[int, ...]], starts: list[int]
) -> list[tuple[int, int, int]]:
    """Return flags, claimed size and place of the data of each node."""
    return [
        (flags, low | high << 16, start + key_size)
        for (low, high, flags, key_size), start in zip(heads, starts, strict=True)
    ]


def _require_order(keys: list[bytes], place: _Place, order: Order) -> None:
    """Require that keys ascend within the bounds of their page."""
    low = [] if place.low is None else [place.low]
    high = [] if place.high is None else [place.high]
    bounded = [*low, *keys, *high]
    ranks: list[Any] = bounded if order is bytes else list(map(order, bounded))
    falls = list(map(ge, ranks, ranks[1:]))
    # The first key of a leaf may be what its parent says; no other two are equal.
    if low and keys and ranks[0] == ranks[1]:
        falls[0] = False
    if any(falls):
        raise _DamageError("its keys are out of order")


def _number(key: bytes) -> int:
    """Return the key of a list of free pages, which LMDB compares as a number."""
    if len(key) != WORD.size:
        raise _DamageError("a list of free pages under no transaction")
    return int.from_bytes(key, "little")
