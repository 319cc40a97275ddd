"""Columns of two schemas, paired: whatever became of them, rows can be compared."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.repo.column_pairs import ColumnPairs
from prolly.tables import COLUMN_NAME_BYTES_MAX, Column, Schema
from prolly.testing.repositories import memory_repository

NAMES = ["a", "b", "c", "a~1", "a (dropped)", "a (dropped 2)"]
CELLS: dict[str, list[Any]] = {"int": [None, 1, 2], "text": [None, "1", "x"]}

# Ids of few numbers under few names: columns renamed, swapped, dropped and made anew.
cell_columns = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from(NAMES), st.sampled_from(list(CELLS))),
    max_size=4,
    unique_by=(lambda one: one[0], lambda one: one[1]),
)


def schema(columns: list[tuple[int, str, str]]) -> Schema:
    made = [Column(0, "id", "int", False)]
    made += [
        Column(number, name, type_, True, slot=slot)
        for slot, (number, name, type_) in enumerate(columns)
    ]
    return Schema(tuple(made), ("id",))


def row(columns: list[tuple[int, str, str]], data: st.DataObject) -> dict[str, Any]:
    cells = {name: data.draw(st.sampled_from(CELLS[kind])) for _, name, kind in columns}
    return {"id": 1, **cells}


@settings(max_examples=300, deadline=None)
@given(cell_columns, cell_columns, st.data())
def test_any_two_schemas_can_be_compared(
    before: list[tuple[int, str, str]],
    after: list[tuple[int, str, str]],
    data: st.DataObject,
) -> None:
    """Each old cell keeps a name of its own, and what differs is in one of the rows."""
    pairs = ColumnPairs(schema(before), schema(after))
    old, new = row(before, data), row(after, data)
    renamed = pairs.row(old)
    assert sorted(map(repr, renamed.values())) == sorted(map(repr, old.values()))
    assert set(pairs.old.names) == set(renamed)
    names_after = {number: name for number, name, _ in after}
    for number, name, _ in before:
        if number in names_after:
            assert renamed[names_after[number]] == old[name]
    assert set(pairs.changed(renamed, new)) <= set(renamed) | set(new)


@settings(max_examples=100, deadline=None)
@given(cell_columns, st.data())
def test_a_row_under_one_schema_differs_in_nothing(
    columns: list[tuple[int, str, str]], data: st.DataObject
) -> None:
    """Of equal schemas and equal rows no column differs, and no name changes."""
    pairs = ColumnPairs(schema(columns), schema(columns))
    one = row(columns, data)
    assert pairs.row(one) == one
    assert pairs.changed(one, one) == []


def test_a_dropped_column_with_the_longest_name() -> None:
    """Beside a new column of its name it gets one that is no longer than allowed."""
    name = "ä" * (COLUMN_NAME_BYTES_MAX // 2)
    old = schema([(1, name, "int"), (2, "b", "int")])
    new = schema([(2, name, "int")])
    pairs = ColumnPairs(old, new)
    assert len(set(pairs.old.names)) == 3
    assert all(len(one.encode()) <= COLUMN_NAME_BYTES_MAX for one in pairs.old.names)


def test_two_branches_add_a_column_of_one_name() -> None:
    """The merge renames one of them, and its difference to either side can be read."""
    repo = memory_repository()
    with repo.transaction("main") as tx:
        tx.table("t", key="id").load([{"id": n, "a": n} for n in range(3)])
    repo.create_branch("bob")
    for branch, kind, value in (("main", "text", "x"), ("bob", "int", 7)):
        with repo.transaction(branch) as tx:
            tx.table("t").alter().add_column("note", kind)
            tx.table("t").upsert({"id": 1, "a": 1, "note": value})
    merged = repo.merge("bob")
    assert sum(one.modified for one in merged.datasets.values()) == 1
    merged.conflicts.settle_all("keep")
    merged.commit()
    parents = repo.commit_of(repo.resolve("main")).parents
    for parent in parents:
        (change,) = repo.diff(parent, "main")
        assert len(change.fields) == 1


def test_a_column_renamed_while_another_takes_its_name() -> None:
    """The old column is compared under its new name, the other one is new."""
    repo = memory_repository()
    with repo.transaction("main") as tx:
        tx.table("t", key="id").load([{"id": n, "a": n} for n in range(3)])
    with repo.transaction("main") as tx:
        tx.table("t").alter().rename_column("a", "a2")
        tx.table("t").alter().add_column("a", "text")
        tx.table("t").upsert({"id": 1, "a2": 5, "a": "new"})
    (change,) = repo.diff("main~1", "main")
    assert set(change.fields) == {"a2", "a"}
    assert change.old == {"id": 1, "a2": 1}
