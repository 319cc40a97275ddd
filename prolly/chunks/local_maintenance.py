"""Jobs over a whole local store: scan, sweep, rewrite packs, give space back.

What is reachable is for the rooms above to say; here is how chunks and files go away
without anybody losing what he counts on. Every step is one transaction of the index
and leaves a correct store behind, whatever happens after it:

1. ``sweep`` takes chunks out of the index, all in one transaction: what remains is
   closed under links at every instant. It raises the gc epoch, so batches under way
   look again at what they count on.
2. ``repack`` copies live chunks of wasteful packs, and inline ones, into new packs, and
   points the index at them, one new pack a transaction.
3. Packs that nothing points into lose their names in the index; files without a name
   are removed, those of crashed writers too.
4. Free pages of the index go back to the file system.

Reasons: ``docs/design/0004-gc.md``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from operator import attrgetter
from typing import NamedTuple

from prolly.codec import ADDRESS_BYTES
from prolly.codec.pack import FOOTER_BYTES, decode_footer
from prolly.codec.store_entry import INLINE, decode_location, decode_log_move
from prolly.errors import Corrupt, Error, Stale

from .file_lock import file_lock
from .local_directory import StoreDirectory, open_pack
from .local_index import LocalIndex
from .local_index_step import IndexStep
from .local_repack import Order, Repacked, Repacking
from .local_tables import CHUNKS, GC_EPOCH, PACKS, REFS, SEQUENCE, UNNAMED
from .pack_readers import PackReaders
from .ref_rules import fault_of_ref
from .storage_failures import from_os_error, index_damaged, opened_read_only
from .verifying_store import verified

# Packs that are rewritten together, and open at once: those of about one age, since a
# new pack is as old as the youngest of what it was made from.
PACKS_AT_ONCE_MAX = 64

# A location in the table of packs is keyed by a number of four bytes, or by a hash.
_NUMBER_BYTES = 4


class Placed(NamedTuple):
    """Where a chunk is: its pack, 0 for the index itself, and the bytes it takes."""

    address: bytes
    pack: int
    size: int


class CommitCounts(NamedTuple):
    """How many commits moved refs, and how many brought chunks that no ref names.

    While neither grows, no chunk comes.
    """

    sequence: int
    unnamed: int


class PackFile(NamedTuple):
    """A pack that the index names: its file's bytes and age, and those of its frames.

    ``written_us`` is when its chunks came, in microseconds since 1970. All three are 0
    for a file that is not there or not a pack.
    """

    number: int
    path: str
    file_bytes: int
    frame_bytes: int
    written_us: int


class SweepView:
    """What the store holds at the instant of a sweep, read inside its transaction."""

    def __init__(self, step: IndexStep, directory: StoreDirectory) -> None:
        self._step = step
        self._packs = PackReaders(self._path_of)
        self._directory = directory

    def _path_of(self, number: int) -> str | None:
        name = self._step.pack_name(number)
        return None if name is None else self._directory.pack_path(name)

    def commits(self) -> CommitCounts:
        """Return how many commits there were."""
        counters = (SEQUENCE, UNNAMED)
        return CommitCounts(*(self._step.counter(name) for name in counters))

    def iter_addresses(self) -> Iterator[bytes]:
        """Yield the addresses of all chunks, in order."""
        return self._step.iter_addresses()

    def read_ref(self, name: str) -> bytes | None:
        """Return what a ref points at."""
        return self._step.read_ref(name)

    def ref_targets(self) -> list[bytes]:
        """Return what refs point at."""
        return self._step.ref_targets()

    def logged_after(self, sequence: int) -> list[bytes]:
        """Return the addresses that moves after a sequence number tell of."""
        moves = map(decode_log_move, self._step.log_after(sequence))
        ends = [end for move in moves for end in (move.old, move.new)]
        return [address for address in ends if address is not None]

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        """Return chunks as a verifying store does."""
        entries = self._step.entries(sorted(addresses))
        return [verified(one, self._read(entries.get(one))) for one in addresses]

    def _read(self, entry: bytes | None) -> bytes | None:
        if entry is None or entry[0] == INLINE:
            return None if entry is None else entry[1:]
        return self._packs.read(*decode_location(entry))


class LocalMaintenance:
    """The care of one open store; ``LocalStore.maintenance`` makes it."""

    def __init__(
        self,
        directory: StoreDirectory,
        index: LocalIndex,
        packs: PackReaders,
        *,
        durable: bool,
        writable: bool,
    ) -> None:
        self._directory = directory
        self._index = index
        self._packs = packs
        self._durable = durable
        self._writable = writable

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other collections out; Stale ``gc-running`` when one is at work."""
        self._require_writable()
        path = os.path.join(self._directory.path, "collect.lock")
        running = Stale(
            "another collection is at work in this store",
            code="gc-running",
            hint="Wait for it, then try again.",
        )
        with file_lock(path, if_taken=running):
            yield

    def commits(self) -> CommitCounts:
        """Return how many commits there were: no chunk comes while this stands."""
        return CommitCounts(self._index.counter(SEQUENCE), self._index.counter(UNNAMED))

    def read_counter(self, name: str) -> int:
        """Return a number that a job left in the settings; 0 when it left none."""
        return self._index.counter(b"store." + name.encode())

    def write_counters(self, counters: dict[str, int]) -> None:
        """Keep numbers for the next job of the kind, each in a commit of its own.

        So the pages that the commits before them freed are free for good: LMDB, and
        ``release_free_pages`` with it, leaves those of the last two alone.
        """
        for name, value in counters.items():
            encoded = value.to_bytes(8, "little")
            self._index.write_setting(b"store." + name.encode(), encoded)

    def iter_placed(self) -> Iterator[Placed]:
        """Yield where each chunk is, in order of address."""
        for address, entry in self._index.iter_items(CHUNKS, b""):
            if entry[0] == INLINE:
                yield Placed(address, 0, len(entry) - 1)
            else:
                number, _offset, length = decode_location(entry)
                yield Placed(address, number, length)

    def pack_files(self) -> dict[int, PackFile]:
        """Return the packs that the index names, by number."""
        files: dict[int, PackFile] = {}
        for key, name in self._index.iter_items(PACKS, b""):
            if len(key) == _NUMBER_BYTES and len(name) == ADDRESS_BYTES:
                number = int.from_bytes(key, "big")
                files[number] = _look_at(number, self._directory.pack_path(name))
        return files

    def index_bytes(self) -> int:
        """Return the bytes that index and journal take on the disk, without holes."""
        try:
            data = os.stat(self._index.environment.data_path).st_blocks * 512
        except OSError as error:
            raise from_os_error(error, "looking at the index") from error
        with suppress(OSError):
            data += os.stat(self._directory.journal).st_blocks * 512
        return data

    def chunk_count(self) -> int:
        """Return the number of chunks, at no cost."""
        return self._index.chunk_count()

    def time_of_move_after(self, sequence: int) -> int | None:
        """Return when refs were moved next after a sequence number, in us."""
        entries = self._index.log_from(sequence + 1)
        return decode_log_move(entries[0]).time_us if entries else None

    def sweep(
        self,
        condemned: bytearray,
        spare: Callable[[SweepView], Callable[[bytes], bool]],
    ) -> int:
        """Take chunks out of the index, all at once; return how many went.

        ``condemned`` is their addresses, back to back and ascending. ``spare`` sees the
        store as it stands now and returns what tells a chunk that must stay; it may be
        called again when the map has to grow.
        """
        self._require_writable()

        def change(step: IndexStep) -> int:
            stays = spare(SweepView(step, self._directory))
            step.raise_counter(GC_EPOCH)
            ends = range(0, len(condemned), ADDRESS_BYTES)
            addresses = (bytes(condemned[at : at + ADDRESS_BYTES]) for at in ends)
            return step.remove_chunks(one for one in addresses if not stays(one))

        with file_lock(self._directory.gc_lock):
            return self._index.change(change)

    def repack(
        self, packs: Sequence[PackFile], order: Order, *, inline: bool
    ) -> Repacked:
        """Copy live chunks into new packs, in ``order``, and drop the old packs.

        With ``inline`` it is the chunks in the index that move. A damaged pack stays as
        it is. Raises Corrupt when a chunk that is to be copied is damaged; what was
        done until then is done.
        """
        self._require_writable()
        job = Repacking(self._directory, self._index, durable=self._durable)
        oldest_first = sorted(packs, key=attrgetter("written_us"))
        try:
            if inline:
                job.move_inline(order)
            for start in range(0, len(packs), PACKS_AT_ONCE_MAX):
                group = oldest_first[start : start + PACKS_AT_ONCE_MAX]
                job.move_packs(group, order)
        finally:
            self.remove_unnamed()
            self._packs.close()
        return job.done

    def remove_unnamed(self) -> int:
        """Remove the pack files that the index does not name; return how many.

        Packs are published, and taken back, inside write transactions of the index, so
        inside this one no file is on its way.
        """

        def change(step: IndexStep) -> int:
            removed = 0
            for entry in os.scandir(self._directory.packs):
                name = entry.name.removesuffix(".pack")
                if _is_hash(name) and not step.knows_pack(bytes.fromhex(name)):
                    os.unlink(entry.path)
                    removed += 1
            return removed

        self._require_writable()
        try:
            return self._index.change(change)
        except OSError as error:
            raise from_os_error(error, "removing packs") from error

    def release_free_pages(self) -> int:
        """Give the space of the journal and the free pages of the index back.

        Returns the bytes released.
        """
        self._require_writable()
        released = self._index.release_journal()
        return released + self._index.environment.release_free_pages()

    def index_faults(self) -> list[Error]:
        """Return what is wrong with the pages of the index's file, or the journal.

        With any, nothing else of the store is to be read: it could end the process.
        It takes a second for an index of about 200 MB. Raises StorageFailed, Denied,
        and Stale ``read-outrun``.
        """
        found = self._index.environment
        faults: list[Error] = [
            index_damaged(found.data_path, one) for one in found.damages()
        ]
        damaged = None if faults else self._index.journal_fault()
        return faults if damaged is None else [damaged]

    def iter_refs(self) -> Iterator[tuple[str, bytes]]:
        """Yield the names that can be read, and their targets; ``iter_faults`` has
        the others.
        """
        for name, address in self._index.iter_items(REFS, b""):
            if fault_of_ref(name, address) is None:
                yield name.decode(), address

    def iter_faults(self, *, full: bool) -> Iterator[Error]:
        """Yield, not raise, what is wrong with entries of the index and with packs.

        With ``full`` the bytes of every pack are compared with its name.
        """
        from .local_check import iter_store_faults

        return iter_store_faults(self._directory, self._index, full=full)

    def _require_writable(self) -> None:
        if not self._writable:
            raise opened_read_only(self._directory.path)


def _look_at(number: int, path: str) -> PackFile:
    with suppress(OSError, Corrupt), open(open_pack(path), "rb") as file:
        status = os.fstat(file.fileno())
        file.seek(-FOOTER_BYTES, os.SEEK_END)
        footer = decode_footer(file.read(FOOTER_BYTES))
        frame_bytes = status.st_size - FOOTER_BYTES - footer.index_bytes
        written_us = status.st_mtime_ns // 1000
        return PackFile(number, path, status.st_blocks * 512, frame_bytes, written_us)
    return PackFile(number, path, 0, 0, 0)


def _is_hash(name: str) -> bool:
    return len(name) == 2 * ADDRESS_BYTES and not name.strip("0123456789abcdef")
