"""Conflicts as they are shown: three values, fields, and parts of descriptions."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.maps import ABSENT
from prolly.repo import Conflict, Transaction
from prolly.tables import Check, Index, Schema, as_predicate
from prolly.testing.repositories import Write
from prolly.testing.waiting_merges import merged, rows, sets

BASE = {"id": 1, "name": "a", "age": 1}


def test_a_conflict_of_a_map_shows_three_values() -> None:
    """ABSENT where there is none; null is a value."""
    _, conflicts = merged(
        sets(a=None, b=1), sets(a=1, b=None, c=1), sets(a=2, b=2, c=2)
    )
    shown = [(one.key, one.base, one.ours, one.theirs) for one in conflicts.of()]
    assert shown == [("a", None, 1, 2), ("b", 1, None, 2), ("c", ABSENT, 1, 2)]
    first = next(conflicts.of())
    assert (first.kind, first.fields, first.reason, first.settled) == (
        "record",
        (),
        "",
        None,
    )
    assert first.name == ("m", "a")


def test_a_conflict_of_a_table_shows_rows_and_fields() -> None:
    """Rows as each version has them, and the columns that clash."""
    repo, conflicts = merged(
        rows(BASE), rows({**BASE, "name": "b"}), rows({**BASE, "name": "c", "age": 2})
    )
    expected = Conflict(
        "t",
        1,
        BASE,
        {**BASE, "name": "b"},
        {**BASE, "name": "c", "age": 2},
        fields=("name",),
    )
    assert dict(conflicts) == {("t", 1): expected}
    with repo.working_area("main").edit("alter") as edited:
        edited.table("t").alter().rename_column("name", "label")
        edited.rename("t", "u")
    assert dict(conflicts)["u", 1].fields == ("label",)
    assert dict(conflicts)["u", 1].theirs["name"] == "c"


def test_keys_of_several_parts() -> None:
    """A key is shown, and asked for, as its dataset gives it."""

    def write(value: int) -> Write:
        def rows(tx: Transaction) -> None:
            table = tx.table("t", key=["a", "b"])
            table.upsert({"a": 1, "b": "x", "v": value})
            tx.map("m")[(1, "x")] = value

        return rows

    _, conflicts = merged(write(0), write(1), write(2))
    assert list(conflicts) == [("m", (1, "x")), ("t", (1, "x"))]
    assert conflicts["t", (1, "x")].fields == ("v",)
    assert conflicts["m", (1, "x")].theirs == 2


def test_files_are_shown_by_what_they_are() -> None:
    """Size, mode, time and content, not the bytes."""

    def write(text: bytes) -> Write:
        def side(tx: Transaction) -> None:
            tx.files("f").write("x", text)

        return side

    _, conflicts = merged(write(b""), write(b"ours"), write(b"theirs"))
    conflict = conflicts["f", "x"]
    assert [one["size"] for one in (conflict.base, conflict.ours, conflict.theirs)] == [
        0,
        4,
        6,
    ]


def test_conflicts_come_by_dataset_kind_and_key() -> None:
    """Names in order, of one dataset or all; what is settled only when asked for."""

    def write(value: int) -> Write:
        def side(tx: Transaction) -> None:
            for name in ("z", "a"):
                for key in (3, 1, 2):
                    tx.map(name)[key] = value

        return side

    _, conflicts = merged(write(0), write(1), write(2))
    keys = [("a", 1), ("a", 2), ("a", 3), ("z", 1), ("z", 2), ("z", 3)]
    assert list(conflicts) == keys
    assert [one.name for one in conflicts.of("z")] == keys[3:]
    assert list(conflicts.of("b")) == []
    conflicts.settle("a", 2, "ours")
    assert [one.key for one in conflicts.of("a")] == [1, 3]
    assert [one.settled for one in conflicts.of("a", open_only=False)] == [
        None,
        "ours",
        None,
    ]


def described(alter: Any) -> Write:
    """Return a write that alters the table ``t``."""

    def write(tx: Transaction) -> None:
        alter(tx.table("t").alter())

    return write


@pytest.mark.parametrize(
    ("what", "ours", "theirs", "shown"),
    [
        (
            "column",
            lambda table: table.rename_column("name", "n1"),
            lambda table: table.rename_column("name", "n2"),
            ("name", "n1", "n2"),
        ),
        (
            "index",
            lambda table: table.add_index("i", "name"),
            lambda table: table.add_index("i", "age"),
            (ABSENT, "i", "i"),
        ),
        (
            "check",
            lambda table: table.add_check("c", "age > 0"),
            lambda table: table.add_check("c", "age < 9"),
            (ABSENT, "c", "c"),
        ),
    ],
)
def test_parts_of_a_schema(what: str, ours: Any, theirs: Any, shown: Any) -> None:
    """A part is shown as each version describes it, under its kind and name."""
    _, conflicts = merged(rows(BASE), described(ours), described(theirs))
    [conflict] = conflicts.of()
    assert conflict.kind == "schema"
    assert conflict.key.startswith(f"{what} ")
    assert conflict.reason
    assert conflict.name == ("t", conflict.key, "schema")
    assert conflicts[conflict.name] == conflict
    three = conflict.base, conflict.ours, conflict.theirs
    names = tuple([one if one is ABSENT else one["name"] for one in three])
    assert names == shown


def test_datasets_that_cannot_be_merged() -> None:
    """Two tables of one name and other keys: ours stands, and both keys are shown.

    Made anew, they are another dataset than the one that was dropped.
    """

    def keyed(key: str) -> Write:
        def write(tx: Transaction) -> None:
            tx.drop("t")
            tx.table("t", key=key).upsert({"id": 1, "name": "a", "age": 1})

        return write

    repo, conflicts = merged(rows(BASE), keyed("name"), keyed("age"))
    conflict = conflicts["t", "key", "schema"]
    assert (conflict.base, conflict.ours, conflict.theirs) == (
        ABSENT,
        ["name"],
        ["age"],
    )
    assert list(repo.at_working("main").table("t")) == ["a"]


def test_a_constraint_names_its_columns() -> None:
    """The kind tells that theirs was withheld; the fields are those it asks about."""
    schema = Schema.create(
        [("id", "int"), ("a", "int"), ("b", "int"), ("mail", "text")],
        "id",
        indexes=[Index("mail", ("mail",), unique=True)],
        checks=[Check("low", as_predicate("a < 5 or b < 5"))],
    )
    row = {"id": 1, "a": 1, "b": 1, "mail": None}
    _, conflicts = merged(
        lambda tx: tx.table("t", schema=schema).upsert(row),
        rows({**row, "a": 9}),
        rows({**row, "b": 9}),
    )
    [conflict] = conflicts.of()
    assert (conflict.kind, conflict.fields) == ("constraint", ("a", "b"))
    assert "false" in conflict.reason
    assert conflict.theirs["b"] == 9


def test_a_part_with_a_long_name_is_found_and_settled() -> None:
    """A scope of more bytes than its key may have: by its whole name, as any other."""

    def policy(name: str | None) -> Write:
        def write(tx: Transaction) -> None:
            tx.map("m")["x"] = name
            tx.set_policy("m", name, prefix="k" * 300)

        return write

    repo, conflicts = merged(policy("max"), policy("min"), policy("ours"))
    [name] = [one for one in conflicts if len(one) == 3]
    assert len(name[1]) > 600
    [found] = conflicts.find("m", name[1], "schema")
    assert (found.base, found.ours, found.theirs) == ("max", "min", "ours")
    conflicts.settle_schema("m", name[1], "theirs")
    assert name not in conflicts
    conflicts.settle_all("ours")
    conflicts.commit()
    assert [one.policy for one in repo.at("main").policies("m")] == ["ours"]
