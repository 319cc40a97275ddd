"""What an edit of many leaves leaves behind in the cache of a repository."""

from __future__ import annotations

from pathlib import Path

import prolly
from prolly.codec.stored_leaf import StoredLeaf
from prolly.testing.tree_model import TreeModel
from prolly.tree import NodeCache
from prolly.tree.passing_cache import PASSING_LEAVES, PassingCache


def nodes_in(cache: NodeCache) -> list[type]:
    return [type(node) for node in cache._nodes.values()]


def test_leaves_go_and_inner_nodes_stay() -> None:
    """A passing cache gives inner nodes to the one behind, and leaves not even late."""
    model = TreeModel()
    root = model.rebuild({b"key:%05d" % number: bytes(90) for number in range(20_000)})
    behind = NodeCache()
    passing = PassingCache(behind)
    stack = [root]
    while stack:
        address = stack.pop()
        held = passing.take(address, model.writer.get(address) or b"")
        assert passing.get(address) is held
        if not isinstance(held, StoredLeaf):
            stack += held.child_addresses()
    assert nodes_in(behind) and StoredLeaf not in nodes_in(behind)
    kept = [*passing._young.values(), *passing._old.values()]
    assert set(map(type, kept)) == {StoredLeaf}
    assert PASSING_LEAVES <= len(kept) < 2 * PASSING_LEAVES


def test_what_others_keep_is_read_from_there() -> None:
    """A leaf that the cache behind has is found, and it is the same object."""
    model = TreeModel()
    root = model.rebuild({b"a": b"1"})
    behind = NodeCache()
    held = behind.take(root, model.writer.get(root) or b"")
    assert PassingCache(behind).get(root) is held


def test_a_batch_of_a_map_keeps_few_leaves(tmp_path: Path) -> None:
    """Updating a map all over keeps its inner nodes at hand, not its old leaves."""
    records = {f"key:{number:06d}": bytes(100) for number in range(30_000)}
    with prolly.init(tmp_path) as repo:
        with repo.transaction("main", message="load") as tx:
            tx.map("m").update(records)
        with repo.transaction("main", message="edit") as tx:
            tx.map("m").update(dict.fromkeys(list(records)[::60], bytes(range(100))))
        kinds = nodes_in(repo._storage.reader.cache)
        assert kinds.count(StoredLeaf) < 20
        assert len(kinds) > kinds.count(StoredLeaf)
