"""The failing wrapper: the suite while nothing is cued, and its cues."""

from __future__ import annotations

from pathlib import Path

import pytest

from prolly.chunks import MemoryStore, RefMove, Store
from prolly.errors import Invalid, Stale, StorageFailed
from prolly.testing.failing_store import FailingStore
from prolly.testing.store_suite import StoreSuite


class TestFailingStore(StoreSuite):
    """Every line of the contract, as long as nothing is to fail."""

    def make_store(self, directory: Path) -> Store:
        return FailingStore(MemoryStore())

    def write_raw(self, store: Store, address: bytes, chunk: bytes) -> None:
        assert isinstance(store, FailingStore)
        assert isinstance(store.inner, MemoryStore)
        store.inner._chunks[address] = chunk


def test_fails_once_after_so_many_successes() -> None:
    """The cue counts successes, fails one call, and is used up."""
    store = FailingStore(MemoryStore())
    store.fail("get", after=2)
    store.get_many([b"\1" * 32] * 2)
    with pytest.raises(StorageFailed) as caught:
        store.get(b"\1" * 32)
    assert caught.value.code == "io-error"
    assert store.get(b"\1" * 32) is None


@pytest.mark.parametrize("operation", ["put", "commit"])
def test_failing_writer_is_closed(operation: str) -> None:
    """A put or commit that fails leaves nothing and closes the writer."""
    store = FailingStore(MemoryStore())
    store.fail(operation)
    writer = store.writer()
    with pytest.raises(StorageFailed):
        writer.put_many([b"x"])
        writer.commit()
    with pytest.raises(Invalid):
        writer.commit()
    assert list(store.iter_addresses()) == []


def test_refs_fail_with_the_error_that_is_given() -> None:
    """Another error may be cued, for reads and moves of refs."""
    store = FailingStore(MemoryStore())
    store.fail("move_refs", error=Stale("cued"))
    with pytest.raises(Stale):
        store.move_refs([RefMove("a", None, b"\1" * 32)])
    store.fail("read_ref")
    with pytest.raises(StorageFailed):
        store.read_ref("a")
    assert store.read_ref("a") is None
