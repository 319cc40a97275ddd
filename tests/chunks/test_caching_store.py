"""The caching wrapper: the suite, its bound, and what it saves."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import CachingStore, CountingStore, MemoryStore, Store
from prolly.chunks.caching_store import CACHED_OVERHEAD_BYTES
from prolly.testing.store_suite import StoreSuite


class TestCachingStore(StoreSuite):
    """Every line of the contract through a small cache."""

    def make_store(self, directory: Path) -> Store:
        return CachingStore(MemoryStore(), bytes_max=1000)

    def write_raw(self, store: Store, address: bytes, chunk: bytes) -> None:
        assert isinstance(store, CachingStore)
        assert isinstance(store.inner, MemoryStore)
        store.inner._chunks[address] = chunk


def filled(chunks: list[bytes]) -> tuple[CountingStore, list[bytes]]:
    """Return a counted store of the chunks, and their addresses."""
    store = CountingStore(MemoryStore())
    with store.writer() as writer:
        addresses = writer.put_many(chunks)
        writer.commit()
    return store, addresses


def test_second_read_asks_nothing() -> None:
    """What was read once comes from the cache, alone and among others."""
    inner, (one, two) = filled([b"one", b"two"])
    cache = CachingStore(inner)
    assert cache.get(one) == b"one"
    assert cache.get_many([one, two]) == [b"one", b"two"]
    assert inner.costs.gets == 2
    assert cache.get_many([two, one]) == [b"two", b"one"]
    assert inner.costs.gets == 2
    assert cache.get(b"\0" * 32) is None


@given(st.lists(st.integers(0, 19), max_size=60), st.integers(0, 4000))
def test_bound_holds_and_answers_are_right(reads: list[int], bytes_max: int) -> None:
    """Whatever is read, the cache keeps to its bound and gives the right chunk."""
    chunks = [bytes([number]) * (number * 17 + 1) for number in range(20)]
    inner, addresses = filled(chunks)
    cache = CachingStore(inner, bytes_max)
    for number in reads:
        assert cache.get(addresses[number]) == chunks[number]
        assert cache._bytes <= bytes_max


def test_least_recently_used_goes_first() -> None:
    """A hit keeps a chunk; the one not read for longest makes room."""
    inner, (one, two, three) = filled([b"1", b"2", b"3"])
    cache = CachingStore(inner, bytes_max=2 * (1 + CACHED_OVERHEAD_BYTES))
    for address in (one, two, one, three):
        cache.get(address)
    inner.costs.reset()
    cache.get(one)
    cache.get(three)
    assert inner.costs.gets == 0
    cache.get(two)
    assert inner.costs.gets == 1
