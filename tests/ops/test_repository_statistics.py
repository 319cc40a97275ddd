"""Statistics: sums that hold, and shares that tell what each ref alone holds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import prolly
from prolly.errors import NotFound
from prolly.ops import store_statistics
from prolly.testing.repositories import memory_repository
from prolly.tree import reachable


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[prolly.Repository]:
    """Two branches that share a large commit; one has a second dataset."""
    source = random.Random(1)
    with prolly.init(tmp_path / "r") as repo:
        with repo.transaction("main", message="shared") as tx:
            tx.map("m").update((f"k{n:05d}", source.randbytes(90)) for n in range(4000))
        repo.create_branch("b")
        with repo.transaction("b", message="more") as tx:
            tx.map("n")["large"] = source.randbytes(300_000)
            tx.map("m")["k00000"] = 0
        yield repo


def test_the_store_adds_up(repo: prolly.Repository) -> None:
    """Counts equal what is there, and unique and shared bytes make the whole."""
    stats = repo.stats("b")
    addresses = list(repo.store.iter_addresses())
    assert stats.chunks == stats.reachable_chunks == len(addresses)
    chunks = [chunk for chunk in repo.store.get_many(addresses) if chunk]
    assert stats.reachable_bytes == sum(map(len, chunks))
    assert stats.packs == 2 and stats.waste_bytes == 0
    assert stats.pack_bytes + stats.index_bytes == stats.disk_bytes
    main, other = stats.refs["branches/main"], stats.refs["branches/b"]
    assert main.unique_bytes == 0 and main.shared_bytes == main.bytes > 390_000
    assert other.bytes == main.bytes + other.unique_bytes == stats.reachable_bytes
    assert other.unique_bytes > 300_000
    assert set(stats.datasets) == {"m", "n"}
    assert stats.datasets["n"].unique_bytes == stats.datasets["n"].bytes > 300_000


def test_unique_is_what_a_collection_would_free(repo: prolly.Repository) -> None:
    """Without the branch, a collection removes just its unique bytes."""
    before = repo.stats()
    repo.delete_branch("b")
    repo.gc(grace=timedelta())
    after = repo.stats()
    freed = before.reachable_bytes - after.reachable_bytes
    assert freed == before.refs["branches/b"].unique_bytes
    assert after.refs["branches/main"].unique_bytes == after.reachable_bytes


def test_garbage_is_not_reachable(repo: prolly.Repository) -> None:
    """What nothing leads to is counted among the chunks alone."""
    with repo.store.writer() as writer:
        writer.put(b"\3garbage")
        writer.commit()
    stats = repo.stats()
    assert stats.chunks == stats.reachable_chunks + 1


def test_a_dataset(repo: prolly.Repository) -> None:
    """Levels from the root down, entries that count the records, blobs apart."""
    stats = repo.dataset_stats("m", "main")
    assert (stats.kind, stats.count, stats.blob_bytes) == ("map", 4000, 0)
    assert [level.level for level in stats.levels] == [1, 0]
    assert stats.levels[-1].entries == 4000
    assert stats.levels[0].entries == stats.levels[-1].nodes
    assert stats.bytes == sum(level.bytes for level in stats.levels)
    found = reachable(repo.store.get_many, [stats.root])
    assert stats.bytes == sum(len(chunk) for _, chunk in found)
    large = repo.dataset_stats("n", "b")
    assert large.blob_bytes > 300_000 and large.count == 1
    with pytest.raises(NotFound) as caught:
        repo.dataset_stats("n", "main")
    assert caught.value.code == "no-such-dataset"


def test_a_store_in_memory() -> None:
    """A store without files has chunks, and no packs."""
    stats = store_statistics(memory_repository())
    assert stats.chunks == stats.reachable_chunks == 2
    assert stats.disk_bytes == 0
    assert list(stats.refs) == ["branches/main"]
