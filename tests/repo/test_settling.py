"""Settling conflicts: what is to stand is written, and the conflict marked, at once."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.maps import ABSENT
from prolly.repo import Repository, Transaction
from prolly.testing.repositories import Write, memory_repository
from prolly.testing.waiting_merges import both, merged, refused, rows, sets


def held(repo: Repository, name: str = "m") -> dict[str, Any]:
    return dict(repo.at_working("main").map(name).items())


def row(repo: Repository, key: Any, name: str = "t") -> Any:
    return repo.at_working("main").table(name).get(key)


# Maps -----------------------------------------------------------------------

MAP = (sets(a=1, b=1, c=1), sets(a=2, b=2, c=2), sets(a=3, b=3, c=3))


@pytest.mark.parametrize(("take", "value"), [("base", 1), ("ours", 2), ("theirs", 3)])
def test_one_side_of_a_map(take: Any, value: int) -> None:
    """The value of that side stands, others stay open, and it may be done again."""
    repo, conflicts = merged(*MAP)
    conflicts.settle("m", "b", "theirs")
    conflicts.settle("m", "b", take)
    assert held(repo) == {"a": 2, "b": value, "c": 2}
    assert list(conflicts) == [("m", "a"), ("m", "c")]
    assert len(conflicts) == 2
    settled = [one.settled for one in conflicts.of("m", open_only=False)]
    assert settled == [None, take, None]


@pytest.mark.parametrize("value", [7, None, "x" * 5000, {"k": [1]}, ABSENT])
def test_a_value_of_ones_own_in_a_map(value: Any) -> None:
    """Any value, null and long ones too; ABSENT removes the key, also twice."""
    repo, conflicts = merged(*MAP)
    for _ in range(2):
        conflicts.settle_value("m", "b", value)
        assert held(repo).get("b", ABSENT) == value
    assert [one.settled for one in conflicts.of(open_only=False)] == [
        None,
        "value",
        None,
    ]


def test_deletions_are_settled_too() -> None:
    """A side that deleted a record has ABSENT, and settling for it deletes."""

    def delete(tx: Transaction) -> None:
        del tx.map("m")["a"]
        del tx.map("m")["b"]

    repo, conflicts = merged(sets(a=1, b=1), sets(a=2, b=2), delete)
    assert conflicts["m", "a"].theirs is ABSENT
    conflicts.settle("m", "a", "theirs")
    conflicts.settle("m", "b", "ours")
    assert held(repo) == {"b": 2}


def test_all_are_settled_at_once() -> None:
    """``settle_all`` takes what is open, of one dataset or of all, and counts it."""
    repo, conflicts = merged(
        both(sets(a=1, b=1), lambda tx: tx.map("n").update({1: 0})),
        both(sets(a=2, b=2), lambda tx: tx.map("n").update({1: 1})),
        both(sets(a=3, b=3), lambda tx: tx.map("n").update({1: 2})),
    )
    conflicts.settle("m", "a", "base")
    assert conflicts.settle_all("theirs", "m") == 1
    assert held(repo) == {"a": 1, "b": 3}
    assert list(conflicts) == [("n", 1)]
    assert conflicts.settle_all("ours") == 1
    assert conflicts.settle_all("ours") == 0
    assert len(conflicts) == 0
    commit_id = conflicts.commit("done")
    told = repo.commit_of(commit_id).metadata["merge"]
    assert told["settled"] == {"base": 1, "theirs": 1, "ours": 1}
    refused("no-merge", repo, lambda: conflicts.settle_all("ours"))


# Tables ---------------------------------------------------------------------

BASE = {"id": 1, "name": "a", "age": 1, "town": "x"}
ROW = (
    rows(BASE),
    rows({**BASE, "name": "b", "age": 2}),
    rows({**BASE, "name": "c", "town": "y"}),
)


@pytest.mark.parametrize(
    ("take", "name"), [("base", "a"), ("ours", "b"), ("theirs", "c")]
)
def test_one_side_of_a_field(take: Any, name: str) -> None:
    """Only the clashing field is written: what else was merged or edited stays."""
    repo, conflicts = merged(*ROW)
    with repo.working_area("main").edit("edit") as edited:
        edited.table("t")[1] = {**BASE, "name": "edited", "age": 9, "town": "z"}
    conflicts.settle("t", 1, take)
    assert row(repo, 1) == {"id": 1, "name": name, "age": 9, "town": "z"}


def test_a_row_of_ones_own() -> None:
    """Columns that are left out stay, ABSENT deletes, what fits none is refused."""
    repo, conflicts = merged(*ROW)
    for code, bad in [
        ("schema-violation", {"age": "x"}),
        ("unknown-column", {"no": 1}),
        ("value-type", None),
        ("value-type", "name"),
        ("key-mismatch", {"id": 2}),
    ]:
        refused(code, repo, lambda row=bad: conflicts.settle_value("t", 1, row))
    assert len(conflicts) == 1
    conflicts.settle_value("t", 1, {"name": "own"})
    assert row(repo, 1) == {"id": 1, "name": "own", "age": 2, "town": "y"}
    conflicts.settle_value("t", 1, ABSENT)
    assert row(repo, 1) is None
    conflicts.settle("t", 1, "theirs")
    assert row(repo, 1) == {**BASE, "name": "c", "town": "y"}


def test_whole_rows() -> None:
    """A row that one side deleted is taken whole, or deleted."""

    def delete(tx: Transaction) -> None:
        for key in (1, 2, 3):
            del tx.table("t")[key]

    written = [{**BASE, "id": key} for key in (1, 2, 3)]
    repo, conflicts = merged(
        rows(*written), delete, rows(*[{**one, "age": 7} for one in written])
    )
    assert [one.fields for one in conflicts.of()] == [()] * 3
    conflicts.settle("t", 1, "theirs")
    conflicts.settle("t", 2, "base")
    conflicts.settle("t", 3, "ours")
    assert row(repo, 1) == {**BASE, "age": 7}
    assert row(repo, 2) == {**BASE, "id": 2}
    assert row(repo, 3) is None


def test_columns_renamed_and_widened_between_the_sides() -> None:
    """A cell is taken under the name and type that its column has when merged."""

    def ours(tx: Transaction) -> None:
        table = tx.table("t")
        table.alter().rename_column("name", "label").widen_column("age", "text")
        table.upsert({"id": 1, "label": "b", "age": "two", "town": "x"})

    repo, conflicts = merged(rows(BASE), ours, rows({**BASE, "name": "c", "age": 3}))
    conflict = conflicts["t", 1]
    assert sorted(conflict.fields) == ["age", "label"]
    assert conflict.theirs == {**BASE, "name": "c", "age": 3}
    conflicts.settle("t", 1, "theirs")
    assert row(repo, 1) == {"id": 1, "label": "c", "age": "3", "town": "x"}
    conflicts.settle("t", 1, "base")
    assert row(repo, 1) == {"id": 1, "label": "a", "age": "1", "town": "x"}


def test_a_column_that_is_gone_settles_to_nothing() -> None:
    """What clashed in a column that was dropped since is settled by taking a side."""
    repo, conflicts = merged(*ROW)
    with repo.working_area("main").edit("alter") as edited:
        edited.table("t").alter(force=True).drop_column("name")
    assert conflicts["t", 1].fields == ("name",)
    conflicts.settle("t", 1, "theirs")
    assert row(repo, 1) == {"id": 1, "age": 2, "town": "y"}


def test_a_type_that_no_value_fits_is_refused() -> None:
    """A cell of theirs that the column cannot hold wants a value of one's own."""
    repo, conflicts = merged(*ROW)
    with repo.working_area("main").edit("alter") as edited:
        edited.table("t").upsert({**BASE, "name": "1"})
        edited.table("t").alter(force=True).widen_column("name", "json")
    conflicts.settle("t", 1, "theirs")
    assert row(repo, 1)["name"] == "c"


# Files and blobs ------------------------------------------------------------


def content(text: bytes) -> Write:
    def write(tx: Transaction) -> None:
        tx.files("f").write("dir/x", text)
        with tx.blob("b", "wb") as blob:
            blob.write(text)

    return write


@pytest.mark.parametrize("take", ["base", "ours", "theirs"])
def test_one_side_of_files_and_blobs(take: Any) -> None:
    """A file, and a blob, is taken whole."""
    repo, conflicts = merged(content(b"base"), content(b"ours"), content(b"theirs"))
    assert list(conflicts) == [("b", ()), ("f", "dir/x")]
    assert conflicts["b", ()].base["size"] == 4
    conflicts.settle_all(take)
    state = repo.at_working("main")
    assert state.files("f").read("dir/x") == take.encode()
    assert state.blob("b").read() == take.encode()


def test_content_of_ones_own() -> None:
    """Bytes become the content; ABSENT deletes the file, and the blob, until undone."""
    repo, conflicts = merged(content(b"base"), content(b"ours"), content(b"theirs"))
    for name, key in (("b", ()), ("f", "dir/x")):
        refused(
            "value-type", repo, lambda n=name, k=key: conflicts.settle_value(n, k, 1)
        )
        conflicts.settle_value(name, key, b"own")
    state = repo.at_working("main")
    assert state.files("f").read("dir/x") == state.blob("b").read() == b"own"
    for name, key in (("b", ()), ("f", "dir/x")):
        conflicts.settle_value(name, key, ABSENT)
    assert list(repo.at_working("main").datasets) == ["f"]
    assert list(repo.at_working("main").files("f")) == []
    for side in ("ours", "theirs"):
        conflicts.settle("b", (), side)
        assert repo.at_working("main").blob("b").read() == side.encode()


def test_blobs_that_both_sides_made() -> None:
    """There is no base to take: the dataset goes."""
    repo, conflicts = merged(sets(a=1), content(b"ours"), content(b"theirs"))
    assert conflicts["b", ()].base is ABSENT
    conflicts.settle_all("base")
    assert list(repo.at_working("main").datasets) == ["f", "m"]
    assert list(repo.at_working("main").files("f")) == []


# What is not in conflict ----------------------------------------------------


def test_names_under_which_nothing_is() -> None:
    """Another key, dataset or part is told, as a mapping does; nothing changes."""
    repo, conflicts = merged(*MAP)
    for code, call in [
        ("no-such-conflict", lambda: conflicts.settle("m", "z", "ours")),
        ("no-such-conflict", lambda: conflicts.settle_value("m", "z", 1)),
        ("no-such-conflict", lambda: conflicts.settle_schema("m", "name", "ours")),
        ("no-such-dataset", lambda: conflicts.settle("n", "a", "ours")),
        ("no-such-dataset", lambda: conflicts.settle_all("ours", "n")),
    ]:
        refused(code, repo, call)
    with pytest.raises(KeyError):
        conflicts["m", "z"]
    assert conflicts.get(("m", "z")) is None
    assert ("m", "a") in conflicts
    for name in [("m", "z"), ("n", "a"), "m", ("m",), ("m", object()), 7]:
        assert name not in conflicts


def test_where_no_merge_waits() -> None:
    """There is nothing to settle, and an empty mapping."""
    repo = memory_repository()
    conflicts = repo.conflicts()
    assert (len(conflicts), list(conflicts), list(conflicts.of())) == (0, [], [])
    refused("no-merge", repo, lambda: conflicts.settle("m", "a", "ours"))
    refused("no-merge", repo, lambda: conflicts.settle_value("m", "a", 1))
    refused("no-such-conflict", repo, lambda: conflicts["m", "a"])


def test_a_dataset_that_was_dropped_since() -> None:
    """Its conflicts can be settled as it stands: gone."""
    repo, conflicts = merged(*MAP)
    with repo.working_area("main").edit("drop") as edited:
        edited.drop("m")
    refused("no-such-dataset", repo, lambda: conflicts.settle("m", "a", "theirs"))
    refused("no-such-dataset", repo, lambda: conflicts.settle_value("m", "a", 1))
    assert conflicts.settle_all("ours", "m") == 3
    conflicts.commit("gone")
    assert list(repo.at("main").datasets) == []


def test_a_name_that_another_dataset_has_by_now() -> None:
    """Conflicts of a dataset that is gone are not hidden by one of its name."""
    repo, conflicts = merged(*MAP)
    area = repo.working_area("main")
    with area.edit("drop") as edited:
        edited.drop("m")
    with area.edit("make") as edited:
        edited.table("m", key="id").upsert({"id": 1, "x": 1})
    names = list(conflicts)
    assert len(names) == 3
    label = names[0][0]
    assert label.startswith("m~")
    conflicts.settle(label, "a", "ours")
    conflicts.settle_all("ours", label)
    assert len(conflicts) == 0
