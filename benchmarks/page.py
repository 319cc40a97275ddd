"""The page of the benchmarks as Markdown: runs, targets, tables by form, costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .engines import OURS
from .node_results import NodeResults
from .profiles import Profiles
from .results import Figure, Results, merge, show_number
from .targets import Verdict, verdicts
from .workloads import WORKLOADS, Workload

FORMS = ("table", "map")
HEAD = """\
Generated from stored results by `python -m benchmarks report`; not to be edited. A cell
is the median; the least and the greatest of several repeats stand below it. Bold is the
best of its row. *Ours / best* is our figure over that of the best rival, whichever it
is: of times and sizes less than 1 is better, of rates more. An engine in italics does
not wait for the disk when it commits: where a figure holds such waits, it is shown and
not compared."""
COMMANDS = """\
To measure anew, on a machine that does nothing else (some 20, 10 and 3 minutes on two
cores), in an environment with the extra `bench`:

```sh
python -m benchmarks run --rivals all --records 100k,1M \\
    --out benchmarks/results/rivals.json
python -m benchmarks run --rivals doltlite --records 10k,100k,1M,10M --form map \\
    --repeats 1 --work get-hit,get-cold,group:updates,diff-1,diff-100,diff-10k \\
    --out benchmarks/results/growth.json
python -m benchmarks profile --records 1M --out benchmarks/results/profiles.json \\
    --work load-sorted,load-random,get-hit,scan,update-1,update-1000,diff-1,diff-100
python -m benchmarks.node_parameters --out benchmarks/results/node-parameters.json
python -m benchmarks report
```

The last command writes this page, its plots and the comparison in the README from all
files in `benchmarks/results/`. Of a figure in several files the last by name counts."""


def page_text(
    runs: list[Results],
    nodes: NodeResults | None,
    profiles: Profiles | None,
    pictures: list[str],
) -> str:
    """Return the page; ``pictures`` are links to its plots."""
    results = merge(runs)
    found = verdicts(results)
    blocks = [
        "# Benchmarks",
        HEAD,
        COMMANDS,
        *_settings(runs),
        *_verdict_table(found),
    ]
    for count in reversed(results.counts):
        for form in FORMS:
            blocks.extend(_table(results, found, form, count))
    if profiles is not None:
        blocks.extend(profiles.blocks(found))
    if pictures:
        blocks.extend(["## Growth", *pictures])
    if nodes is not None:
        blocks.extend(nodes.blocks())
    blocks.extend(_counter_tables(results))
    blocks.extend(_workload_list(results))
    return "\n\n".join(blocks) + "\n"


def _settings(runs: list[Results]) -> Iterator[str]:
    """Yield what is to be known of each run, and how the engines are used."""
    yield "## The run" if len(runs) == 1 else "## The runs"
    for run in runs:
        yield setting_text(run.about)
    uses = {name: use for run in runs for name, use in run.about["uses"].items()}
    absent = {name: why for run in runs for name, why in run.absent.items()}
    lines = [f"- **{name}**: {use}" for name, use in uses.items()]
    lines += [f"- **{name}** was left out: {why}" for name, why in absent.items()]
    yield "How each engine is used:"
    yield "\n".join(lines)


def setting_text(about: dict[str, Any]) -> str:
    """Return where and with what a run was made, as a list."""
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
            " engine in processes of its own",
            f"- `{about['command']}`",
        ]
    )


def _verdict_table(found: list[Verdict]) -> Iterator[str]:
    if not found:
        return
    met = sum(one.met for one in found)
    yield "## Targets"
    yield f"{met} of {len(found)} that these runs can tell of are met."
    rows = ["| work | records | form | ours | rival | target | |", "|---" * 7 + "|"]
    for one in found:
        target = one.target
        unit = target.fact or WORKLOADS[target.work].unit
        theirs = "" if one.theirs is None else show_number(one.theirs)
        size = f"{target.count:,}" if target.count else "any"
        rows.append(
            f"| {target.work}, {unit} | {size} | {one.form} "
            f"| {show_number(one.ours)} | {theirs} "
            f"| {_bound_text(one)} | {_met_text(one)} |"
        )
    yield "\n".join(rows)


def _bound_text(verdict: Verdict) -> str:
    target = verdict.target
    sign = "≥" if target.wants_more else "≤"
    if not target.rival:
        return f"{sign} {show_number(verdict.bound)} {target.fact}".strip()
    return f"{sign} {target.factor:g}x {target.rival}"


def _met_text(verdict: Verdict) -> str:
    return "met" if verdict.met else "**missed**"


def _table(
    results: Results, found: list[Verdict], form: str, count: int
) -> Iterator[str]:
    """Yield a heading and the table of one form and size, if it was measured."""
    engines = [
        name
        for name in results.engines
        if any(results.find(name, form, count, work) for work in WORKLOADS)
    ]
    judged = {
        one.target.work: one for one in found if one.form == form and one.count == count
    }
    rows = []
    for work in WORKLOADS.values():
        figures = {name: results.find(name, form, count, work.name) for name in engines}
        if any(figures.values()):
            cells = [*_cells(figures, work, results.careless)]
            cells.append(_ratio_cell(figures, work, results.careless))
            verdict = judged.get(work.name)
            cells.append(_bound_text(verdict) if verdict else "")
            cells.append(_met_text(verdict) if verdict else "")
            rows.append(f"| {work.name}, {work.unit} | {' | '.join(cells)} |")
    if not rows:
        return
    yield f"## As a {form}, {count:,} records"
    head = f"| work | {' | '.join(engines)} | ours / best | target | |"
    yield "\n".join([head, "|---" + "|--:" * (len(engines) + 1) + "|---|---|", *rows])


def compared(
    figures: dict[str, Figure | None], work: Workload, careless: set[str]
) -> dict[str, float]:
    """Return the medians that may be set beside each other, by engine."""
    left_out = careless if work.durable else set()
    return {
        name: one.median
        for name, one in figures.items()
        if one is not None and one.median is not None and name not in left_out
    }


def _best(medians: dict[str, float], work: Workload) -> str:
    """Return the engine with the best figure."""
    choose = max if work.more_is_better else min
    return choose(medians, key=medians.__getitem__)


def _ratio_cell(
    figures: dict[str, Figure | None], work: Workload, careless: set[str]
) -> str:
    medians = compared(figures, work, careless)
    ours = medians.pop(OURS, None)
    if ours is None or not medians:
        return ""
    rival = _best(medians, work)
    if medians[rival] <= 0:
        return ""
    return f"{ours / medians[rival]:.2f} ({rival})"


def _cells(
    figures: dict[str, Figure | None], work: Workload, careless: set[str]
) -> Iterator[str]:
    medians = compared(figures, work, careless)
    best = _best(medians, work) if len(medians) > 1 else None
    for name, figure in figures.items():
        mark = "**" if name == best else ""
        if work.durable and name in careless:
            mark = "*"
        yield _cell(figure, mark)


def _cell(figure: Figure | None, mark: str) -> str:
    if figure is None:
        return ""
    if figure.median is None:
        return figure.lacks or f"failed: {figure.failed}".replace("|", "/")
    shown = f"{mark}{show_number(figure.median)}{mark}"
    if figure.spread:
        least, greatest = map(show_number, figure.spread)
        shown += f"<br>{least} to {greatest}"
    for name, fact in figure.facts.items():
        shown += f"<br>{name}: {show_number(fact)}"
    return shown


# The counters that are shown, in this order: the terms in which the design states cost.
COUNTED = {
    "nodes_read": "nodes read",
    "nodes_decoded": "decoded",
    "nodes_written": "written",
    "cache_hits": "found in the cache",
    "get_calls": "read calls",
    "get_bytes": "bytes read",
    "put_bytes": "bytes written",
    "fsyncs": "fsyncs",
    "round_trips": "round trips",
}


def _counter_tables(results: Results) -> Iterator[str]:
    """Yield what ours cost, in the terms of the design."""
    counted = [one for one in results.figures if one.counters]
    if not counted:
        return
    rows = [f"| work | form | records | {' | '.join(COUNTED.values())} |"]
    rows.append("|---|---|--:" + "|--:" * len(COUNTED) + "|")
    for one in counted:
        label = one.work if one.engine == OURS else f"{one.work} ({one.engine})"
        cells = " | ".join(f"{one.counters.get(name, 0):,}" for name in COUNTED)
        rows.append(f"| {label} | {one.form} | {one.count:,} | {cells} |")
    yield "## Cost"
    yield (
        "What `repo.costs` counted while the clock of one more run was on; of a"
        " workload with several samples in the last one, of a diff in the first."
    )
    yield "\n".join(rows)


def _workload_list(results: Results) -> Iterator[str]:
    used = {one.work for one in results.figures}
    yield "## The workloads"
    yield "\n".join(
        f"- **{name}**: {one.line}" for name, one in WORKLOADS.items() if name in used
    )
