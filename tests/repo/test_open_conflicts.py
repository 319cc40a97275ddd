"""The open conflicts of a merge as a mapping, of one that waits or was only tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from prolly.chunks import ScratchWriter
from prolly.errors import Error, KeyNotFound
from prolly.repo.open_conflicts import OpenConflicts
from prolly.testing.repositories import diverged
from prolly.testing.waiting_merges import both, merged, rows, sets

ROW = {"id": 1, "name": "a"}
THREE = (
    both(sets(a=1, b=1), rows(ROW)),
    both(sets(a=2, b=2), rows({**ROW, "name": "b"})),
    both(sets(a=3, b=3), rows({**ROW, "name": "c"})),
)

# What is not there, and what could not even be asked for.
ABSENT_NAMES = [
    ("m", "z"),
    ("no", "a"),
    ("m", object()),
    ("m", {}),
    ("m", float("nan")),
    ("m", b"x" * 5000),
    ("m", 10**5000),
    ("t", "text"),
    ("t", (1, 2)),
    ("t", None),
    ("m", "a", "schema"),
    ("m", "k" * 5000, "schema"),
    ("m", 1, "schema"),
    ("m", "a", "record"),
    ("m", "a", "schema", 1),
    ("m",),
    (),
    (1, "a"),
    ([], "a"),
    "m",
    "ma",
    b"ma",
    None,
    7,
]


@pytest.fixture(params=["waits", "tried"])
def conflicts(request: pytest.FixtureRequest) -> OpenConflicts:
    if request.param == "waits":
        return merged(*THREE)[1]
    return diverged(*THREE).merge("feature", dry_run=True).conflicts


@pytest.mark.parametrize("name", ABSENT_NAMES, ids=range(len(ABSENT_NAMES)))
def test_any_other_name_is_just_absent(conflicts: OpenConflicts, name: Any) -> None:
    """A mapping answers for every key: get, ``in``, and a KeyError with its code."""
    assert conflicts.get(name) is None
    assert conflicts.get(name, 7) == 7
    assert name not in conflicts
    with pytest.raises(KeyNotFound) as caught:
        conflicts[name]
    assert isinstance(caught.value, KeyError)
    assert (caught.value.code, bool(caught.value.hint)) == ("no-such-conflict", True)
    assert len(caught.value.message) < 200


def test_it_is_a_mapping(conflicts: OpenConflicts) -> None:
    """Keys, values, items and length agree, by dataset and key."""
    names = [("m", "a"), ("m", "b"), ("t", 1)]
    assert isinstance(conflicts, Mapping)
    assert list(conflicts) == list(conflicts.keys()) == names
    assert (len(conflicts), bool(conflicts)) == (3, True)
    assert list(conflicts.values()) == list(conflicts.of())
    assert [one.name for one in conflicts.values()] == names
    assert dict(conflicts) == {one.name: one for one in conflicts.of()}
    assert all(conflicts[name] == conflicts.get(name) for name in names)
    assert all(name in conflicts for name in names)
    assert conflicts.counts() == {"m": 2, "t": 1}
    assert conflicts.dataset_names() == ["m", "t"]
    assert [one.key for one in conflicts.of("m")] == ["a", "b"]
    assert conflicts.find("t", 1) == [conflicts["t", 1]]
    assert conflicts.find("t", 2) == []
    assert conflicts.find("t", 1, "schema") == []
    assert conflicts["t", 1].theirs == {**ROW, "name": "c"}


def test_what_was_tried_reads_as_what_waits() -> None:
    """A preview shows just the conflicts that the merge then has."""
    repo = diverged(*THREE)
    with repo.merge("feature", dry_run=True) as tried:
        shown = dict(tried.conflicts)
    assert shown == dict(repo.merge("feature").conflicts)


def test_a_tried_merge_keeps_no_conflict_in_memory() -> None:
    """Each look makes them anew, and the first is there before the others are."""
    repo = diverged(*THREE)
    result = repo.merge("feature", dry_run=True)
    first = next(iter(result.conflicts.of()))
    assert first == next(iter(result.conflicts.of()))
    assert first is not next(iter(result.conflicts.of()))
    assert not [one for one in vars(result.conflicts).values() if isinstance(one, dict)]


def test_after_close_everything_is_refused() -> None:
    """What was tried is gone, twice too; what waits or is done stays."""
    repo = diverged(*THREE)
    with repo.merge("feature", dry_run=True) as tried:
        conflicts = tried.conflicts
        assert (len(conflicts), tried.datasets) == (3, {})
    tried.close()
    for call in (
        lambda: len(conflicts),
        lambda: list(conflicts),
        lambda: conflicts["m", "a"],
        lambda: ("m", "a") in conflicts,
        lambda: list(conflicts.of()),
        lambda: conflicts.find("m", "a"),
        conflicts.counts,
        conflicts.dataset_names,
        lambda: tried.datasets,
    ):
        with pytest.raises(Error) as caught:
            call()
        assert caught.value.code == "closed"
    assert tried.status == "conflicts"
    with repo.merge("feature") as waiting:
        pass
    assert (len(waiting.conflicts), waiting.datasets) == (3, {})
    waiting.conflicts.settle_all("theirs")
    waiting.commit("done")
    waiting.close()
    assert len(repo.conflicts("main")) == len(waiting.conflicts) == 0


def test_a_tried_merge_without_conflicts() -> None:
    """There is an empty mapping, and the counts of what would change."""
    repo = diverged(sets(a=1, b=1), sets(a=2), sets(b=2))
    with repo.merge("feature", dry_run=True) as tried:
        assert (len(tried.conflicts), dict(tried.conflicts)) == (0, {})
        assert tried.conflicts.find("m", "a") == list(tried.conflicts.of()) == []
        assert (tried.conflicts.counts(), tried.conflicts.dataset_names()) == ({}, [])
        assert tried.datasets["m"].modified == 1
        assert ("m", "a") not in tried.conflicts


def test_an_error_gives_scratch_memory_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview that fails leaves no file open."""
    aborted: list[Any] = []
    abort = ScratchWriter.abort

    def noted(writer: ScratchWriter) -> None:
        aborted.append(writer)
        abort(writer)

    def interrupt(clash: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(ScratchWriter, "abort", noted)
    with pytest.raises(KeyboardInterrupt):
        diverged(*THREE).merge("feature", dry_run=True, resolve=interrupt)
    assert len(aborted) == 1
