"""The index of a local store: its tables in LMDB, and the one step that changes them.

The tables are those of ``local_tables``, the bytes of entries those of
``prolly.codec.store_entry``. Numbers of packs are never used twice, so a location that
was read before a sweep cannot name another pack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import lmdb

from prolly.codec.store_entry import (
    decode_counter,
    decode_log_key,
    decode_log_move,
    encode_log_key,
)

from .contract import RefLogEntry
from .lmdb_environment import SharedEnvironment
from .local_index_step import IndexBatch, IndexStep
from .local_tables import (
    CHUNKS,
    LOG,
    LOG_NAMES,
    PACKS,
    SETTINGS,
    UNNAMED,
    pack_key,
)
from .ref_rules import plan_moves

T = TypeVar("T")

# Rows read in one short transaction: few enough that no page is pinned for long.
PAGE_ROWS = 1000

# Above every key of a table: no key begins with more than 0xFF bytes.
PAST_ALL = b"\xff" * 64


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
        return self.environment.get(PACKS, pack_key(number))

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

    def log_from(self, sequence: int) -> list[bytes]:
        """Return a page of log entries from a sequence number on, oldest first."""

        def find(transaction: lmdb.Transaction[bytes]) -> list[bytes]:
            cursor = transaction.cursor(self.environment.databases[LOG])
            if not cursor.set_range(encode_log_key(sequence, 0)):
                return []
            return list(islice(cursor.iternext(keys=False), PAGE_ROWS))

        return self.environment.read(find)

    def commit(self, batch: IndexBatch) -> int:
        """Add a batch in one durable step; return the sequence number.

        Raises Stale ``ref-moved`` and ``gc-epoch``; then nothing was changed.
        """
        return self.change(lambda step: self._apply(step, batch))

    def _apply(self, step: IndexStep, batch: IndexBatch) -> int:
        changes = plan_moves(batch.moves, step.read_ref)
        if batch.gc_epoch is not None:
            step.check_counted_on(batch.gc_epoch, batch.counted_on)
        if batch.packs:
            step.add_packs(batch)
        if batch.inline:
            step.add_inline(batch.inline)
        if changes:
            step.check_targets(changes)
        if (batch.packs or batch.inline) and not any(move.new for move in changes):
            step.raise_counter(UNNAMED)
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

    def change(self, function: Callable[[IndexStep], T]) -> T:
        """Return what the function makes of one write transaction, once durable.

        The function may be called again when the map has to grow.
        """
        return self.environment.write(
            lambda changing: function(IndexStep(changing, self.environment.databases))
        )
