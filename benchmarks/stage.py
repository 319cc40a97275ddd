"""What a workload gets: an engine over a directory, the records, and a clock."""

from __future__ import annotations

import cProfile
import gc
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from .engine import Engine
from .engines import engine_class
from .record_files import RecordFiles
from .records import Form, Records

# A median of three is one already; more samples are taken while they cost no more than
# this, so that what takes milliseconds is measured often and what takes a second is not
# waited for; and not even three where they take this long.
SAMPLES_LEAST = 3
SAMPLING_S = 0.4
SAMPLING_S_MOST = 4.0


@dataclass(frozen=True)
class Spec:
    """What one process measures, as the parent orders it.

    ``works`` are the names of workloads of one group. ``store`` is the engine's
    directory. ``shared`` holds what all measurements of a run may use. ``library`` is
    the directory that ``prolly`` is imported from, or empty. With ``profile`` a profile
    of what is timed goes to the file of that name. ``repeat`` and ``sample`` tell apart
    the repeats, and the processes whose median is one figure.
    """

    engine: str
    works: Sequence[str]
    form: Form
    count: int
    seed: int
    store: str
    shared: str
    library: str = ""
    repeat: int = 0
    sample: int = 0
    counting: bool = False
    profile: str = ""


def process_environment(spec: Spec) -> dict[str, str]:
    """Return the environment of a measured process: byte code is kept, and kept apart.

    A program in use has its byte code; compiling anew would be charged to each process.
    """
    kept = {**os.environ, "PYTHONPYCACHEPREFIX": str(Path(spec.shared) / "bytecode")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept


@dataclass
class Stage:
    """The surroundings of the workloads of one process.

    ``facts``, ``counters`` and ``series`` are told beside the figure of the workload
    that is under way: other numbers of interest, what it cost, and points of a plot.
    """

    spec: Spec
    facts: dict[str, float] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    series: list[tuple[float, float]] = field(default_factory=list)
    # How many calls the last median was of.
    sampled: int = 0
    # Whether this process made the store.
    has_created: bool = False
    _is_open: bool = False
    _opening_s: float | None = None
    _version: int = 0

    def begin(self) -> None:
        """Forget what was told beside the figure before."""
        self.facts, self.counters, self.series = {}, {}, []

    @cached_property
    def engine(self) -> Engine:
        """The engine, neither created nor opened."""
        kind = engine_class(self.spec.engine)
        store = Path(self.spec.store)
        return kind(store, self.spec.form, counting=self.spec.counting)

    @cached_property
    def records(self) -> Records:
        """The records of this size and seed."""
        return Records(self.spec.seed, self.spec.count, self.spec.form)

    @cached_property
    def files(self) -> RecordFiles:
        """The records and other content as files, made on first use."""
        return RecordFiles(self.records, Path(self.spec.shared))

    @property
    def is_open(self) -> bool:
        """Whether a workload of this process opened or created the store before."""
        return self._is_open

    def opened(self) -> Engine:
        """Open the engine over its directory, unless it is open."""
        if not self._is_open:
            self.engine.open()
            self._is_open = True
        return self.engine

    def created(self) -> Engine:
        """Make an empty store and return its engine, open."""
        self.engine.create()
        self._is_open = self.has_created = True
        return self.engine

    def opening_seconds(self) -> float:
        """Return how long it took to open the store, which it is done with but once."""
        if self._opening_s is None:
            self._opening_s = self.seconds(self.opened)
        return self._opening_s

    def close(self) -> None:
        """Close the engine if it is open."""
        if self._is_open:
            self.engine.close()
            self._is_open = False

    def reopened(self) -> Engine:
        """Close and open, so that no cache of the engine's objects is left."""
        self.close()
        return self.opened()

    def new_version(self) -> int:
        """Return a version of records that nothing in this process had before."""
        self._version += 1
        return self._version

    def purpose(self, name: str) -> str:
        """Return a purpose for choices that differs from repeat to repeat."""
        return f"{name} {self.spec.repeat}"

    def seconds(self, function: Callable[[], Any]) -> float:
        """Call a function once; return its time, and keep what it cost in counters.

        What stands in memory before is hidden from Python's collector, which would
        walk through the prepared records and charge every engine for them.
        """
        gc.collect()
        gc.freeze()
        self.engine.reset_counters()
        if self._profiler is not None:
            function = partial(self._profiler.runcall, function)
        start = time.perf_counter()
        function()
        elapsed = time.perf_counter() - start
        if self._profiler is not None:
            self._profiler.dump_stats(self.spec.profile)
        counted = self.engine.counters()
        self.counters = {name: n for name, n in counted.items() if n}
        return elapsed

    def median_seconds(self, functions: Sequence[Callable[[], Any]]) -> float:
        """Time several calls; return the median. Counters are of the last one.

        Where the calls are slow the last of them are left out.
        """
        times: list[float] = []
        for one in functions:
            times.append(self.seconds(one))
            limit_s = SAMPLING_S if len(times) >= SAMPLES_LEAST else SAMPLING_S_MOST
            if sum(times) > limit_s:
                break
        self.sampled = len(times)
        return statistics.median(times)

    @cached_property
    def _profiler(self) -> cProfile.Profile | None:
        return cProfile.Profile() if self.spec.profile else None
