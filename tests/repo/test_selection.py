"""Committing a part: the chosen changes become a commit, the rest stays uncommitted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Invalid, KeyNotFound, NotFound
from prolly.maps import ABSENT
from prolly.repo import Repository
from prolly.testing.repositories import memory_repository


def edit(repo: Repository, **values: Any) -> None:
    """Write records of the map ``m`` into the working state; ABSENT deletes."""
    with repo.working_area().edit("edit") as workspace:
        for key, value in values.items():
            if value is ABSENT:
                workspace.map("m").pop(key, None)
            else:
                workspace.map("m")[key] = value


def committed(repo: Repository, dataset: str = "m") -> dict[Any, Any]:
    """Return the records of the newest commit."""
    return dict(repo.at("HEAD").map(dataset).items())


def working(repo: Repository) -> dict[Any, Any]:
    """Return the records of the working state."""
    return dict(repo.at_working().map("m").items())


@pytest.fixture
def repo() -> Repository:
    repo = memory_repository()
    with repo.transaction("main", message="base") as tx:
        tx.map("m").update({"a": 1, "b": 1, "c": 1})
        tx.map("n")["x"] = 1
        tx.table("t", key="id").load([{"id": 1, "v": 1}, {"id": 2, "v": 2}])
    return repo


KEYS = "abcde"
VALUES = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 3) | st.just(ABSENT))


@given(before=VALUES, changes=VALUES, chosen=st.sets(st.sampled_from(KEYS)))
def test_chosen_records_are_committed_and_no_others(
    before: dict[str, Any], changes: dict[str, Any], chosen: set[str]
) -> None:
    """Any edits, any choice: commit and working state are what dicts say."""
    repo = memory_repository()
    edit(repo, z=0, **{key: one for key, one in before.items() if one is not ABSENT})
    repo.working_area().commit("base")
    base = working(repo)
    edit(repo, **changes)
    after = working(repo)
    chosen &= set(base) | set(after)
    expected = {key: base.get(key) for key in base.keys() | after.keys()}
    expected.update({key: after.get(key) for key in chosen})
    if all(base.get(key) == after.get(key) for key in chosen):
        with pytest.raises(Invalid) as caught:
            repo.working_area().commit("none", only={"m": sorted(chosen)})
        assert caught.value.code == "nothing-to-commit"
    else:
        repo.working_area().commit("part", only={"m": sorted(chosen)})
        kept = {key: one for key, one in expected.items() if one is not None}
        assert committed(repo) == kept
    assert working(repo) == after
    assert repo.working_area().is_clean == (committed(repo) == after)


def test_whole_datasets_are_chosen_by_name(repo: Repository) -> None:
    """A changed, a new, a dropped and a renamed dataset are committed alone."""
    with repo.working_area().edit("all") as workspace:
        workspace.map("m")["a"] = 2
        workspace.map("new")["k"] = 1
        workspace.drop("n")
        workspace.rename("t", "u")
    area = repo.working_area()
    area.commit("changed", only={"m": None})
    assert list(repo.at("HEAD").datasets) == ["m", "n", "t"]
    assert committed(repo)["a"] == 2
    area.commit("new and dropped", only={"new": None, "n": None})
    assert list(repo.at("HEAD").datasets) == ["m", "new", "t"]
    assert not area.is_clean
    area.commit("renamed", only={"t": None})
    assert list(repo.at("HEAD").datasets) == ["m", "new", "u"]
    assert area.is_clean


def test_rows_of_a_table_are_chosen_by_key(repo: Repository) -> None:
    """Of a table, too; and of a new one, which is made with just these rows."""
    with repo.working_area().edit("rows") as workspace:
        workspace.table("t").upsert({"id": 1, "v": 5})
        workspace.table("t").delete(2)
        workspace.table("w", key="id").load([{"id": one, "v": one} for one in range(5)])
    area = repo.working_area()
    area.commit("part", only={"t": [2], "w": [3]})
    found = repo.at("HEAD")
    assert list(found.table("t").values()) == [{"id": 1, "v": 1}]
    assert list(found.table("w").values()) == [{"id": 3, "v": 3}]
    area.commit("rest")
    assert len(repo.at("HEAD").table("w")) == 5


def test_the_rest_is_carried_onto_a_branch_that_moved(repo: Repository) -> None:
    """The part and the rest both stand on what others committed meanwhile."""
    edit(repo, a=2, b=2)
    with repo.transaction("main") as tx:
        tx.map("m")["c"] = 9
    repo.working_area().commit("part", only={"m": ["a"]})
    assert committed(repo) == {"a": 2, "b": 1, "c": 9}
    assert working(repo) == {"a": 2, "b": 2, "c": 9}


def test_what_cannot_stand_alone_is_refused(repo: Repository) -> None:
    """No such dataset or record; rows of an altered or dropped table; a taken name."""
    area = repo.working_area()
    edit(repo, a=2)
    with repo.transaction("main") as tx:
        tx.map("gone")["x"] = 1
    area.discard()
    edit(repo, a=2)
    with pytest.raises(NotFound) as caught:
        area.commit("x", only={"zzz": None})
    assert caught.value.code == "no-such-dataset"
    with pytest.raises(KeyNotFound):
        area.commit("x", only={"m": ["zzz"]})
    with area.edit("alter") as workspace:
        workspace.table("t").alter().add_column("w", "int")
        workspace.drop("gone")
        workspace.drop("n")
        workspace.rename("m", "n")
    for only in ({"t": [1]}, {"gone": ["x"]}, {"m": None}):
        with pytest.raises(Invalid) as partial:
            area.commit("x", only=only)
        assert partial.value.code == "partial-commit"
    assert repo.commit_of("HEAD").message == ""
    area.commit("both", only={"n": None})
    assert list(repo.at("HEAD").datasets) == ["gone", "n", "t"]


def test_amending_replaces_the_newest_commit(repo: Repository) -> None:
    """The parents stay, what is uncommitted joins, message and author stay if kept."""
    parents = repo.commit_of("HEAD").parents
    edit(repo, a=5)
    area = repo.working_area()
    area.commit(None, amend=True)
    commit = repo.commit_of("HEAD")
    assert (commit.parents, commit.message, commit.author) == (
        parents,
        "base",
        "tester",
    )
    assert committed(repo)["a"] == 5
    assert area.is_clean
    area.commit("better", amend=True, author="ann")
    commit = repo.commit_of("HEAD")
    assert (commit.message, commit.author) == ("better", "ann")
    assert len(list(repo.log())) == 2
    edit(repo, a=6, b=6)
    area.commit(None, amend=True, only={"m": ["b"]})
    assert committed(repo) == {"a": 5, "b": 6, "c": 1}
    assert working(repo)["a"] == 6


def test_there_must_be_something_to_amend(repo: Repository) -> None:
    """Neither changes nor a message, and the constant first commit, are refused."""
    area = repo.working_area()
    with pytest.raises(Invalid) as caught:
        area.commit(None, amend=True)
    assert caught.value.code == "nothing-to-commit"
    area.move_head(bytes(repo.resolve("HEAD~1")), keep=False, why="back")
    with pytest.raises(Invalid) as first:
        area.commit("other", amend=True)
    assert first.value.code == "first-commit"
