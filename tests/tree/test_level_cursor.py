"""A cursor goes to the node of a key from wherever it stands."""

from __future__ import annotations

import random

from prolly.testing.tree_model import TreeModel
from prolly.tree.level_cursor import LevelCursor

KEYS = [b"%07d" % (10 * number) for number in range(30_000)]


def test_seeking_on_is_seeking_anew() -> None:
    """Ahead, back and past the end, a used cursor stands where a new one would."""
    model = TreeModel()
    root = model.rebuild(dict.fromkeys(KEYS, bytes(60)))
    source = random.Random(3)
    for level in (0, 1, 2):
        used = LevelCursor(model.reader, root, level)
        at = 0
        for _ in range(200):
            step = source.choice((1, 30, 2000, 100_000, -150_000))
            at = min(max(at + step, 0), 300_020)
            used.seek(b"%07d" % at)
            fresh = LevelCursor(model.reader, root, level)
            fresh.seek(b"%07d" % at)
            assert used.child == fresh.child
            assert (used.is_first, used.is_last) == (fresh.is_first, fresh.is_last)
            if source.random() < 0.2:
                used.advance()
            if source.random() < 0.2:
                used = used.clone()
