"""Nodes of level 1 that only updates tell apart merge whole, and like a rebuild."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.codec import DEFAULT_PARAMETERS
from prolly.testing.three_trees import (
    SMALL_WEIGHTS,
    SmallParameters,
    ThreeRecords,
    ThreeTrees,
    merge_records,
)
from prolly.testing.tree_model import Records
from prolly.tree import TreeMerge, Versions

SIZE = 10


def updated(source: random.Random, base: Records, count: int) -> Records:
    """The records with so many new values of the old length."""
    chosen = source.sample(sorted(base), min(count, len(base)))
    return {**base, **{key: source.randbytes(SIZE) for key in chosen}}


def reshaped(source: random.Random, side: Records, near: int, count: int) -> Records:
    """The records with so many edits that are no such updates, near one record."""
    side = dict(side)
    for _ in range(count):
        number = 2 * max(0, near + source.randint(-12, 12))
        key, other = b"%05d" % number, b"%05d" % (number + 1)
        kind = source.choice(("grow", "shrink", "insert", "delete", "replace"))
        if kind in ("delete", "replace"):
            side.pop(key, None)
        if kind in ("insert", "replace"):
            side[other] = source.randbytes(SIZE)
        if kind in ("grow", "shrink"):
            side[key] = source.randbytes(30 if kind == "grow" else 1)
    return side


def versions_of(source: random.Random) -> ThreeRecords:
    """Base, and two sides that updated it, and changed it otherwise in a few places."""
    count = source.choice((40, 400, 1500))
    base = {b"%05d" % (2 * number): bytes(SIZE) for number in range(count)}
    places = [source.randrange(count) for _ in range(source.choice((0, 1, 1, 4)))]
    sides = []
    for _ in range(2):
        side = updated(source, base, source.choice((1, 5, 30, 300)))
        for place in places:
            side = reshaped(source, side, place, source.choice((0, 1, 1, 4)))
        sides.append(side)
    return base, sides[0], sides[1]


def check(model: ThreeTrees, records: ThreeRecords, *, equal_too: bool) -> TreeMerge:
    """Merge both ways round; the root must be a rebuild's, and settled what clashes."""
    base, ours, theirs = (model.rebuild(one) for one in records)
    merged, both = merge_records(records, equal_too=equal_too)
    root = model.rebuild(merged)
    swapped = Versions(base, theirs, ours)
    assert model.merge(swapped, equal_too=equal_too)[0].root == root
    found, settled = model.merge(Versions(base, ours, theirs), equal_too=equal_too)
    assert found.root == root
    if base not in (ours, theirs):
        assert settled == both
    return found


@pytest.mark.parametrize("weights", SMALL_WEIGHTS)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), equal_too=st.booleans())
def test_updates_and_a_few_other_edits_merge_like_a_rebuild(
    weights: tuple[int, int], seed: int, equal_too: bool
) -> None:
    """Whatever lies beside nodes that stand as wholes, the root is a rebuild's."""
    source = random.Random(seed)
    model = ThreeTrees(SmallParameters(*weights, seed % 2))
    check(model, versions_of(source), equal_too=equal_too)


def test_updates_in_other_places_need_no_leaf() -> None:
    """Where no leaf was updated by both sides, none is read, and none is written."""
    model = ThreeTrees(DEFAULT_PARAMETERS)
    base = {b"%05d" % number: bytes(SIZE) for number in range(20_000)}
    keys = sorted(base)
    ours = {**base, **dict.fromkeys(keys[:8000:500], b"o" * SIZE)}
    theirs = {**base, **dict.fromkeys(keys[9000::500], b"t" * SIZE)}
    found = check(model, (base, ours, theirs), equal_too=False)
    assert (found.patches_merged, found.leaves_cut) == (0, 0)
    assert found.from_ours == 16
    assert found.from_theirs == 22


def test_a_leaf_that_both_updated_is_written_over() -> None:
    """Records of one leaf, updated by either side, are merged into one new leaf."""
    model = ThreeTrees(DEFAULT_PARAMETERS)
    base = {b"%05d" % number: bytes(SIZE) for number in range(2000)}
    ours, theirs = {**base, b"00700": b"o" * SIZE}, {**base, b"00702": b"t" * SIZE}
    found = check(model, (base, ours, theirs), equal_too=False)
    assert (found.patches_merged, found.leaves_cut, found.both) == (1, 1, 0)


@pytest.mark.long
@pytest.mark.parametrize("weights", SMALL_WEIGHTS)
def test_many_merges_of_updates(weights: tuple[int, int]) -> None:
    """Three thousand merges of this kind for each pair of bounds."""
    for seed in range(3000):
        source = random.Random(seed)
        model = ThreeTrees(SmallParameters(*weights, seed % 2))
        check(model, versions_of(source), equal_too=seed % 3 == 0)
