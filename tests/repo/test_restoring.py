"""Giving up a part of what is uncommitted: datasets, and records of one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import Address
from prolly.errors import Invalid, KeyNotFound, NotFound
from prolly.repo import Repository, restore
from prolly.testing.repositories import memory_repository

edits = st.dictionaries(st.sampled_from("abcd"), st.none() | st.integers(0, 3))


def edit(repo: Repository, name: str, changes: dict[str, int | None]) -> None:
    """Write or delete records of a map, uncommitted."""
    with repo.working_area().edit("edit") as workspace:
        found = workspace.map(name)
        for key, value in changes.items():
            if value is not None:
                found[key] = value
            elif key in found:
                del found[key]


def contents(repo: Repository, at: Any = None) -> dict[str, dict[str, int]]:
    """Return the maps of a version, by default the working state."""
    snapshot = repo.at_working() if at is None else repo.at(at)
    return {name: dict(snapshot.map(name).items()) for name in snapshot.datasets}


@pytest.fixture
def repo() -> Repository:
    """Two maps, committed."""
    repo = memory_repository()
    with repo.transaction("main") as tx:
        tx.map("m").update({"a": 1, "b": 2})
        tx.map("n").update({"a": 1})
    return repo


@given(edits, edits)
def test_one_dataset_is_as_committed_and_the_rest_as_edited(
    ours: dict[str, int | None], others: dict[str, int | None]
) -> None:
    """Whatever was edited, by what the commit and the working state hold."""
    with memory_repository() as repo:
        with repo.transaction("main") as tx:
            tx.map("m").update({"a": 1, "b": 2})
            tx.map("n").update({"a": 1})
        edit(repo, "m", ours)
        edit(repo, "n", others)
        before = contents(repo)
        restore(repo.working_area(), {"m": None})
        assert contents(repo) == {**before, "m": {"a": 1, "b": 2}}
        restore(repo.working_area(), {"n": None})
        assert repo.working_area().is_clean


def test_single_records(repo: Repository) -> None:
    """A changed one, a deleted one and a new one; others keep their edits."""
    edit(repo, "m", {"a": 9, "b": None, "c": 3, "d": 4})
    restore(repo.working_area(), {"m": ["a", "b", "c"]})
    assert contents(repo)["m"] == {"a": 1, "b": 2, "d": 4}
    with pytest.raises(KeyNotFound):
        restore(repo.working_area(), {"m": ["zzz"]})


def test_datasets_come_back_and_go(repo: Repository) -> None:
    """A dropped one is there again, a new one is gone, a renamed one has its name."""
    edit(repo, "new", {"a": 1})
    with repo.working_area().edit("drop") as workspace:
        workspace.drop("m")
        workspace.rename("n", "o")
    restore(repo.working_area(), {"new": None, "m": None, "o": None})
    assert repo.working_area().is_clean
    with pytest.raises(NotFound) as caught:
        restore(repo.working_area(), {"none": None})
    assert caught.value.code == "no-such-dataset"


def test_an_altered_table_is_restored_whole() -> None:
    """Its schema comes back with its rows; one record of it cannot."""
    with memory_repository() as repo:
        with repo.transaction("main") as tx:
            tx.table("t", key="id").insert({"id": 1, "a": 5})
        with repo.working_area().edit("alter") as workspace:
            table = workspace.table("t")
            table.alter().add_column("b", "int").add_index("by_a", "a")
            table.patch(1, {"b": 1})
        with pytest.raises(Invalid) as caught:
            restore(repo.working_area(), {"t": [1]})
        assert caught.value.code == "partial-commit"
        restore(repo.working_area(), {"t": None})
        assert repo.working_area().is_clean
        assert isinstance(repo.resolve("main"), Address)
