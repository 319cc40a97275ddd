"""The counting wrapper: the suite, and its counts."""

from __future__ import annotations

from pathlib import Path

from prolly.chunks import Costs, CountingStore, MemoryStore, RefMove, Store
from prolly.testing.store_suite import StoreSuite


class TestCountingStore(StoreSuite):
    """Every line of the contract, counted."""

    def make_store(self, directory: Path) -> Store:
        return CountingStore(MemoryStore())

    def write_raw(self, store: Store, address: bytes, chunk: bytes) -> None:
        assert isinstance(store, CountingStore)
        assert isinstance(store.inner, MemoryStore)
        store.inner._chunks[address] = chunk


def test_counts_say_what_was_asked() -> None:
    """Each field counts what its name says, and reset begins again."""
    store = CountingStore(MemoryStore())
    with store.writer() as writer:
        address = writer.put(b"12345")
        writer.put_many([b"12345", b"678"])
        writer.get(address)
        writer.commit([RefMove("a", None, address), RefMove("b", None, None)])
    store.get(address)
    store.get_many([address, b"\0" * 32])
    store.contains_many([address] * 3)
    store.read_ref("a")
    store.move_refs([RefMove("a", address, None)])
    assert store.costs == Costs(
        gets=4,
        get_calls=3,
        get_bytes=15,
        checks=3,
        puts=3,
        put_bytes=13,
        commits=2,
        ref_reads=1,
        ref_moves=2,
    )
    store.costs.reset()
    assert store.costs == Costs()
