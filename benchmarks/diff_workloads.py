"""What only versions can do: the difference of two commits."""

from __future__ import annotations

from .registry import Group
from .stage import Stage

DIFF_SAMPLES = 5
MS = 1e3

DIFFS = Group("diffs", "copy")


def _diff_ms(stage: Stage, size: int, *, clustered: bool = False) -> float:
    """Time the diff of two commits in a store that was opened after both.

    The figure is the median once the caches hold what the first diff read; the first
    one stands beside it.
    """
    engine, records = stage.opened(), stage.records
    choose = records.clustered if clustered else records.scattered
    chosen = choose(size, stage.purpose(f"diff {size} {clustered}"))
    # Two commits, so that no side of the diff is the load itself. What the first one
    # changes is outside the second, unless that changes everything.
    first = [chosen[0] - 1 if chosen[0] else stage.spec.count - 1]
    base = records.records(first, stage.new_version())
    old = engine.write(updates=list(engine.records(base)))
    changed = records.records(chosen, stage.new_version())
    new = engine.write(updates=list(engine.records(changed)))
    engine = stage.reopened()

    def compare() -> None:
        assert engine.diff(old, new) == len(chosen)

    stage.facts["first, ms"] = stage.seconds(compare) * MS
    counters = stage.counters
    figure = stage.median_seconds([compare] * DIFF_SAMPLES) * MS
    stage.counters = counters
    return figure


@DIFFS.workload("diff-1", "read the one change between two commits", "ms")
def diff_one(stage: Stage) -> float:
    return _diff_ms(stage, 1)


@DIFFS.workload("diff-100", "read 100 scattered changes between two commits", "ms")
def diff_hundred(stage: Stage) -> float:
    return _diff_ms(stage, 100)


@DIFFS.workload("diff-100-clustered", "read 100 changes of records in a row", "ms")
def diff_hundred_clustered(stage: Stage) -> float:
    return _diff_ms(stage, 100, clustered=True)


@DIFFS.workload("diff-10k", "read 10,000 scattered changes between commits", "ms")
def diff_ten_thousand(stage: Stage) -> float:
    return _diff_ms(stage, 10_000)


@DIFFS.workload("diff-10k-clustered", "read 10,000 changes of records in a row", "ms")
def diff_ten_thousand_clustered(stage: Stage) -> float:
    return _diff_ms(stage, 10_000, clustered=True)
