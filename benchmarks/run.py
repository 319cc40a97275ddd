"""A run: for each size and form, every group of workloads on every subject, in turn.

The subjects of one group are interleaved within each repeat, and each repeat begins
with another of them, so that a slow minute of the machine falls on all alike.
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .child import FIXTURE
from .engine import written_back
from .engines import OURS, engine_class
from .process import SUITE_ROOT, Outcome, run_process
from .records import Form
from .results import Figure, Results, show_number
from .stage import Spec
from .workloads import Group, Workload, grouped

DEFAULT_SEED = 20_260_101
DEFAULT_REPEATS = 3
# An engine that needs longer for one process is not comparable.
DEFAULT_LIMIT_S = 300.0
# A rival is stopped where it takes so many times as long as ours with the same group of
# workloads, though never before it had so many seconds.
RIVAL_LIMIT_RATIO = 10
RIVAL_LIMIT_LEAST_S = 20.0
# A rival that would load a size for longer than this, by the time it took for a smaller
# one, is left out there: the rest of the run would wait for it time and again.
LOAD_PATIENCE_S = 150.0
# From here on what takes long, and is no target of the design, is measured once.
MANY_RECORDS = 500_000
# The group whose first process leaves the store that others read or copy.
LOAD_GROUP = "load-sorted"

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
class Place:
    """One subject at one form and size."""

    subject: Subject
    form: Form
    count: int

    @property
    def name(self) -> str:
        """A name for the directory of its store."""
        return f"{self.subject.label}-{self.form}-{self.count}"


class Run:
    """One run of a plan; the figures appear in ``results`` as they are measured."""

    def __init__(self, plan: Plan, results: Results, tell: Tell) -> None:
        self.plan = plan
        self.results = results
        self._tell = tell
        self._fixtures: dict[Place, Outcome] = {}
        # The seconds that a record took to load, by subject and form.
        self._load_s: dict[tuple[Subject, Form], float] = {}
        # The seconds that ours took with a group, by form and size.
        self._ours_s: dict[tuple[str, Form, int], float] = {}

    def carry_out(self) -> None:
        """Measure everything; stores are removed as soon as they are done with."""
        for count in sorted(self.plan.counts):
            for form in self.plan.forms:
                self._measure_form(form, count)

    def _measure_form(self, form: Form, count: int) -> None:
        places = [
            Place(one, form, count)
            for one in self.plan.subjects
            if form in engine_class(one.engine).forms
        ]
        for group, works in grouped(self.plan.works):
            some = [one for one in works if form in one.forms]
            is_due = group.sized or count == max(self.plan.counts)
            if some and places and is_due:
                self._measure_group(group, some, places)
        for place in self._fixtures:
            shutil.rmtree(self._fixture_path(place), ignore_errors=True)
        self._fixtures.clear()

    def _measure_group(
        self, group: Group, works: list[Workload], places: list[Place]
    ) -> None:
        """Measure the workloads of one group on all subjects, interleaved."""
        figures = {place: _figures_of(place, works) for place in places}
        for repeat in range(self._repeats(group, places)):
            turn = repeat % len(places)
            for place in places[turn:] + places[:turn]:
                wanted = [one for one in figures[place].values() if one.is_open]
                if wanted:
                    names = [one.work for one in wanted]
                    for name, outcome in self._measure(
                        group, place, names, repeat=repeat
                    ).items():
                        figures[place][name].take(outcome)
        for place, some in figures.items():
            self._count_costs(group, place, list(some.values()))
            for figure in some.values():
                self.results.figures.append(figure)
                self._tell(_line(figure))

    def _repeats(self, group: Group, places: list[Place]) -> int:
        is_long = group.lengthy and places[0].count >= MANY_RECORDS
        return 1 if group.steady or is_long else self.plan.repeats

    def _count_costs(self, group: Group, place: Place, figures: list[Figure]) -> None:
        """Run ours once more, to count; its times are thrown away."""
        names = [one.work for one in figures if one.samples]
        ours = place.subject.engine == OURS and not group.memory
        if not (self.plan.counting and ours and names):
            return
        outcomes = self._measure(group, place, names, counting=True)
        for figure in figures:
            if figure.work in outcomes:
                figure.counters = outcomes[figure.work].counters

    def _measure(
        self,
        group: Group,
        place: Place,
        names: Sequence[str],
        *,
        repeat: int = 0,
        counting: bool = False,
    ) -> dict[str, Outcome]:
        """Return one sample of each: of one process, or the median of several."""
        why = self._too_slow(place)
        if why:
            return {name: Outcome(failed=why) for name in names}
        fixture = self._fixture_path(place)
        store = fixture if group.store == "loaded" else self.plan.directory / "scratch"
        if group.store != "empty":
            loaded = self._fixture(place)
            if loaded.value is None:
                return dict.fromkeys(names, loaded)
        if group.store == "copy":
            shutil.copytree(fixture, store)
            # Else the copy is written back while the workload waits for its own syncs.
            written_back(store)
        spec = replace(self._spec(place, names, store), counting=counting)
        limit_s = self._limit_s(group, place)
        start = time.monotonic()
        processes = 1 if counting else -(-group.processes // self.plan.repeats)
        try:
            outcomes = [
                run_process(
                    replace(spec, repeat=repeat, sample=repeat * processes + sample),
                    limit_s=limit_s,
                    watch_memory=group.memory,
                )
                for sample in range(processes)
            ]
            if place.subject.engine == OURS:
                spent = time.monotonic() - start
                self._ours_s[group.name, place.form, place.count] = spent
            if group.name == LOAD_GROUP:
                self._keep_loaded(place, store, outcomes[0])
        finally:
            if group.store != "loaded":
                shutil.rmtree(store, ignore_errors=True)
        return {name: _joined([one[name] for one in outcomes]) for name in names}

    def _limit_s(self, group: Group, place: Place) -> float:
        """Return how long one process may take."""
        ours = self._ours_s.get((group.name, place.form, place.count))
        if place.subject.engine == OURS or ours is None:
            return self.plan.limit_s
        patience = max(RIVAL_LIMIT_LEAST_S, RIVAL_LIMIT_RATIO * ours)
        return min(self.plan.limit_s, patience)

    def _too_slow(self, place: Place) -> str:
        """Say that a size would be waited for too long, or nothing."""
        each = self._load_s.get((place.subject, place.form), 0.0)
        expected = each * place.count
        if place.subject.engine == OURS or expected <= LOAD_PATIENCE_S:
            return ""
        return f"left out: loading takes {expected:.0f} s"

    def _keep_loaded(
        self, place: Place, store: Path, outcomes: dict[str, Outcome]
    ) -> None:
        """Let the store that a sorted load left be the one that others begin with."""
        rate = outcomes[LOAD_GROUP].value if LOAD_GROUP in outcomes else None
        if rate and place not in self._fixtures:
            self._load_s[place.subject, place.form] = 1 / rate
            store.rename(self._fixture_path(place))
            self._fixtures[place] = Outcome(value=0.0)

    def _fixture_path(self, place: Place) -> Path:
        return self.plan.directory / place.name

    def _fixture(self, place: Place) -> Outcome:
        """Load the store that later measurements read or copy, once."""
        if place not in self._fixtures:
            spec = self._spec(place, [FIXTURE], self._fixture_path(place))
            start = time.monotonic()
            outcome = run_process(spec, limit_s=self.plan.limit_s)[FIXTURE]
            each = (time.monotonic() - start) / place.count
            self._load_s[place.subject, place.form] = each
            self._fixtures[place] = outcome
            written_back(self._fixture_path(place))
        return self._fixtures[place]

    def _spec(self, place: Place, works: Sequence[str], store: Path) -> Spec:
        return Spec(
            engine=place.subject.engine,
            works=list(works),
            form=place.form,
            count=place.count,
            seed=self.plan.seed,
            store=str(store),
            shared=str(self.plan.directory),
            library=place.subject.library,
            profile=self.plan.profile,
        )


def _figures_of(place: Place, works: list[Workload]) -> dict[str, Figure]:
    label = place.subject.label
    return {
        one.name: Figure(label, place.form, place.count, one.name, one.unit)
        for one in works
    }


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
