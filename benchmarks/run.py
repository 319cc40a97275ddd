"""A run: for each size and form, every workload on every subject, in turn.

The subjects of one workload are interleaved within each repeat, and each repeat begins
with another of them, so that a slow minute of the machine falls on all alike.
"""

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from .child import FIXTURE
from .engines import OURS, engine_class
from .process import SUITE_ROOT, Outcome, run_process
from .records import Form
from .results import Figure, Results, show_number
from .stage import Spec
from .workloads import Workload

DEFAULT_SEED = 20_260_101
DEFAULT_REPEATS = 3
# A rival that needs longer for one measurement is not comparable; ours never does.
DEFAULT_LIMIT_S = 900.0

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Subject:
    """What is measured: an engine, and for ours the place that prolly comes from."""

    label: str
    engine: str
    library: str = str(SUITE_ROOT)


@dataclass(frozen=True)
class Plan:
    """What a run measures and how often."""

    subjects: list[Subject]
    works: list[Workload]
    counts: list[int]
    forms: list[Form]
    directory: Path
    seed: int = DEFAULT_SEED
    repeats: int = DEFAULT_REPEATS
    limit_s: float = DEFAULT_LIMIT_S
    counting: bool = True
    profile: str = ""


@dataclass(frozen=True)
class Cell:
    """One subject at one workload, form and size."""

    subject: Subject
    work: Workload
    form: Form
    count: int


class Run:
    """One run of a plan; the figures appear in ``results`` as they are measured."""

    def __init__(self, plan: Plan, results: Results, tell: Tell) -> None:
        self.plan = plan
        self.results = results
        self._tell = tell
        self._loaded: dict[Path, Outcome] = {}

    def carry_out(self) -> None:
        """Measure everything; stores are removed as soon as they are done with."""
        for count in self.plan.counts:
            for form in self.plan.forms:
                self._measure_form(form, count)

    def _measure_form(self, form: Form, count: int) -> None:
        subjects = [
            one for one in self.plan.subjects if form in engine_class(one.engine).forms
        ]
        for work in self.plan.works:
            if form in work.forms and subjects:
                self._measure_all([Cell(one, work, form, count) for one in subjects])
        for path in self._loaded:
            shutil.rmtree(path, ignore_errors=True)
        self._loaded.clear()

    def _measure_all(self, cells: list[Cell]) -> None:
        """Measure one workload on all subjects, interleaved."""
        figures = {cell: _figure_of(cell) for cell in cells}
        for repeat in range(self.plan.repeats):
            turn = repeat % len(cells)
            for cell in cells[turn:] + cells[:turn]:
                figure = figures[cell]
                if not figure.lacks and not figure.failed:
                    figure.take(self._measure(cell))
        for cell, figure in figures.items():
            ours = cell.subject.engine == OURS
            if self.plan.counting and ours and figure.samples:
                # Its times are thrown away: counting has a cost of its own.
                figure.counters = self._measure(cell, counting=True).counters
            self.results.figures.append(figure)
            self._tell(_line(figure))

    def _measure(self, cell: Cell, *, counting: bool = False) -> Outcome:
        """Return one sample: of one process, or the median of several."""
        work = cell.work
        fixture = self._fixture_path(cell)
        store = fixture if work.store == "loaded" else self.plan.directory / "scratch"
        if work.store != "empty":
            loaded = self._fixture(cell)
            if loaded.value is None:
                return loaded
        if work.store == "copy":
            shutil.copytree(fixture, store)
            # Else the copy is written back while the workload waits for its own syncs.
            os.sync()
        spec = replace(self._spec(cell, work.name, store), counting=counting)
        try:
            outcomes = [
                run_process(
                    replace(spec, sample=sample),
                    limit_s=self.plan.limit_s,
                    watch_memory=work.memory,
                )
                for sample in range(1 if counting else work.processes)
            ]
        finally:
            if work.store != "loaded":
                shutil.rmtree(store, ignore_errors=True)
        return _joined(outcomes)

    def _fixture_path(self, cell: Cell) -> Path:
        name = f"{cell.subject.label}-{cell.form}-{cell.count}"
        return self.plan.directory / name

    def _fixture(self, cell: Cell) -> Outcome:
        """Load the store that later measurements read or copy, once."""
        path = self._fixture_path(cell)
        if path not in self._loaded:
            spec = self._spec(cell, FIXTURE, path)
            self._loaded[path] = run_process(spec, limit_s=self.plan.limit_s)
            os.sync()
        return self._loaded[path]

    def _spec(self, cell: Cell, work: str, store: Path) -> Spec:
        return Spec(
            engine=cell.subject.engine,
            work=work,
            form=cell.form,
            count=cell.count,
            seed=self.plan.seed,
            store=str(store),
            shared=str(self.plan.directory),
            library=cell.subject.library,
            profile=self.plan.profile,
        )


def _figure_of(cell: Cell) -> Figure:
    work = cell.work
    return Figure(cell.subject.label, cell.form, cell.count, work.name, work.unit)


def _joined(outcomes: list[Outcome]) -> Outcome:
    """Make one sample of the processes of one: their median, or the first problem."""
    for one in outcomes:
        if one.value is None:
            return one
    values = [one.value for one in outcomes if one.value is not None]
    return replace(outcomes[0], value=statistics.median(values))


def _line(figure: Figure) -> str:
    """Return what a person who waits wants to see of a figure."""
    what = f"{figure.work} {figure.form} {figure.count:,} {figure.engine}"
    if figure.median is None:
        return f"{what}: {figure.lacks or figure.failed}"
    return f"{what}: {show_number(figure.median)} {figure.unit}"
