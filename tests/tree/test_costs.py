"""Cost follows the change (P2): nodes read and written, counted, never timed."""

from __future__ import annotations

import random

import pytest

from prolly.codec import DEFAULT_PARAMETERS
from prolly.codec.node import Inner
from prolly.testing.tree_model import TreeModel
from prolly.tree import NodeReader, apply, diff, get, nth, rank

SIZES = (10_000, 100_000)


class Grown:
    """A tree of ``count`` records, its depth, and what edits of it cost."""

    def __init__(self, count: int) -> None:
        self.model = TreeModel()
        value = bytes(90)
        self.records = {b"key:%09d" % (7 * n): value for n in range(count)}
        self.keys = list(self.records)
        self.root = self.model.rebuild(self.records)
        self.depth = self.model.reader.read(self.root).level + 1

    def edit(self, edits: dict[bytes, bytes | None]) -> tuple[bytes, int, int]:
        """Apply edits; return the new root, nodes read and nodes written."""
        model = self.model
        reader = model.fresh_reader()
        keys = sorted(edits)
        values = [edits[key] for key in keys]
        new = apply(reader, model.writer, self.root, (keys, values), DEFAULT_PARAMETERS)
        return new, model.reads, model.writes


@pytest.fixture(scope="module", params=SIZES)
def grown(request: pytest.FixtureRequest) -> Grown:
    return Grown(request.param)


def new_nodes(reader: NodeReader, old: bytes, new: bytes) -> int:
    """Count the nodes of the new tree that the old one does not have."""
    known: set[bytes] = set()
    stack = [old]
    while stack:
        address = stack.pop()
        known.add(address)
        node = reader.read(address)
        if isinstance(node, Inner):
            stack += node.child_addresses()
    fresh, stack = 0, [new]
    while stack:
        address = stack.pop()
        if address not in known:
            fresh += 1
            node = reader.read(address)
            if isinstance(node, Inner):
                stack += node.child_addresses()
    return fresh


def test_reading_one_record_reads_one_path(grown: Grown) -> None:
    """get, nth and rank each read as many nodes as the tree is deep."""
    key = grown.keys[len(grown.keys) // 3]
    for read in (
        lambda reader: get(reader, grown.root, key),
        lambda reader: nth(reader, grown.root, len(grown.keys) // 2),
        lambda reader: rank(reader, grown.root, key),
    ):
        assert read(grown.model.fresh_reader()) is not None
        assert grown.model.reads == grown.depth


def test_a_same_weight_update_rewrites_one_path(grown: Grown) -> None:
    """It reads the path and writes the path; the diff reads both paths, no more."""
    new, read, written = grown.edit({grown.keys[4321]: b"x" * 90})
    assert (read, written) == (grown.depth, grown.depth)
    reader = grown.model.fresh_reader()
    assert len(list(diff(reader, grown.root, new))) == 1
    assert grown.model.reads <= 2 * grown.depth


@pytest.mark.parametrize("kind", ["update", "grow", "insert", "delete"])
def test_scattered_edits_cost_their_paths(grown: Grown, kind: str) -> None:
    """A hundred edits read a few leaves each and write only nodes that stay."""
    chosen = random.Random(1).sample(grown.keys, 100)
    edits: dict[bytes, bytes | None] = {
        "update": dict.fromkeys(chosen, b"y" * 90),
        "grow": dict.fromkeys(chosen, b"y" * 400),
        "insert": {key + b"+": b"y" * 90 for key in chosen},
        "delete": dict.fromkeys(chosen),
    }[kind]
    new, read, written = grown.edit(edits)
    assert read <= 100 * (grown.depth + 3)
    assert written <= 100 * (grown.depth + 1)
    needed = new_nodes(grown.model.reader, grown.root, new)
    assert needed <= written <= needed + 5
    reader = grown.model.fresh_reader()
    assert len(list(diff(reader, grown.root, new))) == 100
    assert grown.model.reads <= 100 * 2 * (grown.depth + 1)


def test_appending_touches_the_right_edge(grown: Grown) -> None:
    """A thousand records behind the last one cost their own nodes and one path."""
    end = 7 * len(grown.keys)
    edits = {b"key:%09d" % (end + n): b"z" * 90 for n in range(1000)}
    _, read, written = grown.edit(edits)
    own = 1000 * (13 + 90 + 8) // DEFAULT_PARAMETERS.weight_min + 2
    assert read <= 3 * grown.depth
    assert written <= own + 2 * grown.depth


def test_equal_trees_are_compared_without_a_read(grown: Grown) -> None:
    """Two equal roots are compared without reading either."""
    reader = grown.model.fresh_reader()
    assert list(diff(reader, grown.root, grown.root)) == []
    assert grown.model.reads == 0
