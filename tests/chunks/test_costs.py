"""The counts of what work on a store cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from prolly.chunks import Costs, Durability, LocalStore, RefMove

# More than a batch keeps for the index itself, so that it becomes a pack.
PACKED_BYTES = 300_000


def test_reset_begins_every_count_again() -> None:
    """After a reset the costs are those of nothing."""
    costs = Costs(**dict.fromkeys(Costs().as_dict(), 7))
    assert set(costs.as_dict().values()) == {7}
    costs.reset()
    assert costs == Costs()
    assert set(costs.as_dict().values()) == {0}


@pytest.mark.parametrize(("durability", "waits"), [("full", 1), ("scratch", 0)])
def test_a_small_commit_waits_once_for_the_disk(
    tmp_path: Path, durability: Durability, waits: int
) -> None:
    """Chunks, refs and their log become durable together, and not at all in scratch."""
    store = LocalStore.create(tmp_path / "store", durability=durability)
    store.costs.reset()
    with store.writer() as writer:
        address = writer.put(b"chunk")
        writer.commit([RefMove("a", None, address), RefMove("b", None, address)])
    assert store.costs == Costs(fsyncs=waits)
    store.move_refs([RefMove("a", address, None)])
    store.write_setting("name", b"value")
    assert store.costs == Costs(fsyncs=3 * waits)
    store.close()


def test_a_pack_waits_for_its_bytes_its_name_and_the_index(tmp_path: Path) -> None:
    """A large commit waits three times however many chunks it has; reads never do."""
    store = LocalStore.create(tmp_path / "store")
    store.costs.reset()
    with store.writer() as writer:
        addresses = writer.put_many([bytes([n]) * PACKED_BYTES for n in range(9)])
        writer.commit()
    assert store.costs == Costs(fsyncs=3)
    assert all(store.get_many(addresses))
    with store.writer() as writer:
        writer.put(b"dropped")
    assert store.costs == Costs(fsyncs=3)
    store.close()
