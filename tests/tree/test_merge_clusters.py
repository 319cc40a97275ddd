"""Patches in order: strips are taken apart when somebody meets them, and only then."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from prolly.codec import DEFAULT_PARAMETERS
from prolly.testing.three_trees import ThreeTrees, settle_alike
from prolly.testing.tree_model import Records
from prolly.tree import Both, NodeReader, Versions
from prolly.tree.merge_clusters import PatchQueue
from prolly.tree.merge_patches import MERGED, OURS, Patch
from prolly.tree.merge_records import PatchMerge
from prolly.tree.merge_strips import Strip
from prolly.tree.merge_walk import find_patches

REACH = DEFAULT_PARAMETERS.weight_max
BASE: Records = {b"%05d" % number: bytes(62) for number in range(30_000)}


class Queued:
    """A queue of what lies between three versions, and how often it settles."""

    def __init__(self, ours: Records, theirs: Records) -> None:
        trees = ThreeTrees(DEFAULT_PARAMETERS)
        roots = Versions(*(trees.rebuild(one) for one in (BASE, ours, theirs)))
        self.reader = NodeReader(trees.writer.get)
        self.settled = 0
        records = PatchMerge(self.reader, self.settle, equal_too=False)
        self.patches = find_patches(self.reader, roots, REACH)
        self.queue = PatchQueue(self.reader, records, REACH, self.patches)

    def settle(self, batch: Sequence[Both]) -> Sequence[bytes | None]:
        self.settled += 1
        return [settle_alike(one) for one in batch]


@pytest.fixture
def queued() -> Queued:
    """Updates of both sides, those of one record among them; a node on and off."""
    ours = {**BASE, **{b"%05d" % n: b"o" * 62 for n in (3, 2000, 15_000)}}
    theirs = {**BASE, **{b"%05d" % n: b"t" * 62 for n in (3, 9000)}}
    return Queued(ours, theirs)


def test_updates_are_strips(queued: Queued) -> None:
    """A node of level 1 that only updates changed is one strip, and stands."""
    queue = queued.queue
    while (strip := queue.head()) is not None:
        assert isinstance(strip, Strip)
        assert queue.strip_stands(strip)
        queue.next += 1
    assert queue.behind() is not None


def test_a_strip_that_is_met_comes_apart(queued: Queued) -> None:
    """Its patches take its place, in order, and what was settled stays settled."""
    queue, strip = queued.queue, queued.queue.head()
    assert isinstance(strip, Strip)
    assert queue.strip_stands(strip)
    assert queued.settled == 1
    first = queue.take_behind(None)
    assert first is not None
    assert (first.side, first.after) == (MERGED, None)
    assert queue.behind() == first.upto
    [records] = queue.take_merged(first)
    assert records.chunk is not None
    assert queued.settled == 1
    second = queue.patch(queue.next)
    assert (second.side, second.is_even) == (OURS, True)


def test_a_patch_is_taken_only_where_it_begins(queued: Queued) -> None:
    """What begins behind a later key than the one asked for is left."""
    queue = queued.queue
    assert queue.take_behind(None) is not None
    patch = queue.patch(queue.next)
    assert patch.after is not None
    assert queue.take_behind(patch.after[:-1]) is None
    assert queue.take_behind(patch.after) is patch


def test_an_insertion_in_reach_spoils_a_strip() -> None:
    """A strip does not stand where what follows its last leaf is not even."""
    trees = ThreeTrees(DEFAULT_PARAMETERS)
    border = NodeReader(trees.writer.get).read(trees.rebuild(BASE)).key(0)
    for distance, stands in ((1, False), (1000, True)):
        inserted = b"%05d+" % (int(border) + distance)
        ours, theirs = {**BASE, border: b"o" * 62}, {**BASE, inserted: b"t"}
        queue = Queued(ours, theirs).queue
        strip = queue.head()
        assert isinstance(strip, Strip)
        assert queue.strip_stands(strip) is stands
        queue.next += 1
        assert isinstance(queue.head(), Patch)
