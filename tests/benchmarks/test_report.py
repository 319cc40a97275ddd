"""The page, the plots, the targets and the comparison, from figures made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.compare import UnknownRevision, comparison_text, worktrees
from benchmarks.plot import LABEL_HEIGHT, Line, Plot, draw, lines_of
from benchmarks.report import write_report
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


def test_the_page_says_all_that_is_known(tmp_path: Path) -> None:
    """Median, spread, best of the row, lacks, facts, costs and what was left out."""
    ours = figure("prolly", "update-1", 3.0, 1.0)
    ours.counters, ours.facts = {"puts": 1234}, {"MB after gc": 12.0}
    rival = figure("lmdb", "update-1", 8.0)
    lacking = Figure("lmdb", "map", MILLION, "diff-1", "ms", lacks="no versions")
    write_report([made_up([ours, rival, lacking])], tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    wanted = ["**2**<br>1 to 3<br>MB after gc: 12", "| 8 |", "no versions", "1,234"]
    wanted += ["doltlite is not installed", "A processor", "with uncommitted changes"]
    assert not [one for one in wanted if one not in text]


def test_a_later_run_replaces_the_figures_it_has(tmp_path: Path) -> None:
    """Runs are shown as one page; of a cell in both, the last run's figure."""
    first = made_up([figure("prolly", "scan", 5.0), figure("prolly", "open", 7.0)])
    write_report([first, made_up([figure("prolly", "scan", 6.0)])], tmp_path / "p.md")
    text = (tmp_path / "p.md").read_text(encoding="utf-8")
    assert "| 6 |" in text and "| 7 |" in text and "| 5 |" not in text


def test_plots_are_drawn_where_two_sizes_were_measured(tmp_path: Path) -> None:
    """A workload at two sizes has a plot that the page shows; at one it has none."""
    figures = [figure("prolly", "get-hit", n / 1e5, count=n) for n in (10**4, 10**6)]
    figures.append(figure("prolly", "scan", 5.0))
    written = write_report([made_up(figures)], tmp_path / "page.md")
    assert [path.name for path in written] == ["page.md", "get-hit-map.svg"]
    assert "(page/get-hit-map.svg)" in written[0].read_text(encoding="utf-8")


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
