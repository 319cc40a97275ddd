"""Merging a branch: both sides changed records, none of them the same."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from functools import partial

from .registry import workload
from .stage import Stage

SIDE = 1000
MERGE_SAMPLES = 5
MS = 1e3
MAIN = "main"


def _merges_ms(
    stage: Stage, sides: list[tuple[Sequence[int], Sequence[int]]], *, new: bool = False
) -> float:
    """Time one merge for each pair of numbers that main and a branch change.

    Each branch begins where the merge before left main.
    """
    engine, records = stage.opened(), stage.records
    times = []
    for sample, (ours, theirs) in enumerate(sides):
        branch = f"side-{sample}"
        engine.branch(branch)
        for name, numbers in ((branch, theirs), (MAIN, ours)):
            engine.switch(name)
            changed = list(engine.records(records.records(numbers, version=sample + 1)))
            if new:
                engine.write(appends=changed)
            else:
                engine.write(updates=changed)
        times.append(stage.seconds(partial(engine.merge, branch)))
    return statistics.median(times) * MS


@workload("merge-disjoint", "merge 1,000 and 1,000 scattered updates", "ms", "copy")
def merge_disjoint(stage: Stage) -> float:
    samples = [
        stage.records.scattered(2 * SIDE, f"merge {sample}")
        for sample in range(MERGE_SAMPLES)
    ]
    return _merges_ms(stage, [(some[::2], some[1::2]) for some in samples])


@workload("merge-appended", "merge 1,000 and 1,000 new last records", "ms", "copy")
def merge_appended(stage: Stage) -> float:
    count = stage.spec.count
    starts = [count + 2 * SIDE * sample for sample in range(MERGE_SAMPLES)]
    sides: list[tuple[Sequence[int], Sequence[int]]] = [
        (range(start, start + 2 * SIDE, 2), range(start + 1, start + 2 * SIDE, 2))
        for start in starts
    ]
    return _merges_ms(stage, sides, new=True)


@workload("merge-clustered", "merge two updates of 1,000 in a row", "ms", "copy")
def merge_clustered(stage: Stage) -> float:
    sides: list[tuple[Sequence[int], Sequence[int]]] = []
    for sample in range(MERGE_SAMPLES):
        numbers = stage.records.clustered(2 * SIDE, f"merge {sample}")
        half = len(numbers) // 2
        sides.append((numbers[:half], numbers[half:]))
    return _merges_ms(stage, sides)
