"""The page of a run: tables by form, targets, costs and plots, all from the results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .engines import OURS
from .plot import Plot, draw, lines_of
from .results import Figure, Results, merge, show_number
from .targets import Verdict, verdicts
from .workloads import WORKLOADS, Workload

PLOTTED = ("load-sorted", "get-hit", "scan", "update-1", "update-1000", "diff-100")
DIFF_SIZES = {1: "diff-1", 100: "diff-100", 10_000: "diff-10k"}
UPDATE_SIZES = {1: "update-1", 1000: "update-1000"}
RECORDS_AXIS = "records in the store"


def write_report(runs: list[Results], page: Path) -> list[Path]:
    """Write the page, and its plots into a directory of its name; return the files.

    Of a figure that several runs have, that of the last one is shown.
    """
    results = merge(runs)
    pictures = page.with_suffix("")
    names = dict(_plots(results))
    written = [page]
    page.parent.mkdir(parents=True, exist_ok=True)
    for name, plot in names.items():
        pictures.mkdir(exist_ok=True)
        path = pictures / f"{name}.svg"
        path.write_text(draw(plot), encoding="utf-8")
        written.append(path)
    shown = [
        f"![{plot.title}]({pictures.name}/{name}.svg)" for name, plot in names.items()
    ]
    page.write_text(page_text(runs, shown), encoding="utf-8")
    return written


def page_text(runs: list[Results], pictures: list[str]) -> str:
    """Return the page as Markdown."""
    results = merge(runs)
    blocks = [
        "# Benchmarks",
        "Generated from a run by `python -m benchmarks report`; not to be edited."
        " A cell is the median; the least and the greatest of several repeats stand"
        " below it. Bold is the best of its row.",
        *_settings(runs),
        *_verdict_table(verdicts(results)),
    ]
    for form in ("map", "table"):
        for count in results.counts:
            blocks.extend(_table(results, form, count))
    blocks.extend(_counter_tables(results))
    if pictures:
        blocks.extend(["## Growth", *pictures])
    blocks.extend(_workload_list(results))
    return "\n\n".join(blocks) + "\n"


def _settings(runs: list[Results]) -> Iterator[str]:
    """Yield what is to be known of each run, and how the engines are used."""
    yield "## The run" if len(runs) == 1 else "## The runs"
    for run in runs:
        yield _setting(run.about)
    uses = {name: use for run in runs for name, use in run.about["uses"].items()}
    absent = {name: why for run in runs for name, why in run.absent.items()}
    lines = [f"- **{name}**: {use}" for name, use in uses.items()]
    lines += [f"- **{name}** was left out: {why}" for name, why in absent.items()]
    yield "How each engine is used:"
    yield "\n".join(lines)


def _setting(about: dict[str, Any]) -> str:
    machine, commit = about["machine"], about["commit"]
    changed = ", with uncommitted changes" if commit["dirty"] else ""
    versions = ", ".join(f"{name} {one}" for name, one in about["versions"].items())
    return "\n".join(
        [
            f"- {about['date']}, commit `{commit['commit'][:12]}`{changed}",
            f"- {machine['cpu']}, {machine['cores']} cores,"
            f" {machine['memory_gib']} GiB, Linux {machine['kernel']},"
            f" {machine['file_system']}, load {machine['load_1min']} at the start",
            f"- Python {machine['python']}; {versions}",
            f"- seed {about['seed']}, repeats: {about['repeats']}, interleaved, each"
            " measurement in a process of its own",
            f"- `{about['command']}`",
        ]
    )


def _verdict_table(found: list[Verdict]) -> Iterator[str]:
    if not found:
        return
    yield "## Targets"
    rows = ["| work | records | form | ours | rival | bound | met |", "|---" * 7 + "|"]
    for one in found:
        target, unit = one.target, WORKLOADS[one.target.work].unit
        theirs = "" if one.theirs is None else show_number(one.theirs)
        size = f"{target.count:,}" if target.count else "any"
        sign = "≥" if WORKLOADS[target.work].more_is_better else "≤"
        factor = f" ({target.factor:g}x {target.rival})" if target.rival else ""
        rows.append(
            f"| {target.work}, {unit} | {size} | {one.form} "
            f"| {show_number(one.ours)} | {theirs} "
            f"| {sign} {show_number(one.bound)}{factor} "
            f"| {'yes' if one.met else 'no'} |"
        )
    yield "\n".join(rows)


def _table(results: Results, form: str, count: int) -> Iterator[str]:
    """Yield a heading and the table of one form and size, if it was measured."""
    engines = [
        name
        for name in results.engines
        if any(results.find(name, form, count, work) for work in WORKLOADS)
    ]
    rows = []
    for work in WORKLOADS.values():
        figures = [results.find(name, form, count, work.name) for name in engines]
        if any(figures):
            cells = " | ".join(_cells(figures, work))
            rows.append(f"| {work.name}, {work.unit} | {cells} |")
    if not rows:
        return
    yield f"## As a {form}, {count:,} records"
    head = f"| work | {' | '.join(engines)} |"
    yield "\n".join([head, "|---" + "|--:" * len(engines) + "|", *rows])


def _cells(figures: list[Figure | None], work: Workload) -> list[str]:
    medians = [one.median for one in figures if one and one.median is not None]
    best = None
    if len(medians) > 1:
        best = max(medians) if work.more_is_better else min(medians)
    return [_cell(one, best) for one in figures]


def _cell(figure: Figure | None, best: float | None) -> str:
    if figure is None:
        return ""
    if figure.median is None:
        return figure.lacks or f"failed: {figure.failed}".replace("|", "/")
    shown = show_number(figure.median)
    if figure.median == best:
        shown = f"**{shown}**"
    if figure.spread:
        least, greatest = map(show_number, figure.spread)
        shown += f"<br>{least} to {greatest}"
    for name, fact in figure.facts.items():
        shown += f"<br>{name}: {show_number(fact)}"
    return shown


def _counter_tables(results: Results) -> Iterator[str]:
    """Yield what ours read and wrote, in chunks of the store, bytes and calls."""
    counted = [one for one in results.figures if one.counters]
    if not counted:
        return
    names = list(dict.fromkeys(name for one in counted for name in one.counters))
    rows = [f"| work | form | records | {' | '.join(names)} |"]
    rows.append("|---|---|--:" + "|--:" * len(names) + "|")
    for one in counted:
        label = one.work if one.engine == OURS else f"{one.work} ({one.engine})"
        cells = " | ".join(f"{one.counters.get(name, 0):,}" for name in names)
        rows.append(f"| {label} | {one.form} | {one.count:,} | {cells} |")
    yield "## Cost in chunks"
    yield (
        "What passed between the tree and the store while the clock of one run was on;"
        " of a workload with several samples, in the last one."
    )
    yield "\n".join(rows)


def _workload_list(results: Results) -> Iterator[str]:
    used = dict.fromkeys(one.work for one in results.figures)
    yield "## The workloads"
    yield "\n".join(f"- **{name}**: {WORKLOADS[name].line}" for name in used)


def _plots(results: Results) -> Iterator[tuple[str, Plot]]:
    """Yield the plots that the run has two points or more for."""
    for work in PLOTTED:
        for form in WORKLOADS[work].forms:
            yield from _growth_plot(results, work, form)
    for count in results.counts:
        for form in ("map", "table"):
            yield from _change_plot(results, "diff", DIFF_SIZES, (form, count))
            yield from _change_plot(results, "update", UPDATE_SIZES, (form, count))


def _growth_plot(results: Results, work: str, form: str) -> Iterator[tuple[str, Plot]]:
    """Yield a workload's figures against the number of records."""

    def figure(engine: str, count: float) -> float | None:
        return results.median(engine, form, int(count), work)

    lines = lines_of(results.engines, results.counts, figure)
    if any(len(line.points) > 1 for line in lines):
        plot = Plot(f"{work}, {form}", RECORDS_AXIS, WORKLOADS[work].unit, lines)
        yield f"{work}-{form}", plot


def _change_plot(
    results: Results, name: str, sizes: dict[int, str], place: tuple[str, int]
) -> Iterator[tuple[str, Plot]]:
    """Yield the time of a change against its size."""
    form, count = place

    def figure(engine: str, size: float) -> float | None:
        return results.median(engine, form, count, sizes[int(size)])

    lines = lines_of(results.engines, list(sizes), figure)
    if any(len(line.points) > 1 for line in lines):
        title = f"{name} against the size of the change, {form} of {count:,}"
        yield f"{name}-{form}-{count}", Plot(title, "records changed", "ms", lines)
