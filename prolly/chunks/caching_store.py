"""A store that keeps the chunks read last in memory, bounded in bytes.

A chunk never goes stale, so nothing is ever thrown out for being old, and a cached
chunk may outlive its sweep from the store: whoever asks by address gets the right bytes
or none. Names are not cached.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from .contract import Store
from .wrapping_store import WrappingStore

# The inner nodes of ten million records, and room for the leaves in use.
CACHE_BYTES_DEFAULT = 64 * 1024 * 1024

# What one cached chunk costs beyond its bytes: two `bytes` headers and an entry.
CACHED_OVERHEAD_BYTES = 200


class CachingStore(WrappingStore):
    """Keeps up to ``bytes_max`` of chunks, the least recently used going first."""

    def __init__(self, inner: Store, bytes_max: int = CACHE_BYTES_DEFAULT) -> None:
        super().__init__(inner)
        self._bytes_max = bytes_max
        self._bytes = 0
        self._chunks: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = Lock()
        self._closed = False

    def get(self, address: bytes) -> bytes | None:
        chunk = self._cached(address)
        if chunk is None:
            chunk = self.inner.get(address)
            if chunk is not None:
                self._keep(address, chunk)
        return chunk

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        chunks = [self._cached(address) for address in addresses]
        missing = {a for a, chunk in zip(addresses, chunks, strict=True) if not chunk}
        wanted = sorted(missing)
        fetched = dict(zip(wanted, self.inner.get_many(wanted), strict=True))
        for address, chunk in fetched.items():
            if chunk is not None:
                self._keep(address, chunk)
        return [
            fetched[address] if chunk is None else chunk
            for address, chunk in zip(addresses, chunks, strict=True)
        ]

    def close(self) -> None:
        with self._lock:
            # Nothing is kept from here on, so a closed store answers as its inner does.
            self._closed = True
            self._chunks.clear()
            self._bytes = 0
        self.inner.close()

    def _cached(self, address: bytes) -> bytes | None:
        with self._lock:
            chunk = self._chunks.get(address)
            if chunk is not None:
                self._chunks.move_to_end(address)
            return chunk

    def _keep(self, address: bytes, chunk: bytes) -> None:
        size = len(chunk) + CACHED_OVERHEAD_BYTES
        with self._lock:
            if address in self._chunks or size > self._bytes_max or self._closed:
                return
            self._chunks[address] = chunk
            self._bytes += size
            while self._bytes > self._bytes_max:
                _oldest, dropped = self._chunks.popitem(last=False)
                self._bytes -= len(dropped) + CACHED_OVERHEAD_BYTES
