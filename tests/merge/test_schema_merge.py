"""Schemas of base, ours and theirs made one: every case of the docstrings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.merge import RecordFacts, TableNames, merge_schemas, same_key
from prolly.tables import INDEXES_MAX, Check, Index, Reference, Schema, as_predicate

BASE = Schema.create([("id", "int"), ("a", "int"), ("b", "text")], "id")
EVERYTHING = RecordFacts(lambda side, ids: ids, lambda side: True)


def changed(
    *columns: tuple[Any, ...], was: dict[str, str] | None = None, **more: Any
) -> Schema:
    """Return a schema made from the base."""
    listed = [("id", "int"), *columns]
    return Schema.create(listed, "id", base=BASE, was=was or {}, **more)


def shape(schema: Schema) -> list[tuple[Any, ...]]:
    """Return the columns but the key, without ids and slots."""
    return [(one.name, one.type, one.nullable) for one in schema.columns[1:]]


A, B = ("a", "int"), ("b", "text")
CASES = {
    "one side adds": (changed(A, B, ("x", "int")), BASE, ["a", "b", "x"], []),
    "both add the same": (
        changed(A, B, ("x", "int")),
        changed(A, B, ("x", "int")),
        ["a", "b", "x"],
        [],
    ),
    "both add another": (
        changed(A, B, ("x", "int")),
        changed(A, B, ("y", "int")),
        ["a", "b", "x", "y"],
        [],
    ),
    "one name, two types": (
        changed(A, B, ("x", "int")),
        changed(A, B, ("x", "text")),
        None,
        ["column x"],
    ),
    "one side drops": (changed(A), BASE, ["a"], []),
    "both drop": (changed(A), changed(A), ["a"], []),
    "dropped and renamed": (
        changed(A),
        changed(A, ("c", "text"), was={"c": "b"}),
        ["a", "c"],
        ["column c"],
    ),
    "dropped and widened": (
        changed(B),
        changed(("a", "float"), B),
        ["a", "b"],
        ["column a"],
    ),
    "renamed on one side": (
        changed(A, ("c", "text"), was={"c": "b"}),
        BASE,
        ["a", "c"],
        [],
    ),
    "renamed alike": (
        changed(A, ("c", "text"), was={"c": "b"}),
        changed(A, ("c", "text"), was={"c": "b"}),
        ["a", "c"],
        [],
    ),
    "renamed and widened": (
        changed(("c", "int"), B, was={"c": "a"}),
        changed(("a", "float"), B),
        ["c", "b"],
        [],
    ),
    "order of display": (
        changed(B, A),
        changed(A, B, ("x", "int")),
        ["b", "x", "a"],
        [],
    ),
    "not nullable": (changed(("a", "int", False), B), BASE, ["a", "b"], []),
}


@pytest.mark.parametrize("case", CASES)
def test_columns_merge_by_id(case: str) -> None:
    """Each case gives these columns and conflicts, and so with the sides swapped."""
    ours, theirs, names, conflicts = CASES[case]
    for one, other in ((ours, theirs), (theirs, ours)):
        schema, found = merge_schemas(BASE, one, other)
        if names is not None:
            assert list(schema.names[1:]) == names
        assert [conflict.what for conflict in found] == conflicts
    assert merge_schemas(BASE, ours, theirs)[0] == merge_schemas(BASE, theirs, ours)[0]


def test_a_column_changed_differently_is_ours() -> None:
    """Two names, two types: ours stand, for a virtual base the base's."""
    ours = changed(("o", "float"), B, was={"o": "a"})
    theirs = changed(("t", "text"), B, was={"t": "a"})
    schema, [conflict] = merge_schemas(BASE, ours, theirs)
    assert shape(schema)[0] == ("o", "float", True)
    assert conflict.fields == (BASE.column("a").id,)
    virtual, _ = merge_schemas(BASE, ours, theirs, on_conflict="base")
    assert shape(virtual)[0] == ("a", "int", True)


def test_a_name_that_two_columns_get_is_told_apart() -> None:
    """Renamed to a name that the other side gave away: the greater id yields."""
    ours = changed(("c", "int"), B, was={"c": "a"})
    theirs = changed(A, ("c", "text"), was={"c": "b"})
    schema, conflicts = merge_schemas(BASE, ours, theirs)
    greater = max(BASE.column("a").id, BASE.column("b").id)
    assert sorted(schema.names[1:]) == ["c", f"c~{greater:08x}"]
    assert [one.what for one in conflicts] == ["column c"]


def test_a_dropped_column_with_new_cells_stays() -> None:
    """What the other side wrote keeps the column; what nobody wrote does not."""
    schema, conflicts = merge_schemas(BASE, changed(A), BASE, facts=EVERYTHING)
    assert schema.names == BASE.names
    assert [one.what for one in conflicts] == ["column b"]


def test_a_new_column_without_default_becomes_nullable() -> None:
    """Required on one side, and the other has rows: null is allowed, and a conflict."""
    ours = changed(A, B, ("x", "int", False))
    schema, conflicts = merge_schemas(BASE, ours, BASE, facts=EVERYTHING)
    assert schema.column("x").nullable
    assert [one.what for one in conflicts] == ["column x"]
    assert not merge_schemas(BASE, ours, BASE)[0].column("x").nullable


def test_fills_of_one_new_column_are_ours() -> None:
    """Both add a column with another fill: ours', and a conflict."""
    ours, theirs = (changed(A, B, ("x", "int", False, fill)) for fill in (1, 2))
    schema, [conflict] = merge_schemas(BASE, ours, theirs)
    assert schema.column("x").fill == 1 and "fill" in conflict.reason


def with_index(*columns: str, **more: Any) -> Schema:
    """Return the base with an index ``i``."""
    return replace(BASE, indexes=(Index("i", columns, **more),))


INDEXES = {
    "added on one side": (None, ("a",), None, ("a",), False),
    "added alike": (None, ("a",), ("a",), ("a",), False),
    "added differently": (None, ("a",), ("b",), ("a",), True),
    "dropped on one side": (("a",), None, ("a",), None, False),
    "dropped and changed": (("a",), None, ("b",), None, True),
    "changed on one side": (("a",), ("a",), ("b",), ("b",), False),
    "changed differently": (("a",), ("b",), ("b", "a"), ("b",), True),
}


@pytest.mark.parametrize("case", INDEXES)
def test_indexes_merge_by_name(case: str) -> None:
    """Each case gives this index, and a conflict or none."""
    base, ours, theirs, expected, is_conflict = INDEXES[case]
    three = [BASE if one is None else with_index(*one) for one in (base, ours, theirs)]
    schema, conflicts = merge_schemas(*three)
    found = [one.columns for one in schema.indexes]
    assert found == ([] if expected is None else [expected])
    assert [one.what for one in conflicts] == ["index i"] * is_conflict


def test_constraints_follow_new_names_of_columns() -> None:
    """An index, a check and a reference of ours ask about the column theirs renamed."""
    ours = Schema.create(
        [("id", "int"), A, B],
        "id",
        base=BASE,
        indexes=[Index("i", ("a",))],
        checks=[Check("low", as_predicate("a < 5"))],
        references=[Reference("r", ("a",), "other")],
    )
    theirs = changed(("c", "int"), B, was={"c": "a"})
    schema, conflicts = merge_schemas(BASE, ours, theirs)
    assert not conflicts
    assert schema.index("i").columns == schema.references[0].columns == ("c",)
    assert schema.checks[0].predicate == as_predicate("c < 5")


def test_references_follow_new_names_of_tables() -> None:
    """A table is the same by its id, whatever each version calls it."""
    ours = replace(
        BASE,
        indexes=(Index("r", ("a",)),),
        references=(Reference("r", ("a",), "old"),),
    )
    theirs = ours.with_table_renamed("old", "new")
    names = TableNames({"old": b"1"}, {"old": b"1"}, {"new": b"1"}, {b"1": "new"})
    schema, conflicts = merge_schemas(ours, ours, theirs, tables=names)
    assert schema.references[0].table == "new" and not conflicts


def test_a_constraint_that_does_not_fit_is_left_out() -> None:
    """Theirs made the column json, ours an index on it: no index, a conflict."""
    schema, conflicts = merge_schemas(BASE, with_index("a"), changed(("a", "json"), B))
    assert schema.column("a").type == "json" and not schema.indexes
    assert [one.what for one in conflicts] == ["index i"]


def test_indexes_past_the_limit_are_left_out() -> None:
    """Both sides together have more than fit: the last new ones go, by name."""
    ours, theirs = (
        replace(
            BASE,
            indexes=tuple(
                Index(f"{side}{number:02}", ("a",)) for number in range(INDEXES_MAX - 8)
            ),
        )
        for side in "ot"
    )
    schema, conflicts = merge_schemas(BASE, ours, theirs)
    assert len(schema.indexes) == INDEXES_MAX
    assert {one.what[:7] for one in conflicts} == {"index t"}
    assert len(conflicts) == INDEXES_MAX - 16


def test_slots_are_the_bases_then_new_columns_by_id() -> None:
    """The base's columns keep their order in rows; new ones follow by id."""
    ours = changed(A, ("x", "int"), ("z", "int"))
    schema, _ = merge_schemas(BASE, ours, changed(A, B, ("y", "int")))
    new = sorted([schema.column(name) for name in "xyz"], key=lambda one: one.id)
    slots = [schema.column("a").slot, *[one.slot for one in new]]
    assert slots == [0, 1, 2, 3]


def test_schemas_that_are_not_decided_yet() -> None:
    """A table without columns takes those of the other side, by names of the key."""
    unknown = Schema.unknown("id")
    assert merge_schemas(None, unknown, BASE) == (BASE, [])
    assert merge_schemas(unknown, BASE, unknown) == (BASE, [])
    assert not same_key(Schema.unknown("other"), BASE)
    assert not same_key(Schema.create([("id", "int"), A], "a"), BASE)


SIDES = st.lists(
    st.tuples(st.sampled_from("abcxy"), st.sampled_from(["int", "float", "text"])),
    unique_by=lambda one: one[0],
)


@given(SIDES, SIDES)
def test_laws_of_schemas(ours: list[Any], theirs: list[Any]) -> None:
    """A side that changed nothing gives way, and the columns are symmetric."""
    one, other = changed(*ours), changed(*theirs)
    assert merge_schemas(BASE, one, BASE) == (one, [])
    assert merge_schemas(BASE, BASE, one) == (one, [])
    assert merge_schemas(BASE, one, one) == (one, [])
    merged, _ = merge_schemas(BASE, one, other)
    swapped, _ = merge_schemas(BASE, other, one)
    assert {(c.id, c.slot) for c in merged.columns} == {
        (c.id, c.slot) for c in swapped.columns
    }
