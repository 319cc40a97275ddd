"""The index of a local store: its tables in LMDB, and the one step that changes them.

The tables are those of ``local_tables``, the bytes of entries those of
``prolly.codec.store_entry``. What small commits brought since waits in the journal:
here both are one. Numbers of packs are never used twice, so a location that
was read before a sweep cannot name another pack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import lmdb

from prolly.codec.journal_record import encode_journal_body
from prolly.codec.store_entry import (
    decode_counter,
    decode_log_key,
    decode_log_move,
    encode_log_key,
)
from prolly.errors import Corrupt

from .contract import RefLogEntry, RefMove
from .costs import Costs
from .lmdb_environment import SharedEnvironment
from .lmdb_truncation import LOOKS_MAX
from .local_journal import LocalJournal, Waiting
from .local_tables import (
    CHUNKS,
    JOURNAL,
    LOG,
    LOG_NAMES,
    PACKS,
    REFS,
    SEQUENCE,
    SETTINGS,
    UNNAMED,
    pack_key,
)
from .ref_rules import plan_moves
from .storage_failures import read_outrun

if TYPE_CHECKING:
    from .local_index_step import IndexBatch, IndexStep

T = TypeVar("T")

# Rows read in one short transaction: few enough that no page is pinned for long.
PAGE_ROWS = 1000
# Rows read at first: who asks for what begins with some bytes mostly gets a few.
FIRST_ROWS = 16

# Above every key of a table: no key begins with more than 0xFF bytes.
PAST_ALL = b"\xff" * 64


class _Rows(NamedTuple):
    """Which rows of a table make a page: from a key on, so many with a prefix."""

    table: bytes
    prefix: bytes
    start: bytes
    size: int


class LocalIndex:
    """The tables of one store, and its journal. Thread-safe as its environment is.

    It counts its waits for the disk in ``costs``. What reads the journal raises as
    ``LocalJournal.waiting``, and Stale ``read-outrun`` while it is taken in again and
    again.
    """

    def __init__(
        self, environment: SharedEnvironment, journal: LocalJournal, costs: Costs
    ) -> None:
        self.environment = environment
        self._journal = journal
        self._costs = costs

    def close(self) -> None:
        """Close the journal; the environment is others' as well."""
        self._journal.close()

    def _both(self, read: Callable[[], T]) -> tuple[T, Waiting]:
        """Return what the tables say, and what waits beside them, as of one moment.

        A generation ends before refs change in the tables, so while it stands, what was
        read of them stands too, and the journal only grows.
        """
        generation = self._journal.known.generation
        if generation < 0:
            generation = self._stored_counter(JOURNAL)
        for _ in range(LOOKS_MAX):
            found = read()
            try:
                waiting = self._journal.waiting(generation)
            except Corrupt:
                if self._stored_counter(JOURNAL) == generation:
                    raise
                generation = self._stored_counter(JOURNAL)
                continue
            current = self._stored_counter(JOURNAL)
            if current == generation:
                return found, waiting
            generation = current
        raise read_outrun()

    def chunk_entry(self, address: bytes) -> bytes | None:
        """Return the entry of a chunk, or ``None``."""
        entry = self.environment.get(CHUNKS, address)
        if entry is not None:
            return entry
        waiting = self._journal.known
        entry = waiting.chunks.get(address)
        if entry is None or self._stored_counter(JOURNAL) != waiting.generation:
            return self.chunk_entries([address]).get(address)
        return entry

    def chunk_entries(self, addresses: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the entries of those chunks that are present."""
        environment = self.environment

        def find(transaction: lmdb.Transaction[bytes]) -> dict[bytes, bytes]:
            cursor = transaction.cursor(environment.databases[CHUNKS])
            return dict(cursor.getmulti(addresses))

        found, waiting = self._both(lambda: environment.read(find))
        chunks = waiting.chunks
        if chunks and len(found) < len(addresses):
            found.update((one, chunks[one]) for one in chunks.keys() & addresses)
        return found

    def pack_name(self, number: int) -> bytes | None:
        """Return the hash of a pack, or ``None`` when it was swept."""
        key = pack_key(number)
        found, waiting = self._both(lambda: self.environment.get(PACKS, key))
        return waiting.packs.get(key) if found is None else found

    def read_ref(self, name: bytes) -> bytes | None:
        """Return what a ref points at, or ``None``."""
        found, waiting = self._both(lambda: self.environment.get(REFS, name))
        return waiting.refs.get(name, found)

    def counter(self, name: bytes) -> int:
        """Return a counter of the settings; 0 when it was never raised."""
        if name == SEQUENCE:
            found, waiting = self._both(lambda: self._stored_counter(name))
            return waiting.sequence or found
        return self._stored_counter(name)

    def _stored_counter(self, name: bytes) -> int:
        value = self.environment.get(SETTINGS, name)
        return 0 if value is None else decode_counter(value)

    def chunk_count(self) -> int:
        """Return the number of chunks, at no cost."""
        found, waiting = self._both(lambda: self.environment.table_size(CHUNKS)[0])
        return found + len(waiting.chunks)

    def iter_keys(self, table: bytes, prefix: bytes) -> Iterator[bytes]:
        """Yield the keys of a table that begin with ``prefix``, in order."""
        for key, _value in self.iter_items(table, prefix, values=False):
            yield key

    def iter_items(
        self, table: bytes, prefix: bytes, *, values: bool = True
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key, value) of the keys that begin with ``prefix``, in order."""
        start, size = prefix, FIRST_ROWS
        while True:
            rows = _Rows(table, prefix, start, size)
            page, start = self._page(rows, values)
            yield from page
            if not start:
                return
            size = PAGE_ROWS

    def _page(
        self, rows: _Rows, values: bool
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Return a page of a table, and where the next begins (empty: none does)."""
        page, waiting = self._both(lambda: self._stored_page(rows, values))
        end = page[-1][0] if len(page) == rows.size else None
        come = [
            (key, value)
            for key, value in _rows_of(waiting, rows.table)
            if rows.start <= key
            and (end is None or key <= end)
            and key.startswith(rows.prefix)
        ]
        if come:
            known: dict[bytes, bytes | None] = {**dict(page), **dict(come)}
            kept = {key: row for key, row in known.items() if row is not None}
            page = [(key, kept[key]) for key in sorted(kept)]
        return page, b"" if end is None else end + b"\0"

    def _stored_page(self, rows: _Rows, values: bool) -> list[tuple[bytes, bytes]]:
        start, prefix = rows.start, rows.prefix

        def find(transaction: lmdb.Transaction[bytes]) -> list[tuple[bytes, bytes]]:
            cursor = transaction.cursor(self.environment.databases[rows.table])
            if not (cursor.set_range(start) if start else cursor.first()):
                return []
            if values:
                page = list(islice(cursor.iternext(), rows.size))
            else:
                keys = islice(cursor.iternext(values=False), rows.size)
                page = [(key, b"") for key in keys]
            while page and not page[-1][0].startswith(prefix):
                page.pop()
            return page

        return self.environment.read(find)

    def iter_log(self, name: bytes | None) -> Iterator[RefLogEntry]:
        """Yield the moves of one ref, or of all, newest first."""
        _, waiting = self._both(lambda: None)
        log = list(waiting.log)
        for key, value, ref in reversed(log):
            if name is None or ref == name:
                yield _log_entry(key, value)
        table, prefix = (LOG, b"") if name is None else (LOG_NAMES, name + b"\0")
        before = prefix + (log[0][0] if log else PAST_ALL)
        while True:
            page = self._log_page(table, prefix, before)
            for key, value in page:
                yield _log_entry(key, value)
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

    def log_from(self, sequence: int) -> list[bytes]:
        """Return a page of log entries from a sequence number on, oldest first."""
        first = encode_log_key(sequence, 0)

        def find(transaction: lmdb.Transaction[bytes]) -> list[bytes]:
            cursor = transaction.cursor(self.environment.databases[LOG])
            if not cursor.set_range(first):
                return []
            return list(islice(cursor.iternext(keys=False), PAGE_ROWS))

        page, waiting = self._both(lambda: self.environment.read(find))
        if len(page) < PAGE_ROWS:
            page += [value for key, value, _ in list(waiting.log) if key >= first]
        return page

    def commit(self, batch: IndexBatch) -> int:
        """Add a batch in one durable step; return the sequence number.

        Raises Stale ``ref-moved`` and ``gc-epoch``; then nothing was changed.
        """
        waits = False

        def add(step: IndexStep) -> int:
            nonlocal waits
            changes = plan_moves(batch.moves, step.read_ref)
            waits = batch.is_nothing(changes)
            if waits:
                return step.sequence()
            if batch.gc_epoch is not None:
                step.check_counted_on(batch.gc_epoch, batch.counted_on)
            room = self._journal.room(step.waiting)
            waits = batch.may_wait(changes, room)
            if waits:
                return self._append(step, batch, changes)
            step.take_in()
            return self._apply(step, batch, changes)

        sequence = self._write(add)
        if not waits:
            self._count_wait()
        return sequence

    def _append(
        self, step: IndexStep, batch: IndexBatch, changes: Sequence[RefMove]
    ) -> int:
        record = step.record_of(batch, changes)
        body = encode_journal_body(record)
        self._journal.append(step.waiting.generation, body, record)
        return record.sequence

    def _apply(
        self, step: IndexStep, batch: IndexBatch, changes: Sequence[RefMove]
    ) -> int:
        if batch.packs:
            step.add_packs(batch)
        if batch.inline:
            step.add_inline(batch.inline)
        if changes:
            step.check_targets(changes)
        if (batch.packs or batch.inline) and not any(move.new for move in changes):
            step.raise_counter(UNNAMED)
        return step.move_refs(changes, batch.note)

    def journal_fault(self) -> Corrupt | None:
        """Return what is wrong with the journal, or ``None``."""
        try:
            self._both(lambda: None)
        except Corrupt as error:
            return error
        return None

    def release_journal(self) -> int:
        """Take the journal into the tables and its space back; return the bytes."""
        self.change(lambda step: None)
        return self._write(
            lambda step: 0 if step.waiting.end else self._journal.empty()
        )

    def write_setting(self, name: bytes, value: bytes | None) -> None:
        """Store or remove a setting."""

        def change(transaction: lmdb.Transaction[bytes]) -> None:
            table = self.environment.databases[SETTINGS]
            if value is None:
                transaction.delete(name, db=table)
            else:
                transaction.put(name, value, db=table)

        self.environment.write(change)
        self._count_wait()

    def change(self, function: Callable[[IndexStep], T]) -> T:
        """Return what the function makes of one write transaction, once durable.

        What waits in the journal is in the tables then. The function may be called
        again when the map has to grow.
        """

        def taking_in(step: IndexStep) -> T:
            step.take_in()
            return function(step)

        result = self._write(taking_in)
        self._count_wait()
        return result

    def _write(self, function: Callable[[IndexStep], T]) -> T:
        # Whoever only reads has no use for it, and starting is felt.
        from .local_index_step import IndexStep

        def run(transaction: lmdb.Transaction[bytes]) -> T:
            databases = self.environment.databases
            generation = transaction.get(JOURNAL, None, databases[SETTINGS])
            number = 0 if generation is None else decode_counter(generation)
            waiting = self._journal.waiting(number)
            return function(IndexStep(transaction, databases, waiting))

        return self.environment.write(run)

    def _count_wait(self) -> None:
        if self.environment.options.sync:
            self._costs.fsyncs += 1


def _rows_of(waiting: Waiting, table: bytes) -> list[tuple[bytes, bytes | None]]:
    """Return what waits for a table, by key; ``None`` for what is to go."""
    if table == REFS:
        return list(waiting.refs.items())
    if table == CHUNKS:
        return list(waiting.chunks.items())
    if table == PACKS:
        packs = list(waiting.packs.items())
        return [*packs, *((name, number) for number, name in packs)]
    return []


def _log_entry(key: bytes, value: bytes) -> RefLogEntry:
    return RefLogEntry(decode_log_key(key)[0], *decode_log_move(value))
