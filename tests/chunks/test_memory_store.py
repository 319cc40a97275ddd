"""The memory store passes the suite."""

from __future__ import annotations

from pathlib import Path

from prolly.chunks import MemoryStore, Store
from prolly.testing.store_suite import StoreSuite


class TestMemoryStore(StoreSuite):
    """Every line of the contract, in memory."""

    def make_store(self, directory: Path) -> Store:
        return MemoryStore()

    def write_raw(self, store: Store, address: bytes, chunk: bytes) -> None:
        assert isinstance(store, MemoryStore)
        store._chunks[address] = chunk
