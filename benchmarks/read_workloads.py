"""Looking up and scanning what is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .engine import Lookup
from .records import PREFIX_DIGITS_OPEN
from .registry import MAP, Group
from .stage import Stage

LOOKUPS = 20_000
RANGES = 200
RANGE_RECORDS = 1000
COLD_PROCESSES = 20
COLD_MISS_PROCESSES = 8
US = 1e6
MS = 1e3

GETS = Group("gets", "loaded")
RANGE_READS = Group("ranges", "loaded", lengthy=True)
SCANS = Group("scans", "loaded")
COLD = Group("cold", "loaded", processes=COLD_PROCESSES)
COLD_MISS = Group("cold-miss", "loaded", processes=COLD_MISS_PROCESSES)


def _look_up(lookup: Lookup, keys: Sequence[Any]) -> None:
    for key in keys:
        lookup(key)


def _warm_lookup_us(
    stage: Stage, choose: Callable[[int, str], list[int]], key: Callable[[int], Any]
) -> float:
    """Time look-ups after as many others, so that caches hold what they would."""
    engine = stage.opened()
    lookup = engine.lookup()
    _look_up(lookup, engine.keys(map(key, choose(LOOKUPS, "warming"))))
    keys = engine.keys(map(key, choose(LOOKUPS, "lookups")))
    return stage.seconds(lambda: _look_up(lookup, keys)) / len(keys) * US


@GETS.workload("get-hit", "look up a record that is there, uniform, warm", "us")
def get_hit(stage: Stage) -> float:
    return _warm_lookup_us(stage, stage.records.uniform, stage.records.key)


@GETS.workload("get-zipf", "look up a record, few of them often, warm", "us")
def get_zipf(stage: Stage) -> float:
    return _warm_lookup_us(stage, stage.records.zipf, stage.records.key)


@GETS.workload("get-miss", "look up a key that is absent, uniform, warm", "us")
def get_miss(stage: Stage) -> float:
    return _warm_lookup_us(stage, stage.records.uniform, stage.records.absent_key)


@COLD.workload(
    "open", f"open the store in a new process, median of {COLD_PROCESSES}", "ms"
)
def open_store(stage: Stage) -> float:
    # The clock starts after the imports, which have a workload of their own.
    return stage.opening_seconds() * MS


def _cold_ms(stage: Stage, *, hit: bool) -> float:
    """Time opening and one look-up, at another place in each process."""
    [number] = stage.records.uniform(1, f"cold {stage.spec.sample}")
    wanted = stage.records.key(number) if hit else stage.records.absent_key(number)
    [key] = stage.engine.keys([wanted])
    opening = stage.opening_seconds()

    def look() -> None:
        assert (stage.engine.lookup()(key) is not None) is hit

    return (opening + stage.seconds(look)) * MS


@COLD.workload(
    "get-cold",
    f"open and look up one record, median of {COLD_PROCESSES} processes",
    "ms",
)
def get_cold(stage: Stage) -> float:
    return _cold_ms(stage, hit=True)


@COLD_MISS.workload(
    "get-cold-miss",
    f"open and look up an absent key, median of {COLD_MISS_PROCESSES} processes",
    "ms",
)
def get_cold_miss(stage: Stage) -> float:
    return _cold_ms(stage, hit=False)


def _scan(stage: Stage, *, raw: bool) -> float:
    engine = stage.opened()
    scan = engine.scan_raw if raw else engine.scan
    assert scan() == stage.spec.count
    elapsed = stage.median_seconds([scan, scan, scan])
    return stage.spec.count / elapsed


@SCANS.workload("scan", "read every record in order, decoded", "records/s")
def scan_records(stage: Stage) -> float:
    return _scan(stage, raw=False)


@SCANS.workload(
    "scan-raw",
    "read every record in order as stored bytes, in the engine's largest units",
    "records/s",
)
def scan_raw(stage: Stage) -> float:
    return _scan(stage, raw=True)


@RANGE_READS.workload("range", f"read {RANGE_RECORDS} records in a row", "us")
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


@RANGE_READS.workload(
    "prefix", "read the 500 records whose text key has one prefix", "us", forms=MAP
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
