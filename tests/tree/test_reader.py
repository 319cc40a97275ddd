"""The node cache: bounded in bytes, and never in the way of correctness."""

from __future__ import annotations

import random

from prolly.testing.tree_model import TreeModel, make_records
from prolly.tree import NodeCache, NodeReader, iter_batches


def test_the_cache_keeps_what_is_used_and_drops_the_rest() -> None:
    """A small cache holds hot nodes and re-reads cold ones; a large one reads once."""
    model = TreeModel()
    root = model.rebuild(make_records(random.Random(4), "sequential", "equal", 4000))
    reads = []

    def counted(address: bytes) -> bytes | None:
        reads.append(address)
        return model.writer.get(address)

    for bytes_max, rereads in ((10**9, False), (20_000, True)):
        reader = NodeReader(counted, NodeCache(bytes_max))
        first = list(iter_batches(reader, root))
        nodes = len(reads)
        assert list(iter_batches(reader, root)) == first
        assert (len(reads) > nodes) is rereads
        reads.clear()


def test_a_hit_in_the_old_half_survives_the_next_turn() -> None:
    """A node asked for between two turns of the generations stays cached."""
    model = TreeModel()
    leaves = [
        model.reader.read(model.rebuild({b"%d" % number: bytes(900)}))
        for number in range(60)
    ]
    cache = NodeCache(20_000)
    cache.add(b"hot", leaves[0])
    for number, leaf in enumerate(leaves):
        cache.add(b"%d" % number, leaf)
        assert cache.get(b"hot") is leaves[0]
    assert cache.get(b"0") is None
