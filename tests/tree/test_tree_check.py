"""The check of trees: silent on every right tree, loud on each kind of wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from prolly.codec import DEFAULT_PARAMETERS, TreeParameters
from prolly.codec.node import (
    Child,
    Inner,
    Leaf,
    Node,
    decode_node,
    encode_inner,
    encode_leaf,
)
from prolly.testing.tree_model import (
    KEY_SHAPES,
    TreeModel,
    make_edits,
    make_records,
)
from prolly.tree import TreeCheck


class Planted(TreeModel):
    """A tree whose nodes can be replaced by hostile ones."""

    def check(self, root: bytes) -> list[str]:
        """Return the codes of the faults of a tree."""
        check = TreeCheck(self.node)
        return [one.code for one in check.faults(root, DEFAULT_PARAMETERS)]

    def node(self, address: bytes) -> Node | None:
        """Return a node, or None when there is none."""
        chunk = self.writer.get(address)
        return None if chunk is None else decode_node(chunk)

    def with_first_child(
        self, root: bytes, change: Callable[[bytes, Child], tuple[bytes, Child]]
    ) -> bytes:
        """Write the root with another entry for its first child."""
        node = self.reader.read(root)
        assert isinstance(node, Inner)
        keys, children = list(node.keys()), list(node.children())
        keys[0], children[0] = change(keys[0], children[0])
        return self.writer.put(encode_inner(node.level, keys, children))


@pytest.fixture(scope="module")
def planted() -> Planted:
    """An empty place for trees."""
    return Planted()


@pytest.fixture(scope="module")
def root(planted: Planted) -> bytes:
    """A tree of two levels."""
    records = {b"key:%06d" % n: b"v" * 80 for n in range(3000)}
    made = planted.rebuild(records)
    assert planted.reader.read(made).level == 1
    return made


@pytest.mark.parametrize("shape", KEY_SHAPES)
def test_no_fault_in_trees_that_were_edited(shape: str) -> None:
    """Trees of every shape of keys have no fault, after edits of every kind."""
    source = random.Random(shape)
    model = Planted()
    records = make_records(source, shape, "small", 1500)
    root = model.rebuild(records)
    check = TreeCheck(model.node)
    for _ in range(6):
        assert list(check.faults(root, DEFAULT_PARAMETERS)) == []
        root = model.apply(root, make_edits(source, records, shape, "small"))
    assert list(check.faults(model.rebuild({}), DEFAULT_PARAMETERS)) == []


def test_wrong_count_weight_and_key(planted: Planted, root: bytes) -> None:
    """An entry that does not tell the truth of its child is found."""

    def wrong(**change: int) -> list[str]:
        return planted.check(
            planted.with_first_child(
                root, lambda key, child: (key, child._replace(**change))
            )
        )

    assert wrong(records=1) == ["node-count"]
    assert wrong(weight=5000) == ["node-weight"]
    other_key = planted.with_first_child(root, lambda key, child: (key[:-1], child))
    assert planted.check(other_key) == ["node-key"]


def test_child_of_another_level(planted: Planted, root: bytes) -> None:
    """A child that is not one level below is found."""
    up = planted.with_first_child(
        root, lambda k, child: (k, child._replace(address=root))
    )
    assert "node-level" in planted.check(up)


def leaves_of(planted: Planted, root: bytes) -> list[Leaf]:
    """Return the leaves of a tree of two levels."""
    node = planted.reader.read(root)
    assert isinstance(node, Inner)
    return [planted.reader.read_leaf(one) for one in node.child_addresses()]


def write_tree(
    planted: Planted, leaves: Sequence[tuple[Sequence[bytes], ...]]
) -> bytes:
    """Write leaves of (keys, values) and one inner node above them."""
    children = []
    for keys, values in leaves:
        weight = sum(map(len, keys)) + sum(map(len, values)) + 8 * len(keys)
        address = planted.writer.put(encode_leaf(keys, values))
        children.append(Child(address, len(keys), weight))
    return planted.writer.put(encode_inner(1, [k[-1] for k, _ in leaves], children))


@pytest.mark.parametrize("place", [0, 1, 10, -2])
def test_wrong_cut(planted: Planted, root: bytes, place: int) -> None:
    """A record moved over a border, all else being right, is found as a wrong cut."""
    leaves = [(leaf.keys(), leaf.values) for leaf in leaves_of(planted, root)]
    place %= len(leaves)
    (keys, values), (next_keys, next_values) = leaves[place : place + 2]
    moved = [
        (keys[:-1], values[:-1]),
        ([keys[-1], *next_keys], [values[-1], *next_values]),
    ]
    assert write_tree(planted, leaves) == root
    hostile = write_tree(planted, [*leaves[:place], *moved, *leaves[place + 2 :]])
    assert set(planted.check(hostile)) == {"node-cut"}


def test_keys_out_of_order_across_leaves(planted: Planted, root: bytes) -> None:
    """A leaf that begins before its left neighbour ends is found."""
    leaves = [(leaf.keys(), leaf.values) for leaf in leaves_of(planted, root)]
    keys = [b"key:000000", *leaves[3][0][1:]]
    leaves[3] = keys, leaves[3][1]
    assert "node-key" in planted.check(write_tree(planted, leaves))


def test_shape(planted: Planted) -> None:
    """A root above one child, and an empty leaf below a root, are found."""
    lone = write_tree(planted, [([b"a"], [b"1"])])
    assert planted.check(lone) == ["tree-shape"]
    empty = Child(planted.writer.put(encode_leaf([], [])), 0, 0)
    with_empty = planted.writer.put(encode_inner(1, [b"a", b"b"], [empty, empty]))
    assert "tree-shape" in planted.check(with_empty)


def test_other_parameters(planted: Planted, root: bytes) -> None:
    """A tree cut under other parameters is not right under these."""
    other = TreeParameters(seed=1)
    check = TreeCheck(planted.node)
    assert {one.code for one in check.faults(root, other)} == {"node-cut"}


def test_missing_nodes_are_passed_over(planted: Planted, root: bytes) -> None:
    """What depends on a missing node is not reported, all else is checked."""
    node = planted.reader.read(root)
    assert isinstance(node, Inner)
    gone = node.address(4)
    seen: list[bytes] = []

    def read(address: bytes) -> Node | None:
        seen.append(address)
        return None if address == gone else planted.node(address)

    assert list(TreeCheck(read).faults(root, DEFAULT_PARAMETERS)) == []
    assert set(node.child_addresses()) <= set(seen)


def test_a_version_costs_what_it_changed(planted: Planted, root: bytes) -> None:
    """Checked after its parent, a version with one other record reads few nodes."""
    reads = 0

    def read(address: bytes) -> Node | None:
        nonlocal reads
        reads += 1
        return planted.node(address)

    check = TreeCheck(read)
    assert list(check.faults(root, DEFAULT_PARAMETERS)) == []
    reads = 0
    after = planted.apply(root, {b"key:001500": b"w" * 80})
    assert list(check.faults(after, DEFAULT_PARAMETERS)) == []
    assert reads <= 12
