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

from prolly.codec import ADDRESS_BYTES, links_of
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

# No count of sweeps: a batch that bears it is looked through whatever the count is.
UNKNOWN_EPOCH = -1


class LocalWriter(ChunkWriter):
    """A batch of a local store. Not thread-safe; it belongs to its process."""

    def __init__(
        self,
        directory: StoreDirectory,
        index: LocalIndex,
        read: Callable[[bytes], bytes | None],
        *,
        durable: bool,
    ) -> None:
        self._directory = directory
        self._index = index
        self._read = read
        self._durable = durable
        self._process = os.getpid()
        self._open = True
        # Read before the first look-up, so that a sweep after it is noticed.
        self._gc_epoch = index.counter(GC_EPOCH)
        self._reused = bytearray()
        self._fresh: dict[bytes, bytes] = {}
        self._fresh_bytes = 0
        self._pack: PackBuilder | None = None
        self._sealed: list[PackBuilder] = []
        self._sealed_slots: dict[bytes, int] = {}

    def put(self, chunk: bytes) -> bytes:
        self._require_open()
        size = len(chunk)
        if not 0 < size <= CHUNK_BYTES_MAX:
            check_chunk_size(size)
        address = blake3(chunk).digest()
        if not self._holds(address):
            if self._index.chunk_entry(address) is None:
                self._add(address, chunk)
            else:
                self._reused += address
        return address

    def put_many(self, chunks: Iterable[bytes]) -> list[bytes]:
        self._require_open()
        all_addresses: list[bytes] = []
        for block in _blocks(chunks):
            addresses = [blake3(chunk).digest() for chunk in block]
            wanted = {
                address: chunk
                for address, chunk in zip(addresses, block, strict=True)
                if not self._holds(address)
            }
            present = self._index.chunk_entries(list(wanted))
            for address, chunk in wanted.items():
                if address in present:
                    self._reused += address
                else:
                    self._add(address, chunk)
            all_addresses += addresses
        return all_addresses

    def get(self, address: bytes) -> bytes | None:
        self._require_open()
        chunk = self._fresh.get(address)
        if chunk is not None:
            return chunk
        slot = self._sealed_slots.get(address)
        pack = self._pack if slot is None else self._sealed[slot]
        place = None if pack is None else pack.places.get(address)
        if pack is None or place is None:
            return self._read(address)
        return pack.read(place)

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
            raise
        except BaseException:
            self.abort()
            raise
        self.abort()
        return sequence

    def _commit(self, moves: Sequence[RefMove], note: RefNote) -> int:
        check_moves(moves)
        if self._pack is not None:
            self._spill()
            self._seal()
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

    def _counted_on(self) -> set[bytes]:
        """Return what must be in the store beside this batch for it to be whole.

        That is what was found present, and what new chunks link to. Below a chunk that
        is present everything is, so one step of links is enough.
        """
        steps = range(0, len(self._reused), ADDRESS_BYTES)
        wanted = {bytes(self._reused[at : at + ADDRESS_BYTES]) for at in steps}
        for chunk in self._chunks():
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
        self._fresh = {}
        self._reused = bytearray()

    def _holds(self, address: bytes) -> bool:
        """Tell whether this batch has the chunk already."""
        return (
            address in self._fresh
            or (self._pack is not None and address in self._pack.places)
            or address in self._sealed_slots
        )

    def _add(self, address: bytes, chunk: bytes) -> None:
        self._fresh[address] = chunk
        self._fresh_bytes += len(chunk)
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
