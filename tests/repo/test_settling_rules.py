"""Settling what broke a constraint, and parts of a dataset's description."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.datasets import Manifest
from prolly.maps import ABSENT
from prolly.repo import Conflicts, Repository, Transaction
from prolly.tables import Check, Index, Reference, Schema, as_predicate
from prolly.testing.repositories import Write
from prolly.testing.waiting_merges import both, merged, refused, rows, sets
from prolly.tree import NodeReader


def held(repo: Repository, name: str = "m") -> dict[str, Any]:
    return dict(repo.at_working("main").map(name).items())


def row(repo: Repository, key: Any, name: str = "t") -> Any:
    return repo.at_working("main").table(name).get(key)


BASE = {"id": 1, "name": "a", "age": 1, "town": "x"}

# Constraints ----------------------------------------------------------------

UNIQUE = Schema.create(
    [("id", "int"), ("mail", "text"), ("note", "text")],
    "id",
    indexes=[Index("mail", ("mail",), unique=True)],
)


def test_a_unique_index_that_both_break_together() -> None:
    """Theirs is withheld; taking it is refused while the other row stands."""
    repo, conflicts = merged(
        lambda tx: tx.table("t", schema=UNIQUE).upsert(
            {"id": 9, "mail": "z", "note": "n"}
        ),
        rows({"id": 1, "mail": "m", "note": "ours"}),
        rows(
            {"id": 2, "mail": "m", "note": "theirs"},
            {"id": 9, "mail": "m2", "note": "n"},
        ),
    )
    [conflict] = conflicts.of()
    assert (conflict.kind, conflict.key, conflict.fields) == (
        "constraint",
        2,
        ("mail",),
    )
    assert conflict.ours is ABSENT
    assert row(repo, 2) is None
    refused("unique-violation", repo, lambda: conflicts.settle("t", 2, "theirs"))
    refused("unique-violation", repo, lambda: conflicts.settle_all("theirs"))
    assert len(conflicts) == 1
    with repo.working_area("main").edit("make room") as edited:
        edited.table("t")[1] = {"id": 1, "mail": "other", "note": "ours"}
    conflicts.settle("t", 2, "theirs")
    assert row(repo, 2) == {"id": 2, "mail": "m", "note": "theirs"}
    conflicts.commit("done")


CHECKED = Schema.create(
    [("id", "int"), ("low", "int"), ("high", "int"), ("note", "text")],
    "id",
    checks=[Check("order", as_predicate("low != 5 or high != 5"))],
)


def test_a_check_that_both_break_together() -> None:
    """All that theirs changed in the row was withheld, and comes when it is taken."""
    first = {"id": 1, "low": 1, "high": 1, "note": "a"}
    repo, conflicts = merged(
        lambda tx: tx.table("t", schema=CHECKED).upsert(first),
        rows({**first, "low": 5}),
        rows({**first, "high": 5, "note": "b"}),
    )
    [conflict] = conflicts.of()
    assert (conflict.kind, conflict.key) == ("constraint", 1)
    assert row(repo, 1) == {**first, "low": 5}
    conflicts.settle("t", 1, "theirs")
    assert row(repo, 1) == {**first, "high": 5, "note": "b"}
    conflicts.settle("t", 1, "ours")
    assert row(repo, 1) == {**first, "low": 5}
    conflicts.settle("t", 1, "theirs", fields=["note"])
    assert row(repo, 1) == {"id": 1, "low": 5, "high": 1, "note": "b"}


PARENTS = Schema.create([("id", "int"), ("name", "text")], "id")
CHILDREN = Schema.create(
    [("id", "int"), ("parent", "int")],
    "id",
    references=[Reference("parent", ("parent",), "parents")],
)


def family(tx: Transaction) -> None:
    tx.table("parents", schema=PARENTS).upsert({"id": 1, "name": "p"})
    tx.table("children", schema=CHILDREN).upsert({"id": 1, "parent": None})


def test_a_row_that_refers_to_none_names_the_column_that_does() -> None:
    """Not all of its cells; taken once the parent is there again, it comes whole."""

    def orphan(tx: Transaction) -> None:
        del tx.table("parents")[1]

    child = {"id": 2, "parent": 1}
    repo, conflicts = merged(family, orphan, rows(child, table="children"))
    [conflict] = conflicts.of()
    assert (conflict.kind, conflict.key) == ("constraint", 2)
    assert conflict.fields == ("parent",)
    refused("reference-missing", repo, lambda: conflicts.settle_all("theirs"))
    with repo.working_area("main").edit("again") as edited:
        edited.table("parents")[1] = {"id": 1, "name": "p"}
    conflicts.settle_all("theirs", "children", fields=["parent"])
    assert row(repo, 2, "children") == child
    conflicts.settle("children", 2, "ours")
    assert row(repo, 2, "children") is None
    conflicts.commit("done")


def test_a_parent_that_theirs_deleted() -> None:
    """It stays, since ours refers to it; to delete it wants the child to let go."""

    def orphan(tx: Transaction) -> None:
        del tx.table("parents")[1]

    repo, conflicts = merged(
        family, rows({"id": 2, "parent": 1}, table="children"), orphan
    )
    [conflict] = conflicts.of()
    assert (conflict.kind, conflict.dataset) == ("constraint", "parents")
    assert conflict.theirs is ABSENT
    for settle in (
        lambda: conflicts.settle("parents", 1, "theirs"),
        lambda: conflicts.settle_all("theirs"),
        lambda: conflicts.settle_value("parents", 1, ABSENT),
    ):
        refused("reference-in-use", repo, settle)
    with repo.working_area("main").edit("let go") as edited:
        edited.table("children")[2] = {"id": 2, "parent": None}
    conflicts.settle("parents", 1, "theirs")
    conflicts.commit("done")
    assert len(repo.at("main").table("parents")) == 0


def clashing_twice() -> tuple[Repository, Conflicts]:
    """Return a row that clashes in one column, and breaks an index with another."""
    first = {"id": 1, "mail": "z", "note": "n"}
    return merged(
        lambda tx: tx.table("t", schema=UNIQUE).upsert(first),
        rows({**first, "note": "ours"}, {"id": 2, "mail": "m", "note": ""}),
        rows({**first, "note": "theirs", "mail": "m"}),
    )


def test_a_record_that_clashes_twice_has_one_name() -> None:
    """It counts once in the mapping, is listed with both, and is settled with both."""
    repo, conflicts = clashing_twice()
    assert [one.kind for one in conflicts.of()] == ["record", "constraint"]
    assert list(conflicts) == [("t", 1)]
    assert (len(conflicts), ("t", 1) in conflicts) == (1, True)
    assert dict(conflicts)["t", 1].fields == ("note",)
    with repo.working_area("main").edit("make room") as edited:
        del edited.table("t")[2]
    conflicts.settle("t", 1, "theirs")
    assert row(repo, 1) == {"id": 1, "mail": "m", "note": "theirs"}
    assert len(conflicts) == 0


def test_a_column_of_a_record_that_clashes_twice() -> None:
    """Columns of either conflict are settled by name; one of neither is refused."""
    repo, conflicts = clashing_twice()
    with repo.working_area("main").edit("make room") as edited:
        del edited.table("t")[2]
    refused(
        "no-such-conflict",
        repo,
        lambda: conflicts.settle("t", 1, "theirs", fields=["note", "id"]),
    )
    conflicts.settle("t", 1, "base", fields=["note"])
    assert [one.kind for one in conflicts.of()] == ["constraint"]
    conflicts.settle("t", 1, "theirs", fields=["mail"])
    assert row(repo, 1) == {"id": 1, "mail": "m", "note": "theirs"}
    assert len(conflicts) == 0


# Parts of a description -----------------------------------------------------


def renamed(name: str) -> Write:
    return lambda tx: tx.rename("m", name)


def test_a_name_that_both_changed() -> None:
    """Ours stands; each is one word away, unless the name is taken."""
    repo, conflicts = merged(sets(a=1), renamed("o"), renamed("t"))
    assert list(conflicts) == [("o", "name", "schema")]
    conflict = conflicts["o", "name", "schema"]
    assert (conflict.base, conflict.ours, conflict.theirs) == ("m", "o", "t")
    conflicts.settle_schema("o", "name", "theirs")
    assert list(repo.at_working("main").datasets) == ["t"]
    conflicts.settle_schema("t", "name", "base")
    conflicts.settle_schema("m", "name", "keep")
    assert list(repo.at_working("main").datasets) == ["m"]
    conflicts.settle_schema("m", "name", "ours")
    assert list(repo.at_working("main").datasets) == ["o"]
    conflicts.settle_schema("o", "name", "base")
    with repo.working_area("main").edit("take") as edited:
        edited.map("t")["x"] = 1
    refused(
        "dataset-exists", repo, lambda: conflicts.settle_schema("m", "name", "theirs")
    )


def test_a_new_name_and_records_settled_at_once() -> None:
    """Records of a dataset that gets another name on the way are found by its id."""
    first = {"id": 1, "mail": "z", "note": "n"}

    def ours(tx: Transaction) -> None:
        rows({"id": 2, "mail": "m", "note": ""})(tx)
        tx.rename("t", "o")

    def theirs(tx: Transaction) -> None:
        rows({**first, "note": "theirs", "mail": "m"})(tx)
        tx.rename("t", "x")

    repo, conflicts = merged(
        lambda tx: tx.table("t", schema=UNIQUE).upsert(first), ours, theirs
    )
    assert [one.kind for one in conflicts.of()] == ["schema", "constraint"]
    with repo.working_area("main").edit("make room") as edited:
        del edited.table("o")[2]
    assert conflicts.settle_all("theirs") == 2
    assert list(repo.at_working("main").datasets) == ["x"]
    assert row(repo, 1, "x") == {"id": 1, "mail": "m", "note": "theirs"}


def dropping(tx: Transaction) -> None:
    tx.drop("m")


@pytest.mark.parametrize(
    ("ours", "theirs", "dropper"),
    [(sets(a=2), dropping, "theirs"), (dropping, sets(a=2), "ours")],
)
def test_a_dataset_that_one_side_dropped(
    ours: Write, theirs: Write, dropper: Any
) -> None:
    """It stays as the other changed it, and goes if the one who dropped it is taken."""
    changer: Any = {"ours": "theirs", "theirs": "ours"}[dropper]
    repo, conflicts = merged(sets(a=1), ours, theirs)
    [conflict] = conflicts.of()
    assert (conflict.name, conflict.kind) == (("m", "dropped", "schema"), "schema")
    assert getattr(conflict, dropper) is ABSENT
    assert getattr(conflict, changer)["kind"] == "map"
    refused(
        "settle-by-hand", repo, lambda: conflicts.settle_schema("m", "dropped", "base")
    )
    conflicts.settle_schema("m", "dropped", changer)
    assert held(repo) == {"a": 2}
    conflicts.settle_schema("m", "dropped", dropper)
    assert list(repo.at_working("main").datasets) == []
    conflicts.settle_schema("m", "dropped", changer)
    assert held(repo) == {"a": 2}
    conflicts.settle_schema("m", "dropped", dropper)
    assert list(repo.at_working("main").datasets) == []
    assert len(conflicts) == 0
    conflicts.commit("done")
    assert list(repo.at("main").datasets) == []


def policy(name: str) -> Write:
    return lambda tx: tx.set_policy("m", name)


@pytest.mark.parametrize(
    ("take", "stands"),
    [("base", "max"), ("keep", "max"), ("ours", "ours"), ("theirs", "min")],
)
def test_a_policy_that_both_changed(take: Any, stands: str) -> None:
    """The base's stands meanwhile; each of the three is one word away."""
    repo, conflicts = merged(
        both(sets(a=1), policy("max")), policy("ours"), policy("min")
    )
    assert [one.name for one in conflicts.of()] == [("m", "policy /", "schema")]
    conflict = conflicts["m", "policy /", "schema"]
    assert (conflict.base, conflict.ours, conflict.theirs) == ("max", "ours", "min")
    conflicts.settle_schema("m", "policy /", take)
    entry = repo.working_area("main").state.manifest
    assert policies(repo, entry) == {"/": stands}


def policies(repo: Repository, manifest: bytes) -> dict[str, str]:
    reader = NodeReader(repo.store.get)
    return dict(Manifest(reader, manifest).require("m").policies)


def test_a_column_is_settled_by_hand() -> None:
    """What one word cannot bring about is altered first; then ours is taken."""

    def widen(type_name: str) -> Write:
        return lambda tx: tx.table("t").alter().widen_column("age", type_name)

    repo, conflicts = merged(rows(BASE), widen("text"), widen("decimal"))
    [conflict] = conflicts.of()
    assert conflict.kind == "schema"
    dataset, what, _ = conflict.name
    assert (conflict.ours["type"], conflict.theirs["type"]) == ("text", "decimal")
    for take in ("theirs", "base"):
        refused(
            "settle-by-hand",
            repo,
            lambda take=take: conflicts.settle_schema(dataset, what, take),
        )
    conflicts.settle_schema(dataset, what, "ours")
    assert len(conflicts) == 0
    conflicts.settle_schema(dataset, what, "keep")


def test_a_column_that_ours_dropped_is_not_taken_for_ours() -> None:
    """It stands, since theirs wrote it: ours is refused till it is dropped by hand."""
    repo, conflicts = merged(
        rows(BASE),
        lambda tx: tx.table("t").alter(force=True).drop_column("age"),
        rows({**BASE, "age": 77}),
    )
    [conflict] = conflicts.of()
    assert (conflict.key, conflict.ours) == ("column age", ABSENT)

    def settle() -> None:
        conflicts.settle_schema("t", "column age", "ours")

    refused("settle-by-hand", repo, settle)
    refused("settle-by-hand", repo, lambda: conflicts.settle_all("ours"))
    with repo.working_area("main").edit("drop") as edited:
        edited.table("t").alter(force=True).drop_column("age")
    settle()
    conflicts.commit("done")
    assert "age" not in repo.at("main").table("t").schema.names
