"""The records of a patch, merged: the same by columns and by runs."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.testing.three_trees import (
    SmallParameters,
    ThreeTrees,
    merge_records,
    plain_patches,
    settle_alike,
    small_versions,
)
from prolly.testing.tree_model import Records
from prolly.tree import Both, NodeReader, Versions
from prolly.tree.merge_patches import MERGED
from prolly.tree.merge_records import PatchMerge


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), equal_too=st.booleans())
def test_a_patch_merges_like_dictionaries(seed: int, equal_too: bool) -> None:
    """The records of every patch of both sides are those of merged dictionaries."""
    trees = ThreeTrees(SmallParameters(130, 390))
    versions = small_versions(random.Random(seed))
    roots = Versions(*(trees.rebuild(one) for one in versions))
    reader = NodeReader(trees.writer.get)
    settled: list[Both] = []

    def settle(batch: Sequence[Both]) -> Sequence[bytes | None]:
        settled.extend(batch)
        return [settle_alike(one) for one in batch]

    merge = PatchMerge(reader, settle, equal_too=equal_too)
    merged, both = merge_records(versions, equal_too=equal_too)
    for patch in plain_patches(reader, roots, 390, equal_too=equal_too):
        if patch.side != MERGED:
            continue
        found: Records = {}
        for records in merge.of(patch):
            found.update(zip(*records.columns(), strict=True))
        after = b"" if patch.after is None else patch.after
        inside = {k: v for k, v in merged.items() if after < k <= patch.upto}
        assert found == inside
    assert settled == both
    assert merge.both == len(both)
