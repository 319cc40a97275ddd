"""The verifying wrapper: the suite, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from prolly.chunks import (
    CachingStore,
    CountingStore,
    LocalStore,
    MemoryStore,
    Store,
    VerifyingStore,
    WrappingStore,
)
from prolly.errors import Corrupt
from prolly.testing.store_suite import StoreSuite


class TestAllWrappers(StoreSuite):
    """Every line of the contract through a stack of all wrappers, on disk."""

    def make_store(self, directory: Path) -> Store:
        inner = LocalStore.create(directory)
        return CachingStore(VerifyingStore(CountingStore(inner)))

    def write_raw(self, store: Store, address: bytes, chunk: bytes) -> None:
        while isinstance(store, WrappingStore):
            store = store.inner
        assert isinstance(store, LocalStore)
        table = store._environment.databases[b"chunks"]
        store._environment.write(
            lambda changing: changing.put(address, b"\0" + chunk, db=table)
        )


def test_every_way_of_reading_is_checked() -> None:
    """get, get_many and a writer's get refuse a chunk of another address."""
    inner = MemoryStore()
    store = VerifyingStore(inner)
    with store.writer() as writer:
        address = writer.put(b"right")
        writer.commit()
    assert store.get_many([address, b"\0" * 32]) == [b"right", None]
    inner._chunks[address] = b"wrong"
    writer = store.writer()
    for call in (
        lambda: store.get(address),
        lambda: store.get_many([address]),
        lambda: writer.get(address),
    ):
        with pytest.raises(Corrupt) as caught:
            call()
        assert caught.value.code == "hash-mismatch"
        assert caught.value.address == address
        assert address.hex() in str(caught.value)
