"""The result of a run: figures with their spread, as JSON that the report reads."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from .process import Outcome
from .records import Form

Cell = tuple[str, str, int, str]


@dataclass
class Figure:
    """One engine at one workload: the samples, or why there are none.

    ``lacks`` says what the engine does not offer, ``failed`` what went wrong. A series
    holds points of a plot, those of the last sample.
    """

    engine: str
    form: Form
    count: int
    work: str
    unit: str
    samples: list[float] = field(default_factory=list)
    lacks: str = ""
    failed: str = ""
    facts: dict[str, float] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    series: list[tuple[float, float]] = field(default_factory=list)

    @property
    def cell(self) -> Cell:
        """What the figure is of."""
        return self.engine, self.form, self.count, self.work

    @property
    def is_open(self) -> bool:
        """Whether another sample is of use: nothing lacks, and nothing failed."""
        return not self.lacks and not self.failed

    @property
    def median(self) -> float | None:
        """The median of the samples, if there are any."""
        return statistics.median(self.samples) if self.samples else None

    @property
    def spread(self) -> tuple[float, float] | None:
        """The least and the greatest sample, of two or more."""
        if len(self.samples) < 2:
            return None
        return min(self.samples), max(self.samples)

    def take(self, outcome: Outcome) -> None:
        """Add what came of one process."""
        self.lacks = self.lacks or outcome.lacks
        self.failed = self.failed or outcome.failed
        if outcome.value is not None:
            self.samples.append(outcome.value)
        if outcome.facts:
            self.facts = outcome.facts
        if outcome.series:
            self.series = outcome.series

    def to_json(self) -> dict[str, Any]:
        """Return what is not empty, figures to six digits."""
        form = {name: value for name, value in asdict(self).items() if value}
        form["samples"] = [float(f"{one:.6g}") for one in self.samples]
        return form


@dataclass
class Results:
    """A whole run. ``about`` holds machine, versions, commit, seed, date, command."""

    about: dict[str, Any]
    figures: list[Figure] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)

    def find(self, engine: str, form: str, count: int, work: str) -> Figure | None:
        """Return the figure of one cell, if it was measured."""
        return self._by_cell.get((engine, form, count, work))

    @cached_property
    def _by_cell(self) -> dict[Cell, Figure]:
        return {one.cell: one for one in self.figures}

    def median(self, engine: str, form: str, count: int, work: str) -> float | None:
        """Return the median of one cell, if it has one."""
        found = self.find(engine, form, count, work)
        return None if found is None else found.median

    @property
    def engines(self) -> list[str]:
        """The engines in the order in which they first appear."""
        return list(dict.fromkeys(one.engine for one in self.figures))

    @property
    def counts(self) -> list[int]:
        """The numbers of records, ascending."""
        return sorted({one.count for one in self.figures})

    @property
    def careless(self) -> set[str]:
        """The engines that do not wait for the disk when they commit."""
        return set(self.about.get("careless", ()))

    def save(self, path: Path) -> None:
        """Write the run as JSON, a figure a line, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".draft")
        figures = ",\n".join(json.dumps(one.to_json()) for one in self.figures)
        about, absent = json.dumps(self.about, indent=1), json.dumps(self.absent)
        text = f'{{"about": {about},\n"absent": {absent},\n"figures": [\n{figures}\n]}}'
        draft.write_text(text + "\n", encoding="utf-8")
        draft.replace(path)


def load_results(path: Path) -> Results:
    """Read a run; ValueError, KeyError or TypeError when the file is none."""
    document = json.loads(path.read_text(encoding="utf-8"))
    figures = [Figure(**one) for one in document["figures"]]
    for one in figures:
        one.series = [(x, y) for x, y in one.series]
    return Results(document["about"], figures, document["absent"])


def merge(runs: list[Results]) -> Results:
    """Return the figures of several runs as one; of equal cells, the last run's.

    What is said of the run, and what was left out, is that of the last one.
    """
    figures = {one.cell: one for run in runs for one in run.figures}
    about = {**runs[-1].about}
    about["careless"] = sorted({name for run in runs for name in run.careless})
    return Results(about, list(figures.values()), runs[-1].absent)


def show_number(value: float) -> str:
    """Return a figure with three significant digits, thousands apart."""
    if value >= 1000:
        digits = max(0, 3 - len(str(int(value))))
        return f"{round(value, 3 - len(str(int(value)))):,.{digits}f}"
    return f"{value:.3g}"
