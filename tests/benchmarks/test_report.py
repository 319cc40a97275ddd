"""The page, the plots, the targets and the comparison, from figures made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.compare import UnknownRevision, comparison_text, worktrees
from benchmarks.node_results import NodeResults, NodeRow, load_node_results
from benchmarks.page import page_text
from benchmarks.plot import LABEL_HEIGHT, Line, Plot, draw, lines_of
from benchmarks.plots import plots_of
from benchmarks.readme_block import BEGIN, END, with_block
from benchmarks.report import PAGE, README, report_files, stored_files, write_report
from benchmarks.results import Figure, Results, load_results, show_number
from benchmarks.targets import verdicts

MILLION = 1_000_000


def made_up(figures: list[Figure]) -> Results:
    """Return a run of these figures."""
    machine: dict[str, Any] = {
        "cpu": "A processor",
        "cores": 2,
        "memory_gib": 24.0,
        "kernel": "6.1",
    }
    machine |= {"python": "3.11.7", "load_1min": 0.1, "file_system": "ext4"}
    about: dict[str, Any] = {"date": "2026-01-01", "uses": {}}
    about["commit"] = {"commit": "a" * 40, "dirty": True}
    about |= {"machine": machine, "versions": {"lmdb": "3.0"}}
    about |= {"seed": 1, "repeats": 2, "command": "python -m benchmarks run"}
    return Results(about, figures, {"doltlite": "doltlite is not installed"})


def figure(engine: str, work: str, *samples: float, count: int = MILLION) -> Figure:
    """Return a figure of a map."""
    return Figure(engine, "map", count, work, "ms", list(samples))


def test_results_come_back_as_they_were_saved(tmp_path: Path) -> None:
    """Loading undoes saving."""
    results = made_up([figure("prolly", "get-hit", 1.5, 2.5)])
    results.save(tmp_path / "deep" / "results.json")
    assert load_results(tmp_path / "deep" / "results.json") == results


def page_of(*runs: Results) -> str:
    """Return the page of some runs, without pictures."""
    return page_text(list(runs), None, None, [])


def test_the_page_says_all_that_is_known() -> None:
    """Median, spread, best of the row, lacks, facts, costs and what was left out."""
    ours = figure("prolly", "update-1", 3.0, 1.0)
    ours.counters, ours.facts = {"nodes_written": 1234}, {"MB after gc": 12.0}
    rival = figure("lmdb", "update-1", 8.0)
    lacking = Figure("lmdb", "map", MILLION, "diff-1", "ms", lacks="no versions")
    text = page_of(made_up([ours, rival, lacking]))
    wanted = ["**2**<br>1 to 3<br>MB after gc: 12", "| 8 |", "no versions", "1,234"]
    wanted += ["doltlite is not installed", "A processor", "with uncommitted changes"]
    wanted += ["| 0.25 (lmdb) |"]
    assert not [one for one in wanted if one not in text]


def test_ours_is_compared_with_the_best_rival_of_equal_durability() -> None:
    """Who does not wait for the disk is shown in italics where a figure holds that."""
    figures = [figure("prolly", "update-1", 4.0), figure("doltlite", "update-1", 2.0)]
    figures += [figure("prollytree", "update-1", 1.0)]
    figures += [figure("prolly", "get-hit", 4.0), figure("prollytree", "get-hit", 1.0)]
    results = made_up(figures)
    results.about["careless"] = ["prollytree"]
    lines = page_of(results).splitlines()
    [update] = [one for one in lines if one.startswith("| update-1, ms | 4")]
    cells = ["update-1, ms", "4", "**2**", "*1*", "2.00 (doltlite)"]
    cells += ["≤ 1x doltlite", "**missed**"]
    assert update == f"| {' | '.join(cells)} |"
    [get] = [one for one in lines if one.startswith("| get-hit, us | 4")]
    assert "| **1** | 4.00 (prollytree) |" in get


def test_a_later_run_replaces_the_figures_it_has() -> None:
    """Runs are shown as one page; of a cell in both, the last run's figure."""
    first = made_up([figure("prolly", "scan", 5.0), figure("prolly", "open", 7.0)])
    text = page_of(first, made_up([figure("prolly", "scan", 6.0)]))
    assert "| 6 |" in text and "| 7 |" in text and "| 5 |" not in text


def test_plots_are_drawn_where_two_sizes_were_measured(tmp_path: Path) -> None:
    """A workload at two sizes has a plot that the page shows; at one it has none."""
    figures = [figure("prolly", "get-hit", n / 1e5, count=n) for n in (10**4, 10**6)]
    figures.append(figure("prolly", "scan", 5.0))
    made_up(figures).save(tmp_path / "run.json")
    page = tmp_path / "page.md"
    stale = tmp_path / "page" / "of-old.svg"
    stale.parent.mkdir()
    stale.touch()
    written = write_report([tmp_path / "run.json"], page, None)
    assert [path.name for path in written] == ["page.md", "get-hit-map.svg"]
    assert "(page/get-hit-map.svg)" in page.read_text(encoding="utf-8")
    assert not stale.exists()


def test_what_commits_add_to_the_disk_is_plotted() -> None:
    """A series of two points or more is a line, what never grew is none."""
    growing, other = (figure(one, "disk-growth", 2.0) for one in ("prolly", "lmdb"))
    growing.series, other.series = [(10, 1.0), (20, 2.0)], [(10, 0.0), (20, -1.0)]
    plots = dict(plots_of(made_up([growing, other]), None))
    assert [line.name for line in plots["disk-growth-map"].lines] == ["prolly"]


def test_nodes_have_a_table_and_a_plot(tmp_path: Path) -> None:
    """Results about nodes come back as they were saved, and are shown."""
    rows = [
        NodeRow(name, "100 B", {"mean leaf, bytes": size, "get, us": size / 1000})
        for name, size in (("small", 2000.0), ("large", 8000.0))
    ]
    results = NodeResults({"seed": 5}, 1000, rows)
    results.save(tmp_path / "nodes.json")
    assert load_node_results(tmp_path / "nodes.json") == results
    text = page_text([made_up([])], results, None, [])
    assert "| get, us | 2 | 8 |" in text
    [(name, plot)] = plots_of(made_up([]), results)
    assert name == "node-size"
    assert plot.lines[0].points == [(2000.0, 500_000.0), (8000.0, 125_000.0)]


def test_the_readme_shows_the_largest_table_between_its_markers() -> None:
    """The block is replaced and all else stays; without markers nothing is written."""
    figures = [
        Figure(engine, "table", count, "get-hit", "us", [value])
        for engine, value in (("prolly", 3.0), ("doltlite", 4.0))
        for count in (1000, MILLION)
    ]
    readme = f"before\n{BEGIN}\nold figures\n{END}\nafter\n"
    text = with_block(readme, made_up(figures))
    assert text.startswith("before\n") and text.endswith(f"{END}\nafter\n")
    assert "old figures" not in text
    assert "| 1,000,000 records, table | prolly | doltlite |" in text
    assert "warm, us | **3** | 4 |" in text
    assert with_block(text, made_up(figures)) == text
    with pytest.raises(ValueError, match="no markers"):
        with_block("no block here", made_up(figures))


def test_page_and_readme_are_what_the_stored_results_give() -> None:
    """No figure was typed: `python -m benchmarks report` would change nothing."""
    assert stored_files()
    for path, text in report_files(stored_files(), PAGE, README).items():
        assert path.read_text(encoding="utf-8") == text, path


@given(
    st.lists(
        st.tuples(st.floats(1e-6, 1e9), st.floats(1e-6, 1e9)), min_size=1, max_size=5
    )
)
def test_a_plot_is_a_document_with_everything_inside(
    points: list[tuple[float, float]],
) -> None:
    """Whatever the points, the document is well-formed and no point leaves it."""
    lines = [Line("a < b", sorted(points)), Line("other", sorted(points))]
    root = ElementTree.fromstring(draw(Plot("t & u", "x", "y", lines)))
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    for circle in root.iter("{http://www.w3.org/2000/svg}circle"):
        assert 0 <= float(circle.attrib["cx"]) <= width
        assert 0 <= float(circle.attrib["cy"]) <= height


def test_labels_do_not_cover_each_other() -> None:
    """Lines that end at one place have their names apart."""
    lines = [Line(name, [(1, 5.0), (10, 5.0)]) for name in ("one", "two")]
    root = ElementTree.fromstring(draw(Plot("t", "x", "y", lines)))
    texts = root.iter("{http://www.w3.org/2000/svg}text")
    places = {one.text: float(one.attrib["y"]) for one in texts}
    assert abs(places["one"] - places["two"]) >= LABEL_HEIGHT


def test_lines_leave_out_what_was_not_measured() -> None:
    """An absent or empty figure is no point, and a line without points no line."""
    known = {("a", 1): 2.0, ("a", 2): 0.0, ("b", 1): None}
    lines = lines_of(["a", "b"], [1, 2], lambda name, x: known.get((name, int(x))))
    assert lines == [Line("a", [(1, 2.0)])]


@pytest.mark.parametrize(
    ("work", "ours", "theirs", "met"),
    [
        ("load-sorted", 200.0, 100.0, True),
        ("load-sorted", 199.0, 100.0, False),
        ("update-1000", 70.0, 100.0, True),
        ("update-1000", 71.0, 100.0, False),
        ("memory-sorted", 150.0, 0.1, True),
        ("memory-sorted", 151.0, 0.1, False),
    ],
)
def test_targets_hold_at_their_bound_and_not_past_it(
    work: str, ours: float, theirs: float, met: bool
) -> None:
    """Rates shall be as high as the bound, times and sizes no higher."""
    figures = [figure("prolly", work, ours), figure("doltlite", work, theirs)]
    [verdict] = verdicts(made_up(figures))
    assert verdict.met is met


def test_a_target_may_be_a_fact_beside_a_figure() -> None:
    """What a pull moves is judged, and not the time that it took."""
    pull = figure("prolly", "pull-100", 99.0)
    pull.facts = {"kB moved": 25.0}
    [verdict] = verdicts(made_up([pull]))
    assert verdict.met and verdict.ours == 25.0
    pull.facts = {"kB moved": 25.1}
    assert not verdicts(made_up([pull]))[0].met
    assert "≤ 25 kB moved" in page_of(made_up([pull]))


def test_a_target_without_figures_has_no_verdict() -> None:
    """What was not measured is neither met nor missed."""
    assert verdicts(made_up([figure("prolly", "load-sorted", 1.0)])) == []


def test_a_comparison_says_better_worse_or_neither() -> None:
    """Two revisions are told apart only where their samples do not overlap."""
    figures = [figure("old", "get-hit", 2.0, 2.2), figure("new", "get-hit", 1.0, 1.1)]
    figures += [figure("old", "scan", 2.0, 2.2), figure("new", "scan", 1.0, 1.1)]
    figures += [figure("old", "open", 1.0, 3.0), figure("new", "open", 2.0, 4.0)]
    lines = comparison_text(made_up(figures)).splitlines()
    ends = [line.split("0.50 ")[-1] if "0.50" in line else line for line in lines]
    assert "better" in ends[1] and "worse" in ends[2] and "within the spread" in ends[3]


def test_an_unknown_revision_is_refused(tmp_path: Path) -> None:
    """A revision that git does not know is an error before anything is measured."""
    with (
        pytest.raises(UnknownRevision, match="no revision"),
        worktrees(["no-such-revision"], tmp_path),
    ):
        raise AssertionError("the block must not run")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.012345, "0.0123"), (5.678, "5.68"), (999.4, "999"), (1234567, "1,230,000")],
)
def test_numbers_are_shown_with_three_digits(value: float, shown: str) -> None:
    """Three significant digits, thousands apart."""
    assert show_number(value) == shown


def test_a_target_without_a_size_takes_the_largest() -> None:
    """What does not depend on the number of records is judged wherever it was run."""
    figures = [figure("prolly", "import", n / 10, count=n) for n in (10, 400, 500)]
    [verdict] = verdicts(made_up(figures))
    assert verdict.ours == 50.0 and not verdict.met
