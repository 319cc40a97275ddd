"""Overwriting of values against a rebuild, and where it leaves the work to others."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.testing.tree_model import KEY_SHAPES, Records, TreeModel, make_records
from prolly.tree.overwrite import LEAVES_TOGETHER, overwrite


def overwritten(model: TreeModel, root: bytes, edits: Records) -> bytes | None:
    """Return the root of a tree with values written over."""
    keys = sorted(edits)
    values = [edits[key] for key in keys]
    return overwrite(model.reader, model.writer, root, (keys, values), kept=3)


@pytest.mark.parametrize("keys", KEY_SHAPES)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.sampled_from([1, 30, 700, 3000]))
def test_values_written_over_give_the_root_of_a_rebuild(
    keys: str, seed: int, count: int
) -> None:
    """For any records, those that keep their lengths may be written over."""
    source = random.Random(seed)
    model = TreeModel()
    records = make_records(source, keys, "small", count)
    root = model.rebuild(records)
    chosen = source.sample(sorted(records), source.randint(1, len(records)))
    edits = {key: source.randbytes(len(records[key])) for key in chosen}
    assert overwritten(model, root, edits) == model.rebuild({**records, **edits})


def some_tree() -> tuple[TreeModel, Records, bytes]:
    """Return a tree of three levels whose leaves are many blocks of leaves."""
    model = TreeModel()
    records = {b"%06d" % number: bytes(100) for number in range(30_000)}
    return model, records, model.rebuild(records)


def test_what_moves_records_is_left_to_others() -> None:
    """An insertion, a deletion or another length anywhere is refused."""
    model, records, root = some_tree()
    edits = dict.fromkeys(list(records)[::100], b"x" * 100)
    assert overwritten(model, root, edits) is not None
    for key, value in [(b"029999", b""), (b"0299985", b"new"), (b"z", b"new")]:
        assert overwritten(model, root, {**edits, key: value}) is None
    keys = [b"000000"]
    deletion = overwrite(model.reader, model.writer, root, (keys, [None]), kept=3)
    assert deletion is None


def test_equal_values_change_nothing() -> None:
    """The root stays, and nothing is written."""
    model, records, root = some_tree()
    model.fresh_reader()
    assert overwritten(model, root, dict(list(records.items())[::50])) == root
    assert model.writes == 0


def test_each_node_touched_is_read_and_written_once() -> None:
    """One in each of many leaves, and the nodes above these."""
    model, records, root = some_tree()
    edits = dict.fromkeys(list(records)[::70], b"y" * 100)
    leaves = len(edits)
    model.reader = model.fresh_reader()
    assert overwritten(model, root, edits) is not None
    assert model.reads == model.writes
    assert LEAVES_TOGETHER < model.writes <= leaves + leaves // 10
