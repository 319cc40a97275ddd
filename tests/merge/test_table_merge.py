"""Tables whose schemas both sides altered: nothing is lost, and all is valid."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.codec import DEFAULT_PARAMETERS
from prolly.codec import key as key_codec
from prolly.datasets import Manifest, stored_table, verify_references
from prolly.errors import Error
from prolly.merge import (
    ConflictKind,
    ConflictTree,
    ManifestMerge,
    Rules,
    StoredConflict,
    merge_manifests,
)
from prolly.repo import Repository, Transaction
from prolly.tables import MutableTable, Schema, Table, Trees
from prolly.testing.merge_model import read_state, rebuilt_roots
from prolly.testing.repositories import memory_repository
from prolly.tree import NodeReader, Versions

Step = Callable[[Transaction], None]

# Each example is three commits and more; these tests would else take a minute.
assert settings.default is not None
FEWER = settings(max_examples=max(settings.default.max_examples * 2 // 5, 1))

SCHEMA = Schema.create(
    [("id", "int"), ("a", "int"), ("b", "text"), ("c", "int", False, 7)], "id"
)
ROWS = [{"id": key, "a": key, "b": f"{key}", "c": key % 3} for key in range(6)]


class Altered:
    """A table ``t``, altered on two branches and merged."""

    def __init__(self, ours: list[Step], theirs: list[Step]) -> None:
        self.repo = memory_repository()
        with self.repo.transaction("main", message="base") as tx:
            tx.table("t", schema=SCHEMA).load(ROWS)
        self.roots = [_root(self.repo, "main")]
        for name, steps in (("ours", ours), ("theirs", theirs)):
            self.repo.branches[name] = self.repo.branches["main"]
            for step in steps:
                try:
                    with self.repo.transaction(name, message=name) as tx:
                        step(tx)
                except Error:
                    # What cannot be done to the table as it is now is left out.
                    continue
            self.roots.append(_root(self.repo, name))
        self.writer = self.repo.store.writer()
        self.reader = NodeReader(self.writer.get)

    def merge(self, rules: Rules | None = None) -> ManifestMerge:
        """Merge both branches."""
        versions = Versions(*self.roots)
        return merge_manifests(self.reader, self.writer, versions, rules or Rules())

    def table(self, root: bytes) -> Table:
        """Open the table under a manifest."""
        entry = Manifest(self.reader, root).require("t")
        stored = stored_table(entry)
        assert stored.records is not None
        return Table(self.reader, stored.records, stored.schema, stored.indexes)

    def conflicts(self, merge: ManifestMerge) -> list[StoredConflict]:
        """Return all conflicts."""
        if merge.conflicts is None:
            return []
        return list(ConflictTree(self.reader, merge.conflicts).entries())

    def assert_whole(self, root: bytes) -> None:
        """Fail unless the manifest is valid, and each tree that of a rebuild."""
        verify_references(self.reader, self.roots[1], root)
        state = read_state(self.reader, root)
        trees = Trees(self.reader, self.writer, DEFAULT_PARAMETERS)
        for entry in Manifest(self.reader, root).by_id.values():
            roots = tuple(one.address for one in entry.roots)
            assert roots == rebuilt_roots(trees, entry, state[entry.name])
        schema = self.table(root).schema
        rows = list(self.table(root).values())
        columns = [[row[name] for row in rows] for name in schema.names]
        assert schema.row_checks.first_violation(columns) is None
        for column in schema.columns:
            assert column.nullable or all(row[column.name] is not None for row in rows)


def _root(repo: Repository, branch: str) -> bytes:
    return repo.commit_of(repo.branches[branch]).root


def spelt(table: MutableTable, key: int) -> int | str:
    """Return a key as the table spells it by now."""
    return key if table.schema.column("id").type == "int" else str(key)


def rewritten(key: int, values: tuple[Any, ...]) -> Step:
    """Return a step that writes a row; columns take what fits them."""

    def step(tx: Transaction) -> None:
        table = tx.table("t")
        here = spelt(table, key)
        row = dict(table[here]) if here in table else {}
        for column, value in zip(table.schema.columns[1:], values, strict=False):
            try:
                table.upsert({**row, "id": here, column.name: value})
                row = dict(table[here])
            except Error:
                continue

    return step


def deleted(key: int) -> Step:
    """Return a step that deletes a row."""
    return lambda tx: tx.table("t").delete(spelt(tx.table("t"), key))


def altered(method: str, *words: Any, **options: Any) -> Step:
    """Return a step that alters the table."""

    def step(tx: Transaction) -> None:
        getattr(tx.table("t").alter(force=True), method)(*words, **options)

    return step


CELLS = st.sampled_from([None, 3, 1.5, 2**60 + 1, "x", "12", "012", Decimal("1.10")])
COLUMNS = st.sampled_from(["a", "b", "c", "d"])
TYPES = st.sampled_from(["int", "float", "text", "decimal"])
STEPS = st.lists(
    st.one_of(
        st.builds(rewritten, st.integers(0, 7), st.tuples(CELLS, CELLS, CELLS, CELLS)),
        st.builds(deleted, st.integers(0, 7)),
        st.builds(altered, st.just("widen_column"), COLUMNS, TYPES),
        st.builds(altered, st.just("add_column"), COLUMNS, TYPES),
        st.builds(altered, st.just("drop_column"), COLUMNS),
        st.builds(
            altered, st.just("rename_column"), COLUMNS, st.sampled_from(["b", "d", "e"])
        ),
        st.builds(altered, st.just("set_nullable"), COLUMNS, st.booleans()),
        st.builds(
            altered,
            st.just("add_index"),
            st.just("by"),
            COLUMNS,
            unique=st.booleans(),
        ),
        st.builds(altered, st.just("add_check"), st.just("low"), st.just("a < 5")),
        st.builds(altered, st.just("widen_column"), st.just("id"), st.just("text")),
    ),
    max_size=6,
)


def same_value(one: Any, other: Any) -> bool:
    """Tell whether two cells are one value, as far as types allow."""
    if one is None or other is None:
        return one is other
    return bool(one == other) or str(one) == str(other) or _number(one, other)


def _number(one: Any, other: Any) -> bool:
    try:
        return Decimal(str(one)) == Decimal(str(other))
    except ArithmeticError:
        return False


def cells_of(table: Table) -> dict[tuple[str, int], Any]:
    """Return the cells of a table by key, as text, and id of the column."""
    ids = {one.name: one.id for one in table.schema.columns}
    return {
        (str(row["id"]), ids[name]): cell
        for row in table.values()
        for name, cell in row.items()
    }


@FEWER
@given(STEPS, STEPS)
def test_no_side_is_lost(ours: list[Step], theirs: list[Step]) -> None:
    """Each cell that a side wrote is in the result, or in conflict; all is valid."""
    assert_no_side_is_lost(ours, theirs)


def assert_no_side_is_lost(ours: list[Step], theirs: list[Step]) -> None:
    """Fail where a cell is neither as somebody wrote it nor in conflict."""
    made = Altered(ours, theirs)
    merge = made.merge()
    made.assert_whole(merge.root)
    if "key" in [one.entry.facts.get("what") for one in made.conflicts(merge)]:
        return
    conflicts = {
        str(key_codec.decode_key(one.key))
        for one in made.conflicts(merge)
        if one.kind is not ConflictKind.SCHEMA
    }
    merged = cells_of(made.table(merge.root))
    versions = [cells_of(made.table(root)) for root in made.roots]
    fills = {one.id: one.fill for one in SCHEMA.columns}
    for side in versions[1:]:
        for (key, column), cell in side.items():
            # A new row's default in a column that goes is nobody's work.
            was = versions[0].get((key, column), fills.get(column))
            if same_value(was, cell) or key in conflicts:
                continue
            stands = merged.get((key, column))
            assert same_value(stands, cell), (key, column, cell, stands)
    there = {one.id for one in made.table(merge.root).schema.columns}
    for (key, column), cell in versions[0].items():
        # What nobody wrote stands, where its row and its column do.
        is_kept = all(
            (key, made.table(root).schema.column("id").id) in side
            and same_value(side.get((key, column), cell), cell)
            for root, side in zip(made.roots[1:], versions[1:], strict=True)
        )
        if is_kept and column in there and key not in conflicts:
            stands = merged.get((key, column))
            assert same_value(stands, cell), (key, column, cell, stands)


@FEWER
@given(STEPS, STEPS)
def test_a_widened_key_loses_no_side(ours: list[Step], theirs: list[Step]) -> None:
    """The same with the key widened before all else, on one side or the other."""
    widened = altered("widen_column", "id", "text")
    assert_no_side_is_lost([widened, *ours], theirs)
    assert_no_side_is_lost(ours, [widened, *theirs])


@FEWER
@given(STEPS, STEPS, st.sampled_from(["ours", "base", "keep-both"]))
def test_every_mode_gives_a_valid_table(
    ours: list[Step], theirs: list[Step], mode: Any
) -> None:
    """Each kind of merge gives a valid table; only an attended one has conflicts."""
    made = Altered(ours, theirs)
    merge = made.merge(Rules(on_conflict=mode))
    made.assert_whole(merge.root)
    assert merge.conflicts is None or mode == "ours"
    again = made.merge(Rules(on_conflict=mode))
    assert again[:3] == merge[:3]


@FEWER
@given(STEPS, STEPS)
def test_columns_are_those_of_swapped_sides(
    ours: list[Step], theirs: list[Step]
) -> None:
    """Which columns stand does not depend on which side is ours."""
    made, swapped = Altered(ours, theirs), Altered(theirs, ours)
    schemas = []
    for one in (made, swapped):
        schema = one.table(one.merge().root).schema
        schemas.append({(column.id, column.slot) for column in schema.columns})
    assert schemas[0] == schemas[1]


def test_a_widened_column_takes_the_other_sides_rows() -> None:
    """Rows of theirs are converted to the type that ours gave."""
    made = Altered(
        [altered("widen_column", "a", "text")],
        [rewritten(9, (90, "nine", 1)), rewritten(0, (5, "0", 0))],
    )
    merge = made.merge()
    table = made.table(merge.root)
    assert table[9] == {"id": 9, "a": "90", "b": "nine", "c": 1}
    assert table[0]["a"] == "5"
    assert merge.conflicts is None
    assert merge.datasets["t"].rewritten == ("base", "theirs")


def test_a_fill_in_conflict_touches_no_row() -> None:
    """Rows that nobody wrote have ours' fill, whatever theirs asks of its own."""
    columns = altered("add_column", "k", "int", nullable=False, fill=1)
    others = [
        altered("add_column", "k", "int", nullable=False, fill=2),
        altered("add_index", "k", ["k"]),
        rewritten(1, (1, "new", 1, 9)),
        rewritten(2, (2, "new")),
    ]
    made = Altered([columns], others)
    merge = made.merge()
    made.assert_whole(merge.root)
    [conflict] = made.conflicts(merge)
    assert conflict.entry.facts["what"] == "column k"
    assert [row["k"] for row in made.table(merge.root).values()] == [1, 9, 1, 1, 1, 1]

    made = Altered([columns], [*others, altered("add_check", "big", "k > 1")])
    merge = made.merge()
    made.assert_whole(merge.root)
    named = [one.entry.facts["what"] for one in made.conflicts(merge)]
    assert named == ["check big", "column k"]


def test_added_columns_rewrite_one_side_at_most() -> None:
    """Both sides add a column: both are there, and one side's rows stay as they are."""
    made = Altered(
        [altered("add_column", "x", "int"), rewritten(1, (1, "1", 1, 10))],
        [altered("add_column", "y", "int"), rewritten(2, (2, "2", 2, 20))],
    )
    merge = made.merge()
    table = made.table(merge.root)
    assert (table[1]["x"], table[1]["y"]) == (10, None)
    assert (table[2]["x"], table[2]["y"]) == (None, 20)
    assert len(merge.datasets["t"].rewritten) <= 1
    assert merge.conflicts is None


def test_a_dropped_column_that_was_worked_on_stays() -> None:
    """Ours dropped it and theirs wrote a cell: it is there, with all its cells."""
    made = Altered([altered("drop_column", "b")], [rewritten(1, (1, "new", 1))])
    merge = made.merge()
    table = made.table(merge.root)
    assert [row["b"] for row in table.values()] == ["0", "new", "2", "3", "4", "5"]
    assert [one.entry.facts["what"] for one in made.conflicts(merge)] == ["column b"]


def test_a_dropped_column_goes_when_nobody_worked_on_it() -> None:
    """Ours dropped it, theirs wrote other cells: it is gone, without a conflict."""
    made = Altered([altered("drop_column", "b")], [rewritten(1, (50, "1", 1))])
    merge = made.merge()
    assert made.table(merge.root)[1] == {"id": 1, "a": 50, "c": 1}
    assert merge.conflicts is None


@pytest.mark.parametrize("mode", ["ours", "base", "keep-both"])
def test_a_key_that_got_another_type(mode: Any) -> None:
    """A widened key column takes the rows of both sides under keys of its type."""
    made = Altered(
        [altered("widen_column", "id", "text")], [rewritten(12, (1, "x", 1))]
    )
    merge = made.merge(Rules(on_conflict=mode))
    keys = [row["id"] for row in made.table(merge.root).values()]
    assert keys == sorted(["0", "1", "2", "3", "4", "5", "12"])
