"""Settling in other ways: as it stands, field by field, and anew."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.errors import Error
from prolly.maps import ABSENT
from prolly.repo import CHOICES, Repository, Transaction
from prolly.tables import Reference, Schema
from prolly.testing.waiting_merges import both, merged, refused, rows, sets

BASE = {"id": 1, "city": "c", "height": 1}
OURS = {"id": 1, "city": "o", "height": 2}
THEIRS = {"id": 1, "city": "t", "height": 3}


def row(repo: Repository, key: Any = 1) -> Any:
    return repo.at_working("main").table("t").get(key)


def deleting(key: int) -> Any:
    return lambda tx: tx.table("t").delete(key)


@pytest.mark.parametrize("key", [("t", 1), ("m", "k")])
def test_an_edit_of_a_record_in_conflict_is_kept(key: tuple[str, Any]) -> None:
    """What somebody wrote there stands on, marked so; ours would put it back."""
    repo, conflicts = merged(
        both(rows(BASE), sets(k=1)),
        both(rows(OURS), sets(k=2)),
        both(rows(THEIRS), sets(k=3)),
    )
    with repo.working_area("main").edit("put") as edited:
        edited.table("t").upsert({**BASE, "city": "mine"})
        edited.map("m")["k"] = "mine"
    conflicts.keep(*key)
    stands = repo.at_working("main")
    assert stands.table("t")[1] == {**BASE, "city": "mine"}
    assert stands.map("m")["k"] == "mine"
    assert [one.settled for one in conflicts.find(*key)] == ["kept"]
    assert conflicts.settle_all("keep") == 1
    commit = repo.commit_of(conflicts.commit("done"))
    assert commit.metadata["merge"]["settled"] == {"kept": 2}
    assert repo.at("main").map("m")["k"] == "mine"


def test_files_and_blobs_are_kept() -> None:
    """A file that was written anew, and a blob, are settled as they stand."""

    def write(text: bytes) -> Any:
        def write(tx: Transaction) -> None:
            tx.files("f").write("a", text)
            with tx.blob("b", "wb") as blob:
                blob.write(text)

        return write

    repo, conflicts = merged(write(b"0"), write(b"1"), write(b"2"))
    with repo.working_area("main").edit("put") as edited:
        edited.files("f").write("a", b"mine")
    conflicts.keep("f", "a")
    conflicts.keep("b")
    conflicts.settle("b", (), "theirs")
    conflicts.keep("b")
    conflicts.commit("done")
    at = repo.at("main")
    assert (at.files("f").read("a"), at.blob("b").read()) == (b"mine", b"2")


def test_only_the_words_can_be_taken() -> None:
    """Invalid ``take`` for any other, which lists those that there are."""
    repo, conflicts = merged(sets(k=1), sets(k=2), sets(k=3))
    for take in ("mine", "", None, 7):
        error = refused("take", repo, lambda take=take: conflicts.settle_all(take))
        assert all(word in str(error.hint) for word in CHOICES)
    for take in ("mine", "", 7, ["ours"]):
        refused("take", repo, lambda take=take: conflicts.settle("m", "k", take))


def both_added() -> Any:
    return merged(rows({**BASE, "id": 9}), rows(OURS), rows(THEIRS))


@pytest.mark.parametrize("order", [("city", "height"), ("height", "city")])
def test_the_base_of_a_field_never_takes_the_row(order: tuple[str, str]) -> None:
    """Where the base has no row it is the column's default, in whatever order."""
    repo, conflicts = both_added()
    takes: dict[str, Any] = {"city": "base", "height": "theirs"}
    for field in order:
        conflicts.settle("t", 1, takes[field], fields=[field])
    assert row(repo) == {"id": 1, "city": None, "height": 3}
    assert len(conflicts) == 0
    conflicts.settle("t", 1, "base")
    assert row(repo) is None


def test_a_field_without_a_default_has_no_base() -> None:
    """It is refused, and to be given a value; the row stands."""
    schema = Schema.create([("id", "int"), ("city", "text", False)], "id")
    ours, theirs = [{"id": 1, "city": one} for one in "ot"]
    repo, conflicts = merged(
        lambda tx: tx.table("t", schema=schema).upsert({"id": 9, "city": "b"}),
        rows(ours),
        rows(theirs),
    )
    refused(
        "settle-by-hand",
        repo,
        lambda: conflicts.settle("t", 1, "base", fields=["city"]),
    )
    assert row(repo) == ours


def test_a_field_settled_after_the_whole_leaves_the_others() -> None:
    """Fields that were settled with the record stay settled as they were."""
    repo, conflicts = merged(rows(BASE), rows(OURS), rows(THEIRS))
    conflicts.settle("t", 1, "theirs")
    conflicts.settle("t", 1, "ours", fields=["height"])
    assert len(conflicts) == 0
    assert row(repo) == {"id": 1, "city": "t", "height": 2}
    [conflict] = conflicts.find("t", 1)
    assert conflict.settled == "fields"


@pytest.mark.parametrize("first", [None, ABSENT])
def test_a_value_for_a_row_that_does_not_stand(first: Any) -> None:
    """What is left out is as theirs has it; also after it was settled as deleted."""
    repo, conflicts = merged(rows(BASE), deleting(1), rows(THEIRS))
    if first is ABSENT:
        conflicts.settle_value("t", 1, ABSENT)
    conflicts.settle_value("t", 1, {"city": "mine"})
    assert row(repo) == {**THEIRS, "city": "mine"}


def test_errors_of_a_field_say_what_is_in_conflict() -> None:
    """A misspelt column lists those that are; of a whole record there are none."""
    repo, conflicts = merged(
        rows(BASE, {**BASE, "id": 2}),
        both(rows(OURS), deleting(2)),
        rows(THEIRS, {**THEIRS, "id": 2}),
    )

    def of(key: int, field: str) -> Error:
        return refused(
            "no-such-conflict",
            repo,
            lambda: conflicts.settle("t", key, "ours", fields=[field]),
        )

    assert "city, height" in str(of(1, "cities").hint)
    assert "whole record" in str(of(2, "city").hint)


def test_a_constraint_tells_which_and_against_what() -> None:
    """The facts name the rule, the other key, and its dataset if it is another."""
    parents = Schema.create([("id", "int")], "id")
    children = Schema.create(
        [("id", "int"), ("parent", "int")],
        "id",
        references=[Reference("parent", ("parent",), "parents")],
    )

    def base(tx: Transaction) -> None:
        tx.table("parents", schema=parents).upsert({"id": 1})
        tx.table("children", schema=children).upsert({"id": 1, "parent": None})

    _, conflicts = merged(
        base,
        lambda tx: tx.table("parents").delete(1),
        lambda tx: tx.table("children").upsert({"id": 2, "parent": 1}),
    )
    [conflict] = conflicts.of()
    assert conflict.facts["constraint"] == "reference parent"
    assert conflict.facts["other_key"] == 1
    assert conflict.facts["other_dataset"] == "parents"
