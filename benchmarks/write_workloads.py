"""Changing what is there: each write is one durable commit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from .registry import workload
from .stage import Stage

BATCH = 1000
# Samples of which a figure is the median: enough to drop a stray sync, and few enough
# that a batch leaves most of the smallest store unchanged.
SINGLE_SAMPLES = 30
BATCH_SAMPLES = 5
MS = 1e3

Writes = list[Callable[[], Any]]


def _updates(stage: Stage, size: int, samples: int) -> Writes:
    engine, records = stage.opened(), stage.records
    writes: Writes = []
    for number in range(samples):
        chosen = records.scattered(size, f"updates {number}")
        changed = list(engine.records(records.records(chosen, version=number + 1)))
        writes.append(partial(engine.write, updates=changed))
    return writes


def _appends(stage: Stage, size: int, samples: int) -> Writes:
    engine, records = stage.opened(), stage.records
    writes: Writes = []
    for number in range(samples):
        start = stage.spec.count + number * size
        new = list(engine.records(records.records(range(start, start + size))))
        writes.append(partial(engine.write, appends=new))
    return writes


def _deletes(stage: Stage, size: int, samples: int) -> Writes:
    engine, records = stage.opened(), stage.records
    chosen = records.scattered(size * samples, "deletes")
    writes: Writes = []
    for number in range(samples):
        keys = engine.keys(records.key(one) for one in chosen[number::samples])
        writes.append(partial(engine.write, deletes=keys))
    return writes


@workload("update-1", "update one record, one durable commit", "ms", "copy")
def update_one(stage: Stage) -> float:
    return stage.median_seconds(_updates(stage, 1, SINGLE_SAMPLES)) * MS


@workload("update-1000", "update 1,000 scattered records, one commit", "ms", "copy")
def update_many(stage: Stage) -> float:
    return stage.median_seconds(_updates(stage, BATCH, BATCH_SAMPLES)) * MS


@workload("append-1", "add one record past the last, one commit", "ms", "copy")
def append_one(stage: Stage) -> float:
    return stage.median_seconds(_appends(stage, 1, SINGLE_SAMPLES)) * MS


@workload("append-1000", "add 1,000 records past the last, one commit", "ms", "copy")
def append_many(stage: Stage) -> float:
    return stage.median_seconds(_appends(stage, BATCH, BATCH_SAMPLES)) * MS


@workload("delete-1", "delete one record, one commit", "ms", "copy")
def delete_one(stage: Stage) -> float:
    return stage.median_seconds(_deletes(stage, 1, SINGLE_SAMPLES)) * MS


@workload("delete-1000", "delete 1,000 scattered records, one commit", "ms", "copy")
def delete_many(stage: Stage) -> float:
    return stage.median_seconds(_deletes(stage, BATCH, BATCH_SAMPLES)) * MS
