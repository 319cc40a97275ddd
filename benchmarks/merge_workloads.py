"""Merging a branch: both sides changed records, none of them the same."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from functools import partial

from .registry import Group
from .stage import Stage

SIDE = 1000
MERGE_SAMPLES = 5
MS = 1e3
MAIN = "main"

MERGES = Group("merges", "copy", durable=True)


def _merges_ms(
    stage: Stage,
    name: str,
    sides: list[tuple[Sequence[int], Sequence[int]]],
    *,
    new: bool = False,
) -> float:
    """Time one merge for each pair of numbers that main and a branch change.

    Each branch begins where the merge before left main. New records are deleted again.
    """
    engine, records = stage.opened(), stage.records
    times = []
    for sample, (ours, theirs) in enumerate(sides):
        version = stage.new_version()
        branch = f"{name}-{sample}"
        engine.branch(branch)
        for side, numbers in ((branch, theirs), (MAIN, ours)):
            engine.switch(side)
            changed = list(engine.records(records.records(numbers, version)))
            if new:
                engine.write(inserts=changed)
            else:
                engine.write(updates=changed)
        times.append(stage.seconds(partial(engine.merge, branch)))
    if new:
        keys = [
            records.key(number) for side in sides for some in side for number in some
        ]
        engine.write(deletes=engine.keys(keys))
    return statistics.median(times) * MS


@MERGES.workload("merge-disjoint", "merge 1,000 and 1,000 scattered updates", "ms")
def merge_disjoint(stage: Stage) -> float:
    samples = [
        stage.records.scattered(2 * SIDE, stage.purpose(f"merge {sample}"))
        for sample in range(MERGE_SAMPLES)
    ]
    sides = [(some[::2], some[1::2]) for some in samples]
    return _merges_ms(stage, "disjoint", list(sides))


@MERGES.workload("merge-clustered", "merge two updates of 1,000 in a row", "ms")
def merge_clustered(stage: Stage) -> float:
    sides: list[tuple[Sequence[int], Sequence[int]]] = []
    for sample in range(MERGE_SAMPLES):
        purpose = stage.purpose(f"merge in a row {sample}")
        numbers = stage.records.clustered(2 * SIDE, purpose)
        half = len(numbers) // 2
        sides.append((numbers[:half], numbers[half:]))
    return _merges_ms(stage, "clustered", sides)


@MERGES.workload("merge-appended", "merge 1,000 and 1,000 new last records", "ms")
def merge_appended(stage: Stage) -> float:
    count = stage.spec.count
    starts = [count + 2 * SIDE * sample for sample in range(MERGE_SAMPLES)]
    sides: list[tuple[Sequence[int], Sequence[int]]] = [
        (range(start, start + 2 * SIDE, 2), range(start + 1, start + 2 * SIDE, 2))
        for start in starts
    ]
    return _merges_ms(stage, "appended", sides, new=True)
