"""Statistics of trees."""

from __future__ import annotations

import itertools
import random

from prolly.testing.tree_model import TreeModel, make_records
from prolly.tree import reachable, tree_statistics


def test_statistics_add_up() -> None:
    """Levels fall to 0, entries and bytes are those of all nodes, the spread is low."""
    model = TreeModel()
    records = make_records(random.Random(1), "random", "equal", 6000)
    root = model.rebuild(records)
    levels = tree_statistics(model.reader, root)
    assert [level.level for level in levels] == list(range(len(levels)))[::-1]
    assert levels[-1].entries == len(records)
    for above, below in itertools.pairwise(levels):
        assert above.entries == below.nodes
    chunks = reachable(lambda many: [model.writer.get(one) for one in many], [root])
    assert sum(level.bytes for level in levels) == sum(
        len(chunk) for _, chunk in chunks
    )
    leaves = levels[-1]
    assert leaves.bytes_min <= leaves.bytes_mean <= leaves.bytes_max
    assert 0.1 < leaves.bytes_spread < 0.4
