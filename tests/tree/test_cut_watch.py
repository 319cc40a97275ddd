"""Which edited leaves are seen to move no cut, and what that saves."""

from __future__ import annotations

import random

import pytest

from prolly.codec import DEFAULT_PARAMETERS
from prolly.testing.tree_model import TreeModel
from prolly.tree import apply, cut_watch
from prolly.tree.cut_watch import CutWatch
from prolly.tree.edit import LEAF_EDITS
from prolly.tree.level_cursor import LevelCursor

COUNT = 4000


def made() -> tuple[TreeModel, dict[bytes, bytes], bytes]:
    model = TreeModel()
    records = {b"key:%08d" % (10 * number): bytes(100) for number in range(COUNT)}
    return model, records, model.rebuild(records)


@pytest.mark.parametrize("longer", [0, 7])
def test_single_inserts_read_no_neighbour(longer: int) -> None:
    """Most inserts read the path to their leaf and nothing else."""
    model, records, root = made()
    source = random.Random(5)
    alone = 0
    for _ in range(60):
        key = b"key:%08d" % (10 * source.randrange(COUNT) + 5) + b"x" * longer
        reader = model.fresh_reader()
        edits = [key], [bytes(100)]
        new = apply(reader, model.writer, root, edits, DEFAULT_PARAMETERS)
        alone += (model.reads, model.writes) == (2, 2)
        assert new == model.rebuild({**records, key: bytes(100)})
    assert alone >= 48


def test_many_single_edits_in_a_row_stay_those_of_a_rebuild() -> None:
    """Inserts and deletes one by one, beside each other, keep the root of a rebuild."""
    model, records, root = made()
    source = random.Random(6)
    for step in range(120):
        place = source.randrange(200)
        key = b"key:%08d" % (10 * place + source.choice((0, 5)))
        value = None if key in records and step % 2 else bytes(100)
        root = model.apply(root, {key: value})
        if value is None:
            del records[key]
        else:
            records[key] = value
        assert root == model.rebuild(records)


def test_a_watch_that_always_refuses_changes_no_root(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is seen to stay and what is cut anew instead give the same trees."""
    model, _, root = made()
    source = random.Random(7)
    edits: dict[bytes, bytes | None] = {
        b"key:%08d" % source.randrange(10 * COUNT): source.choice((bytes(100), None))
        for _ in range(300)
    }
    quick = model.apply(root, edits)
    monkeypatch.setattr(cut_watch.CutWatch, "stays", lambda *_: False)
    assert model.apply(root, edits) == quick


@pytest.mark.parametrize("count", [LEAF_EDITS, LEAF_EDITS + 1, 10 * LEAF_EDITS])
def test_many_edits_of_one_leaf_are_those_of_a_rebuild(count: int) -> None:
    """Few edits of a leaf and many, in the middle and behind the end, are alike."""
    model, records, root = made()
    for start in (10 * COUNT // 2, 10 * COUNT):
        edits: dict[bytes, bytes | None] = {
            b"key:%08d+%05d" % (start, number): bytes(50) for number in range(count)
        }
        new = model.apply(root, edits)
        after = {key: value for key, value in edits.items() if value is not None}
        assert new == model.rebuild({**records, **after})
        assert model.apply(new, dict.fromkeys(edits)) == root


def test_many_deletes_read_no_neighbour() -> None:
    """Where a stronger cut follows, a delete reads the path to its leaf alone."""
    model, records, root = made()
    source = random.Random(9)
    alone = 0
    for _ in range(60):
        key = b"key:%08d" % (10 * source.randrange(COUNT))
        reader = model.fresh_reader()
        new = apply(reader, model.writer, root, ([key], [None]), DEFAULT_PARAMETERS)
        alone += (model.reads, model.writes) == (2, 2)
        rest = {one: value for one, value in records.items() if one != key}
        assert new == model.rebuild(rest)
    assert alone >= 15


def test_no_rival_is_missed_where_no_leaf_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Keys that are not looked at, behind a stronger cut, are no rivals."""
    model, _, root = made()
    source = random.Random(10)
    spared = 0
    rivals_behind = CutWatch._rivals_behind

    def compared(
        watch: CutWatch,
        chooser: LevelCursor,
        cursor: LevelCursor,
        span: tuple[int, int],
    ) -> list[bytes] | None:
        nonlocal spared
        found = rivals_behind(watch, chooser, cursor, span)
        with monkeypatch.context() as patch:
            patch.setattr(LevelCursor, "is_last", True)
            every = rivals_behind(watch, chooser, cursor, span)
        if found is not None and every is not None:
            unseen = [key for key in every if key not in found]
            assert watch._is_lowest(chooser.last_key, unseen)
            spared += len(unseen)
        return found

    monkeypatch.setattr(CutWatch, "_rivals_behind", compared)
    for _ in range(6):
        chosen = source.sample(range(COUNT), 150)
        model.apply(root, {b"key:%08d" % (10 * place): None for place in chosen})
    assert spared > 50
