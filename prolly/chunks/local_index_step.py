"""One write transaction of a local store's index: what can be changed, and checked.

Everything here happens inside the transaction, so what is seen cannot change before it
is committed: this is where races end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import lmdb

from prolly.codec.store_entry import (
    INLINE_MARK,
    LogMove,
    decode_counter,
    encode_counter,
    encode_location,
    encode_log_key,
    encode_log_move,
)
from prolly.errors import Stale

from .contract import RefMove, RefNote
from .local_tables import (
    CHUNKS,
    GC_EPOCH,
    LOG,
    LOG_NAMES,
    NEXT_PACK,
    PACKS,
    REFS,
    SEQUENCE,
    SETTINGS,
    pack_key,
)
from .pack_builder import LENGTH_MASK, OFFSET_BITS, PackBuilder
from .ref_rules import encode_name

NO_NOTE = RefNote()


@dataclass(frozen=True, slots=True)
class IndexBatch:
    """What one commit adds: chunks inline or in sealed packs, and moves of refs.

    ``counted_on`` gives the addresses that must be present: what was found so since
    ``gc_epoch`` was read, and what the new chunks link to. It is asked only when a
    sweep came between. ``publish`` makes the packs that it is given readable and
    durable.
    """

    inline: dict[bytes, bytes] = field(default_factory=dict)
    packs: Sequence[PackBuilder] = ()
    publish: Callable[[Sequence[PackBuilder]], None] | None = None
    counted_on: Callable[[], set[bytes]] = set
    gc_epoch: int | None = None
    moves: Sequence[RefMove] = ()
    note: RefNote = NO_NOTE


class IndexStep:
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

    def check_counted_on(
        self, gc_epoch: int, counted_on: Callable[[], set[bytes]]
    ) -> None:
        """Raise Stale when a sweep has come between and took what was counted on."""
        if self.counter(GC_EPOCH) != gc_epoch:
            self._require_present(counted_on())

    def check_targets(self, changes: Sequence[RefMove]) -> None:
        """Raise Stale when a ref would point at a chunk that was swept.

        Whoever moves it may have read the chunk before. A store that was never swept
        has lost nothing, and is not asked.
        """
        if self.counter(GC_EPOCH):
            self._require_present({move.new for move in changes if move.new})

    def _require_present(self, addresses: set[bytes]) -> None:
        present = self.entries(sorted(addresses))
        if len(present) != len(addresses):
            missing = min(addresses - present.keys())
            raise Stale(
                f"chunk {missing.hex()} was swept while this batch counted on it",
                code="gc-epoch",
                hint="Write the batch again.",
                address=missing,
            )

    def entries(self, addresses: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the entries of those chunks that are present."""
        cursor = self._transaction.cursor(self._databases[CHUNKS])
        return dict(cursor.getmulti(addresses))

    def add_packs(self, batch: IndexBatch) -> None:
        """Publish the packs that the index does not name yet, and add their chunks."""
        rows: list[tuple[bytes, bytes]] = []
        unknown: list[PackBuilder] = []
        for pack in batch.packs:
            number, is_new = self.name_pack(pack)
            if is_new:
                unknown.append(pack)
            rows += locations_of(pack, number)
        if unknown:
            assert batch.publish is not None, "packs come with a way to publish them"
            batch.publish(unknown)
        self._add_chunks(rows)

    def knows_pack(self, name: bytes) -> bool:
        """Tell whether the index names a pack."""
        return self._transaction.get(name, None, self._databases[PACKS]) is not None

    def name_pack(self, pack: PackBuilder) -> tuple[int, bool]:
        """Return the number of a pack, and whether the index names it only now."""
        table = self._databases[PACKS]
        known = self._transaction.get(pack.name, None, table)
        if known is not None:
            return int.from_bytes(known, "big"), False
        number = self.raise_counter(NEXT_PACK)
        key = pack_key(number)
        self._transaction.put(key, pack.name, db=table)
        self._transaction.put(pack.name, key, db=table)
        return number, True

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

    def remove_chunks(self, addresses: Iterable[bytes]) -> int:
        """Forget chunks, best in order of address; return how many were there."""
        table, delete = self._databases[CHUNKS], self._transaction.delete
        return sum(delete(address, db=table) for address in addresses)

    def replace_entries(
        self, rows: Sequence[tuple[bytes, bytes]], moved: dict[bytes, bytes]
    ) -> int:
        """Give chunks new entries where they still have the old; return how many.

        ``moved`` has the old entries by address, of inline ones the mark alone.
        """
        table, get, put = (
            self._databases[CHUNKS],
            self._transaction.get,
            self._transaction.put,
        )
        replaced = 0
        for address, entry in rows:
            current = get(address, None, table)
            if current is None:
                continue
            expected = moved[address]
            if current == expected or current[:1] == expected == INLINE_MARK:
                put(address, entry, db=table)
                replaced += 1
        return replaced

    def pack_name(self, number: int) -> bytes | None:
        """Return the hash of a pack, or ``None`` when there is none of the number."""
        return self._transaction.get(pack_key(number), None, self._databases[PACKS])

    def forget_pack(self, number: int) -> None:
        """Take a pack's name out of the index; one that is gone changes nothing."""
        name = self.pack_name(number)
        if name is not None:
            table = self._databases[PACKS]
            self._transaction.delete(pack_key(number), db=table)
            self._transaction.delete(name, db=table)

    def iter_addresses(self) -> Iterator[bytes]:
        """Yield the addresses of all chunks, in order."""
        cursor = self._transaction.cursor(self._databases[CHUNKS])
        return iter(cursor.iternext(keys=True, values=False))

    def ref_targets(self) -> list[bytes]:
        """Return what refs point at."""
        cursor = self._transaction.cursor(self._databases[REFS])
        return list(cursor.iternext(keys=False, values=True))

    def log_after(self, sequence: int) -> list[bytes]:
        """Return the log entries of later commits, oldest first."""
        cursor = self._transaction.cursor(self._databases[LOG])
        if not cursor.set_range(encode_log_key(sequence + 1, 0)):
            return []
        return list(cursor.iternext(keys=False, values=True))

    def move_refs(self, changes: Sequence[RefMove], note: RefNote) -> int:
        """Move refs that were seen to stand right; return the sequence number."""
        if not changes:
            return self.counter(SEQUENCE)
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
        value = self.counter(name) + 1
        self._transaction.put(name, encode_counter(value), db=self._databases[SETTINGS])
        return value

    def counter(self, name: bytes) -> int:
        value = self._transaction.get(name, None, self._databases[SETTINGS])
        return 0 if value is None else decode_counter(value)


def locations_of(pack: PackBuilder, number: int) -> list[tuple[bytes, bytes]]:
    """Return (address, entry) of the chunks of a pack of this number."""
    return [
        (address, encode_location(number, place >> OFFSET_BITS, place & LENGTH_MASK))
        for address, place in pack.places.items()
    ]
