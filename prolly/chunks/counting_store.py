"""A store that counts what is asked of it, so that a cost can be stated and tested."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from .contract import ChunkWriter, RefMove, RefNote, Store
from .wrapping_store import WrappingStore, WrappingWriter


@dataclass(slots=True)
class StoreCounts:
    """What went through a store; chunks, unless the name says calls or bytes.

    ``gets`` counts chunks asked for, present or not. ``puts`` counts chunks given to
    writers, also those that were there already.
    """

    gets: int = 0
    get_calls: int = 0
    get_bytes: int = 0
    checks: int = 0
    puts: int = 0
    put_bytes: int = 0
    commits: int = 0
    ref_reads: int = 0
    ref_moves: int = 0

    def reset(self) -> None:
        """Begin again at nought."""
        for field in fields(self):
            setattr(self, field.name, 0)


class CountingStore(WrappingStore):
    """Counts in ``counts``. Exact while one thread uses it; a near guess with more."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.counts = StoreCounts()

    def get(self, address: bytes) -> bytes | None:
        chunk = self.inner.get(address)
        self.count_gets([chunk])
        return chunk

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        chunks = self.inner.get_many(addresses)
        self.count_gets(chunks)
        return chunks

    def contains_many(self, addresses: Sequence[bytes]) -> list[bool]:
        self.counts.checks += len(addresses)
        return self.inner.contains_many(addresses)

    def writer(self) -> ChunkWriter:
        return _CountingWriter(self.inner.writer(), self)

    def read_ref(self, name: str) -> bytes | None:
        self.counts.ref_reads += 1
        return self.inner.read_ref(name)

    def move_refs(self, moves: Sequence[RefMove], note: RefNote | None = None) -> int:
        sequence = self.inner.move_refs(moves, note)
        self.count_commit(moves)
        return sequence

    def count_gets(self, chunks: Sequence[bytes | None]) -> None:
        """Count one call that asked for these chunks."""
        self.counts.get_calls += 1
        self.counts.gets += len(chunks)
        self.counts.get_bytes += sum(len(chunk) for chunk in chunks if chunk)

    def count_commit(self, moves: Sequence[RefMove]) -> None:
        """Count one commit that was accepted."""
        self.counts.commits += 1
        self.counts.ref_moves += sum(move.old != move.new for move in moves)


class _CountingWriter(WrappingWriter):
    """Counts into the store that made it."""

    def __init__(self, inner: ChunkWriter, store: CountingStore) -> None:
        super().__init__(inner)
        self._store = store

    def put(self, chunk: bytes) -> bytes:
        address = self.inner.put(chunk)
        self._store.counts.puts += 1
        self._store.counts.put_bytes += len(chunk)
        return address

    def put_many(self, chunks: Iterable[bytes]) -> list[bytes]:
        return self.inner.put_many(self._counted(chunks))

    def _counted(self, chunks: Iterable[bytes]) -> Iterable[bytes]:
        for chunk in chunks:
            self._store.counts.puts += 1
            self._store.counts.put_bytes += len(chunk)
            yield chunk

    def get(self, address: bytes) -> bytes | None:
        chunk = self.inner.get(address)
        self._store.count_gets([chunk])
        return chunk

    def commit(self, moves: Sequence[RefMove] = (), note: RefNote | None = None) -> int:
        sequence = self.inner.commit(moves, note)
        self._store.count_commit(moves)
        return sequence
