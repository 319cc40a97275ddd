"""One write transaction of a local store's index: what can be changed, and checked.

Everything here happens inside the transaction, so what is seen cannot change before it
is committed: this is where races end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import lmdb

from prolly.codec.journal_record import (
    JOURNAL_BODY_BYTES_MAX,
    JournalMove,
    JournalRecord,
)
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

from .contract import COVERAGE_REF, RefMove, RefNote
from .local_journal import Waiting
from .local_tables import (
    CHUNKS,
    GC_EPOCH,
    JOURNAL,
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

# More than what a record of the journal takes for a chunk beside its bytes, and for a
# move: two names of 400 bytes, three addresses, heads.
ENTRY_BYTES = 64
MOVE_BYTES = 1024
UTF8_CHARACTER_BYTES = 4


def _nothing(is_partial: bool) -> set[bytes]:
    return set()


class IndexBatch(NamedTuple):
    """What one commit adds: chunks inline or in sealed packs, and moves of refs.

    ``counted_on`` gives the addresses that must be present: what was found so since
    ``gc_epoch`` was read, and what the new chunks link to. It is asked only when a
    sweep came between, and told whether the store is of a partial replica. ``publish``
    makes the packs that it is given readable and durable.
    """

    inline: Mapping[bytes, bytes] = {}
    packs: Sequence[PackBuilder] = ()
    publish: Callable[[Sequence[PackBuilder]], None] | None = None
    counted_on: Callable[[bool], set[bytes]] = _nothing
    gc_epoch: int | None = None
    moves: Sequence[RefMove] = ()
    note: RefNote = NO_NOTE

    def is_nothing(self, changes: Sequence[RefMove]) -> bool:
        """Tell whether nothing is left to be done once its moves hold."""
        return not (changes or self.inline or self.packs)

    def may_wait(self, changes: Sequence[RefMove], room: int) -> bool:
        """Tell whether it may be appended to a journal with this much room.

        Chunks that nothing names are counted in the tables.
        """
        if not any(move.new for move in changes) and (self.inline or self.packs):
            return False
        entries = len(self.inline) + sum(len(pack.places) for pack in self.packs)
        texts = len(self.note.who) + len(self.note.why)
        size = sum(map(len, self.inline.values())) + ENTRY_BYTES * entries
        size += (MOVE_BYTES + UTF8_CHARACTER_BYTES * texts) * len(changes)
        return size + MOVE_BYTES <= min(room, JOURNAL_BODY_BYTES_MAX)


class IndexStep:
    """One write transaction, and the changes that can be made in it.

    ``waiting`` is what the journal holds beside the tables. Until it is taken in, only
    what is asked here knows of it, and nothing may be changed but by ``append``.
    """

    def __init__(
        self,
        transaction: lmdb.Transaction[bytes],
        databases: dict[bytes, lmdb._Database],
        waiting: Waiting,
    ) -> None:
        self._transaction = transaction
        self._databases = databases
        self.waiting = waiting
        self._is_new_generation = False

    def take_in(self) -> None:
        """Bring what waits in the journal into the tables, and end its generation."""
        waiting = self.waiting
        if not waiting.end:
            return
        transaction, databases = self._transaction, self._databases
        self._add_chunks(list(waiting.chunks.items()))
        for number, name in waiting.packs.items():
            transaction.put(number, name, db=databases[PACKS])
            transaction.put(name, number, db=databases[PACKS])
        for name, target in waiting.refs.items():
            self._put_ref(name, target)
        for key, entry, name in waiting.log:
            self._put_log(key, entry, name)
        self._put_counter(SEQUENCE, waiting.sequence)
        if waiting.packs:
            self._put_counter(NEXT_PACK, int.from_bytes(max(waiting.packs), "big"))
        self._begin_generation()

    def _begin_generation(self) -> None:
        """Let nobody believe what he read of the tables and the journal before."""
        if not self._is_new_generation:
            self._is_new_generation = True
            self.waiting = Waiting(self.raise_counter(JOURNAL))

    def read_ref(self, name: str) -> bytes | None:
        encoded = name.encode()
        if encoded in self.waiting.refs:
            return self.waiting.refs[encoded]
        return self._transaction.get(encoded, None, self._databases[REFS])

    def record_of(self, batch: IndexBatch, changes: Sequence[RefMove]) -> JournalRecord:
        """Return what a batch adds, as a record of the journal; publish its packs.

        Raises Stale ``gc-epoch`` as ``check_targets``.
        """
        chunks = [
            (address, INLINE_MARK + chunk) for address, chunk in batch.inline.items()
        ]
        packs: list[tuple[bytes, bytes]] = []
        unknown: list[PackBuilder] = []
        for pack in batch.packs:
            known = self._pack_number(pack.name)
            if known is None:
                known = self._next_pack() + len(unknown)
                unknown.append(pack)
                packs.append((pack_key(known), pack.name))
            chunks += locations_of(pack, known)
        self._check_targets(changes, {address for address, _ in chunks})
        if unknown:
            publish_all(batch, unknown)
        sequence = self.sequence() + 1
        moves = [
            JournalMove(encode_name(move.name), _log_entry(move, batch.note), move.new)
            for move in changes
        ]
        return JournalRecord(sequence, chunks, packs, moves)

    def check_counted_on(
        self, gc_epoch: int, counted_on: Callable[[bool], set[bytes]]
    ) -> None:
        """Raise Stale when a sweep has come between and took what was counted on."""
        if self.counter(GC_EPOCH) != gc_epoch:
            is_partial = self.read_ref(COVERAGE_REF) is not None
            self._require_present(counted_on(is_partial))

    def check_targets(self, changes: Sequence[RefMove]) -> None:
        """Raise Stale when a ref would point at a chunk that was swept.

        Whoever moves it may have read the chunk before. A store that was never swept
        has lost nothing, and is not asked.
        """
        self._check_targets(changes, set())

    def _check_targets(self, changes: Sequence[RefMove], own: set[bytes]) -> None:
        if self.counter(GC_EPOCH):
            targets = {move.new for move in changes if move.new}
            self._require_present(targets - own)

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
        found = dict(cursor.getmulti(addresses))
        waiting = self.waiting.chunks
        if waiting:
            found.update((one, waiting[one]) for one in addresses if one in waiting)
        return found

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
            publish_all(batch, unknown)
        self._add_chunks(rows)

    def knows_pack(self, name: bytes) -> bool:
        """Tell whether the index names a pack."""
        return self._pack_number(name) is not None

    def _pack_number(self, name: bytes) -> int | None:
        for number, waiting in self.waiting.packs.items():
            if waiting == name:
                return int.from_bytes(number, "big")
        known = self._transaction.get(name, None, self._databases[PACKS])
        return None if known is None else int.from_bytes(known, "big")

    def _next_pack(self) -> int:
        waiting = max(self.waiting.packs, default=b"")
        return max(self.counter(NEXT_PACK), int.from_bytes(waiting, "big")) + 1

    def sequence(self) -> int:
        """Return the number of the newest commit that moved a ref."""
        return self.waiting.sequence or self.counter(SEQUENCE)

    def name_pack(self, pack: PackBuilder) -> tuple[int, bool]:
        """Return the number of a pack, and whether the index names it only now."""
        table = self._databases[PACKS]
        known = self._pack_number(pack.name)
        if known is not None:
            return known, False
        number = self.raise_counter(NEXT_PACK)
        key = pack_key(number)
        self._transaction.put(key, pack.name, db=table)
        self._transaction.put(pack.name, key, db=table)
        return number, True

    def add_inline(self, chunks: Mapping[bytes, bytes]) -> None:
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
            return self.sequence()
        self._begin_generation()
        sequence = self.raise_counter(SEQUENCE)
        for position, move in enumerate(changes):
            name = encode_name(move.name)
            self._put_ref(name, move.new)
            key = encode_log_key(sequence, position)
            self._put_log(key, _log_entry(move, note), name)
        return sequence

    def _put_ref(self, name: bytes, target: bytes | None) -> None:
        table = self._databases[REFS]
        if target is None:
            self._transaction.delete(name, db=table)
        else:
            self._transaction.put(name, target, db=table)

    def _put_log(self, key: bytes, entry: bytes, name: bytes) -> None:
        transaction, databases = self._transaction, self._databases
        transaction.put(key, entry, db=databases[LOG])
        transaction.put(name + b"\0" + key, b"", db=databases[LOG_NAMES])

    def raise_counter(self, name: bytes) -> int:
        """Add one to a counter and return it; the first is 1."""
        value = self.counter(name) + 1
        self._put_counter(name, value)
        return value

    def _put_counter(self, name: bytes, value: int) -> None:
        self._transaction.put(name, encode_counter(value), db=self._databases[SETTINGS])

    def counter(self, name: bytes) -> int:
        value = self._transaction.get(name, None, self._databases[SETTINGS])
        return 0 if value is None else decode_counter(value)


def _log_entry(move: RefMove, note: RefNote) -> bytes:
    facts = LogMove(move.name, move.old, move.new, note.who, note.why, note.time_us)
    return encode_log_move(facts)


def publish_all(batch: IndexBatch, packs: Sequence[PackBuilder]) -> None:
    """Make packs of a batch readable and durable."""
    assert batch.publish is not None, "packs come with a way to publish them"
    batch.publish(packs)


def locations_of(pack: PackBuilder, number: int) -> list[tuple[bytes, bytes]]:
    """Return (address, entry) of the chunks of a pack of this number."""
    return [
        (address, encode_location(number, place >> OFFSET_BITS, place & LENGTH_MASK))
        for address, place in pack.places.items()
    ]
