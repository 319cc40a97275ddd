"""The node cache: bounded in bytes, and never in the way of correctness."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec.node import Inner
from prolly.codec.stored_leaf import StoredLeaf
from prolly.errors import Corrupt
from prolly.testing.tree_model import Records, TreeModel, make_records
from prolly.tree import READ_AHEAD_LEAVES, NodeCache, NodeReader, get, iter_batches
from prolly.tree.reader import _memory_of


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


def test_what_nobody_asks_for_goes_first() -> None:
    """A node asked for again and again stays while others come and go."""
    cache = NodeCache(20_000)
    hot = StoredLeaf(bytes(900))
    leaves = [StoredLeaf(bytes(900)) for _ in range(60)]
    cache.add(b"hot", hot)
    for number, leaf in enumerate(leaves):
        cache.add(b"%d" % number, leaf)
        assert cache.get(b"hot") is hot
    assert cache.get(b"0") is None
    assert cache.get(b"59") is leaves[59]


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=200))
def test_the_cache_keeps_its_bound(steps: list[tuple[int, bool]]) -> None:
    """Whatever is added and asked for: the bytes are those of what is kept, in bounds.

    What was added last is there, and a node is found as the object that was added.
    """
    cache = NodeCache(20_000)
    leaves = [StoredLeaf(bytes(100 * number)) for number in range(31)]
    for number, adds in steps:
        name = b"%d" % number
        if adds:
            cache.add(name, leaves[number])
            assert cache.get(name) is leaves[number]
        else:
            assert cache.get(name) in (None, leaves[number])
        sizes = [_memory_of(one) for one in cache._nodes.values()]
        assert cache._bytes == sum(sizes) <= 20_000
        assert {one for one, _ in cache._round} == set(cache._nodes)
        assert len(cache._round) == len(cache._nodes)
    cache.clear()
    assert cache._bytes == 0 and not cache._nodes and not cache._round


def test_a_node_of_the_wrong_level_is_told() -> None:
    """A look-up ends with Corrupt where a child is not one level below its parent."""
    model, records, root = filled(4000)
    top = model.reader.hold(root)
    assert isinstance(top, Inner)
    chunks = {root: top.chunk, top.address(0): top.chunk}
    reader = NodeReader(chunks.get, NodeCache())
    with pytest.raises(Corrupt) as caught:
        get(reader, root, min(records))
    assert caught.value.code == "node-level"
    assert caught.value.facts["expected"] == top.level - 1


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
