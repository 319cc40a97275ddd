"""A store that asks somebody for what it lacks, while it is read.

For partial replicas, whose nodes link to chunks that were left out. What is there is
never asked for, and ``contains_many`` tells what is there. Who is asked, and whether
the answer is kept, the wrapper must not know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .contract import ChunkWriter, Store
from .verifying_store import VerifyingStore
from .wrapping_store import WrappingStore, WrappingWriter

Fill = Callable[[Sequence[bytes]], Sequence[bytes | None]]
"""Returns chunks that are absent, in order; ``None`` for what nobody is known to have.

Raises what says why they cannot be had.
"""


class FillingStore(WrappingStore):
    """Passes what ``inner`` lacks on to ``fill``, at most once a read."""

    def __init__(self, inner: Store, fill: Fill) -> None:
        super().__init__(inner)
        self._fill = fill

    def get(self, address: bytes) -> bytes | None:
        chunk = self.inner.get(address)
        return self._fill([address])[0] if chunk is None else chunk

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        return _filled(addresses, self.inner.get_many(addresses), self._fill)

    def writer(self) -> ChunkWriter:
        return _FillingWriter(self.inner.writer(), self._fill)


class _FillingWriter(WrappingWriter):
    """Asks for what is neither in the batch nor in the store."""

    def __init__(self, inner: ChunkWriter, fill: Fill) -> None:
        super().__init__(inner)
        self._fill = fill

    def get(self, address: bytes) -> bytes | None:
        chunk = self.inner.get(address)
        return self._fill([address])[0] if chunk is None else chunk

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        return _filled(addresses, self.inner.get_many(addresses), self._fill)


def _filled(
    addresses: Sequence[bytes], chunks: list[bytes | None], fill: Fill
) -> list[bytes | None]:
    if None not in chunks:
        return chunks
    places = [place for place, chunk in enumerate(chunks) if chunk is None]
    found = fill([addresses[place] for place in places])
    for place, chunk in zip(places, found, strict=True):
        chunks[place] = chunk
    return chunks


def what_is_here(store: Store) -> Store:
    """Return a store with what is in it alone: nobody is asked for more.

    Chunks are verified; other wrappers around a filling store are left out.
    """
    found = store
    while isinstance(found, WrappingStore):
        if isinstance(found, FillingStore):
            return VerifyingStore(found.inner)
        found = found.inner
    return store
