"""Every workload runs on every engine that is always there, at a tiny size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import merge_workloads, read_workloads, write_workloads
from benchmarks.child import FIXTURE, measure
from benchmarks.engines import RIVALS, engine_class
from benchmarks.records import Form
from benchmarks.stage import Spec
from benchmarks.workloads import WORKLOADS, Workload, named

COUNT = 300
# What a dependency or Python itself brings; the others are measured where installed.
ALWAYS = ("prolly", "lmdb", "sqlite3")
# Whole processes and large values, for which other tests answer.
SLOW = {"import", "disk-growth", "large-write", "large-read"}


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


def outcome(work: Workload, engine: str, form: Form, place: Path) -> dict[str, object]:
    """Run one workload in this process and close its store."""
    spec = Spec(engine, work.name, form, COUNT, 7, str(place / "store"), str(place))
    if work.store != "empty":
        assert measure(replace(spec, work=FIXTURE))["value"] == 0.0
    return measure(spec)


CASES = [
    (name, engine, form)
    for name, work in WORKLOADS.items()
    for engine in ALWAYS
    for form in engine_class(engine).forms
    if form in work.forms and name not in SLOW
]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(("name", "engine", "form"), CASES)
def test_a_workload_gives_a_figure(
    name: str, engine: str, form: Form, tmp_path: Path, small: None
) -> None:
    """A workload measures something, or says what the engine lacks."""
    work = WORKLOADS[name]
    result = outcome(work, engine, form, tmp_path)
    if "lacks" in result:
        assert engine != "prolly"
        return
    value = result["value"]
    assert isinstance(value, float)
    assert value > 0 or work.memory


def test_counters_stand_beside_a_time(tmp_path: Path, small: None) -> None:
    """A counted run says how many chunks a commit of one update reads and writes."""
    place = Spec("prolly", FIXTURE, "map", COUNT, 7, str(tmp_path / "s"), str(tmp_path))
    measure(place)
    result = measure(replace(place, work="update-1", counting=True))
    assert result["counters"]["commits"] == 1
    assert 0 < result["counters"]["puts"] < 10


def test_every_workload_is_explained_in_one_line() -> None:
    """A workload has a name fit for a command and one line that says what it does."""
    for name, work in WORKLOADS.items():
        assert name == work.name
        assert name.replace("-", "").isalnum() and name == name.lower()
        assert work.line and "\n" not in work.line and len(work.line) < 100


def test_named_workloads_are_found_in_the_order_asked() -> None:
    """Names give workloads, no name all of them, and an unknown one KeyError."""
    assert [one.name for one in named(["scan", "open"])] == ["scan", "open"]
    assert named([]) == list(WORKLOADS.values())
    with pytest.raises(KeyError):
        named(["nothing"])


def test_every_rival_says_how_it_is_used() -> None:
    """The class of a rival can be read without its package doing anything."""
    for name in RIVALS:
        try:
            kind = engine_class(name)
        except ModuleNotFoundError as error:
            assert error.name == name
        else:
            assert kind.name == name
            assert kind.use and kind.modules
