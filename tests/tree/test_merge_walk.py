"""The patches between three trees: all that differs, and no leaf read to find it."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.testing.three_trees import (
    SMALL_WEIGHTS,
    SmallParameters,
    ThreeTrees,
    plain_patches,
    small_versions,
)
from prolly.tree import NodeReader, Versions
from prolly.tree.merge_patches import MERGED, OURS, THEIRS, Patch


def is_inside(patch: Patch, key: bytes) -> bool:
    """Tell whether a key lies in the stretch of a patch."""
    return (patch.after is None or patch.after < key) and key <= patch.upto


@pytest.mark.parametrize("weights", SMALL_WEIGHTS)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_patches_hold_all_that_differs(weights: tuple[int, int], seed: int) -> None:
    """Patches are in order, do not overlap, and hold each key in which sides differ."""
    trees = ThreeTrees(SmallParameters(*weights))
    versions = small_versions(random.Random(seed))
    roots = Versions(*(trees.rebuild(one) for one in versions))
    patches = plain_patches(NodeReader(trees.writer.get), roots, weights[1])
    for left, right in pairwise(patches):
        assert right.after is not None and left.upto <= right.after
    base, ours, theirs = versions
    for key in ours.keys() | theirs.keys():
        mine, other, old = ours.get(key), theirs.get(key), base.get(key)
        if mine == other:
            continue
        (patch,) = [one for one in patches if is_inside(one, key)]
        if old not in (mine, other):
            assert patch.side == MERGED
        assert patch.side != (OURS if other != old else THEIRS)


def test_patches_are_found_without_a_leaf() -> None:
    """The walk reads the nodes above the leaves that differ, and nothing else."""
    trees = ThreeTrees(SmallParameters(200, 607))
    base = {b"%05d" % number: bytes(20) for number in range(2000)}
    roots = Versions(
        trees.rebuild(base),
        trees.rebuild({**base, b"00300": b"o" * 20}),
        trees.rebuild({**base, b"01700": b"t" * 20}),
    )
    reader = NodeReader(trees.writer.get)
    height = reader.read(roots[0]).level
    trees.counts.reset()
    patches = plain_patches(NodeReader(trees.writer.get), roots, 607)
    assert [patch.side for patch in patches] == [OURS, THEIRS]
    assert trees.counts.gets <= 6 * height
    assert all(patch.is_even and patch.is_leaf for patch in patches)


def test_the_gap_between_patches_is_never_told_too_large() -> None:
    """The gap is at most the weight of the records between two patches."""
    trees = ThreeTrees(SmallParameters(130, 390))
    base = {b"%05d" % number: bytes(20) for number in range(2000)}
    chosen = random.Random(3).sample(sorted(base), 60)
    ours = {**base, **dict.fromkeys(chosen, b"o" * 20)}
    roots = Versions(*(trees.rebuild(one) for one in (base, ours, base)))
    patches = plain_patches(NodeReader(trees.writer.get), roots, 390)
    for left, right in pairwise(patches):
        assert right.after is not None
        between = [key for key in base if left.upto < key <= right.after]
        assert right.gap <= len(between) * (5 + 20 + 8)
