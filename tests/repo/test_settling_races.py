"""Settling while others do, and over restarts and collections."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import prolly
from prolly.errors import Error
from prolly.repo import Conflicts, Repository, WorkingArea
from prolly.testing.repositories import diverged, write_on
from prolly.testing.waiting_merges import both, merged, rows, sets


def held(repo: Repository, name: str = "m") -> dict[str, Any]:
    return dict(repo.at_working("main").map(name).items())


MAP = (sets(a=1, b=1, c=1), sets(a=2, b=2, c=2), sets(a=3, b=3, c=3))

BASE = {"id": 1, "name": "a", "age": 1, "town": "x"}

# Others at the same time ----------------------------------------------------


class Racing:
    """Conflicts of which another process settles some before they are stored."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, act: Callable[[Conflicts], object]
    ) -> None:
        self.repo, conflicts = merged(*MAP)
        self.other = self.repo.conflicts("main")
        self.conflicts = conflicts
        area = conflicts._area
        store, acts = area._store, [act]

        def racing(*given: Any) -> None:
            if acts:
                acts.pop()(self.other)
            store(*given)

        monkeypatch.setattr(area, "_store", racing)


def test_two_settle_different_conflicts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both stand: the slower one is repeated on what the faster one left."""
    race = Racing(monkeypatch, lambda other: other.settle("m", "a", "theirs"))
    race.conflicts.settle("m", "b", "theirs")
    assert held(race.repo) == {"a": 3, "b": 3, "c": 2}
    assert list(race.conflicts) == [("m", "c")]


@pytest.mark.parametrize("first", ["ours", "theirs", "base"])
@pytest.mark.parametrize("second", ["ours", "theirs", "base"])
def test_two_settle_the_same(
    monkeypatch: pytest.MonkeyPatch, first: Any, second: Any
) -> None:
    """The slower one is told, and what stands agrees with how it is marked."""
    race = Racing(monkeypatch, lambda other: other.settle("m", "a", first))
    with pytest.raises(Error) as caught:
        race.conflicts.settle("m", "a", second)
    assert caught.value.code in ("write-conflict", "settled-meanwhile")
    assert held(race.repo)["a"] == {"base": 1, "ours": 2, "theirs": 3}[first]
    marks = [one.settled for one in race.conflicts.of(open_only=False)]
    assert marks == [first, None, None]


def test_all_while_another_settles_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and none of the rest is settled."""
    race = Racing(monkeypatch, lambda other: other.settle("m", "a", "ours"))
    with pytest.raises(Error) as caught:
        race.conflicts.settle_all("theirs")
    assert caught.value.code == "settled-meanwhile"
    assert held(race.repo) == {"a": 2, "b": 2, "c": 2}
    assert race.conflicts.settle_all("theirs") == 2


@pytest.mark.parametrize("again", [False, True])
def test_a_merge_that_is_over_meanwhile(
    monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """One that was given up, and perhaps another begun, is not written into."""

    def end(other: Conflicts) -> None:
        repo = other_repo[0]
        repo.working_area("main").discard("abort")
        if again:
            write_on(repo, "feature", sets(d=1))
            repo.merge("feature")

    other_repo: list[Repository] = []
    race = Racing(monkeypatch, end)
    other_repo.append(race.repo)
    with pytest.raises(Error) as caught:
        race.conflicts.settle("m", "a", "theirs")
    assert caught.value.code == "merge-ended"
    assert held(race.repo)["a"] == 2
    assert race.repo.working_area("main").is_clean is not again


def test_a_merge_that_was_committed_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its commit stays as it is."""

    def end(other: Conflicts) -> None:
        other.settle_all("ours")
        other.commit("done")

    race = Racing(monkeypatch, end)
    with pytest.raises(Error) as caught:
        race.conflicts.settle_all("theirs")
    assert caught.value.code == "merge-ended"
    assert race.repo.working_area("main").is_clean
    assert dict(race.repo.at("main").map("m").items())["a"] == 2


# A store on the disk --------------------------------------------------------


def test_a_merge_that_waits_survives(tmp_path: Path) -> None:
    """Close, reopen, collect everything else, check all: the conflicts are there.

    The merge is a criss-cross, so nothing but the conflicts holds its virtual base.
    """
    place = tmp_path / "r"
    with prolly.init(place) as repo:
        diverged(
            both(sets(a=1, b=1), rows(BASE)),
            both(sets(a=2, b=2), rows({**BASE, "name": "o" * 3000})),
            both(sets(a=3, b=1), rows({**BASE, "name": "t" * 3000})),
            repo,
        )
        ours, theirs = repo.resolve("main"), repo.resolve("feature")
        repo.merge(theirs, policy="ours")
        repo.merge(ours, into="feature", policy="ours")
        write_on(repo, "main", sets(b=4))
        write_on(repo, "feature", sets(b=5))
        result = repo.merge("feature")
        assert (result.status, len(result.base)) == ("conflicts", 2)
        shown = list(result.conflicts.of())
    with prolly.open(place) as repo:
        repo.gc(grace=timedelta(0))
    with prolly.open(place) as repo:
        conflicts = repo.conflicts("main")
        assert list(conflicts.of()) == shown
        assert conflicts["m", "b"].base == 2
        assert list(repo.fsck(full=True)) == []
        conflicts.settle("m", "b", "base")
        conflicts.settle("t", 1, "theirs")
        repo.gc(grace=timedelta(0))
        assert list(repo.fsck(full=True)) == []
        conflicts.settle_all("theirs")
        conflicts.commit("done")
        repo.gc(grace=timedelta(0))
        assert list(repo.fsck(full=True)) == []
        assert dict(repo.at("main").map("m").items()) == {"a": 3, "b": 2}
        assert repo.at("main").table("t")[1]["name"] == "t" * 3000


# Another merge, or none, by the time ----------------------------------------


def meanwhile(
    monkeypatch: pytest.MonkeyPatch,
    area: WorkingArea,
    act: Callable[[], object],
    at: int,
) -> None:
    """Let something happen right after a working state was read for the ``at``-th time.

    What it reads itself is not counted.
    """
    read, left = area.read, [at]

    def reading() -> Any:
        found = read()
        left[0] -= 1
        if left[0] == 0:
            act()
        return found

    monkeypatch.setattr(area, "read", reading)


def edit(repo: Repository, key: str) -> None:
    with repo.working_area("main").edit("edit") as edited:
        edited.map("m")[key] = 4


READS = pytest.mark.parametrize("at", [1, 2])


@READS
def test_what_others_edit_is_not_dropped_with_a_merge(
    monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """A merge that another process commits is not given up, nor is its next edit."""
    repo, conflicts = merged(*MAP)

    def act() -> None:
        other = repo.conflicts("main")
        other.settle_all("theirs")
        other.commit("done")
        edit(repo, "d")

    meanwhile(monkeypatch, conflicts._area, act, at)
    with pytest.raises(Error) as caught:
        conflicts.abort()
    assert caught.value.code == "no-merge"
    assert held(repo) == {"a": 3, "b": 3, "c": 3, "d": 4}


@READS
def test_a_merge_is_given_up_while_another_settles(
    monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """It is the same merge, whatever is settled of it."""
    repo, conflicts = merged(*MAP)
    other = repo.conflicts("main")
    act = functools.partial(other.settle, "m", "a", "theirs")
    meanwhile(monkeypatch, conflicts._area, act, at)
    conflicts.abort()
    assert repo.working_area("main").is_clean
    assert held(repo) == {"a": 2, "b": 2, "c": 2}


def merged_anew(repo: Repository) -> None:
    """Give the merge up that waits; begin one of the same theirs into another ours."""
    repo.conflicts("main").abort()
    write_on(repo, "main", sets(a="later", b="later", c="later"))
    assert repo.merge("feature").status == "conflicts"


@READS
@pytest.mark.parametrize("call", ["abort", "settle", "settle_all", "commit"])
def test_another_merge_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, at: int, call: str
) -> None:
    """Who looked at one merge neither settles nor ends the next, of other ours."""
    repo, conflicts = merged(*MAP)
    if call == "commit":
        conflicts.settle_all("ours")
    meanwhile(monkeypatch, conflicts._area, lambda: merged_anew(repo), at)
    arguments = {"settle": ("m", "a", "ours"), "settle_all": ("ours",)}
    with pytest.raises(Error) as caught:
        getattr(conflicts, call)(*arguments.get(call, ()))
    assert caught.value.code == "merge-ended"
    again = repo.conflicts("main")
    assert held(repo) == dict.fromkeys("abc", "later")
    assert len(again) == 3
    assert repo.commit_of("main").message == "on main"


@READS
@pytest.mark.parametrize("of_result", [True, False])
def test_what_others_edit_is_not_committed_as_a_merge(
    monkeypatch: pytest.MonkeyPatch, at: int, of_result: bool
) -> None:
    """A merge that was given up is not committed, nor what stands in its place."""
    repo = diverged(sets(a=1, b=1), sets(b=2), sets(a=3))
    result = repo.merge("feature", commit=False)
    conflicts = result.conflicts if of_result else repo.conflicts("main")
    assert isinstance(conflicts, Conflicts)

    def act() -> None:
        repo.conflicts("main").abort()
        edit(repo, "half")

    meanwhile(monkeypatch, conflicts._area, act, at)
    with pytest.raises(Error) as caught:
        (result if of_result else conflicts).commit("the merge")
    assert caught.value.code == "no-merge"
    assert repo.commit_of("main").message == "on main"
    assert held(repo) == {"a": 1, "b": 2, "half": 4}


def test_a_result_is_of_its_own_merge() -> None:
    """When another merge waits, the result of the first ends nothing of it."""
    repo, _ = merged(*MAP)
    repo.conflicts("main").abort()
    result = repo.merge("feature")
    assert isinstance(result.conflicts, Conflicts)
    merged_anew(repo)
    assert (
        len(result.conflicts),
        list(result.conflicts),
        result.conflicts.counts(),
    ) == (
        0,
        [],
        {},
    )
    for call in (
        result.commit,
        result.conflicts.abort,
        result.conflicts.require_merge,
        lambda: result.conflicts.settle("m", "a", "ours"),
    ):
        with pytest.raises(Error) as caught:
            call()
        assert caught.value.code == "merge-ended"
    assert len(repo.conflicts("main")) == 3
