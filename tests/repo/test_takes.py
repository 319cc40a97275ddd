"""Several conflicts settled at once, whole or field by field."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prolly.errors import Invalid, NotFound, Stale
from prolly.maps import ABSENT
from prolly.repo import Repository, Take
from prolly.testing.repositories import memory_repository


@pytest.fixture
def repo() -> Iterator[Repository]:
    """A merge that waits: a row with three clashing fields, and a value."""
    with memory_repository() as repo:
        with repo.transaction("main", message="base") as tx:
            table = tx.table("t", key="id")
            table.insert({"id": 1, "a": 0, "b": 0, "c": 0, "d": 0})
            tx.map("m").update([("k", 0)])
        repo.create_branch("feature")
        for branch, value in (("main", 1), ("feature", 2)):
            with repo.transaction(branch, message=branch) as tx:
                row = {"id": 1, "a": value, "b": value, "c": value, "d": 0}
                tx.table("t").upsert(row)
                tx.map("m")["k"] = value
        assert repo.merge("feature").status == "conflicts"
        yield repo


def row(repo: Repository) -> list[int]:
    """Return the cells of the row as it stands."""
    return [repo.at_working().table("t")[1][name] for name in "abcd"]


def test_takes_of_one_row_are_settled_together(repo: Repository) -> None:
    """Each field its own way, and another conflict with them, in one step."""
    conflicts = repo.conflicts()
    before = repo.store.sequence()
    takes = [
        Take("t", 1, "theirs", ("a",)),
        Take("t", 1, "base", ("b",)),
        Take("t", 1, None, ("c",), {"c": 7}),
        Take("m", "k", value=ABSENT),
    ]
    assert conflicts.settle_each(takes) == 4
    assert repo.store.sequence() == before + 1
    assert row(repo) == [2, 0, 7, 0]
    assert "k" not in repo.at_working().map("m")
    assert len(conflicts) == 0
    told = repo.commit_of(conflicts.commit()).metadata["merge"]["settled"]
    assert told == {"fields": 1, "value": 1}


def test_a_record_is_open_until_its_last_field(repo: Repository) -> None:
    """What is settled leaves the fields of the conflict; what is left stays open."""
    conflicts = repo.conflicts()
    conflicts.settle("t", 1, "theirs", fields=["a"])
    found = conflicts["t", 1]
    assert (found.fields, found.settled_fields) == (("b", "c"), ("a",))
    conflicts.settle("t", 1, "theirs", fields=["c", "b"])
    assert ("t", 1) not in conflicts
    [settled] = conflicts.find("t", 1)
    assert (settled.settled, settled.fields) == ("theirs", ("a", "b", "c"))
    assert row(repo) == [2, 2, 2, 0]


def test_the_rest_of_a_row_keeps_what_was_settled(repo: Repository) -> None:
    """A take without fields settles those that are open; edits of others stay."""
    conflicts = repo.conflicts()
    conflicts.settle("t", 1, "theirs", fields=["a"])
    with repo.working_area().edit("edit") as edited:
        edited.table("t").upsert({"id": 1, "a": 9, "b": 1, "c": 1, "d": 9})
    conflicts.settle("t", 1, "base")
    assert row(repo) == [9, 0, 0, 9]
    assert conflicts.find("t", 1)[0].settled == "fields"


def test_settling_all_again_begins_anew(repo: Repository) -> None:
    """A record that is settled is settled again as a whole."""
    conflicts = repo.conflicts()
    conflicts.settle("t", 1, "theirs", fields=["a", "b", "c"])
    conflicts.settle("t", 1, "base")
    assert row(repo) == [0, 0, 0, 0]
    assert conflicts.find("t", 1)[0].settled == "base"


def test_one_take_that_fails_settles_none(repo: Repository) -> None:
    """A field, key or dataset that is not in conflict leaves everything as it was."""
    before = repo.at_working().root, repo.store.sequence()
    good = Take("m", "k", "theirs")
    for bad in (
        Take("t", 1, "ours", ("d",)),
        Take("t", 1, "ours", ("id",)),
        Take("t", 2, "ours"),
        Take("m", "x", "ours"),
        Take("m", "k", "ours", ("k",)),
        Take("x", "k", "ours"),
        Take("t", "name", "ours", kind="schema"),
        Take("t", 1, "ours", kind="constraint"),
    ):
        with pytest.raises(NotFound):
            repo.conflicts().settle_each([good, bad])
        assert (repo.at_working().root, repo.store.sequence()) == before


def test_what_another_process_settled_is_not_settled_over(repo: Repository) -> None:
    """Fields of one record settled at once on both sides: the second learns it."""
    conflicts = repo.conflicts()

    def takes() -> Iterator[Take]:
        repo.conflicts().settle("t", 1, "ours", fields=["b"])
        yield Take("t", 1, "theirs", ("a",))

    with pytest.raises(Stale) as caught:
        conflicts.settle_each(takes())
    assert caught.value.code in ("settled-meanwhile", "write-conflict")
    assert conflicts["t", 1].fields == ("a", "c")


def test_counts_and_datasets(repo: Repository) -> None:
    """Open ones by dataset; the datasets stay listed when all is settled."""
    conflicts = repo.conflicts()
    assert conflicts.counts() == {"m": 1, "t": 1}
    conflicts.settle_all("ours", "t")
    assert conflicts.counts() == {"m": 1}
    assert conflicts.dataset_names() == ["m", "t"]
    assert conflicts.schema("m", "ours") is None
    assert list(conflicts.columns("t", "theirs")) == ["id", "a", "b", "c", "d"]
    assert not conflicts.is_blob("t")


def test_abort_ends_the_merge_once(repo: Repository) -> None:
    """The state is clean then; without a merge there is nothing to give up."""
    repo.conflicts().abort()
    assert repo.working_area().is_clean
    assert (repo.conflicts().counts(), repo.conflicts().find("t", 1)) == ({}, [])
    for call in (repo.conflicts().abort, repo.conflicts().require_merge):
        with pytest.raises(Invalid) as caught:
            call()
        assert caught.value.code == "no-merge"
