"""What a bundle holds: never too little, and little for a little change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import CountingStore, MemoryStore
from prolly.errors import Corrupt
from prolly.ops.bundle_contents import bundled_chunks, fresh_chunks
from prolly.testing.repositories import memory_repository
from prolly.testing.small_histories import reached, small_history


@given(st.integers(0, 2**32), st.booleans(), st.data())
def test_a_bundle_and_its_prerequisites_reach_everything(
    seed: int, is_part: bool, data: st.DataObject
) -> None:
    """Each chunk comes once, what is new comes, and of a whole one nothing else."""
    repo = small_history(seed)
    tips = [bytes(one) for one in repo.branches.values()]
    commits = [bytes(entry.id) for entry in repo.log("main")]
    known = [data.draw(st.sampled_from(commits))] if is_part else []
    found = list(bundled_chunks(repo.store, tips, known))
    addresses = [address for address, _ in found]
    assert len(addresses) == len(set(addresses))
    assert all(repo.store.get(address) == chunk for address, chunk in found)
    assert reached(repo, tips) - reached(repo, known) <= set(addresses)
    assert set(addresses) <= reached(repo, tips)
    if not is_part:
        assert set(addresses) == reached(repo, tips)


@pytest.mark.parametrize("delete", [False, True])
def test_a_small_change_costs_little(delete: bool) -> None:
    """A bundle of one record, or of what is left of many, reads a few chunks."""
    store = CountingStore(MemoryStore())
    repo = memory_repository(store)
    with repo.transaction("main", message="many") as tx:
        tx.map("m").update((number, bytes(40)) for number in range(20_000))
    before = bytes(repo.resolve("main"))
    with repo.transaction("main", message="few") as tx:
        if delete:
            for number in range(100, 20_000):
                del tx.map("m")[number]
        else:
            tx.map("m")[7] = "seven"
    store.costs.reset()
    found = list(bundled_chunks(store, [bytes(repo.resolve("main"))], [before]))
    gets = store.costs.gets
    everything = len(reached(repo, [before]))
    assert everything > 100
    assert len(found) < 8
    assert gets < (20 if not delete else everything + 20)


def test_a_missing_chunk_is_told() -> None:
    """A tree with a hole makes no bundle, whole or in part."""
    repo = memory_repository()
    with pytest.raises(Corrupt) as raised:
        list(fresh_chunks(repo.store.get_many, [], [bytes(32)]))
    assert raised.value.code == "chunk-missing"
    with pytest.raises(Corrupt) as raised:
        list(bundled_chunks(repo.store, [bytes(32)], []))
    assert raised.value.code == "chunk-missing"
