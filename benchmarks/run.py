"""A run: for each size and form, every workload on every subject, in turn.

The subjects of one workload are interleaved within each repeat, and each repeat begins
with another of them, so that a slow minute of the machine falls on all alike.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .child import FIXTURE
from .engines import OURS, engine_class
from .process import SUITE_ROOT, Outcome, run_process
from .records import Form
from .results import Figure, Results
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


class Run:
    """One run of a plan; the figures appear in ``results`` as they are measured."""

    def __init__(self, plan: Plan, results: Results, tell: Tell) -> None:
        self.plan = plan
        self.results = results
        self._tell = tell
        self._loaded: dict[tuple[str, Form, int], Outcome] = {}

    def carry_out(self) -> None:
        """Measure everything; directories are removed as soon as they are done with."""
        for count in self.plan.counts:
            for form in self.plan.forms:
                subjects = [
                    one
                    for one in self.plan.subjects
                    if form in engine_class(one.engine).forms
                ]
                for work in self.plan.works:
                    if form in work.forms:
                        self._measure_all(work, form, count, subjects)
                for one in subjects:
                    shutil.rmtree(self._fixture_path(one, form, count), True)

    def _measure_all(
        self, work: Workload, form: Form, count: int, subjects: list[Subject]
    ) -> None:
        figures = {
            one.label: Figure(one.label, form, count, work.name, work.unit)
            for one in subjects
        }
        for repeat in range(self.plan.repeats):
            turn = repeat % len(subjects)
            for subject in subjects[turn:] + subjects[:turn]:
                figure = figures[subject.label]
                if figure.lacks or figure.failed:
                    continue
                figure.take(self._measure(work, form, count, subject))
        for subject in subjects:
            figure = figures[subject.label]
            if self.plan.counting and subject.engine == OURS and figure.samples:
                figure.counters = self._count(work, form, count, subject)
            self.results.figures.append(figure)
            self._tell(_line(figure))

    def _spec(
        self, subject: Subject, work: str, form: Form, count: int, store: Path
    ) -> Spec:
        return Spec(
            engine=subject.engine,
            work=work,
            form=form,
            count=count,
            seed=self.plan.seed,
            store=str(store),
            shared=str(self.plan.directory),
            library=subject.library,
        )

    def _measure(
        self, work: Workload, form: Form, count: int, subject: Subject
    ) -> Outcome:
        """Return one sample: one process, or the median of several."""
        return self._attempt(work, form, count, subject)[0]

    def _count(
        self, work: Workload, form: Form, count: int, subject: Subject
    ) -> dict[str, int]:
        """Return what one more run of the workload reads and writes.

        Its times are thrown away: counting has a cost of its own.
        """
        return self._attempt(work, form, count, subject, counting=True)[0].counters

    def _attempt(
        self,
        work: Workload,
        form: Form,
        count: int,
        subject: Subject,
        *,
        counting: bool = False,
    ) -> list[Outcome]:
        store, problem = self._store(work, form, count, subject)
        if problem is not None:
            return [problem]
        spec = self._spec(subject, work.name, form, count, store)
        processes = 1 if counting else work.processes
        try:
            outcomes = [
                run_process(
                    _with(spec, sample=sample, counting=counting),
                    limit_s=self.plan.limit_s,
                    watch_memory=work.memory,
                )
                for sample in range(processes)
            ]
        finally:
            if work.store != "loaded":
                shutil.rmtree(store, ignore_errors=True)
        return [_joined(outcomes)]

    def _store(
        self, work: Workload, form: Form, count: int, subject: Subject
    ) -> tuple[Path, Outcome | None]:
        scratch = self.plan.directory / "scratch"
        if work.store == "empty":
            return scratch, None
        fixture = self._fixture_path(subject, form, count)
        loaded = self._fixture(subject, form, count)
        if loaded.value is None:
            return fixture, loaded
        if work.store == "loaded":
            return fixture, None
        shutil.copytree(fixture, scratch)
        return scratch, None

    def _fixture_path(self, subject: Subject, form: Form, count: int) -> Path:
        return self.plan.directory / f"{subject.label}-{form}-{count}"

    def _fixture(self, subject: Subject, form: Form, count: int) -> Outcome:
        """Load the store that later measurements read or copy, once."""
        place = subject.label, form, count
        if place not in self._loaded:
            self._tell(f"loading {subject.label}, {form} of {count:,}")
            path = self._fixture_path(subject, form, count)
            spec = self._spec(subject, FIXTURE, form, count, path)
            self._loaded[place] = run_process(spec, limit_s=self.plan.limit_s)
        return self._loaded[place]
