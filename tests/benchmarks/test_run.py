"""A run: its order, its processes, its repeats, and what it keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import run as run_module
from benchmarks.__main__ import main, parse_counts, parse_forms, parse_rivals
from benchmarks.engines import RIVALS
from benchmarks.process import Outcome, run_process
from benchmarks.results import Results, load_results
from benchmarks.run import Plan, Run, Subject
from benchmarks.stage import Spec
from benchmarks.workloads import named


def spec_of(place: Path, work: str) -> Spec:
    """Return the order for one workload of prolly over a tiny map."""
    return Spec("prolly", work, "map", 200, 7, str(place / "s"), str(place))


def hush(line: str) -> None:
    """Take what a run tells and say nothing."""


def plan_of(place: Path, subjects: list[Subject], works: list[str]) -> Plan:
    """Return a plan of two repeats at one tiny size."""
    return Plan(subjects, named(works), [200], ["map"], place, repeats=2)


def test_subjects_are_interleaved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each repeat measures every subject, beginning with another one; then counts."""
    order = []

    def record(spec: Spec, **_: object) -> Outcome:
        order.append((spec.library, spec.counting))
        return Outcome(value=float(len(order)), counters={"gets": 3})

    monkeypatch.setattr(run_module, "run_process", record)
    subjects = [Subject(name, "prolly", name) for name in "ab"]
    results = Results({})
    Run(plan_of(tmp_path, subjects, ["load-sorted"]), results, hush).carry_out()
    timed = [library for library, counting in order if not counting]
    assert timed == ["a", "b", "b", "a"]
    assert [one.samples for one in results.figures] == [[1.0, 4.0], [2.0, 3.0]]
    assert [one.counters for one in results.figures] == [{"gets": 3}] * 2


def test_what_fails_once_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed load of the store fails the workloads on it, and is told."""
    asked = []

    def fail(spec: Spec, **_: object) -> Outcome:
        asked.append(spec.work)
        return Outcome(failed="no disk")

    monkeypatch.setattr(run_module, "run_process", fail)
    told: list[str] = []
    results = Results({})
    subjects = [Subject("prolly", "prolly")]
    works = ["get-hit", "update-1"]
    Run(plan_of(tmp_path, subjects, works), results, told.append).carry_out()
    assert asked == ["fixture"]
    assert {one.failed for one in results.figures} == {"no disk"}
    assert "no disk" in told[-1]


def test_a_process_reports_its_figure_and_memory(tmp_path: Path) -> None:
    """The figure of a memory workload is what the parent saw, of others the child's."""
    loaded = run_process(spec_of(tmp_path, "load-sorted"), limit_s=60)
    assert loaded.value is not None and loaded.value > 0, loaded.failed
    other = tmp_path / "other"
    peak = run_process(spec_of(other, "memory-sorted"), limit_s=60, watch_memory=True)
    assert peak.value is not None and 1 < peak.value < 1000, peak.failed


def test_a_process_that_fails_is_told(tmp_path: Path) -> None:
    """What went wrong in the process comes back as one line."""
    outcome = run_process(spec_of(tmp_path, "get-hit"), limit_s=60)
    assert outcome.value is None
    assert "NotFound" in outcome.failed


def test_a_process_that_hangs_is_ended(tmp_path: Path) -> None:
    """Past its limit a process is ended and the workload has failed."""
    outcome = run_process(spec_of(tmp_path, "load-sorted"), limit_s=0.0)
    assert outcome.failed == "took longer than 0 s"


def test_the_command_measures_and_reports(tmp_path: Path) -> None:
    """Run saves figures with all that they are worth nothing without; report reads."""
    out, page = tmp_path / "results.json", tmp_path / "docs" / "benchmarks.md"
    words = ["run", "--rivals", "sqlite3", "--records", "200,400", "--repeats", "1"]
    words += ["--work", "load-sorted,diff-1", "--form", "map", "--out", str(out)]
    assert main([*words, "--dir", str(tmp_path / "stores"), "--no-counters"]) == 0
    results = load_results(out)
    assert results.counts == [200, 400]
    assert not list((tmp_path / "stores").iterdir())
    assert str(tmp_path) not in results.about["command"]
    for name in ("commit", "machine", "seed", "date", "versions", "command"):
        assert results.about[name]
    assert main(["report", str(out), "-o", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "no versions" in text and "load-sorted-map.svg" in text
    assert (page.parent / "benchmarks" / "load-sorted-map.svg").exists()


def test_the_words_of_the_command_are_checked() -> None:
    """Sizes, forms and rivals are read as documented, and anything else refused."""
    assert parse_counts("10k,1M,7") == [10_000, 1_000_000, 7]
    assert parse_forms("table,map") == ["map", "table"]
    assert parse_rivals("all") == list(RIVALS)
    assert parse_rivals("none") == []
    refused = [["--records", "0"], ["--records", "x"], ["--work", "x"]]
    for words in [*refused, ["--form", "list"], ["--rivals", "x"]]:
        with pytest.raises(SystemExit):
            main(["run", *words])
