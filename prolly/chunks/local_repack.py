"""Rewriting packs: live chunks are copied into new ones, in an order of the caller's.

Memory holds one run of at most ``RUN_CHUNKS_MAX`` addresses with their places in the
order, and one block of chunks. Each chunk is read twice, once for its place in the
order and once to be copied, and checked against its address before it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from prolly.codec.pack import (
    FOOTER_BYTES,
    IndexEntry,
    decode_footer,
    decode_frame,
    decode_index,
)
from prolly.codec.store_entry import (
    INLINE,
    INLINE_MARK,
    decode_location,
    encode_location,
)
from prolly.errors import Corrupt

from .file_lock import file_lock
from .local_directory import StoreDirectory, open_pack
from .local_index import LocalIndex
from .local_index_step import IndexStep, locations_of
from .local_tables import CHUNKS
from .local_writer import INLINE_BYTES_MAX, PACK_BYTES_TARGET
from .pack_builder import PackBuilder, sync_names
from .storage_failures import from_os_error, unreadable
from .verifying_store import verified

if TYPE_CHECKING:
    from .local_maintenance import PackFile

Order = Callable[[bytes], bytes]

# Chunks that are sorted together: half a gigabyte of nodes, for twenty megabytes of
# memory. Longer runs would make long scans of a pack no more sequential.
RUN_CHUNKS_MAX = 65_536

# Entries looked up in one step.
LOOKUP_ENTRIES = 4096


@dataclass(slots=True)
class Repacked:
    """What was done: chunks and bytes copied, packs that came and went."""

    chunks: int = 0
    bytes: int = 0
    packs_written: int = 0
    packs_removed: int = 0


class _Moving(NamedTuple):
    """A chunk to be copied, and its entry; of an inline chunk the mark alone."""

    address: bytes
    entry: bytes


class Repacking:
    """One job of rewriting. ``done`` counts what became durable."""

    def __init__(
        self, directory: StoreDirectory, index: LocalIndex, *, durable: bool
    ) -> None:
        self.done = Repacked()
        self._directory = directory
        self._index = index
        self._durable = durable

    def move_inline(self, order: Order) -> None:
        """Copy the chunks in the index into packs, which begin to age now."""
        self._copy(self._inline(), order, _InlineSource(self._index), None)

    def _inline(self) -> Iterator[_Moving]:
        for address, entry in self._index.iter_items(CHUNKS, b""):
            if entry[0] == INLINE:
                yield _Moving(address, INLINE_MARK)

    def move_packs(self, packs: Sequence[PackFile], order: Order) -> None:
        """Copy what is live in packs into new ones, as old as the youngest of them.

        A pack whose index is damaged is left alone.
        """
        with _PackSource() as source:
            indexes: dict[int, list[IndexEntry]] = {}
            for pack in packs:
                with suppress(Corrupt):
                    indexes[pack.number] = source.open(pack)
            kept = [pack for pack in packs if pack.number in indexes]
            if not kept:
                return
            written_us = max(pack.written_us for pack in kept)
            self._copy(self._packed(indexes), order, source, written_us)
            for number, entries in indexes.items():
                self._retire(number, [entry.address for entry in entries])

    def _packed(self, indexes: dict[int, list[IndexEntry]]) -> Iterator[_Moving]:
        """Yield the chunks that the index finds in these packs, in their order."""
        for number, entries in indexes.items():
            entries.sort(key=lambda entry: entry.offset)
            for start in range(0, len(entries), LOOKUP_ENTRIES):
                block = entries[start : start + LOOKUP_ENTRIES]
                found = self._index.chunk_entries([entry.address for entry in block])
                for address, offset, length in block:
                    location = encode_location(number, offset, length)
                    if found.get(address) == location:
                        yield _Moving(address, location)

    def _copy(
        self,
        moving: Iterator[_Moving],
        order: Order,
        source: _Source,
        written_us: int | None,
    ) -> None:
        builder = _Rolling(self, written_us)
        try:
            while run := list(islice(moving, RUN_CHUNKS_MAX)):
                for one in _sorted_run(run, order, source):
                    chunk = verified(one.address, source.read(one))
                    if chunk is not None:
                        builder.add(one, chunk)
            builder.finish()
        finally:
            builder.close()

    def switch(
        self, pack: PackBuilder, moved: dict[bytes, bytes], written_us: int | None
    ) -> None:
        """Publish a pack, and point the index at it where the chunks still are."""

        def change(step: IndexStep) -> int:
            number, is_new = step.name_pack(pack)
            if is_new:
                pack.publish()
                if written_us is not None:
                    _set_age(self._directory.pack_path(pack.name), written_us)
                if self._durable:
                    sync_names(self._directory)
            return step.replace_entries(sorted(locations_of(pack, number)), moved)

        pack.seal(durable=self._durable)
        with file_lock(self._directory.gc_lock, shared=True):
            self.done.chunks += self._index.change(change)
        self.done.bytes += pack.size
        self.done.packs_written += 1

    def _retire(self, number: int, addresses: Sequence[bytes]) -> None:
        """Let the index forget a pack, if none of its chunks is found in it."""

        def change(step: IndexStep) -> bool:
            entries = step.entries(sorted(addresses)).values()
            if any(e[0] != INLINE and decode_location(e)[0] == number for e in entries):
                return False
            step.forget_pack(number)
            return True

        self.done.packs_removed += self._index.change(change)


class _Rolling:
    """New packs, one after the other, each switched to when it is full."""

    def __init__(self, job: Repacking, written_us: int | None) -> None:
        self._job = job
        self._written_us = written_us
        self._pack: PackBuilder | None = None
        self._moved: dict[bytes, bytes] = {}
        self._block: list[tuple[bytes, bytes]] = []
        self._block_bytes = 0

    def add(self, one: _Moving, chunk: bytes) -> None:
        """Take one chunk in."""
        self._moved[one.address] = one.entry
        self._block.append((one.address, chunk))
        self._block_bytes += len(chunk)
        if self._block_bytes >= INLINE_BYTES_MAX:
            self._flush()

    def _flush(self) -> None:
        if self._block:
            if self._pack is None:
                self._pack = PackBuilder(self._job._directory)
            self._pack.append(self._block)
            self._block = []
            self._block_bytes = 0
        if self._pack is not None and self._pack.size >= PACK_BYTES_TARGET:
            self._switch()

    def finish(self) -> None:
        """Switch to the last pack too."""
        self._flush()
        self._switch()

    def _switch(self) -> None:
        if self._pack is not None:
            self._job.switch(self._pack, self._moved, self._written_us)
            self.close()

    def close(self) -> None:
        """Remove the temporary file of a pack that was not published."""
        if self._pack is not None:
            self._pack.close()
        self._pack = None
        self._moved = {}


class _Source:
    """Where chunks are copied from."""

    def read(self, one: _Moving) -> bytes | None:
        """Return the chunk, or ``None`` when it is gone since."""
        raise NotImplementedError


class _InlineSource(_Source):
    def __init__(self, index: LocalIndex) -> None:
        self._index = index

    def read(self, one: _Moving) -> bytes | None:
        entry = self._index.chunk_entry(one.address)
        return None if entry is None or entry[0] != INLINE else entry[1:]


class _PackSource(_Source):
    """The packs of the job, all open: their frames are read in the caller's order."""

    def __init__(self) -> None:
        self._open: dict[int, int] = {}

    def __enter__(self) -> _PackSource:
        return self

    def __exit__(self, *_ending: object) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open = {}

    def open(self, pack: PackFile) -> list[IndexEntry]:
        """Open a pack and return its index. Raises Corrupt."""
        try:
            descriptor = open_pack(pack.path)
        except FileNotFoundError:
            raise Corrupt(f"{pack.path} is gone", code="pack-missing") from None
        except OSError as error:
            raise unreadable(error, pack.path) from error
        self._open[pack.number] = descriptor
        return read_pack_index(descriptor)

    def read(self, one: _Moving) -> bytes | None:
        number, offset, length = decode_location(one.entry)
        try:
            return decode_frame(os.pread(self._open[number], length, offset))
        except OSError as error:
            raise from_os_error(error, "reading a pack") from error


def read_pack_index(descriptor: int) -> list[IndexEntry]:
    """Return the index of an open pack, checked. Raises Corrupt, StorageFailed."""
    try:
        size = os.fstat(descriptor).st_size
        footer = decode_footer(os.pread(descriptor, FOOTER_BYTES, size - FOOTER_BYTES))
        if footer.pack_bytes != size:
            raise Corrupt(
                f"a pack of {size} bytes says that it has {footer.pack_bytes}",
                code="pack-truncated",
            )
        index = os.pread(descriptor, footer.index_bytes, footer.index_offset)
    except ValueError as error:
        raise Corrupt("a pack without a footer", code="pack-truncated") from error
    except OSError as error:
        raise from_os_error(error, "reading a pack") from error
    return decode_index(index, footer)


def _sorted_run(
    run: Sequence[_Moving], order: Order, source: _Source
) -> Iterable[_Moving]:
    """Return a run in the caller's order; what compares equal stays as it is."""
    placed = []
    for position, one in enumerate(run):
        chunk = source.read(one)
        if chunk is not None:
            placed.append((order(chunk), position))
    placed.sort()
    return (run[position] for _, position in placed)


def _set_age(path: str, written_us: int) -> None:
    with suppress(OSError):
        os.utime(path, ns=(written_us * 1000, written_us * 1000))
