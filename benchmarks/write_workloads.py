"""Changing what is there: each write is one durable commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from .registry import Group
from .stage import Stage

BATCH = 1000
SMALL_BATCH = 100
# Samples of which a figure is the median: enough to drop a stray sync, and few enough
# that a batch leaves most of the smallest store unchanged.
SINGLE_SAMPLES = 30
BATCH_SAMPLES = 5
MS = 1e3

UPDATES = Group("updates", "copy", durable=True)
KEYS = Group("keys", "copy", durable=True, lengthy=True)


def _updates_ms(stage: Stage, size: int, samples: int) -> float:
    engine, records = stage.opened(), stage.records
    writes: list[Callable[[], Any]] = []
    for number in range(samples):
        purpose = stage.purpose(f"updates of {size}, {number}")
        chosen = records.scattered(size, purpose)
        changed = records.records(chosen, stage.new_version())
        writes.append(partial(engine.write, updates=list(engine.records(changed))))
    return stage.median_seconds(writes) * MS


@UPDATES.workload("update-1", "update one record, one durable commit", "ms")
def update_one(stage: Stage) -> float:
    return _updates_ms(stage, 1, SINGLE_SAMPLES)


@UPDATES.workload("update-100", "update 100 scattered records, one commit", "ms")
def update_some(stage: Stage) -> float:
    return _updates_ms(stage, SMALL_BATCH, BATCH_SAMPLES)


@UPDATES.workload("update-1000", "update 1,000 scattered records, one commit", "ms")
def update_many(stage: Stage) -> float:
    return _updates_ms(stage, BATCH, BATCH_SAMPLES)


def _inserts_ms(stage: Stage, batches: Sequence[Sequence[Any]]) -> float:
    """Time one commit a batch of new records, then take them out again."""
    engine = stage.opened()
    prepared = [list(engine.records(batch)) for batch in batches]
    writes = [partial(engine.write, inserts=batch) for batch in prepared]
    figure = stage.median_seconds(writes) * MS
    counters = stage.counters
    written = [one[0] for batch in batches[: stage.sampled] for one in batch]
    engine.write(deletes=engine.keys(written))
    stage.counters = counters
    return figure


def _past_the_last(stage: Stage, size: int, samples: int) -> list[list[Any]]:
    starts = (stage.spec.count + number * size for number in range(samples))
    return [list(stage.records.records(range(at, at + size))) for at in starts]


def _between(stage: Stage, size: int, samples: int) -> list[list[Any]]:
    records = stage.records
    purpose = stage.purpose(f"inserts of {size}")
    chosen = records.scattered(size * samples, purpose)
    return [
        [records.new_record(one) for one in chosen[number::samples]]
        for number in range(samples)
    ]


@KEYS.workload("append-1", "add one record past the last, one commit", "ms")
def append_one(stage: Stage) -> float:
    return _inserts_ms(stage, _past_the_last(stage, 1, SINGLE_SAMPLES))


@KEYS.workload("append-1000", "add 1,000 records past the last, one commit", "ms")
def append_many(stage: Stage) -> float:
    return _inserts_ms(stage, _past_the_last(stage, BATCH, BATCH_SAMPLES))


@KEYS.workload("insert-1", "add one record between others, one commit", "ms")
def insert_one(stage: Stage) -> float:
    return _inserts_ms(stage, _between(stage, 1, SINGLE_SAMPLES))


@KEYS.workload("insert-1000", "add 1,000 scattered records, one commit", "ms")
def insert_many(stage: Stage) -> float:
    return _inserts_ms(stage, _between(stage, BATCH, BATCH_SAMPLES))


def _deletes_ms(stage: Stage, size: int, samples: int) -> float:
    """Time one commit a batch of deletions, then put the records back."""
    engine, records = stage.opened(), stage.records
    chosen = records.scattered(size * samples, stage.purpose(f"deletes of {size}"))
    writes = []
    for number in range(samples):
        keys = engine.keys(records.key(one) for one in chosen[number::samples])
        writes.append(partial(engine.write, deletes=keys))
    figure = stage.median_seconds(writes) * MS
    counters = stage.counters
    done = [one for at in range(stage.sampled) for one in chosen[at::samples]]
    engine.write(inserts=list(engine.records(records.records(sorted(done)))))
    stage.counters = counters
    return figure


@KEYS.workload("delete-1", "delete one record, one commit", "ms")
def delete_one(stage: Stage) -> float:
    return _deletes_ms(stage, 1, SINGLE_SAMPLES)


@KEYS.workload("delete-1000", "delete 1,000 scattered records, one commit", "ms")
def delete_many(stage: Stage) -> float:
    return _deletes_ms(stage, BATCH, BATCH_SAMPLES)
