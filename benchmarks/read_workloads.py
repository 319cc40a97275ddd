"""Looking up and scanning what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .engine import Lookup
from .records import PREFIX_DIGITS_OPEN
from .registry import workload
from .stage import Stage

LOOKUPS = 20_000
RANGES = 200
RANGE_RECORDS = 1000
COLD_PROCESSES = 20
US = 1e6
MS = 1e3


def _look_up(lookup: Lookup, keys: Sequence[Any]) -> None:
    for key in keys:
        lookup(key)


def _warm_lookup_us(stage: Stage, warming: list[Any], timed: list[Any]) -> float:
    """Time look-ups after as many others, so that caches hold what they would."""
    engine = stage.opened()
    lookup = engine.lookup()
    _look_up(lookup, engine.keys(warming))
    keys = engine.keys(timed)
    return stage.seconds(lambda: _look_up(lookup, keys)) / len(keys) * US


@workload("get-hit", "look up a record that is there, uniform, warm", "us", "loaded")
def get_hit(stage: Stage) -> float:
    key = stage.records.key
    warming = [key(n) for n in stage.records.uniform(LOOKUPS, "warming")]
    timed = [key(n) for n in stage.records.uniform(LOOKUPS, "lookups")]
    return _warm_lookup_us(stage, warming, timed)


@workload("get-zipf", "look up a record, few of them often, warm", "us", "loaded")
def get_zipf(stage: Stage) -> float:
    key = stage.records.key
    warming = [key(n) for n in stage.records.zipf(LOOKUPS, "warming")]
    timed = [key(n) for n in stage.records.zipf(LOOKUPS, "lookups")]
    return _warm_lookup_us(stage, warming, timed)


@workload("get-miss", "look up a key that is absent, uniform, warm", "us", "loaded")
def get_miss(stage: Stage) -> float:
    key = stage.records.absent_key
    warming = [key(n) for n in stage.records.uniform(LOOKUPS, "warming")]
    timed = [key(n) for n in stage.records.uniform(LOOKUPS, "lookups")]
    return _warm_lookup_us(stage, warming, timed)


@workload(
    "get-cold",
    f"open and look up one record in a new process, median of {COLD_PROCESSES}",
    "ms",
    "loaded",
    processes=COLD_PROCESSES,
)
def get_cold(stage: Stage) -> float:
    engine = stage.engine
    # A new place for each process. The clock starts after the imports, which have a
    # workload of their own.
    [number] = stage.records.uniform(1, f"cold {stage.spec.sample}")
    [key] = engine.keys([stage.records.key(number)])

    def look() -> None:
        engine.open()
        assert engine.lookup()(key) is not None

    return stage.seconds(look) * MS


@workload(
    "open",
    f"open the store in a new process, median of {COLD_PROCESSES}",
    "ms",
    "loaded",
    processes=COLD_PROCESSES,
)
def open_store(stage: Stage) -> float:
    return stage.seconds(stage.engine.open) * MS


def _scan(stage: Stage, *, raw: bool) -> float:
    engine = stage.opened()
    scan = engine.scan_raw if raw else engine.scan
    assert scan() == stage.spec.count
    elapsed = stage.median_seconds([scan, scan, scan])
    return stage.spec.count / elapsed


@workload("scan", "read every record in order, decoded", "records/s", "loaded")
def scan(stage: Stage) -> float:
    return _scan(stage, raw=False)


@workload(
    "scan-raw",
    "read every record in order as stored bytes, in the engine's largest units",
    "records/s",
    "loaded",
)
def scan_raw(stage: Stage) -> float:
    return _scan(stage, raw=True)


@workload("range", f"read {RANGE_RECORDS} records in a row", "us", "loaded")
def read_range(stage: Stage) -> float:
    engine = stage.opened()
    size = min(RANGE_RECORDS, stage.spec.count // 2)
    source = stage.records.generator("ranges")
    starts = [source.randrange(stage.spec.count - size) for _ in range(RANGES)]
    key = stage.records.key
    bounds = [engine.keys([key(one), key(one + size)]) for one in starts]
    assert engine.range(*bounds[0]) == size

    def read() -> None:
        for start, stop in bounds:
            engine.range(start, stop)

    return stage.seconds(read) / RANGES * US


@workload(
    "prefix",
    "read the 500 records whose text key has one prefix",
    "us",
    "loaded",
    forms=("map",),
)
def read_prefix(stage: Stage) -> float:
    engine = stage.opened()
    numbers = stage.records.uniform(RANGES, "prefixes")
    prefixes = engine.keys([stage.records.prefix(number) for number in numbers])
    assert 1 <= engine.prefix(prefixes[0]) <= 10**PREFIX_DIGITS_OPEN

    def read() -> None:
        for prefix in prefixes:
            engine.prefix(prefix)

    return stage.seconds(read) / RANGES * US
