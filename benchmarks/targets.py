"""The targets of one store: ratios to a rival in the same run, or absolute figures.

They are those of the design's table; the report says of each whether it was met.
"""

from __future__ import annotations

from dataclasses import dataclass

from .engines import OURS
from .records import PAYLOAD_BYTES
from .results import Figure, Results
from .workloads import WORKLOADS


@dataclass(frozen=True)
class Target:
    """Ours shall be ``factor`` times the rival's figure at least, or at most.

    Without a rival ``factor`` is the figure itself, in the unit of the workload.
    Which of both it is follows from the workload: more records a second are better.
    A ``count`` of 0 stands for whatever size was measured: the work has none. With a
    ``fact`` it is that number beside the figure which is judged, and less is better.
    """

    work: str
    count: int
    factor: float
    rival: str = "doltlite"
    fact: str = ""

    @property
    def wants_more(self) -> bool:
        """Tell whether the bound is one to reach, not one to keep."""
        return not self.fact and WORKLOADS[self.work].more_is_better


MILLION = 1_000_000
THOUSANDS = 100_000
MB = 1e6

TARGETS = [
    Target("load-sorted", MILLION, 2),
    Target("load-random", MILLION, 3),
    Target("get-hit", THOUSANDS, 1),
    Target("get-hit", MILLION, 1),
    Target("scan-raw", THOUSANDS, 1),
    Target("scan-raw", MILLION, 2),
    Target("scan", MILLION, 1),
    Target("update-1", THOUSANDS, 2),
    Target("update-1", MILLION, 1),
    Target("update-1000", MILLION, 0.7),
    Target("diff-1", MILLION, 1),
    Target("diff-100", MILLION, 1),
    Target("diff-10k", MILLION, 1),
    Target("merge-disjoint", MILLION, 0.7),
    Target("pull-100", MILLION, 25, "", "kB moved"),
    Target("clone", MILLION, 40, ""),
    Target("disk-sorted", MILLION, 1.1 * MILLION * PAYLOAD_BYTES / MB, ""),
    Target("disk-random", MILLION, 1.1 * MILLION * PAYLOAD_BYTES / MB, ""),
    Target("memory-sorted", MILLION, 150, ""),
    Target("memory-random", MILLION, 250, ""),
    Target("import", 0, 45, ""),
]


@dataclass(frozen=True)
class Verdict:
    """A target with both figures at one size; an absolute one has no ``theirs``."""

    target: Target
    form: str
    count: int
    ours: float
    theirs: float | None

    @property
    def bound(self) -> float:
        """The figure that ours must reach, or not exceed."""
        factor = self.target.factor
        return factor if self.theirs is None else factor * self.theirs

    @property
    def met(self) -> bool:
        """Tell whether ours is on the right side of the bound."""
        if self.target.wants_more:
            return self.ours >= self.bound
        return self.ours <= self.bound


def _largest(results: Results, form: str, target: Target) -> int:
    """Return the greatest size at which ours was measured; 0 for none."""
    sizes = (
        one.count
        for one in results.figures
        if (one.engine, one.form, one.work) == (OURS, form, target.work)
    )
    return max(sizes, default=0)


def _measured(figure: Figure | None, fact: str) -> float | None:
    """Return what is judged of a figure, if it was measured."""
    if figure is None:
        return None
    return figure.facts.get(fact) if fact else figure.median


def verdicts(results: Results) -> list[Verdict]:
    """Return the verdict on every target that the run has the figures for."""
    found = []
    for target in TARGETS:
        for form in WORKLOADS[target.work].forms:
            count = target.count or _largest(results, form, target)
            place = form, count, target.work
            ours = _measured(results.find(OURS, *place), target.fact)
            theirs = _measured(results.find(target.rival, *place), target.fact)
            if ours is None or (target.rival and theirs is None):
                continue
            found.append(Verdict(target, form, count, ours, theirs))
    return found
