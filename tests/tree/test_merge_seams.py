"""Which leaves stand, which are cut anew, and the seams where it is close."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from prolly.codec import DEFAULT_PARAMETERS, TreeParameters
from prolly.testing.three_trees import (
    SMALL_WEIGHTS,
    SmallParameters,
    ThreeTrees,
    merge_records,
)
from prolly.testing.tree_model import Records
from prolly.tree import TreeMerge, Versions


def leaves_of(model: ThreeTrees, records: Records) -> list[list[bytes]]:
    """Return the keys of every leaf of the tree of the records."""
    return model.leaves(model.rebuild(records))


def merge_of(
    model: ThreeTrees, base: Records, ours: Records, theirs: Records
) -> TreeMerge:
    """Merge three versions; the root must be a rebuild's, both ways round."""
    versions = Versions(*(model.rebuild(one) for one in (base, ours, theirs)))
    root = model.rebuild(merge_records((base, ours, theirs))[0])
    swapped = Versions(versions.base, versions.theirs, versions.ours)
    assert model.merge(swapped)[0].root == root
    merged, _ = model.merge(versions)
    assert merged.root == root
    return merged


def even_records(count: int) -> Records:
    """Records of one weight."""
    return {b"%05d" % number: bytes(20) for number in range(count)}


def replaced(records: Records, keys: list[bytes], value: bytes) -> Records:
    """The records with one value under all these keys."""
    return {**records, **dict.fromkeys(keys, value)}


@pytest.fixture
def model() -> ThreeTrees:
    return ThreeTrees(DEFAULT_PARAMETERS)


def test_even_patches_side_by_side_stand(model: ThreeTrees) -> None:
    """Updates of equal weight in leaves that alternate are taken without a read."""
    base = even_records(5000)
    leaves = leaves_of(model, base)
    ours = replaced(base, [keys[5] for keys in leaves[::2]], b"o" * 20)
    theirs = replaced(base, [keys[5] for keys in leaves[1::2]], b"t" * 20)
    merged = merge_of(model, base, ours, theirs)
    assert merged.from_ours + merged.from_theirs == len(leaves)
    assert (merged.patches_merged, merged.leaves_cut) == (0, 0)


def test_an_even_merge_of_one_leaf_disturbs_no_other(model: ThreeTrees) -> None:
    """Leaves that both sides updated are merged alone; all the others stand."""
    base = even_records(5000)
    leaves = leaves_of(model, base)
    ours = replaced(base, [keys[5] for keys in leaves], b"o" * 20)
    theirs = replaced(base, [keys[6] for keys in leaves[3:5]], b"t" * 20)
    merged = merge_of(model, base, ours, theirs)
    assert (merged.patches_merged, merged.leaves_cut) == (2, 2)


def test_uneven_patches_far_apart_stand(model: ThreeTrees) -> None:
    """Insertions of both sides with many leaves between are taken without a read."""
    base = even_records(5000)
    leaves = leaves_of(model, base)
    merged = merge_of(
        model,
        base,
        {**base, leaves[2][5] + b"+": bytes(20)},
        {**base, leaves[20][5] + b"+": bytes(20)},
    )
    assert (merged.patches_merged, merged.leaves_cut) == (0, 0)


def test_uneven_patches_near_each_other_are_gone_through(model: ThreeTrees) -> None:
    """Insertions of both sides in leaves side by side cost a few leaves, no more."""
    base = even_records(5000)
    for left, right in pairwise(leaves_of(model, base)[2:30]):
        ours = {**base, left[5] + b"+": bytes(20)}
        theirs = {**base, right[5] + b"+": bytes(20)}
        assert merge_of(model, base, ours, theirs).leaves_cut <= 8


@pytest.mark.parametrize("weights", SMALL_WEIGHTS)
def test_a_tail_that_went_lets_the_leaf_before_it_grow(
    weights: tuple[int, int],
) -> None:
    """One side deletes the last leaf, the other shrinks the one before: both count."""
    for seed in range(60):
        source = random.Random(seed)
        model = ThreeTrees(SmallParameters(*weights))
        base = {
            b"%05d" % number: bytes(source.randint(0, 30))
            for number in range(source.randint(20, 90))
        }
        leaves = leaves_of(model, base)
        for last in range(1, min(4, len(leaves) - 1)):
            gone = {key for keys in leaves[-last:] for key in keys}
            ours = replaced(base, leaves[-last - 1][:-1], b"")
            theirs = {key: base[key] for key in base if key not in gone}
            merge_of(model, base, ours, theirs)


@pytest.mark.parametrize("parameters", [DEFAULT_PARAMETERS, TreeParameters(4064, 6096)])
def test_a_long_run_is_cut_in_bounded_memory(parameters: TreeParameters) -> None:
    """Records of both sides all mixed up, over many leaves, are cut like a rebuild."""
    model = ThreeTrees(parameters)
    base = {b"%06d" % number: bytes(90) for number in range(0, 30000, 3)}
    ours = {**base, **{b"%06d" % number: bytes(80) for number in range(1, 30000, 3)}}
    theirs = {**base, **{b"%06d" % number: bytes(70) for number in range(2, 30000, 3)}}
    merged = merge_of(model, base, ours, theirs)
    assert merged.from_ours == merged.from_theirs == 0
