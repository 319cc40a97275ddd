"""The index of a local store: its tables in LMDB, and the one step that changes them.

    chunks     address -> inline chunk, or pack number, offset and length
    packs      pack number (u32 big-endian) -> hash, and hash -> number
    refs       name -> address
    log        sequence and position -> one move of one ref
    log-names  name, 00, sequence and position -> nothing
    settings   name -> bytes

The bytes of entries are those of ``prolly.codec.store_entry``. Numbers of packs are
never used twice, so a location that was read before a sweep cannot name another pack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import lmdb

from prolly.codec import ADDRESS_BYTES
from prolly.codec.store_entry import (
    INLINE_MARK,
    LogMove,
    decode_counter,
    decode_log_key,
    decode_log_move,
    encode_counter,
    encode_location,
    encode_log_key,
    encode_log_move,
)
from prolly.errors import Corrupt, Stale

from .contract import RefLogEntry, RefMove, RefNote
from .lmdb_environment import SharedEnvironment
from .pack_builder import LENGTH_MASK, OFFSET_BITS, PackBuilder
from .ref_rules import encode_name, plan_moves

CHUNKS = b"chunks"
PACKS = b"packs"
REFS = b"refs"
LOG = b"log"
LOG_NAMES = b"log-names"
SETTINGS = b"settings"
TABLES = (CHUNKS, PACKS, REFS, LOG, LOG_NAMES, SETTINGS)

FORMAT = b"store.format"
GC_EPOCH = b"store.gc-epoch"
NEXT_PACK = b"store.next-pack"
SEQUENCE = b"store.sequence"

# Rows read in one short transaction: few enough that no page is pinned for long.
PAGE_ROWS = 1000

# Above every key of a table: no key begins with more than 0xFF bytes.
PAST_ALL = b"\xff" * 64


NO_NOTE = RefNote()


@dataclass(frozen=True, slots=True)
class IndexBatch:
    """What one commit adds: chunks inline or in sealed packs, and moves of refs.

    ``reused`` are addresses, 32 bytes each, that were found present since ``gc_epoch``
    was read; ``publish`` makes the packs that it is given readable and durable.
    """

    inline: dict[bytes, bytes] = field(default_factory=dict)
    packs: Sequence[PackBuilder] = ()
    publish: Callable[[Sequence[PackBuilder]], None] | None = None
    reused: bytes = b""
    gc_epoch: int = 0
    moves: Sequence[RefMove] = ()
    note: RefNote = NO_NOTE


class LocalIndex:
    """The tables of one store. Thread-safe as its environment is."""

    def __init__(self, environment: SharedEnvironment) -> None:
        self.environment = environment

    def chunk_entry(self, address: bytes) -> bytes | None:
        """Return the entry of a chunk, or ``None``."""
        return self.environment.get(CHUNKS, address)

    def chunk_entries(self, addresses: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the entries of those chunks that are present."""
        environment = self.environment

        def find(transaction: lmdb.Transaction[bytes]) -> dict[bytes, bytes]:
            cursor = transaction.cursor(environment.databases[CHUNKS])
            return dict(cursor.getmulti(addresses))

        return environment.read(find)

    def pack_name(self, number: int) -> bytes | None:
        """Return the hash of a pack, or ``None`` when it was swept."""
        return self.environment.get(PACKS, _pack_key(number))

    def counter(self, name: bytes) -> int:
        """Return a counter of the settings; 0 when it was never raised."""
        value = self.environment.get(SETTINGS, name)
        return 0 if value is None else decode_counter(value)

    def iter_keys(self, table: bytes, prefix: bytes) -> Iterator[bytes]:
        """Yield the keys of a table that begin with ``prefix``, in order."""
        for key, _value in self.iter_items(table, prefix, values=False):
            yield key

    def iter_items(
        self, table: bytes, prefix: bytes, *, values: bool = True
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, value) of the keys that begin with ``prefix``, in order."""
        start = prefix
        while True:
            page = self._page(table, start, values)
            for key, value in page:
                if not key.startswith(prefix):
                    return
                yield key, value
            if len(page) < PAGE_ROWS:
                return
            start = page[-1][0] + b"\0"

    def _page(
        self, table: bytes, start: bytes, values: bool
    ) -> list[tuple[bytes, bytes]]:
        def find(transaction: lmdb.Transaction[bytes]) -> list[tuple[bytes, bytes]]:
            cursor = transaction.cursor(self.environment.databases[table])
            if not (cursor.set_range(start) if start else cursor.first()):
                return []
            if values:
                return list(islice(cursor.iternext(), PAGE_ROWS))
            keys = islice(cursor.iternext(values=False), PAGE_ROWS)
            return [(key, b"") for key in keys]

        return self.environment.read(find)

    def iter_log(self, name: bytes | None) -> Iterator[RefLogEntry]:
        """Yield the moves of one ref, or of all, newest first."""
        table, prefix = (LOG, b"") if name is None else (LOG_NAMES, name + b"\0")
        before = prefix + PAST_ALL
        while True:
            page = self._log_page(table, prefix, before)
            for key, value in page:
                move = decode_log_move(value)
                yield RefLogEntry(decode_log_key(key)[0], *move)
            if len(page) < PAGE_ROWS:
                return
            before = prefix + page[-1][0]

    def _log_page(
        self, table: bytes, prefix: bytes, before: bytes
    ) -> list[tuple[bytes, bytes]]:
        """Return up to a page of (log key, entry) below ``before``, backwards."""

        def find(transaction: lmdb.Transaction[bytes]) -> list[tuple[bytes, bytes]]:
            databases = self.environment.databases
            cursor = transaction.cursor(databases[table])
            found = cursor.prev() if cursor.set_range(before) else cursor.last()
            rows: list[tuple[bytes, bytes]] = []
            while found and len(rows) < PAGE_ROWS:
                key = cursor.key()
                if not key.startswith(prefix):
                    break
                key = key[len(prefix) :]
                entry = transaction.get(key, None, databases[LOG])
                if entry is not None:
                    rows.append((key, entry))
                found = cursor.prev()
            return rows

        return self.environment.read(find)

    def commit(self, batch: IndexBatch) -> int:
        """Add a batch in one durable step; return the sequence number.

        Raises Stale ``ref-moved`` and ``gc-epoch``; then nothing was changed.
        """
        return self.environment.write(lambda changing: self._apply(changing, batch))

    def _apply(self, transaction: lmdb.Transaction[bytes], batch: IndexBatch) -> int:
        step = _IndexStep(transaction, self.environment.databases)
        changes = plan_moves(batch.moves, step.read_ref)
        if batch.reused:
            step.check_reused(batch.reused, batch.gc_epoch)
        if batch.packs:
            step.add_packs(batch)
        if batch.inline:
            step.add_inline(batch.inline)
        return step.move_refs(changes, batch.note)

    def write_setting(self, name: bytes, value: bytes | None) -> None:
        """Store or remove a setting."""

        def change(transaction: lmdb.Transaction[bytes]) -> None:
            table = self.environment.databases[SETTINGS]
            if value is None:
                transaction.delete(name, db=table)
            else:
                transaction.put(name, value, db=table)

        self.environment.write(change)

    def sweep(self, addresses: Sequence[bytes]) -> int:
        """Forget chunks and raise the gc epoch in one step; return how many went."""

        def change(transaction: lmdb.Transaction[bytes]) -> int:
            step = _IndexStep(transaction, self.environment.databases)
            step.raise_counter(GC_EPOCH)
            return step.remove_chunks(addresses)

        return self.environment.write(change)

    def knows_pack(self, name: bytes, transaction: lmdb.Transaction[bytes]) -> bool:
        """Tell, inside a write, whether the index names a pack."""
        packs = self.environment.databases[PACKS]
        return transaction.get(name, None, packs) is not None


class _IndexStep:
    """One write transaction, and the changes that can be made in it."""

    def __init__(
        self,
        transaction: lmdb.Transaction[bytes],
        databases: dict[bytes, lmdb._Database],
    ) -> None:
        self._transaction = transaction
        self._databases = databases

    def read_ref(self, name: str) -> bytes | None:
        return self._transaction.get(name.encode(), None, self._databases[REFS])

    def check_reused(self, reused: bytes, gc_epoch: int) -> None:
        """Raise Stale when a sweep has come between and took what was counted on."""
        if self._counter(GC_EPOCH) == gc_epoch:
            return
        steps = range(0, len(reused), ADDRESS_BYTES)
        counted_on = {reused[at : at + ADDRESS_BYTES] for at in steps}
        cursor = self._transaction.cursor(self._databases[CHUNKS])
        present = dict(cursor.getmulti(sorted(counted_on)))
        if len(present) != len(counted_on):
            missing = min(counted_on - present.keys())
            raise Stale(
                f"chunk {missing.hex()} was swept while this batch counted on it",
                code="gc-epoch",
                hint="Write the batch again.",
                address=missing,
            )

    def add_packs(self, batch: IndexBatch) -> None:
        """Publish the packs that the index does not name yet, and add their chunks."""
        table = self._databases[PACKS]
        rows: list[tuple[bytes, bytes]] = []
        unknown: list[PackBuilder] = []
        for pack in batch.packs:
            key = self._transaction.get(pack.name, None, table)
            if key is None:
                unknown.append(pack)
                number = self.raise_counter(NEXT_PACK)
                key = _pack_key(number)
                self._transaction.put(key, pack.name, db=table)
                self._transaction.put(pack.name, key, db=table)
            number = int.from_bytes(key, "big")
            rows += [
                (
                    address,
                    encode_location(number, place >> OFFSET_BITS, place & LENGTH_MASK),
                )
                for address, place in pack.places.items()
            ]
        if unknown:
            assert batch.publish is not None, "packs come with a way to publish them"
            batch.publish(unknown)
        self._add_chunks(rows)

    def add_inline(self, chunks: dict[bytes, bytes]) -> None:
        self._add_chunks(
            [(address, INLINE_MARK + chunk) for address, chunk in chunks.items()]
        )

    def _add_chunks(self, rows: list[tuple[bytes, bytes]]) -> None:
        # In order of address, so that each leaf page of the index is touched once.
        rows.sort()
        self._transaction.cursor(self._databases[CHUNKS]).putmulti(
            rows, overwrite=False
        )

    def remove_chunks(self, addresses: Sequence[bytes]) -> int:
        table = self._databases[CHUNKS]
        return sum(
            self._transaction.delete(address, db=table) for address in sorted(addresses)
        )

    def move_refs(self, changes: Sequence[RefMove], note: RefNote) -> int:
        """Move refs that were seen to stand right; return the sequence number."""
        if not changes:
            return self._counter(SEQUENCE)
        sequence = self.raise_counter(SEQUENCE)
        transaction, databases = self._transaction, self._databases
        for position, (name, old, new) in enumerate(
            (move.name, move.old, move.new) for move in changes
        ):
            encoded = encode_name(name)
            if new is None:
                transaction.delete(encoded, db=databases[REFS])
            else:
                transaction.put(encoded, new, db=databases[REFS])
            key = encode_log_key(sequence, position)
            entry = LogMove(name, old, new, note.who, note.why, note.time_us)
            transaction.put(key, encode_log_move(entry), db=databases[LOG])
            transaction.put(encoded + b"\0" + key, b"", db=databases[LOG_NAMES])
        return sequence

    def raise_counter(self, name: bytes) -> int:
        """Add one to a counter and return it; the first is 1."""
        value = self._counter(name) + 1
        self._transaction.put(name, encode_counter(value), db=self._databases[SETTINGS])
        return value

    def _counter(self, name: bytes) -> int:
        value = self._transaction.get(name, None, self._databases[SETTINGS])
        return 0 if value is None else decode_counter(value)


def _pack_key(number: int) -> bytes:
    if not 0 < number < 2**32:
        raise Corrupt(f"pack number {number}", code="store-entry")
    return number.to_bytes(4, "big")
