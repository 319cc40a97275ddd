"""A store in memory: the plainest reading of the contract, gone with the process.

For tests, for scratch work, and as the model that other stores are compared with. It
must not know of files.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from threading import Lock

from prolly.codec import address_of
from prolly.errors import Invalid, Stale

from .contract import ChunkWriter, RefLogEntry, RefMove, RefNote, Store
from .ref_rules import (
    check_chunk_size,
    check_moves,
    encode_name,
    encode_setting_name,
    plan_moves,
)


class MemoryStore(Store):
    """Chunks, refs, reflog and settings in dictionaries. Thread-safe."""

    def __init__(self) -> None:
        self._chunks: dict[bytes, bytes] = {}
        self._refs: dict[str, bytes] = {}
        self._log: list[RefLogEntry] = []
        self._settings: dict[str, bytes] = {}
        self._sequence = 0
        self._lock = Lock()
        self._closed = False

    def get(self, address: bytes) -> bytes | None:
        self._require_open()
        return self._chunks.get(address)

    def contains_many(self, addresses: Sequence[bytes]) -> list[bool]:
        self._require_open()
        return [address in self._chunks for address in addresses]

    def iter_addresses(self, prefix: bytes = b"") -> Iterator[bytes]:
        self._require_open()
        with self._lock:
            addresses = sorted(self._chunks)
        first = bisect_left(addresses, prefix)
        return self._yield_while_prefixed(addresses[first:], prefix)

    @staticmethod
    def _yield_while_prefixed(
        addresses: Sequence[bytes], prefix: bytes
    ) -> Iterator[bytes]:
        for address in addresses:
            if not address.startswith(prefix):
                return
            yield address

    def writer(self) -> ChunkWriter:
        self._require_open()
        return _MemoryWriter(self)

    def close(self) -> None:
        self._closed = True

    def read_ref(self, name: str) -> bytes | None:
        self._require_open()
        encode_name(name)
        return self._refs.get(name)

    def iter_refs(self, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        self._require_open()
        with self._lock:
            refs = sorted(self._refs.items(), key=lambda ref: ref[0].encode())
        return iter([ref for ref in refs if ref[0].startswith(prefix)])

    def move_refs(self, moves: Sequence[RefMove], note: RefNote | None = None) -> int:
        self._require_open()
        return self.apply({}, moves, note or RefNote())

    def iter_log(self, name: str | None = None) -> Iterator[RefLogEntry]:
        self._require_open()
        if name is not None:
            encode_name(name)
        with self._lock:
            entries = self._log[::-1]
        return iter([entry for entry in entries if name is None or entry.name == name])

    def sequence(self) -> int:
        self._require_open()
        return self._sequence

    def read_setting(self, name: str) -> bytes | None:
        self._require_open()
        encode_name(name)
        return self._settings.get(name)

    def write_setting(self, name: str, value: bytes | None) -> None:
        self._require_open()
        encode_setting_name(name)
        with self._lock:
            if value is None:
                self._settings.pop(name, None)
            else:
                self._settings[name] = value

    def apply(
        self, chunks: dict[bytes, bytes], moves: Sequence[RefMove], note: RefNote
    ) -> int:
        """Add chunks and move refs in one step, as a writer's commit does."""
        self._require_open()
        check_moves(moves)
        with self._lock:
            changes = plan_moves(moves, self._refs.get)
            self._chunks.update(chunks)
            if changes:
                self._sequence += 1
            for move in changes:
                if move.new is None:
                    del self._refs[move.name]
                else:
                    self._refs[move.name] = move.new
                self._log.append(
                    RefLogEntry(
                        self._sequence,
                        move.name,
                        move.old,
                        move.new,
                        note.who,
                        note.why,
                        note.time_us,
                    )
                )
            return self._sequence

    def _require_open(self) -> None:
        if self._closed:
            raise Invalid("the store is closed", code="closed", hint="Open it again.")


class _MemoryWriter(ChunkWriter):
    """A batch in a dictionary of its own until it is committed."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._fresh: dict[bytes, bytes] | None = {}

    def put(self, chunk: bytes) -> bytes:
        fresh = self._require_open()
        check_chunk_size(len(chunk))
        address = address_of(chunk)
        fresh[address] = chunk
        return address

    def get(self, address: bytes) -> bytes | None:
        chunk = self._require_open().get(address)
        return self._store.get(address) if chunk is None else chunk

    def commit(self, moves: Sequence[RefMove] = (), note: RefNote | None = None) -> int:
        fresh = self._require_open()
        try:
            sequence = self._store.apply(fresh, moves, note or RefNote())
        except Stale:
            raise
        except BaseException:
            self.abort()
            raise
        self.abort()
        return sequence

    def abort(self) -> None:
        self._fresh = None

    def _require_open(self) -> dict[bytes, bytes]:
        if self._fresh is None:
            raise Invalid(
                "the writer is closed", code="closed", hint="Begin a new batch."
            )
        return self._fresh
