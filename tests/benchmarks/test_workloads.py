"""Every workload runs on every engine that is always there, at a tiny size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import prolly
from benchmarks import (
    blob_workloads,
    index_workloads,
    merge_workloads,
    read_workloads,
    space_workloads,
    sync_workloads,
    write_workloads,
)
from benchmarks.child import FIXTURE, measured
from benchmarks.engines import RIVALS, engine_class
from benchmarks.record_files import RecordFiles
from benchmarks.records import Form, Records
from benchmarks.stage import Spec
from benchmarks.workloads import WORKLOADS, Workload, grouped, named

COUNT = 300
FORMS: tuple[Form, ...] = ("map", "table")
# What a dependency or Python itself brings; the others are measured where installed.
ALWAYS = ("prolly", "lmdb", "sqlite3")
# Whole processes, for which another test answers.
SLOW = {"import"}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the workloads repeat themselves less."""
    monkeypatch.setattr(read_workloads, "LOOKUPS", 50)
    monkeypatch.setattr(read_workloads, "RANGES", 3)
    monkeypatch.setattr(write_workloads, "SINGLE_SAMPLES", 2)
    monkeypatch.setattr(write_workloads, "BATCH_SAMPLES", 2)
    monkeypatch.setattr(write_workloads, "BATCH", 20)
    monkeypatch.setattr(merge_workloads, "SIDE", 20)
    monkeypatch.setattr(merge_workloads, "MERGE_SAMPLES", 2)
    monkeypatch.setattr(space_workloads, "COMMITS", 4)
    monkeypatch.setattr(sync_workloads, "PULLS", 1)
    monkeypatch.setattr(space_workloads, "COMMITS_BETWEEN_LOOKS", 2)
    monkeypatch.setattr(index_workloads, "QUERIES", 5)
    monkeypatch.setattr(index_workloads, "CHANGES", 5)
    monkeypatch.setattr(blob_workloads, "LARGE_VALUES", 1)
    monkeypatch.setattr(blob_workloads, "BLOB_BYTES", 200_000)
    monkeypatch.setattr(blob_workloads, "FILE_BYTES", 200_000)


def spec_of(place: Path, engine: str, form: Form, works: list[str]) -> Spec:
    """Return the order for some workloads over a tiny store."""
    store, shared = str(place / "store"), str(place)
    return Spec(engine, works, form, COUNT, 7, store, shared)


def measure(spec: Spec) -> dict[str, dict[str, Any]]:
    """Return what a process would print."""
    return dict(measured(spec))


def outcomes(
    place: Path, engine: str, form: Form, works: list[Workload]
) -> dict[str, dict[str, Any]]:
    """Run the workloads of one group in this process."""
    spec = spec_of(place, engine, form, [one.name for one in works])
    if works[0].group.store != "empty":
        loaded = measure(replace(spec, works=[FIXTURE]))[FIXTURE]
        assert loaded["value"] == 0.0, loaded
    return measure(spec)


GROUPS = [
    (group.name, engine, form)
    for group, works in grouped(list(WORKLOADS.values()))
    for engine in ALWAYS
    for form in engine_class(engine).forms
    if any(form in one.forms for one in works) and group.name not in SLOW
]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(("group", "engine", "form"), GROUPS)
def test_each_workload_of_a_group_gives_a_figure(
    group: str, engine: str, form: Form, tmp_path: Path, small: None
) -> None:
    """A workload measures something, or says what the engine lacks."""
    works = [one for one in named([f"group:{group}"]) if form in one.forms]
    for name, result in outcomes(tmp_path, engine, form, works).items():
        if "lacks" in result:
            assert engine != "prolly"
            continue
        assert "failed" not in result, (name, result["failed"])
        assert isinstance(result["value"], float)
        # What a few commits add to a disk may be nothing, or less.
        grows = WORKLOADS[name].unit == "MB"
        assert result["value"] > 0 or grows or works[0].group.memory


KEPT = ("updates", "keys", "diffs", "merges")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("form", ["map", "table"])
@pytest.mark.parametrize("group", KEPT)
def test_a_workload_leaves_the_keys_as_it_found_them(
    group: str, form: Form, tmp_path: Path, small: None
) -> None:
    """The next workload of the process finds every record, and no other."""
    for name, result in outcomes(
        tmp_path, "prolly", form, named([f"group:{group}"])
    ).items():
        assert "failed" not in result, (name, result["failed"])
    records = Records(7, COUNT, form)
    with prolly.open(tmp_path / "store") as repo:
        found = list(repo.at("main").dataset("records"))
    assert found == [records.key(number) for number in range(COUNT)]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_each_workload_runs_alone(tmp_path: Path, small: None) -> None:
    """What others of its group did before is not needed."""
    for name in ("disk-sorted", "gc", "index-query", "blob-edit", "get-cold"):
        work = WORKLOADS[name]
        form = work.forms[-1]
        (tmp_path / name).mkdir()
        [result] = outcomes(tmp_path / name, "prolly", form, [work]).values()
        assert result["value"] > 0, (name, result)


def test_counters_stand_beside_a_time(tmp_path: Path, small: None) -> None:
    """A counted run says how many nodes a commit of one update reads and writes."""
    spec = spec_of(tmp_path, "prolly", "map", [FIXTURE])
    measure(spec)
    result = measure(replace(spec, works=["update-1"], counting=True))["update-1"]
    assert result["counters"]["commits"] == result["counters"]["fsyncs"] == 1
    assert 0 < result["counters"]["nodes_written"] < 10


def test_commits_give_the_points_of_a_plot(tmp_path: Path, small: None) -> None:
    """Beside what all commits added stands what some of them did."""
    [result] = outcomes(tmp_path, "prolly", "map", [WORKLOADS["disk-growth"]]).values()
    assert [commits for commits, _ in result["series"]] == [2, 4]
    assert result["series"][-1][1] == result["value"]


def test_records_in_files_are_those_that_are_made(tmp_path: Path) -> None:
    """In both orders, read a second time too."""
    for form in FORMS:
        records = Records(7, COUNT, form)
        files = RecordFiles(records, tmp_path)
        for _ in range(2):
            assert list(files.in_order()) == list(records.records(range(COUNT)))
            shuffled = list(records.records(records.shuffled()))
            assert list(files.in_random_order()) == shuffled


def test_every_workload_is_explained_in_one_line() -> None:
    """A workload has a name fit for a command and one line that says what it does."""
    for name, work in WORKLOADS.items():
        assert name == work.name
        assert name.replace("-", "").isalnum() and name == name.lower()
        assert work.line and "\n" not in work.line and len(work.line) < 100
        assert set(work.forms) <= set(work.group.forms)


def test_named_workloads_are_found_in_the_order_asked() -> None:
    """Names and groups give workloads, no name all, and an unknown one KeyError."""
    assert [one.name for one in named(["scan", "open"])] == ["scan", "open"]
    assert named([]) == list(WORKLOADS.values())
    assert [one.name for one in named(["group:scans", "scan"])] == ["scan", "scan-raw"]
    for unknown in ("nothing", "group:nothing"):
        with pytest.raises(KeyError):
            named([unknown])


def test_every_rival_says_how_it_is_used() -> None:
    """The class of a rival can be read without its package doing anything."""
    for name in RIVALS:
        try:
            kind = engine_class(name)
        except ModuleNotFoundError as error:
            assert error.name == name
        else:
            assert kind.name == name
            assert kind.use and kind.modules and kind.ready
