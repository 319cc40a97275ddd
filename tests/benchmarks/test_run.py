"""A run: its order, its processes, its repeats, and what it keeps."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import run as run_module
from benchmarks.__main__ import main, parse_counts, parse_forms, parse_rivals
from benchmarks.engines import RIVALS
from benchmarks.process import Outcome, run_process, told
from benchmarks.results import Results, load_results
from benchmarks.run import Plan, Run, Subject
from benchmarks.stage import Spec
from benchmarks.workloads import named


def spec_of(place: Path, *works: str) -> Spec:
    """Return the order for workloads of prolly over a tiny map."""
    return Spec("prolly", works, "map", 200, 7, str(place / "s"), str(place))


def hush(line: str) -> None:
    """Take what a run tells and say nothing."""


def plan_of(place: Path, subjects: list[Subject], works: list[str]) -> Plan:
    """Return a plan of two repeats at one tiny size."""
    return Plan(subjects, named(works), [200], ["map"], place, repeats=2)


def told_of(spec: Spec, outcome: Outcome) -> dict[str, Outcome]:
    """Return one outcome for all that a process was ordered to measure."""
    return dict.fromkeys(spec.works, outcome)


def test_subjects_are_interleaved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each repeat measures every subject, beginning with another one; then counts."""
    order = []

    def record(spec: Spec, **_: object) -> dict[str, Outcome]:
        order.append((spec.library, spec.counting))
        return told_of(spec, Outcome(value=float(len(order)), counters={"gets": 3}))

    monkeypatch.setattr(run_module, "run_process", record)
    subjects = [Subject(name, "prolly", name) for name in "ab"]
    results = Results({})
    Run(plan_of(tmp_path, subjects, ["load-random"]), results, hush).carry_out()
    timed = [library for library, counting in order if not counting]
    assert timed == ["a", "b", "b", "a"]
    assert [one.samples for one in results.figures] == [[1.0, 4.0], [2.0, 3.0]]
    assert [one.counters for one in results.figures] == [{"gets": 3}] * 2


def test_what_fails_once_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed load of the store fails the workloads on it, and is told."""
    asked: list[str] = []

    def fail(spec: Spec, **_: object) -> dict[str, Outcome]:
        asked.extend(spec.works)
        return told_of(spec, Outcome(failed="no disk"))

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
    [loaded] = run_process(spec_of(tmp_path, "load-sorted"), limit_s=60).values()
    assert loaded.value is not None and loaded.value > 0, loaded.failed
    spec = replace(spec_of(tmp_path, "memory-sorted"), store=str(tmp_path / "other"))
    [peak] = run_process(spec, limit_s=60, watch_memory=True).values()
    assert peak.value is not None and 1 < peak.value < 1000, peak.failed


def test_a_process_that_fails_is_told(tmp_path: Path) -> None:
    """What went wrong in the process comes back as one line."""
    [outcome] = run_process(spec_of(tmp_path, "get-hit"), limit_s=60).values()
    assert outcome.value is None
    assert "NotFound" in outcome.failed


def test_a_process_that_hangs_is_ended(tmp_path: Path) -> None:
    """Past its limit a process is ended and the workload has failed."""
    [outcome] = run_process(spec_of(tmp_path, "load-sorted"), limit_s=0.0).values()
    assert outcome.failed == "took longer than 0 s"


def test_a_process_that_is_stopped_has_told_what_it_did(tmp_path: Path) -> None:
    """Of a group the workloads that were done have figures, the others a reason."""
    whole = json.dumps(("load-sorted", {"value": 3.0})) + "\n"
    cut = json.dumps(("disk-sorted", {"value": 4.0}))[:-5]
    assert told(whole + cut) == {"load-sorted": Outcome(value=3.0)}
    assert told("") == {}
    outcome = run_process(spec_of(tmp_path, "load-sorted", "disk-sorted"), limit_s=0.0)
    assert {one.failed for one in outcome.values()} == {"took longer than 0 s"}


def test_a_rival_has_ten_times_as_long_as_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though some seconds at least; ours and runs without it have the whole limit."""
    limits = []

    def record(spec: Spec, *, limit_s: float, **_: object) -> dict[str, Outcome]:
        limits.append((spec.engine, limit_s))
        return told_of(spec, Outcome(value=1.0))

    monkeypatch.setattr(run_module, "run_process", record)
    subjects = [Subject(name, name) for name in ("prolly", "lmdb")]
    plan = plan_of(tmp_path, subjects, ["load-random"])
    plan = replace(plan, repeats=1, counting=False, limit_s=99.0)
    Run(plan, Results({}), hush).carry_out()
    Run(replace(plan, subjects=subjects[1:]), Results({}), hush).carry_out()
    assert limits == [("prolly", 99.0), ("lmdb", 20.0), ("lmdb", 99.0)]


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


def test_what_is_read_of_a_group_needs_one_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store that a sorted load left serves all that read or copy it."""
    asked: list[list[str]] = []

    def record(spec: Spec, **_: object) -> dict[str, Outcome]:
        asked.append(list(spec.works))
        Path(spec.store).mkdir(exist_ok=True)
        return told_of(spec, Outcome(value=5000.0))

    monkeypatch.setattr(run_module, "run_process", record)
    works = ["get-hit", "load-sorted", "get-miss", "update-1"]
    plan = plan_of(tmp_path, [Subject("prolly", "prolly")], works)
    Run(replace(plan, counting=False), Results({}), hush).carry_out()
    assert (
        asked
        == [["load-sorted"]] * 2 + [["get-hit", "get-miss"]] * 2 + [["update-1"]] * 2
    )


def test_a_slow_rival_is_left_out_where_it_would_take_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From what a small size took follows that a large one is not tried."""
    counts = []

    def record(spec: Spec, **_: object) -> dict[str, Outcome]:
        counts.append(spec.count)
        Path(spec.store).mkdir(exist_ok=True)
        return told_of(spec, Outcome(value=5.0))

    monkeypatch.setattr(run_module, "run_process", record)
    plan = plan_of(tmp_path, [Subject("lmdb", "lmdb")], ["load-sorted"])
    results = Results({})
    Run(replace(plan, counts=[100, 1000]), results, hush).carry_out()
    assert set(counts) == {100}
    assert [one.failed for one in results.figures] == [
        "",
        "left out: loading takes 200 s",
    ]


def test_what_does_not_depend_on_the_records_is_measured_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures without a size are taken at the largest, steady ones a single time."""
    seen = []

    def record(spec: Spec, **_: object) -> dict[str, Outcome]:
        seen.append((*spec.works, spec.count))
        return told_of(spec, Outcome(value=1.0))

    monkeypatch.setattr(run_module, "run_process", record)
    works = ["large-write", "memory-random"]
    plan = plan_of(tmp_path, [Subject("prolly", "prolly")], works)
    plan = replace(plan, counts=[100, 200], counting=False)
    Run(plan, Results({}), hush).carry_out()
    assert seen == [
        ("memory-random", 100),
        ("memory-random", 200),
        ("large-write", 200),
        ("large-write", 200),
    ]


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
