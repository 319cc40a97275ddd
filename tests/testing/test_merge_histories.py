"""Random histories of attended merges, each merge beside a plain model."""

from __future__ import annotations

import random

import pytest

from prolly.testing.merge_histories import MergeHistory

# 300 histories, and 10,000 in all, in blocks that several processes can share.
BLOCK = 100
BLOCKS = range(3)
MANY_BLOCKS = range(3, 100)


def ran(seed: int) -> MergeHistory:
    """Run the history of a seed, which a failure names."""
    history = MergeHistory(random.Random(seed))
    try:
        history.run()
    except Exception as error:
        error.add_note(f"the seed is {seed}")
        raise
    return history


@pytest.mark.parametrize("block", BLOCKS)
def test_merges_equal_the_model(block: int) -> None:
    """Every merge is the model's, and no side of a clash is lost."""
    histories = [ran(block * BLOCK + number) for number in range(BLOCK)]
    # Chance must have found what it is to look for.
    assert sum(one.merges for one in histories) > 3 * BLOCK
    assert sum(one.conflicts for one in histories) > BLOCK
    assert sum(one.crossed for one in histories) > BLOCK // 3


@pytest.mark.long
@pytest.mark.parametrize("block", MANY_BLOCKS)
def test_merges_of_many_histories_equal_the_model(block: int) -> None:
    """The same for 10,000 histories in all."""
    for number in range(BLOCK):
        ran(block * BLOCK + number)
