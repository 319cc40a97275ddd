"""What a workload gets: an engine over a directory, the records, and a clock."""

from __future__ import annotations

import cProfile
import gc
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from .engine import Engine
from .engines import engine_class
from .records import Form, Records


@dataclass(frozen=True)
class Spec:
    """One measurement, as the parent process orders it.

    ``store`` is the engine's directory. ``shared`` holds what all measurements of a run
    may use. ``library`` is the directory that ``prolly`` is imported from, or empty.
    With ``profile`` a profile of what is timed goes to the file of that name.
    ``sample`` tells apart the processes whose median is one figure.
    """

    engine: str
    work: str
    form: Form
    count: int
    seed: int
    store: str
    shared: str
    library: str = ""
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
    """The surroundings of one workload in its process."""

    spec: Spec
    facts: dict[str, float] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)

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

    def opened(self) -> Engine:
        """Open the engine over its directory."""
        self.engine.open()
        return self.engine

    def created(self) -> Engine:
        """Make an empty store and return its engine, open."""
        self.engine.create()
        return self.engine

    def reopened(self) -> Engine:
        """Close and open, so that no cache of the engine's objects is left."""
        self.engine.close()
        return self.opened()

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

    def median_seconds(self, functions: list[Callable[[], Any]]) -> float:
        """Time several calls; return the median. Counters are of the last one."""
        return statistics.median([self.seconds(one) for one in functions])

    @cached_property
    def _profiler(self) -> cProfile.Profile | None:
        return cProfile.Profile() if self.spec.profile else None

    @cached_property
    def csv_path(self) -> Path:
        """The CSV file of the records, made on first use."""
        path = Path(self.spec.shared) / f"records-{self.spec.count}.csv"
        if not path.exists():
            draft = path.with_suffix(".draft")
            self.records.write_csv(draft)
            draft.rename(path)
        return path
