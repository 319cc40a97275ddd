"""The node cache: bounded in bytes, and never in the way of correctness."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from prolly.codec.stored_leaf import StoredLeaf
from prolly.errors import Corrupt
from prolly.testing.tree_model import Records, TreeModel, make_records
from prolly.tree import READ_AHEAD_LEAVES, NodeCache, NodeReader, get, iter_batches


def filled(count: int) -> tuple[TreeModel, Records, bytes]:
    """Return a tree of so many records at most."""
    model = TreeModel()
    records = make_records(random.Random(4), "sequential", "equal", count)
    return model, records, model.rebuild(records)


def test_the_cache_keeps_what_is_used_and_drops_the_rest() -> None:
    """A small cache reads cold nodes again; a large one reads each once."""
    model, records, root = filled(4000)
    reads = []

    def counted(address: bytes) -> bytes | None:
        reads.append(address)
        return model.writer.get(address)

    for bytes_max, rereads in ((10**9, False), (20_000, True)):
        reader = NodeReader(counted, NodeCache(bytes_max))
        for key in records:
            assert get(reader, root, key) == records[key]
        nodes = len(set(reads))
        for key in sorted(records):
            assert get(reader, root, key) == records[key]
        assert (len(reads) > nodes) is rereads
        reads.clear()


def test_the_least_recently_used_goes_first() -> None:
    """A node asked for again and again stays while others come and go."""
    cache = NodeCache(20_000)
    leaves = [StoredLeaf(bytes(900)) for _ in range(60)]
    cache.add(b"hot", leaves[0])
    for number, leaf in enumerate(leaves):
        cache.add(b"%d" % number, leaf)
        assert cache.get(b"hot") is leaves[0]
    assert cache.get(b"0") is None
    assert cache.get(b"59") is leaves[59]


def test_a_node_larger_than_the_cache_is_not_kept() -> None:
    """It is read all the same, and drives nothing out."""
    cache = NodeCache(5000)
    cache.add(b"small", StoredLeaf(bytes(100)))
    cache.add(b"large", StoredLeaf(bytes(6000)))
    assert cache.get(b"large") is None
    assert cache.get(b"small") is not None


def test_a_scan_reads_ahead_and_leaves_the_cache_alone() -> None:
    """Leaves come in growing batches; the first record costs the first leaf alone."""
    model, records, root = filled(4000)
    batches: list[int] = []

    def get_many(addresses: Sequence[bytes]) -> list[bytes | None]:
        batches.append(len(addresses))
        return [model.writer.get(address) for address in addresses]

    singles: list[bytes] = []

    def get_one(address: bytes) -> bytes | None:
        singles.append(address)
        return model.writer.get(address)

    cache = NodeCache()
    scan = iter_batches(NodeReader(get_one, cache, get_many), root)
    first, _ = next(scan)
    assert first[0] == min(records)
    depth = 1 + model.reader.read(root).level
    assert len(singles) == depth
    assert not batches
    assert sum(len(keys) for keys, _ in scan) + len(first) == len(records)
    assert max(batches) <= READ_AHEAD_LEAVES
    assert len(batches) < sum(batches) / 4
    assert cache.get(singles[-1]) is None


def test_a_scan_takes_cached_leaves_from_the_cache() -> None:
    """What was looked up before is not read again."""
    model, records, root = filled(400)
    reader = model.fresh_reader()
    for key in records:
        get(reader, root, key)
    before = model.reads
    assert sum(len(keys) for keys, _ in iter_batches(reader, root)) == len(records)
    assert model.reads == before


def test_a_missing_leaf_is_told() -> None:
    """A chunk that read-ahead does not find is Corrupt, with its address."""
    model, _, root = filled(4000)

    def get_many(addresses: Sequence[bytes]) -> list[bytes | None]:
        return [None for _ in addresses]

    reader = NodeReader(model.writer.get, NodeCache(), get_many)
    with pytest.raises(Corrupt) as caught:
        list(iter_batches(reader, root))
    assert caught.value.code == "chunk-missing"
