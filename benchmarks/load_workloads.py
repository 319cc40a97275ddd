"""Filling an empty store: speed, memory, disk."""

from __future__ import annotations

import gc
from functools import partial

from .engine import NotOffered, allocated_bytes
from .registry import workload
from .stage import Stage

LARGE_VALUE_BYTES = 2 * 2**20
LARGE_VALUES = 16
GROWTH_COMMITS = 100
GROWTH_UPDATES = 10
MB = 1e6


@workload("load-sorted", "load all records in key order, durable", "records/s", "empty")
def load_sorted(stage: Stage) -> float:
    engine = stage.created()
    every = stage.records.records(range(stage.spec.count))
    records = list(engine.records(every))
    load = partial(engine.load, records, ordered=True)
    return stage.spec.count / stage.seconds(load)


@workload(
    "load-random", "load all records in random order, durable", "records/s", "empty"
)
def load_random(stage: Stage) -> float:
    engine = stage.created()
    every = stage.records.records(stage.records.shuffled())
    records = list(engine.records(every))
    load = partial(engine.load, records, ordered=False)
    return stage.spec.count / stage.seconds(load)


@workload(
    "load-csv",
    "load a CSV file in random order, types inferred or declared, durable",
    "records/s",
    "empty",
    forms=("table",),
)
def load_csv(stage: Stage) -> float:
    engine = stage.created()
    path = stage.csv_path
    return stage.spec.count / stage.seconds(lambda: engine.load_csv(path))


@workload(
    "memory-sorted",
    "peak of anonymous memory of the process while it loads a stream in key order",
    "MB",
    "empty",
    memory=True,
)
def memory_sorted(stage: Stage) -> float:
    engine = stage.created()
    every = stage.records.records(range(stage.spec.count))
    stage.seconds(partial(engine.load, engine.records(every), ordered=True))
    return 0.0


@workload(
    "memory-random",
    "peak of anonymous memory of the process while it loads a stream in random order",
    "MB",
    "empty",
    memory=True,
)
def memory_random(stage: Stage) -> float:
    engine = stage.created()
    every = stage.records.records(stage.records.shuffled())
    stage.seconds(partial(engine.load, engine.records(every), ordered=False))
    return 0.0


def _disk_after_load(stage: Stage, *, ordered: bool) -> float:
    numbers = range(stage.spec.count) if ordered else stage.records.shuffled()
    engine = stage.created()
    engine.load(engine.records(stage.records.records(numbers)), ordered=ordered)
    engine.close()
    gc.collect()
    size = allocated_bytes(engine.directory)
    try:
        engine.open()
        engine.compact()
        engine.close()
        stage.facts["MB after gc"] = allocated_bytes(engine.directory) / MB
    except NotOffered:
        pass
    return size / MB


@workload("disk-sorted", "disk taken after loading in key order", "MB", "empty")
def disk_sorted(stage: Stage) -> float:
    return _disk_after_load(stage, ordered=True)


@workload("disk-random", "disk taken after loading in random order", "MB", "empty")
def disk_random(stage: Stage) -> float:
    return _disk_after_load(stage, ordered=False)


@workload(
    "disk-growth",
    f"disk added by {GROWTH_COMMITS} commits of {GROWTH_UPDATES} updates each",
    "MB",
    "copy",
)
def disk_growth(stage: Stage) -> float:
    engine = stage.opened()
    before = allocated_bytes(engine.directory)
    for number in range(GROWTH_COMMITS):
        chosen = stage.records.scattered(GROWTH_UPDATES, f"growth {number}")
        changed = stage.records.records(chosen, version=number + 1)
        engine.write(updates=list(engine.records(changed)))
    engine.close()
    return (allocated_bytes(engine.directory) - before) / MB


def _large_values(stage: Stage) -> list[tuple[str, bytes]]:
    source = stage.records.generator("large values")
    return [
        (f"large:{number:011d}", source.randbytes(LARGE_VALUE_BYTES))
        for number in range(LARGE_VALUES)
    ]


@workload(
    "large-write",
    f"write {LARGE_VALUES} values of 2 MiB in one durable commit",
    "MB/s",
    "empty",
    forms=("map",),
)
def large_write(stage: Stage) -> float:
    engine = stage.created()
    records = list(engine.records(_large_values(stage)))
    elapsed = stage.seconds(lambda: engine.load(records, ordered=True))
    return LARGE_VALUES * LARGE_VALUE_BYTES / MB / elapsed


@workload(
    "large-read",
    f"read {LARGE_VALUES} values of 2 MiB, the store just opened",
    "MB/s",
    "empty",
    forms=("map",),
)
def large_read(stage: Stage) -> float:
    engine = stage.created()
    engine.load(engine.records(_large_values(stage)), ordered=True)
    keys = engine.keys([key for key, _ in _large_values(stage)])
    lookup = stage.reopened().lookup()
    elapsed = stage.seconds(lambda: [lookup(key) for key in keys])
    return LARGE_VALUES * LARGE_VALUE_BYTES / MB / elapsed
