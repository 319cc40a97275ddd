"""A store around a store: everything is passed on, until a subclass does more.

Caching, verifying, counting and failing on cue are wrappers, never flags inside a
store. A wrapper must not know which store it wraps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .contract import ChunkWriter, RefLogEntry, RefMove, RefNote, Store


class WrappingStore(Store):
    """Passes every call on to ``inner``."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner

    def get(self, address: bytes) -> bytes | None:
        return self.inner.get(address)

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        return self.inner.get_many(addresses)

    def contains_many(self, addresses: Sequence[bytes]) -> list[bool]:
        return self.inner.contains_many(addresses)

    def iter_addresses(self, prefix: bytes = b"") -> Iterator[bytes]:
        return self.inner.iter_addresses(prefix)

    def writer(self) -> ChunkWriter:
        return self.inner.writer()

    def close(self) -> None:
        self.inner.close()

    def read_ref(self, name: str) -> bytes | None:
        return self.inner.read_ref(name)

    def iter_refs(self, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        return self.inner.iter_refs(prefix)

    def move_refs(self, moves: Sequence[RefMove], note: RefNote | None = None) -> int:
        return self.inner.move_refs(moves, note)

    def iter_log(self, name: str | None = None) -> Iterator[RefLogEntry]:
        return self.inner.iter_log(name)

    def sequence(self) -> int:
        return self.inner.sequence()

    def read_setting(self, name: str) -> bytes | None:
        return self.inner.read_setting(name)

    def write_setting(self, name: str, value: bytes | None) -> None:
        self.inner.write_setting(name, value)


class WrappingWriter(ChunkWriter):
    """Passes every call on to the writer ``inner``."""

    def __init__(self, inner: ChunkWriter) -> None:
        self.inner = inner

    def put(self, chunk: bytes) -> bytes:
        return self.inner.put(chunk)

    def put_many(self, chunks: Iterable[bytes]) -> list[bytes]:
        return self.inner.put_many(chunks)

    def get(self, address: bytes) -> bytes | None:
        return self.inner.get(address)

    def commit(self, moves: Sequence[RefMove] = (), note: RefNote | None = None) -> int:
        return self.inner.commit(moves, note)

    def abort(self) -> None:
        self.inner.abort()
