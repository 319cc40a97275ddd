"""The merge of three trees against a rebuild from three dictionaries (P1, P2)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.codec import DEFAULT_PARAMETERS, Referring, TreeParameters
from prolly.testing.three_trees import (
    SMALL_WEIGHTS,
    SmallParameters,
    ThreeRecords,
    ThreeTrees,
    merge_records,
    small_versions,
)
from prolly.testing.tree_model import (
    KEY_SHAPES,
    VALUE_SIZES,
    Records,
    apply_to_model,
    make_edits,
    make_records,
)
from prolly.tree import Versions, builder, edit, run
from prolly.tree import priorities_of as true_priorities_of


def check_merge(
    source: random.Random, parameters: TreeParameters, records: ThreeRecords
) -> None:
    """Merge three versions both ways round; the root must be a rebuild's."""
    model = ThreeTrees(parameters)
    roots = [
        model.rebuild(one) if one or source.random() < 0.5 else None for one in records
    ]
    versions = Versions(*roots)
    equal_too = source.random() < 0.3
    merged, both = merge_records(records, equal_too=equal_too)
    found, settled = model.merge(versions, equal_too=equal_too)
    assert found.root == model.rebuild(merged)
    assert found.both == len(settled)
    if versions.base not in (versions.ours, versions.theirs):
        assert settled == both
    swapped = Versions(versions.base, versions.theirs, versions.ours)
    assert model.merge(swapped, equal_too=equal_too)[0].root == found.root


def three_versions(source: random.Random, keys: str, values: str) -> ThreeRecords:
    """Return a base of the named shapes and two lines of edits of it."""
    base = make_records(source, keys, values, source.choice((0, 1, 30, 700, 3000)))
    sides: list[Records] = []
    for _ in range(2):
        side = base
        for _ in range(source.choice((1, 1, 2, 4))):
            side = apply_to_model(side, make_edits(source, side, keys, values))
        if source.random() < 0.1:
            side = make_records(source, keys, values, 700)
        sides.append(side)
    return base, sides[0], sides[1]


@pytest.mark.parametrize("keys", KEY_SHAPES)
@pytest.mark.parametrize("values", VALUE_SIZES)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_merge_gives_the_root_of_a_rebuild(keys: str, values: str, seed: int) -> None:
    """Whatever both sides changed, on every shape, the root is a rebuild's."""
    source = random.Random(seed)
    parameters = source.choice((DEFAULT_PARAMETERS, TreeParameters(4064, 6096)))
    check_merge(source, parameters, three_versions(source, keys, values))


@pytest.mark.parametrize("weights", SMALL_WEIGHTS)
@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_tall_trees_merge_alike(weights: tuple[int, int], seed: int) -> None:
    """Trees of many levels, in which every seam is near another, merge exactly."""
    source = random.Random(seed)
    parameters = SmallParameters(*weights, source.choice((0, 5)))
    check_merge(source, parameters, small_versions(source))


@pytest.mark.parametrize("distinct", [1, 2, 16])
@pytest.mark.parametrize("seed", range(30))
def test_tied_priorities_are_settled_alike(
    distinct: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With only a few distinct priorities, merges still give a rebuild's root."""

    def tied(keys: list[bytes], level: int) -> list[int]:
        return [p % distinct for p in true_priorities_of(keys, level)]

    for module in (builder, edit, run):
        monkeypatch.setattr(module, "priorities_of", tied)
    source = random.Random(seed)
    check_merge(source, SmallParameters(130, 390), small_versions(source))


@pytest.mark.long
@pytest.mark.parametrize("weights", SMALL_WEIGHTS)
def test_many_merges(weights: tuple[int, int]) -> None:
    """Five thousand merges of small trees for each pair of bounds."""
    for seed in range(5000):
        source = random.Random(seed)
        parameters = SmallParameters(*weights, seed % 2)
        check_merge(source, parameters, small_versions(source))


def ten_records() -> tuple[ThreeTrees, Records]:
    """A model and ten records of it."""
    return ThreeTrees(DEFAULT_PARAMETERS), {b"%d" % n: b"base" for n in range(10)}


def test_no_tree_at_all_merges_to_the_empty_tree() -> None:
    """Without any tree the result is the tree of no records."""
    model, _ = ten_records()
    assert model.merge(Versions(None, None, None))[0].root == model.rebuild({})


def test_a_side_that_stood_still_gives_way_whole() -> None:
    """When one side is the base, the other is the result, and nothing is read."""
    model, base = ten_records()
    old, new = model.rebuild(base), model.rebuild({**base, b"5": b"new"})
    for versions in (Versions(old, old, new), Versions(old, new, old)):
        assert model.merge(versions)[0].root == new
        assert model.counts.gets == 0


def test_equal_changes_are_settled_only_when_asked() -> None:
    """Both sides writing one value is no clash, unless ``equal_too`` asks for it."""
    model, base = ten_records()
    old, new = model.rebuild(base), model.rebuild({**base, b"5": b"equal"})
    versions = Versions(old, new, new)
    merged, settled = model.merge(versions)
    assert (merged.root, settled) == (new, [])
    _, settled = model.merge(versions, equal_too=True)
    assert settled == [(b"5", b"base", b"equal", b"equal")]


def test_a_reference_is_another_value_than_its_bytes() -> None:
    """The mark of a value that refers is a change, and is kept by the merge."""
    model, base = ten_records()
    plain = b"\x01" + bytes(32) + b"\x03"
    base |= {b"5": plain}
    ours, theirs = {**base, b"7": b"ours"}, {**base, b"5": Referring(plain)}
    versions = Versions(*(model.rebuild(one) for one in (base, ours, theirs)))
    merged, settled = model.merge(versions)
    assert settled == []
    assert merged.root == model.rebuild({**ours, b"5": Referring(plain)})
