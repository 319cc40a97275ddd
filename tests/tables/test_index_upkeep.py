"""Indexes kept up: equal to a rebuild, at the cost of the change, refused if bad."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from prolly.codec import KEY_BYTES_MAX
from prolly.errors import Error, Invalid
from prolly.tables import COLUMN_TYPES, Index, Schema
from prolly.testing.predicate_model import CELLS, rows
from prolly.testing.table_model import TableModel

COLUMNS = [("id", "int", False), *((name, name) for name in COLUMN_TYPES)]
SCHEMA = Schema.create(
    COLUMNS,
    "id",
    indexes=[
        Index("numbers", ("decimal", "float")),
        Index("text", ("text",), False, 2),
        Index("times", ("date", "datetime", "uuid", "bool")),
        Index("unique", ("int", "bytes"), True),
    ],
)
PLAIN_ROWS = rows(SCHEMA, 8)


class IndexMachine(RuleBasedStateMachine):
    """Writes rows, reads through indexes in between, and stores now and then."""

    @initialize(listed=PLAIN_ROWS)
    def begin(self, listed: list[dict[str, Any]]) -> None:
        self.model = TableModel(SCHEMA)
        self.table, self.tree = self.model.edit()
        self.upsert(listed)

    @rule(listed=PLAIN_ROWS)
    def upsert(self, listed: list[dict[str, Any]]) -> None:
        for row in listed:
            self.table.upsert(row)

    @rule(listed=PLAIN_ROWS)
    def replace(self, listed: list[dict[str, Any]]) -> None:
        self.table.load(listed)

    @rule(number=st.sampled_from(CELLS["int"]))
    def delete(self, number: int) -> None:
        if number in self.table:
            self.table.delete(number)

    @rule()
    def store(self) -> None:
        repeats = self.repeats()
        try:
            self.model.write(self.table, self.tree)
        except Invalid as error:
            assert error.code == "unique-violation" and repeats
        else:
            assert not repeats
            assert self.model.stored.indexes == self.model.rebuilt_indexes()
        self.table, self.tree = self.model.edit()

    def repeats(self) -> bool:
        """Tell whether two rows have the same cells in the unique index."""
        cells = [(row["int"], row["bytes"]) for row in self.table.rows()]
        cells = [one for one in cells if None not in one]
        return len(set(cells)) < len(cells)

    @invariant()
    def reads_see_the_writes(self) -> None:
        if self.repeats():
            with pytest.raises(Invalid) as caught:
                len(self.table.index("unique"))
            assert caught.value.code == "unique-violation"
            return
        for index in SCHEMA.indexes:
            found = list(self.table.index(index.name).rows())
            nullless = [
                row
                for row in self.table.rows()
                if not index.unique or None not in (row["int"], row["bytes"])
            ]
            assert sorted(map(repr, found)) == sorted(map(repr, nullless))


TestIndexMachine = IndexMachine.TestCase
TestIndexMachine.settings = settings(max_examples=25, stateful_step_count=12)

WIDE = Schema.create(
    [("id", "int"), ("group", "text"), ("code", "text"), ("note", "text")],
    "id",
    indexes=[Index("by_group", ("group",)), Index("by_code", ("code",), True)],
)


def wide_rows(count: int) -> list[dict[str, Any]]:
    """Rows with a group that repeats, a code that does not, and some payload."""
    return [
        {
            "id": number,
            "group": f"group {number * 7919 % 100:03d}",
            "code": f"code {number * 7919 % 1_000_003:07d}",
            "note": "n" * 60,
        }
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def large() -> TableModel:
    return TableModel(WIDE, wide_rows(60_000))


def test_a_change_costs_nodes_by_its_size(large: TableModel) -> None:
    """100 changed rows of 60,000 write O(100) nodes in two indexes, and read as few."""
    depth = 3
    table, tree = large.edit()
    for number in range(50, 60_000, 600):
        table.upsert(
            {"id": number, "group": "new", "code": f"new {number}", "note": "n" * 60}
        )
    records = tree.write(large.writer)
    large.store.costs.reset()
    roots = table.write_indexes(large.reader, records)
    changes = 100 * len(roots)
    assert large.store.costs.puts <= 2 * changes
    assert large.store.costs.gets <= 2 * depth * (changes + 100)
    everything = len(list(large.table().index("by_group").rows())) // 30
    assert large.store.costs.puts < everything


def test_a_change_of_other_columns_leaves_the_indexes(large: TableModel) -> None:
    """No node of an index is written when no indexed cell changed."""
    before = large.stored.indexes
    table, tree = large.edit()
    for number in range(0, 60_000, 6000):
        table.upsert({**table[number], "note": "changed"})
    records = tree.write(large.writer)
    large.store.costs.reset()
    assert table.write_indexes(large.reader, records) == before
    assert large.store.costs.puts == 0


def test_no_change_costs_nothing(large: TableModel) -> None:
    """Without an edit only the roots are looked at."""
    table, tree = large.edit()
    records = tree.write(large.writer)
    large.store.costs.reset()
    assert table.write_indexes(large.reader, records) == large.stored.indexes
    assert (large.store.costs.puts, large.store.costs.gets) == (0, 1)


def violation(model: TableModel, *listed: dict[str, Any]) -> Invalid:
    """Return the error with which rows are refused at the end."""
    table, tree = model.edit()
    for row in listed:
        table.upsert(row)
    with pytest.raises(Invalid) as caught:
        model.write(table, tree)
    assert caught.value.hint
    return caught.value


def test_a_unique_violation_names_both_rows() -> None:
    """With a row that stands, and among new ones; found also while building."""
    listed = wide_rows(10)
    model = TableModel(WIDE, listed)
    for code, others in ((listed[3]["code"], {3, 99}), ("new", {99, 98})):
        rows = [{**listed[0], "id": number, "code": code} for number in (99, 98)]
        rows = rows[:1] if code != "new" else rows
        error = violation(model, *rows)
        assert error.code == "unique-violation"
        assert (error.index, error.columns) == ("by_code", ("code",))
        assert {error.key, error.other_key} == others
        assert code in error.message
    fresh = TableModel(WIDE)
    error = violation(fresh, listed[1], {**listed[1], "id": 2})
    assert {error.key, error.other_key} == {1, 2}


def test_rows_may_swap_unique_cells() -> None:
    """What a row gives up another may take, in one transaction."""
    listed = wide_rows(3)
    model = TableModel(WIDE, listed)
    table, tree = model.edit()
    table.upsert({**listed[0], "code": listed[1]["code"]})
    table.upsert({**listed[1], "code": listed[0]["code"]})
    table.delete(2)
    table.insert({**listed[2], "id": 5})
    stored = model.write(table, tree)
    assert stored.index("by_code").get(listed[1]["code"]) == stored[0]
    assert stored.index("by_code").get(listed[2]["code"]) == stored[5]
    assert model.stored.indexes == model.rebuilt_indexes()


LONG = Schema.create(
    [("id", "text"), ("a", "text"), ("b", "text"), ("f", "float")],
    "id",
    indexes=[Index("pair", ("a", "b")), Index("f", ("f",))],
)


def test_the_limit_of_an_index_key() -> None:
    """Cells and key fill the limit; one byte more is refused with row and column."""
    room = KEY_BYTES_MAX - 2 * 3 - len("key") - len("b")
    row = {"id": "key", "a": "a" * room, "b": "b", "f": 1.0}
    model = TableModel(LONG, [row])
    assert list(model.table().index("pair").keys("a" * room, "b")) == ["key"]
    error = violation(model, {**row, "b": "bb"})
    assert (error.code, error.key, error.column) == ("index-key-too-long", "key", "a")
    assert "prefix" in error.hint
    error = violation(model, {**row, "a": "", "b": "b" * 5000})
    assert (error.code, error.column, error.index) == (
        "index-key-too-long",
        "b",
        "pair",
    )


def test_a_value_without_an_order_is_refused() -> None:
    """A NaN has no place in an index; the error names row and column."""
    row = {"id": "key", "a": "a", "b": "b", "f": float("nan")}
    error = violation(TableModel(LONG), row)
    assert (error.code, error.key, error.column) == ("index-value", "key", "f")


@given(rows(SCHEMA, 12), st.data())
def test_an_index_added_later_equals_one_from_the_start(
    listed: list[dict[str, Any]], data: st.DataObject
) -> None:
    """Order of adding index and rows does not matter, nor do dropped indexes."""
    plain = Schema.create(COLUMNS, "id")
    model = TableModel(plain, listed)
    try:
        early = TableModel(SCHEMA, listed)
    except Error as error:
        assert error.code == "unique-violation"
        return
    table, tree = model.edit()
    for index in data.draw(st.permutations(SCHEMA.indexes)):
        table.alter().add_index(
            index.name, index.columns, unique=index.unique, prefix=index.prefix
        )
    model.write(table, tree)
    assert model.stored == early.stored
    table, tree = model.edit()
    table.alter().drop_index("text").drop_index("numbers")
    model.write(table, tree)
    assert model.stored.indexes == early.stored.indexes[2:]
