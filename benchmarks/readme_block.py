"""The README's comparison: a short table between two markers, made from results."""

from __future__ import annotations

from collections.abc import Iterator

from .engines import OURS
from .results import Results, show_number
from .workloads import WORKLOADS

BEGIN = "<!-- benchmarks: written by `python -m benchmarks report` -->"
END = "<!-- end of benchmarks -->"
# The headline is the table; a run without it shows what it has.
FORMS = ("table", "map")
SHOWN = (
    "load-sorted",
    "load-random",
    "disk-random",
    "get-hit",
    "scan",
    "update-1",
    "update-1000",
    "diff-1",
    "diff-100",
    "merge-disjoint",
)


def block_text(results: Results) -> str:
    """Return the block between the markers."""
    form, count = _shown_size(results)
    place = form, count
    engines = [one for one in results.engines if _has_any(results, one, *place)]
    about = results.about
    machine, commit = about["machine"], about["commit"]["commit"][:12]
    rows = [_row(results, work, engines, *place) for work in SHOWN]
    table = [
        f"| {count:,} records, {form} | {' | '.join(engines)} |",
        "|---" + "|--:" * len(engines) + "|",
        *[row for row in rows if row],
    ]
    repeats = about["repeats"]
    how = f"Medians of {repeats} runs" if repeats > 1 else "One run"
    told = (
        f"{how} on {machine['cores']} cores ({machine['cpu']}),"
        f" {about['date'][:10]}, commit `{commit}`; bold is the best of its row. All"
        " workloads, sizes, rivals and their versions:"
        " [benchmarks](docs/benchmarks.md)."
    )
    return "\n".join([*table, "", *_wrapped(told)])


def _shown_size(results: Results) -> tuple[str, int]:
    """Return the form and the greatest size at which ours was measured."""
    for form in FORMS:
        counts = results.counts
        sizes = [one for one in counts if _has_any(results, OURS, form, one)]
        if sizes:
            return form, max(sizes)
    return FORMS[0], 0


def _has_any(results: Results, engine: str, form: str, count: int) -> bool:
    return any(results.median(engine, form, count, work) for work in SHOWN)


def _row(results: Results, work: str, engines: list[str], form: str, count: int) -> str:
    """Return one row, or nothing where ours was not measured."""
    medians = [results.median(engine, form, count, work) for engine in engines]
    there = [one for one in medians if one is not None]
    if results.median(OURS, form, count, work) is None:
        return ""
    best = max(there) if WORKLOADS[work].more_is_better else min(there)
    cells = []
    for one in medians:
        shown = "" if one is None else show_number(one)
        cells.append(f"**{shown}**" if one == best else shown)
    line = WORKLOADS[work].line
    return f"| {line}, {WORKLOADS[work].unit} | {' | '.join(cells)} |"


def _wrapped(text: str) -> Iterator[str]:
    """Yield the words of a paragraph in lines that a person can read in a diff."""
    line = ""
    for word in text.split():
        if line and len(line) + len(word) > 98:
            yield line
            line = ""
        line = f"{line} {word}".strip()
    yield line


def with_block(readme: str, results: Results) -> str:
    """Return the README with the block of these results; ValueError without markers."""
    before, found, rest = readme.partition(BEGIN + "\n")
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError("the README has no markers of the benchmarks")
    return f"{before}{BEGIN}\n{block_text(results)}\n{END}{after}"
