"""Parts of a description that are taken by a word: column names, and what works."""

from __future__ import annotations

import pytest

from prolly.errors import Error
from prolly.repo import Choice, Transaction
from prolly.testing.repositories import Write
from prolly.testing.waiting_merges import both, merged, refused, rows, sets

BASE = {"id": 1, "title": 7}


def renamed(new: str, type_name: str = "int") -> Write:
    """Return a write that gives the column another name, and maybe another type."""

    def write(tx: Transaction) -> None:
        alter = tx.table("t").alter().rename_column("title", new)
        if type_name != "int":
            alter.widen_column(new, type_name)

    return write


@pytest.mark.parametrize(
    ("side", "name"), [("ours", "name"), ("theirs", "label"), ("base", "title")]
)
def test_a_column_takes_the_name_of_a_side(side: Choice, name: str) -> None:
    """Of one that both renamed, again and again until the merge is committed."""
    repo, conflicts = merged(rows(BASE), renamed("name"), renamed("label"))
    [conflict] = conflicts.of()
    assert conflicts.choices(conflict) == ("base", "ours", "theirs", "keep")
    conflicts.settle_schema("t", conflict.key, "theirs")
    conflicts.settle_schema("t", conflict.key, side)
    conflicts.commit("done")
    assert repo.at("main").table("t")[1] == {"id": 1, name: 7}


def test_more_than_a_name_is_altered_by_hand() -> None:
    """A column that both gave another name and another type."""
    repo, conflicts = merged(
        rows(BASE), renamed("name", "text"), renamed("label", "decimal")
    )
    [conflict] = conflicts.of()
    assert conflicts.choices(conflict) == ("ours", "keep")
    refused(
        "settle-by-hand",
        repo,
        lambda: conflicts.settle_schema("t", conflict.key, "theirs"),
    )


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (renamed("name"), renamed("label")),
        (renamed("name", "text"), renamed("label", "decimal")),
        (
            lambda tx: tx.table("t").alter(force=True).drop_column("title"),
            rows({"id": 1, "title": 8}),
        ),
        (lambda tx: tx.drop("t"), rows({"id": 1, "title": 8})),
        (lambda tx: tx.rename("t", "u"), lambda tx: tx.rename("t", "v")),
        (lambda tx: tx.set_policy("t", "max"), lambda tx: tx.set_policy("t", "min")),
    ],
)
def test_what_can_be_taken_is_foretold(ours: Write, theirs: Write) -> None:
    """Each choice that is offered settles; each that is not is refused."""
    for take in ("base", "ours", "theirs", "keep"):
        _, conflicts = merged(both(rows(BASE), sets(k=1)), ours, theirs)
        conflict = next(iter(conflicts.of()))
        offered = conflicts.choices(conflict)
        try:
            conflicts.settle_schema(conflict.dataset, conflict.key, take)
        except Error as error:
            assert error.code == "settle-by-hand"
            assert take not in offered
        else:
            assert take in offered


def test_a_name_that_another_column_has_is_given_by_hand() -> None:
    """Both added a column of one name: a word gives it to one once it is free."""

    def added(type_name: str) -> Write:
        return lambda tx: tx.table("t").alter().add_column("note", type_name)

    repo, conflicts = merged(rows(BASE), added("int"), added("text"))
    [conflict] = conflicts.of()
    assert conflicts.choices(conflict) == ("keep",)
    for side in ("ours", "theirs"):
        refused(
            "settle-by-hand",
            repo,
            lambda side=side: conflicts.settle_schema("t", conflict.key, side),
        )
    with repo.working_area().edit("rename") as edited:
        edited.table("t").alter().rename_column("note", "remark")
    [side] = [one for one in conflicts.choices(conflict) if one in ("ours", "theirs")]
    conflicts.settle_schema("t", conflict.key, side)
    conflicts.commit("done")
    names = repo.at("main").table("t").schema.names
    assert sorted(names) == ["id", "note", "remark", "title"]
