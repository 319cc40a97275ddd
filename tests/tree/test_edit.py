"""The incremental edit against a rebuild: history independence (P1)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.testing.tree_model import (
    KEY_SHAPES,
    VALUE_SIZES,
    TreeModel,
    apply_to_model,
    make_edits,
    make_records,
)
from prolly.tree import builder, cut_watch, edit, run
from prolly.tree import priorities_of as true_priorities_of

COUNTS = (0, 1, 30, 700, 3000)


def check_history(seed: int, keys: str, values: str, steps: int = 6) -> None:
    """Edit a tree step by step; after each the root must be a rebuild's."""
    source = random.Random(seed)
    model = TreeModel()
    records = make_records(source, keys, values, source.choice(COUNTS))
    root = model.rebuild(records)
    for step in range(steps):
        edits = make_edits(source, records, keys, values)
        records = apply_to_model(records, edits)
        root = model.apply(root, edits)
        assert root == model.rebuild(records), (seed, keys, values, step)
    assert model.records(root) == records


@pytest.mark.parametrize("keys", KEY_SHAPES)
@pytest.mark.parametrize("values", VALUE_SIZES)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_edits_give_the_root_of_a_rebuild(keys: str, values: str, seed: int) -> None:
    """After every edit of every kind, on every shape, the root is a rebuild's."""
    check_history(seed, keys, values)


@pytest.mark.parametrize("distinct", [1, 2, 16])
@pytest.mark.parametrize("seed", range(8))
def test_tied_priorities_are_settled_alike(
    distinct: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With only a few distinct priorities, edits still give a rebuild's root."""

    def tied(keys: list[bytes], level: int) -> list[int]:
        return [p % distinct for p in true_priorities_of(keys, level)]

    for module in (builder, cut_watch, edit, run):
        monkeypatch.setattr(module, "priorities_of", tied)
    check_history(seed, "sequential", "small")


@pytest.mark.long
@pytest.mark.parametrize("keys", KEY_SHAPES)
@pytest.mark.parametrize("values", VALUE_SIZES)
def test_long_histories(keys: str, values: str) -> None:
    """A hundred histories of twenty edits for each pair of shapes."""
    for seed in range(100):
        check_history(seed, keys, values, steps=20)


def test_an_edit_that_changes_nothing_keeps_the_root() -> None:
    """Writing what stands there and deleting what is absent is no change."""
    model = TreeModel()
    records = make_records(random.Random(1), "sequential", "small", 2000)
    root = model.rebuild(records)
    some = dict(list(records.items())[:50])
    assert model.apply(root, {**some, b"absent": None}) == root


@pytest.mark.parametrize("kept", [1, 2, 60])
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_few_records_can_be_left_of_many(kept: int, place: str) -> None:
    """Deleting all but a few in one place leaves the tree of these, however tall."""
    model = TreeModel()
    keys = [b"key:%09d" % number for number in range(20_000)]
    records = dict.fromkeys(keys, bytes(90))
    start = {"first": 0, "middle": 10_000, "last": 20_000 - kept}[place]
    left = keys[start : start + kept]
    edits: dict[bytes, bytes | None] = dict.fromkeys(records.keys() - set(left))
    root = model.apply(model.rebuild(records), edits)
    assert root == model.rebuild(dict.fromkeys(left, bytes(90)))


def test_all_can_be_deleted_and_come_back() -> None:
    """Deleting all gives the empty tree, and putting all back the old root."""
    model = TreeModel()
    records = make_records(random.Random(2), "random", "small", 3000)
    root = model.rebuild(records)
    empty = model.apply(root, dict.fromkeys(records))
    assert empty == model.rebuild({})
    assert model.apply(empty, dict(records)) == root
