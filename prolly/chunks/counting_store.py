"""A store that counts what is asked of it, so that a cost can be stated and tested."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prolly.codec import ChunkType

from .contract import ChunkWriter, RefMove, RefNote, Store
from .costs import Costs
from .wrapping_store import WrappingStore, WrappingWriter

# What a node of a record tree begins with.
NODE_MARKS = (bytes([ChunkType.LEAF]), bytes([ChunkType.INNER]))


class CountingStore(WrappingStore):
    """Counts in ``costs``, which others may count into as well."""

    def __init__(self, inner: Store, costs: Costs | None = None) -> None:
        super().__init__(inner)
        self.costs = Costs() if costs is None else costs

    def get(self, address: bytes) -> bytes | None:
        chunk = self.inner.get(address)
        self.count_gets([chunk])
        return chunk

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        chunks = self.inner.get_many(addresses)
        self.count_gets(chunks)
        return chunks

    def contains_many(self, addresses: Sequence[bytes]) -> list[bool]:
        self.costs.checks += len(addresses)
        return self.inner.contains_many(addresses)

    def writer(self) -> ChunkWriter:
        return _CountingWriter(self.inner.writer(), self)

    def read_ref(self, name: str) -> bytes | None:
        self.costs.ref_reads += 1
        return self.inner.read_ref(name)

    def move_refs(self, moves: Sequence[RefMove], note: RefNote | None = None) -> int:
        sequence = self.inner.move_refs(moves, note)
        self.count_commit(moves)
        return sequence

    def count_gets(self, chunks: Sequence[bytes | None]) -> None:
        """Count one call that asked for these chunks."""
        found = [chunk for chunk in chunks if chunk]
        costs = self.costs
        costs.get_calls += 1
        costs.gets += len(chunks)
        costs.get_bytes += sum(map(len, found))
        costs.nodes_read += sum(chunk.startswith(NODE_MARKS) for chunk in found)

    def count_put(self, chunk: bytes) -> None:
        """Count one chunk that was given to a writer."""
        costs = self.costs
        costs.puts += 1
        costs.put_bytes += len(chunk)
        costs.nodes_written += chunk.startswith(NODE_MARKS)

    def count_commit(self, moves: Sequence[RefMove]) -> None:
        """Count one commit that was accepted."""
        self.costs.commits += 1
        self.costs.ref_moves += sum(move.old != move.new for move in moves)


class _CountingWriter(WrappingWriter):
    """Counts into the store that made it."""

    def __init__(self, inner: ChunkWriter, store: CountingStore) -> None:
        super().__init__(inner)
        self._store = store

    def put(self, chunk: bytes) -> bytes:
        address = self.inner.put(chunk)
        self._store.count_put(chunk)
        return address

    def put_many(self, chunks: Iterable[bytes]) -> list[bytes]:
        return self.inner.put_many(self._counted(chunks))

    def _counted(self, chunks: Iterable[bytes]) -> Iterable[bytes]:
        for chunk in chunks:
            self._store.count_put(chunk)
            yield chunk

    def get(self, address: bytes) -> bytes | None:
        chunk = self.inner.get(address)
        self._store.count_gets([chunk])
        return chunk

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        chunks = self.inner.get_many(addresses)
        self._store.count_gets(chunks)
        return chunks

    def commit(self, moves: Sequence[RefMove] = (), note: RefNote | None = None) -> int:
        sequence = self.inner.commit(moves, note)
        self._store.count_commit(moves)
        return sequence
