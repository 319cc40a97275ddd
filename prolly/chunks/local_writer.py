"""One batch of writes to a local store.

Up to ``INLINE_BYTES_MAX`` bytes of new chunks wait in memory and go into the index
itself: one transaction, one wait for the disk. A larger batch streams into packs in
``tmp/``, which its commit publishes. In memory stay one block of chunks, and the
addresses and places of what was written.

Three races are closed here and in the index:

- A pack is published inside the index's write transaction, under a shared ``gc.lock``:
  a sweep never sees a pack that a commit is about to name, and a pack is taken back
  only by whoever holds that transaction and sees that the index does not name it.
- What was found present is counted on, and so is what new chunks link to. If a sweep
  came between, the commit looks again, and raises Stale ``gc-epoch`` when something is
  gone.
- Two writers may add one chunk at once; the index keeps the first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from blake3 import blake3

from prolly.codec import ADDRESS_BYTES, ChunkType, links_of
from prolly.codec.pack import CHUNK_BYTES_MAX
from prolly.errors import Corrupt, Error, Invalid, Stale

from .contract import ChunkWriter, RefMove, RefNote
from .file_lock import file_lock
from .local_directory import StoreDirectory
from .local_index import LocalIndex
from .local_index_step import IndexBatch, IndexStep
from .local_tables import GC_EPOCH
from .pack_builder import PackBuilder, sync_names
from .ref_rules import check_chunk_size, check_moves

# In the index a chunk takes whole pages, 1.4 times its size, but no second wait for the
# disk. Past this size the wait no longer counts. It is also the block of a pack.
INLINE_BYTES_MAX = 256 * 1024

# Large enough that a terabyte is 16 thousand files and 128 open ones reach 8 GiB, small
# enough that gc can rewrite one in half a second.
PACK_BYTES_TARGET = 64 * 1024 * 1024

# Chunks that are hashed, then looked up in one step: that costs a third of as many
# single steps, and at the largest chunks both bounds keep the block small.
PUT_BYTES_MAX = 256 * 1024
PUT_COUNT_MAX = 64

ReadChunk = Callable[[bytes], bytes | None]
ReadChunks = Callable[[Sequence[bytes]], list[bytes | None]]

# What has all that it links to even in a partial replica.
_WHOLE_KINDS = (ChunkType.COMMIT, ChunkType.WORKING)

# No count of sweeps: a batch that bears it is looked through whatever the count is.
UNKNOWN_EPOCH = -1


class LocalWriter(ChunkWriter):
    """A batch of a local store. Not thread-safe; it belongs to its process."""

    def __init__(
        self,
        directory: StoreDirectory,
        index: LocalIndex,
        reads: tuple[ReadChunk, ReadChunks],
        *,
        durable: bool,
    ) -> None:
        self._directory = directory
        self._index = index
        self._read, self._read_many = reads
        self._durable = durable
        self._process = os.getpid()
        self._open = True
        # Read before the first look-up, so that a sweep after it is noticed.
        self._gc_epoch = index.counter(GC_EPOCH)
        self._reused = bytearray()
        # Chunks that nobody has looked up yet, and those that are not there.
        self._new: dict[bytes, bytes] = {}
        self._new_bytes = 0
        self._fresh: dict[bytes, bytes] = {}
        self._fresh_bytes = 0
        self._pack: PackBuilder | None = None
        self._sealed: list[PackBuilder] = []
        self._sealed_slots: dict[bytes, int] = {}
        # What refs stood for when this batch was begun, or tried to commit.
        self._founded_on: set[bytes] = set()

    def put(self, chunk: bytes) -> bytes:
        self._require_open()
        size = len(chunk)
        if not 0 < size <= CHUNK_BYTES_MAX:
            check_chunk_size(size)
        address = blake3(chunk).digest()
        if address not in self._new:
            self._new[address] = chunk
            self._new_bytes += size
            if self._new_bytes >= PUT_BYTES_MAX:
                self._sort_out()
        return address

    def put_many(self, chunks: Iterable[bytes]) -> list[bytes]:
        self._require_open()
        all_addresses: list[bytes] = []
        for block in _blocks(chunks):
            addresses = [blake3(chunk).digest() for chunk in block]
            self._new.update(zip(addresses, block, strict=True))
            self._new_bytes += sum(map(len, block))
            if self._new_bytes >= PUT_BYTES_MAX:
                self._sort_out()
            all_addresses += addresses
        return all_addresses

    def get(self, address: bytes) -> bytes | None:
        self._require_open()
        found, chunk = self._own(address)
        return chunk if found else self._read(address)

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        self._require_open()
        if self._new.keys().isdisjoint(addresses) and not self._holds_any(addresses):
            return self._read_many(addresses)
        chunks = [self._own(address) for address in addresses]
        asked = [
            address
            for address, (found, _) in zip(addresses, chunks, strict=True)
            if not found
        ]
        others = iter(self._read_many(asked))
        return [chunk if found else next(others) for found, chunk in chunks]

    def _own(self, address: bytes) -> tuple[bool, bytes | None]:
        """Return whether a chunk is of this batch, and the chunk."""
        chunk = self._new.get(address) or self._fresh.get(address)
        if chunk is not None:
            return True, chunk
        slot = self._sealed_slots.get(address)
        pack = self._pack if slot is None else self._sealed[slot]
        place = None if pack is None else pack.places.get(address)
        if pack is None or place is None:
            return False, None
        return True, pack.read(place)

    def commit(self, moves: Sequence[RefMove] = (), note: RefNote | None = None) -> int:
        self._require_open()
        self._require_own_process()
        try:
            sequence = self._commit(moves, note or RefNote())
        except Stale as error:
            # A lost race for a ref is found before anything is named or written, so
            # the batch is whole and may be committed with other moves. But it began on
            # what the ref stood for, and that may be swept from now on, or already.
            if error.code != "ref-moved":
                self.abort()
            self._gc_epoch = UNKNOWN_EPOCH
            self._founded_on.update(move.old for move in moves if move.old)
            raise
        except BaseException:
            self.abort()
            raise
        self.abort()
        return sequence

    def _commit(self, moves: Sequence[RefMove], note: RefNote) -> int:
        check_moves(moves)
        self._end_chunks(moves)
        batch = IndexBatch(
            inline=self._fresh,
            packs=self._sealed,
            publish=self._publish,
            counted_on=self._counted_on,
            gc_epoch=self._gc_epoch,
            moves=moves,
            note=note,
        )
        if self._sealed:
            return self._commit_packs(batch)
        return self._index.commit(batch)

    def _end_chunks(self, moves: Sequence[RefMove]) -> None:
        """Let all chunks wait for the index, or be in sealed packs.

        The index keeps a chunk that it has, so that a small batch looks nothing up. One
        that names nothing must know whether it brings anything.
        """
        is_small = self._new_bytes + self._fresh_bytes <= INLINE_BYTES_MAX
        has_packs = self._pack is not None or self._sealed
        if has_packs or not is_small or not any(move.new for move in moves):
            self._sort_out()
        else:
            self._fresh.update(self._new)
            self._fresh_bytes += self._new_bytes
            self._new = {}
            self._new_bytes = 0
        if self._pack is not None:
            self._spill()
            self._seal()

    def _counted_on(self, is_partial: bool) -> set[bytes]:
        """Return what must be in the store beside this batch for it to be whole.

        That is what was found present, and what new chunks link to. Below a chunk that
        is present everything is, so one step of links is enough.

        In a partial replica a node may link to what never was here. Then the versions
        count that this batch was founded on: a sweep takes nothing from below what it
        keeps.
        """
        steps = range(0, len(self._reused), ADDRESS_BYTES)
        wanted = {bytes(self._reused[at : at + ADDRESS_BYTES]) for at in steps}
        if is_partial:
            wanted |= self._founded_on
        for chunk in self._chunks():
            if is_partial and chunk[0] not in _WHOLE_KINDS:
                continue
            try:
                links = links_of(chunk)
            except Corrupt:
                # Bytes of no known kind link to nothing that this format knows.
                continue
            wanted.update(link.address for link in links)
        return {address for address in wanted if not self._holds(address)}

    def _chunks(self) -> Iterator[bytes]:
        """Yield the chunks of this batch, read back from its packs."""
        yield from self._fresh.values()
        for pack in self._sealed:
            for place in pack.places.values():
                yield pack.read(place)

    def abort(self) -> None:
        self._open = False
        for pack in (*self._sealed, self._pack):
            if pack is not None:
                pack.close()
        self._pack = None
        self._sealed = []
        self._sealed_slots = {}
        self._new = {}
        self._fresh = {}
        self._reused = bytearray()

    def _holds(self, address: bytes) -> bool:
        """Tell whether this batch has the chunk already."""
        return (
            address in self._fresh
            or (self._pack is not None and address in self._pack.places)
            or address in self._sealed_slots
        )

    def _holds_any(self, addresses: Iterable[bytes]) -> bool:
        """Tell whether this batch has some of the chunks already."""
        parts = [self._fresh.keys(), self._sealed_slots.keys()]
        if self._pack is not None:
            parts.append(self._pack.places.keys())
        return not all(part.isdisjoint(addresses) for part in parts)

    def _sort_out(self) -> None:
        """Look up which of the new chunks are there, and keep the others.

        What waits in memory beyond the bound goes to a pack.
        """
        new = self._new
        if self._holds_any(new):
            new = {
                address: chunk
                for address, chunk in new.items()
                if not self._holds(address)
            }
        self._new = {}
        self._new_bytes = 0
        for address in self._index.chunk_entries(list(new)):
            self._reused += address
            del new[address]
        self._fresh.update(new)
        self._fresh_bytes += sum(map(len, new.values()))
        if self._fresh_bytes > INLINE_BYTES_MAX:
            try:
                self._spill()
            except BaseException:
                # What was written of the pack is not to be trusted any more.
                self.abort()
                raise

    def _spill(self) -> None:
        """Append the chunks that wait to the pack, and seal it when it is full."""
        self._require_own_process()
        if self._pack is None:
            self._pack = PackBuilder(self._directory)
        if self._fresh:
            self._pack.append(self._fresh.items())
        self._fresh = {}
        self._fresh_bytes = 0
        if self._pack.size >= PACK_BYTES_TARGET:
            self._seal()

    def _seal(self) -> None:
        """End the open pack, if there is one."""
        pack = self._pack
        if pack is not None:
            pack.seal(durable=self._durable)
            self._sealed_slots.update(dict.fromkeys(pack.places, len(self._sealed)))
            self._sealed.append(pack)
            self._pack = None

    def _commit_packs(self, batch: IndexBatch) -> int:
        with file_lock(self._directory.gc_lock, shared=True):
            try:
                return self._index.commit(batch)
            except BaseException:
                self._withdraw()
                raise

    def _publish(self, packs: Sequence[PackBuilder]) -> None:
        """Give packs their names; the index calls it inside its write transaction."""
        for pack in packs:
            pack.publish()
        if self._durable:
            sync_names(self._directory)

    def _withdraw(self) -> None:
        """Take back the packs of a commit that failed, so that it leaves no garbage.

        Where even this fails they stay, unnamed, until gc finds them, and the batch is
        over: it does not know any more which of its packs stand.
        """
        published = [pack for pack in self._sealed if pack.is_published]

        def change(step: IndexStep) -> None:
            for pack in published:
                if not step.knows_pack(pack.name):
                    pack.withdraw()

        if published:
            try:
                self._index.change(change)
            except Error:
                self.abort()

    def _require_open(self) -> None:
        if not self._open:
            raise Invalid(
                "the writer is closed", code="closed", hint="Begin a new batch."
            )

    def _require_own_process(self) -> None:
        if os.getpid() != self._process:
            raise Invalid(
                "this batch belongs to the process that began it",
                code="forked",
                hint="Begin a new batch after the fork.",
            )


def _blocks(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Cut a stream of chunks into blocks of bounded count and size."""
    block: list[bytes] = []
    block_bytes = 0
    for chunk in chunks:
        size = len(chunk)
        if not 0 < size <= CHUNK_BYTES_MAX:
            check_chunk_size(size)
        block.append(chunk)
        block_bytes += size
        if block_bytes >= PUT_BYTES_MAX or len(block) == PUT_COUNT_MAX:
            yield block
            block = []
            block_bytes = 0
    if block:
        yield block
