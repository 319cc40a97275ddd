"""The cache that counts, beside the one that does not."""

from __future__ import annotations

from itertools import islice

from prolly.chunks import Costs
from prolly.testing.tree_model import TreeModel
from prolly.tree import CountingCache, NodeReader, diff, get, iter_batches

RECORDS = {b"%06d" % number: bytes(100) for number in range(3000)}


def counted(model: TreeModel) -> tuple[NodeReader, Costs]:
    """Return a reader over the model's writer, and what its cache counts."""
    costs = Costs()
    return NodeReader(model.writer.get, CountingCache(costs)), costs


def test_a_look_up_decodes_inner_nodes_once_and_no_leaf() -> None:
    """The first look-up misses each node of a path, the second hits each."""
    model = TreeModel()
    root = model.rebuild(RECORDS)
    reader, costs = counted(model)
    assert get(reader, root, b"001500") is not None
    path = costs.cache_misses
    assert costs == Costs(cache_misses=path, nodes_decoded=path - 1)
    assert get(reader, root, b"001500") is not None
    assert costs == Costs(cache_misses=path, cache_hits=path, nodes_decoded=path - 1)


def test_a_scan_decodes_every_node_once() -> None:
    """Also the leaves, which do not enter the cache."""
    model = TreeModel()
    root = model.rebuild(RECORDS)
    written = model.writes
    reader, costs = counted(model)
    assert sum(len(keys) for keys, _ in iter_batches(reader, root)) == len(RECORDS)
    assert costs == Costs(nodes_decoded=written, cache_misses=written)


def test_a_scan_that_stops_early_reads_at_most_thrice_what_it_took() -> None:
    """Also past the end of a node's children, where it goes on as it was."""
    model = TreeModel()
    root = model.rebuild({b"%06d" % number: bytes(100) for number in range(20_000)})
    above = model.reader.read_inner(root, 2)
    assert len(above) > 1
    # The last leaf of the first node, and one some way before it.
    for start in (b"000300", b"007000", above.key(0)):
        for taken in (1, 2, 5, 30, 90):
            reader, costs = counted(model)
            batches = list(islice(iter_batches(reader, root, start=start), taken))
            assert len(batches) == taken
            # Besides, the root and the nodes of level 1 that were passed.
            assert taken < costs.cache_misses <= 3 * taken + 1 + len(above)


def test_a_diff_takes_apart_no_more_than_its_paths() -> None:
    """One insertion costs the nodes of two paths at most, whatever the records."""
    model = TreeModel()
    old = model.rebuild(RECORDS)
    new = model.rebuild({**RECORDS, b"0015000": b"new"})
    reader, costs = counted(model)
    assert list(diff(reader, old, new)) == [(b"0015000", None, b"new")]
    path = reader.hold(old).level + 1
    # A cut that moved is one node more on each side and level.
    assert costs.cache_misses <= 4 * path
    assert costs.nodes_decoded <= 4 * path
