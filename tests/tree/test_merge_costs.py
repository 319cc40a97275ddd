"""What a merge costs follows what changed, not what there is (P2): nodes, counted."""

from __future__ import annotations

import random

import pytest

from prolly.codec import DEFAULT_PARAMETERS
from prolly.testing.three_trees import ThreeTrees
from prolly.tree import NodeReader, TreeMerge, Versions, apply

SIZES = (10_000, 100_000)
SIDE = 1000
Edits = dict[bytes, bytes | None]


class Grown:
    """A tree of ``count`` records of one weight, and what merges of its edits cost."""

    def __init__(self, count: int) -> None:
        self.trees = ThreeTrees(DEFAULT_PARAMETERS)
        self.count = count
        self.keys = [b"key:%09d" % (7 * n) for n in range(count)]
        self.root = self.trees.rebuild(dict.fromkeys(self.keys, bytes(90)))

    def edited(self, edits: Edits) -> bytes:
        """Return the root after edits."""
        writer = self.trees.writer
        keys = sorted(edits)
        values = [edits[key] for key in keys]
        reader = NodeReader(writer.get)
        return apply(reader, writer, self.root, (keys, values), DEFAULT_PARAMETERS)

    def merge(self, ours: Edits, theirs: Edits) -> tuple[TreeMerge, int, int]:
        """Merge two lines of edits; return the merge, nodes read and nodes written."""
        versions = Versions(self.root, self.edited(ours), self.edited(theirs))
        merged, settled = self.trees.merge(versions)
        read, written = self.trees.counts.gets, self.trees.counts.puts
        assert settled == []
        assert merged.root == self.edited({**ours, **theirs})
        return merged, read, written


@pytest.fixture(scope="module", params=SIZES)
def grown(request: pytest.FixtureRequest) -> Grown:
    return Grown(request.param)


def two_samples(grown: Grown) -> tuple[list[bytes], list[bytes]]:
    """A thousand keys for each side, none of them the same."""
    chosen = random.Random(1).sample(grown.keys, 2 * SIDE)
    return chosen[:SIDE], chosen[SIDE:]


def test_scattered_updates_cost_no_more_in_a_larger_tree(grown: Grown) -> None:
    """2,000 updates read fewer nodes than they are, and write a quarter of that."""
    ours, theirs = two_samples(grown)
    _, read, written = grown.merge(
        dict.fromkeys(ours, b"o" * 90), dict.fromkeys(theirs, b"t" * 90)
    )
    assert read <= 1.2 * SIDE
    assert written <= 0.4 * SIDE


@pytest.mark.parametrize("kind", ["grow", "insert", "delete"])
def test_scattered_edits_of_any_kind_cost_their_leaves(grown: Grown, kind: str) -> None:
    """2,000 edits that move cuts read and write a few nodes each at most."""

    def edits(keys: list[bytes], mark: bytes) -> Edits:
        if kind == "grow":
            return dict.fromkeys(keys, mark * 120)
        if kind == "insert":
            return {key + b"+": mark * 90 for key in keys}
        return dict.fromkeys(keys)

    ours, theirs = two_samples(grown)
    _, read, written = grown.merge(edits(ours, b"o"), edits(theirs, b"t"))
    assert read <= 3 * SIDE
    assert written <= 1.5 * SIDE


def test_records_behind_the_last_cost_their_own_leaves(grown: Grown) -> None:
    """Both sides appending costs the leaves of what they appended."""
    ends = [b"key:%09d" % (7 * grown.count + n) for n in range(2 * SIDE)]
    _, read, written = grown.merge(
        dict.fromkeys(ends[::2], b"o" * 90), dict.fromkeys(ends[1::2], b"t" * 90)
    )
    assert read <= 50
    assert written <= 50


def test_runs_in_different_places_read_no_leaf(grown: Grown) -> None:
    """What either side did in one place is taken without a look at a record."""
    early, late = grown.keys[100 : 100 + SIDE], grown.keys[-100 - SIDE : -100]
    merged, read, written = grown.merge(
        dict.fromkeys(early, b"o" * 120), dict.fromkeys(late)
    )
    assert (merged.patches_merged, merged.leaves_cut) == (0, 0)
    assert read <= 12
    assert written <= 5


def test_a_large_change_of_one_side_is_not_read(grown: Grown) -> None:
    """A change of every record elsewhere does not make a small one cost more."""
    half = grown.count // 2
    merged, read, _ = grown.merge(
        dict.fromkeys(grown.keys[:half], b"o" * 90), {grown.keys[-100]: b"t" * 90}
    )
    assert merged.leaves_cut == 0
    assert read <= 12 + merged.from_ours // 30
