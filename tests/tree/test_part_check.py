"""Single nodes are told right from wrong, as far as their neighbours are there."""

from __future__ import annotations

import random

import pytest

from prolly.codec import DEFAULT_PARAMETERS
from prolly.codec.node import Inner, Node, decode_node, encode_leaf
from prolly.testing.tree_model import KEY_SHAPES, TreeModel, make_records
from prolly.tree import NodeEntry, cut_misfit, entries_below, misfit


def levels(model: TreeModel, root: bytes) -> list[list[tuple[Node, NodeEntry | None]]]:
    """Return the nodes of each level with their parents' entries, in order."""
    found: list[list[tuple[Node, NodeEntry | None]]] = [
        [(model.reader.read(root), None)]
    ]
    while isinstance(found[-1][0][0], Inner):
        below = []
        for node, own in found[-1]:
            assert isinstance(node, Inner)
            for one in entries_below(node, own):
                below.append((model.reader.read(one.child.address), one))
        found.append(below)
    return found


@pytest.mark.parametrize("shape", KEY_SHAPES)
def test_right_trees_are_right_node_by_node(shape: str) -> None:
    """Nothing is wrong with any node, with few or many of those that follow it."""
    model = TreeModel()
    records = make_records(random.Random(shape), shape, "small", 2_000)
    for level in levels(model, model.rebuild(records)):
        nodes = [node for node, _ in level]
        for at, (node, own) in enumerate(level):
            assert misfit(node, own) == ""
            for count in (1, 2, 5):
                some = nodes[at : at + count]
                is_end = at + count >= len(nodes)
                wrong = cut_misfit(some, DEFAULT_PARAMETERS, is_end=is_end)
                assert wrong == "", (at, count)


def test_each_misfit_is_told() -> None:
    """Level, keys, records, weight; an empty node; a root with one child."""
    model = TreeModel()
    records = make_records(random.Random(1), "random", "small", 2_000)
    rows = levels(model, model.rebuild(records))
    (leaf, own), (other, _) = rows[-1][1:3]
    assert own is not None
    child = own.child
    assert "level" in misfit(leaf, own._replace(level=1))
    assert "keys" in misfit(other, own)
    assert "keys" in misfit(leaf, own._replace(before=leaf.keys()[0]))
    assert "keys" in misfit(decode_node(encode_leaf([], [])), own)
    more = own._replace(child=child._replace(records=child.records + 1))
    assert "number" in misfit(leaf, more)
    heavy = own._replace(child=child._replace(weight=child.weight + 1))
    assert "weight" in misfit(leaf, heavy)


def test_a_wrong_cut_is_told_where_it_can_be() -> None:
    """Half of a node is no node, unless what follows is not there to tell."""
    model = TreeModel()
    records = make_records(random.Random(1), "random", "small", 2_000)
    rows = levels(model, model.rebuild(records))
    leaves = [node for node, _ in rows[-1]]
    keys, values = list(leaves[1].keys()), list(leaves[1].values)
    half = decode_node(encode_leaf(keys[: len(keys) // 2], values[: len(keys) // 2]))
    rest = decode_node(encode_leaf(keys[len(keys) // 2 :], values[len(keys) // 2 :]))
    assert cut_misfit([half, rest, *leaves[2:5]], DEFAULT_PARAMETERS, is_end=False)
    assert cut_misfit([half, rest], DEFAULT_PARAMETERS, is_end=True)
    assert not cut_misfit([half], DEFAULT_PARAMETERS, is_end=False)
