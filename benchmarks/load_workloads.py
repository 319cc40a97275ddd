"""Filling an empty store: speed, disk, memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from functools import partial

from .engine import NotOffered, allocated_bytes
from .records import Record
from .registry import TABLE, Group
from .stage import Stage

MB = 1e6

SORTED = Group("load-sorted", "empty", durable=True)
RANDOM = Group("load-random", "empty", durable=True)
CSV = Group("load-csv", "empty", forms=TABLE, durable=True, lengthy=True)
MEMORY_SORTED = Group("memory-sorted", "empty", memory=True, steady=True)
MEMORY_RANDOM = Group("memory-random", "empty", memory=True, steady=True)


def _source(stage: Stage, *, ordered: bool) -> Iterator[Record]:
    return stage.files.in_order() if ordered else stage.files.in_random_order()


def _load(stage: Stage, *, ordered: bool) -> float:
    engine = stage.created()
    records = list(engine.records(_source(stage, ordered=ordered)))
    load = partial(engine.load, records, ordered=ordered)
    rate = stage.spec.count / stage.seconds(load)
    del records, load
    # What an engine does when it closes belongs to what it leaves on the disk.
    stage.close()
    return rate


def _disk(stage: Stage, *, ordered: bool) -> float:
    """Return what the load before left on the disk, or what one does now."""
    if not stage.has_created:
        _load(stage, ordered=ordered)
    gc.collect()
    return allocated_bytes(stage.engine.directory) / MB


@SORTED.workload("load-sorted", "load all records in key order, durable", "records/s")
def load_sorted(stage: Stage) -> float:
    return _load(stage, ordered=True)


@SORTED.workload("disk-sorted", "disk taken after loading in key order", "MB")
def disk_sorted(stage: Stage) -> float:
    return _disk(stage, ordered=True)


@RANDOM.workload(
    "load-random", "load all records in random order, durable", "records/s"
)
def load_random(stage: Stage) -> float:
    return _load(stage, ordered=False)


@RANDOM.workload("disk-random", "disk taken after loading in random order", "MB")
def disk_random(stage: Stage) -> float:
    size = _disk(stage, ordered=False)
    try:
        stage.opened().compact()
    except NotOffered:
        return size
    stage.close()
    stage.facts["MB after gc"] = allocated_bytes(stage.engine.directory) / MB
    return size


@CSV.workload(
    "load-csv",
    "load a CSV file in random order, types inferred or declared, durable",
    "records/s",
)
def load_csv(stage: Stage) -> float:
    path = stage.files.csv()
    engine = stage.created()
    return stage.spec.count / stage.seconds(lambda: engine.load_csv(path))


def _load_stream(stage: Stage, *, ordered: bool) -> float:
    """Load from a stream; the figure is what the parent process sees of memory."""
    # The file is made first: making it is no part of loading.
    next(_source(stage, ordered=ordered))
    engine = stage.created()
    stream = engine.records(_source(stage, ordered=ordered))
    stage.seconds(partial(engine.load, stream, ordered=ordered))
    return 0.0


@MEMORY_SORTED.workload(
    "memory-sorted", "peak of anonymous memory while a sorted stream is loaded", "MB"
)
def memory_sorted(stage: Stage) -> float:
    return _load_stream(stage, ordered=True)


@MEMORY_RANDOM.workload(
    "memory-random", "peak of anonymous memory while a random stream is loaded", "MB"
)
def memory_random(stage: Stage) -> float:
    return _load_stream(stage, ordered=False)
