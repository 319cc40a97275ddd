"""Which plots a report has: against records, against the change, against commits."""

from __future__ import annotations

from collections.abc import Iterator

from .node_results import NodeResults
from .plot import Line, Plot, lines_of
from .records import Form
from .results import Results
from .workloads import WORKLOADS

PLOTTED = (
    "load-sorted",
    "get-hit",
    "get-cold",
    "scan",
    "update-1",
    "update-1000",
    "diff-1",
    "diff-100",
)
CHANGES = {
    "diff": {1: "diff-1", 100: "diff-100", 10_000: "diff-10k"},
    "update": {1: "update-1", 100: "update-100", 1000: "update-1000"},
}
FORMS: tuple[Form, ...] = ("map", "table")
RECORDS_AXIS = "records in the store"

Named = tuple[str, Plot]


def plots_of(results: Results, nodes: NodeResults | None) -> Iterator[Named]:
    """Yield (name, plot) of the plots that there are two points or more for."""
    for work in PLOTTED:
        for form in WORKLOADS[work].forms:
            yield from _growth(results, work, form)
    for form in FORMS:
        for name, sizes in CHANGES.items():
            yield from _change(results, name, sizes, form)
        yield from _disk(results, form)
    if nodes is not None:
        yield from _node_sizes(nodes)


def _is_plot(lines: list[Line]) -> bool:
    return any(len(line.points) > 1 for line in lines)


def _growth(results: Results, work: str, form: str) -> Iterator[Named]:
    """Yield a workload's figures against the number of records."""

    def figure(engine: str, count: float) -> float | None:
        return results.median(engine, form, int(count), work)

    lines = lines_of(results.engines, results.counts, figure)
    if _is_plot(lines):
        plot = Plot(f"{work}, {form}", RECORDS_AXIS, WORKLOADS[work].unit, lines)
        yield f"{work}-{form}", plot


def _largest(results: Results, form: str, works: list[str]) -> int:
    """Return the greatest size at which two engines have all of the workloads."""
    for count in reversed(results.counts):
        having = [
            engine
            for engine in results.engines
            if all(results.median(engine, form, count, work) for work in works)
        ]
        if len(having) > 1:
            return count
    return max(results.counts, default=0)


def _change(
    results: Results, name: str, sizes: dict[int, str], form: str
) -> Iterator[Named]:
    """Yield the time of a change against its size."""
    count = _largest(results, form, list(sizes.values()))

    def figure(engine: str, size: float) -> float | None:
        return results.median(engine, form, count, sizes[int(size)])

    lines = lines_of(results.engines, list(sizes), figure)
    if _is_plot(lines):
        title = f"{name} against the size of the change, {form} of {count:,}"
        yield f"{name}-{form}", Plot(title, "records changed", "ms", lines)


def _disk(results: Results, form: str) -> Iterator[Named]:
    """Yield what commits add to the disk, one after another."""
    count = _largest(results, form, ["disk-growth"])
    lines = []
    for hue, engine in enumerate(results.engines):
        figure = results.find(engine, form, count, "disk-growth")
        points = [] if figure is None else [one for one in figure.series if one[1] > 0]
        if points:
            lines.append(Line(engine, points, hue))
    if _is_plot(lines):
        title = f"disk added by commits of 10 updates, {form} of {count:,}"
        yield f"disk-growth-{form}", Plot(title, "commits", "MB", lines)


def _node_sizes(nodes: NodeResults) -> Iterator[Named]:
    """Yield the speed of some work against the mean size of a node."""
    lines = nodes.speed_lines()
    if _is_plot(lines):
        title = f"records a second against the size of nodes, {nodes.count:,} records"
        yield "node-size", Plot(title, "mean bytes of a leaf", "records/s", lines)
