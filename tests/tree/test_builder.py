"""Building: one shape for one set of records, whatever the batches."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import DEFAULT_PARAMETERS, TreeParameters
from prolly.codec.node import Inner
from prolly.testing.tree_model import TreeModel, make_records
from prolly.tree import NodeReader, build, operations

# The shape of the format, in one number: it may change with a new format version only.
GOLDEN_ROOT = "ce4538490fec3c2e7e420e86d38f0f9d92a04d9ffd4f5cac80819d837bf79864"


def golden_records() -> dict[bytes, bytes]:
    """12,000 records that any language can make again."""
    return {
        b"\x02row:%06d\x00" % number: b"\x58\x28" + b"%040d" % (number * number)
        for number in range(12_000)
    }


def test_golden_root() -> None:
    """The root of 12,000 fixed records guards the shape of trees."""
    assert TreeModel().rebuild(golden_records()).hex() == GOLDEN_ROOT


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 3000), max_size=6))
def test_batches_do_not_matter(seed: int, cuts: list[int]) -> None:
    """Any division of the records into batches gives the same root."""
    model = TreeModel()
    records = make_records(random.Random(seed), "random", "small", 3000)
    keys = sorted(records)
    bounds = sorted({0, len(keys), *(min(cut, len(keys)) for cut in cuts)})
    batches = [
        (keys[low:high], [records[key] for key in keys[low:high]])
        for low, high in itertools.pairwise(bounds)
    ]
    assert build(model.writer, batches, DEFAULT_PARAMETERS) == model.rebuild(records)


def test_empty_and_single_trees_are_one_leaf() -> None:
    """No record and one record make a leaf as root."""
    model = TreeModel()
    for records in ({}, {b"k": b"v"}):
        node = model.reader.read(model.rebuild(records))
        assert node.level == 0
        assert len(node) == len(records)


def test_a_seed_moves_the_cuts() -> None:
    """Another seed gives another tree of the same records."""
    writer = MemoryStore().writer()
    records = golden_records()
    batch = list(records), list(records.values())
    other = build(writer, [batch], TreeParameters(seed=7))
    assert other != build(writer, [batch], DEFAULT_PARAMETERS)


@pytest.mark.parametrize("shape", ["random", "long", "hostile"])
def test_nodes_say_the_truth_of_their_children(shape: str) -> None:
    """Counts, weights, last keys and levels in parents are those of the children."""
    model = TreeModel()
    root = model.rebuild(make_records(random.Random(3), shape, "small", 3000))
    check_below(model.reader, root)


def check_below(reader: NodeReader, address: bytes) -> None:
    """Check an inner node against its children, and those against theirs."""
    node = reader.read(address)
    if not isinstance(node, Inner):
        return
    limits = DEFAULT_PARAMETERS
    for index in range(len(node)):
        entry, child = node.child(index), reader.read(node.address(index))
        assert child.level == node.level - 1
        assert (entry.records, entry.weight) == (
            child.count(),
            operations.node_weight(child),
        )
        assert node.key(index) == child.key(len(child) - 1)
        if index < len(node) - 1:
            assert limits.weight_min <= entry.weight <= limits.weight_max
        check_below(reader, node.address(index))
