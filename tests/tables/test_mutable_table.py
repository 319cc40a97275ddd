"""A table under edit against a dictionary of rows, and every way to load one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from prolly.chunks import MemoryStore
from prolly.codec import DEFAULT_PARAMETERS, KEY_BYTES_MAX
from prolly.errors import AlreadyExists, Error, Invalid, KeyNotFound, LimitExceeded
from prolly.tables import ColumnBatches, LoadMode, MutableTable, Schema
from prolly.tables.row_batches import LOAD_ROWS
from prolly.tree import EditBuffer, NodeReader, WorkingTree

SCHEMA = Schema.create(
    [
        ("group", "text"),
        ("id", "int"),
        ("value", "float", True),
        ("count", "int", False, 7),
        ("note", "json", True),
    ],
    ("group", "id"),
)
KEYS = st.tuples(st.sampled_from(["a", "b", "ab"]), st.integers(-3, 3))
CELLS = st.fixed_dictionaries(
    {"count": st.integers(6, 8)},
    optional={
        "value": st.none() | st.floats(allow_nan=False),
        "note": st.none() | st.lists(st.text("xy", max_size=600), max_size=3),
    },
)

Row = dict[str, Any]
Open = Callable[..., MutableTable]


def whole(key: tuple[str, int], cells: Row) -> Row:
    """Return a row with every column, in schema order."""
    filled = {"group": key[0], "id": key[1], "value": None, "count": 7, "note": None}
    return {**filled, **cells}


class TableMachine(RuleBasedStateMachine):
    """Writes rows to a table and to a dictionary, side by side."""

    @initialize()
    def begin(self) -> None:
        self.writer = MemoryStore().writer()
        buffer = EditBuffer(bytes_max=3000)
        reader = NodeReader(self.writer.get)
        self.tree = WorkingTree(reader, None, DEFAULT_PARAMETERS, buffer)
        self.table = MutableTable(self.tree, self.writer, SCHEMA, load_bytes_max=3000)
        self.model: dict[tuple[str, int], Row] = {}

    @rule(key=KEYS, cells=CELLS)
    def insert(self, key: Any, cells: Row) -> None:
        row = {"group": key[0], "id": key[1], **cells}
        if key in self.model:
            with pytest.raises(AlreadyExists):
                self.table.insert(row)
        else:
            self.table.insert(row)
            self.model[key] = whole(key, cells)

    @rule(key=KEYS, cells=CELLS)
    def upsert(self, key: Any, cells: Row) -> None:
        self.table.upsert({"group": key[0], "id": key[1], **cells})
        self.model[key] = whole(key, cells)

    @rule(key=KEYS, cells=CELLS)
    def assign(self, key: Any, cells: Row) -> None:
        self.table[key] = cells
        self.model[key] = whole(key, cells)

    @rule(key=KEYS)
    def delete(self, key: Any) -> None:
        if self.model.pop(key, None) is None:
            with pytest.raises(KeyNotFound):
                self.table.delete(key)
        else:
            self.table.delete(key)

    @rule(
        rows=st.lists(st.tuples(KEYS, CELLS), max_size=8),
        mode=st.sampled_from(["replace", "update", "append"]),
        stays=st.sampled_from(["error", "first", "last"]),
    )
    def load(self, rows: list[Any], mode: Any, stays: Any) -> None:
        """Load rows; whatever is refused changes nothing."""
        given_rows = [{"group": k[0], "id": k[1], **cells} for k, cells in rows]
        kept = rows[::-1] if stays == "first" else rows
        fresh = {}
        for key, cells in dict(kept).items():
            fresh[key] = row_now = whole(key, cells)
            if mode == "update" and key in self.model:
                # What a row leaves out stays as it stood before the load.
                given_cells = {name: row_now[name] for name in cells}
                fresh[key] = {**self.model[key], **given_cells}
        twice = stays == "error" and len(fresh) < len(rows)
        known = mode == "append" and bool(fresh.keys() & self.model.keys())
        if twice or known:
            with pytest.raises((Invalid, AlreadyExists)):
                self.table.load(given_rows, on_duplicate=stays, mode=mode)
            return
        read = self.table.load(iter(given_rows), on_duplicate=stays, mode=mode)
        assert read == len(rows)
        self.model = fresh if mode == "replace" else {**self.model, **fresh}

    @rule(key=KEYS)
    def get(self, key: Any) -> None:
        assert self.table.get(key) == self.model.get(key)
        assert self.table.rank(key) == sum(one < key for one in self.model)

    @rule(start=KEYS, stop=KEYS)
    def scan(self, start: Any, stop: Any) -> None:
        view = self.table.rows(start=start, stop=stop)
        order = [key for key in sorted(self.model) if start <= key < stop]
        assert list(view) == [self.model[key] for key in order]
        assert len(view) == len(order)

    @rule(index=st.integers(-20, 20))
    def nth(self, index: int) -> None:
        order = sorted(self.model)
        if -len(order) <= index < len(order):
            assert self.table.nth(index) == self.model[order[index]]

    @invariant()
    def all_rows_agree(self) -> None:
        if hasattr(self, "table"):
            assert list(self.table) == sorted(self.model)

    def teardown(self) -> None:
        if hasattr(self, "table"):
            root = self.table.root
            self.table.load(list(self.model.values()))
            assert self.table.root == root, "as a rebuild"
            self.tree.close()


TableMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25)
TestTableMachine = TableMachine.TestCase


@pytest.fixture
def make() -> Iterator[Open]:
    """A function that opens an empty editable table; its files go with the test."""
    trees: list[WorkingTree] = []
    writer = MemoryStore().writer()

    def opened(schema: Schema = SCHEMA) -> MutableTable:
        tree = WorkingTree(NodeReader(writer.get), None, DEFAULT_PARAMETERS)
        trees.append(tree)
        return MutableTable(tree, writer, schema)

    yield opened
    for tree in trees:
        tree.close()


def row(number: int, **cells: Any) -> Row:
    """Return a whole row of group "g"."""
    return whole(("g", number), cells)


def refusal(use: Callable[[], object]) -> Error:
    """Return the error with which a call is refused; it must have a hint."""
    with pytest.raises(Error) as caught:
        use()
    assert caught.value.hint
    return caught.value


def test_every_form_of_input_loads_the_same(make: Open) -> None:
    """Mappings, lists and columns in any column order give one root."""
    rows = [row(number, value=number / 2) for number in range(LOAD_ROWS + 500)]
    first = make()
    seen: list[int] = []
    assert first.load(rows, progress=seen.append) == len(rows)
    assert seen == [LOAD_ROWS, len(rows)]
    names = ["note", "id", "value", "group"]
    second, third = make(), make()
    second.load((names, ([one[name] for name in names] for one in rows)))
    columns = [[one[name] for one in rows] for name in names]
    third.load(ColumnBatches(names, [columns]))
    assert first.root == second.root == third.root
    assert list(first.rows()) == rows


@pytest.mark.parametrize(
    ("bad", "code", "facts"),
    [
        ({"value": "x"}, "schema-violation", {"column": "value", "value": "x"}),
        ({"count": None}, "schema-violation", {"column": "count", "value": None}),
        ({"count": True}, "schema-violation", {"column": "count"}),
        ({"note": object()}, "schema-violation", {"column": "note"}),
        ({"note": ["\ud800"]}, "schema-violation", {"column": "note"}),
        ({"id": None}, "null-key", {"column": "id"}),
        ({"id": "5"}, "schema-violation", {"column": "id"}),
        ({"nothing": 1}, "unknown-column", {"column": "nothing"}),
        ({"group": "x" * KEY_BYTES_MAX}, "key-too-long", {}),
    ],
)
def test_a_row_that_does_not_fit_is_named(
    make: Open, bad: Row, code: str, facts: Row
) -> None:
    """Loads name row, column and value, single writes column and value; none writes."""
    table = make()
    table.load([row(1)])
    before = table.root
    rows = [row(number) for number in range(LOAD_ROWS + 10)]
    rows[LOAD_ROWS + 3] = {**row(0), **bad}
    error = refusal(lambda: table.load(rows))
    assert (error.code, error.row) == (code, LOAD_ROWS + 4)
    assert f"row {LOAD_ROWS + 4}" in str(error)
    for use in (table.insert, table.upsert):
        single = refusal(partial(use, {**row(5), **bad}))
        assert single.code == code and "row" not in single.facts
        assert facts.items() <= single.facts.items()
    assert facts.items() <= error.facts.items()
    assert table.root == before


def test_columns_left_out(make: Open) -> None:
    """A fill or null stands in; a column without either raises ``missing-column``."""
    table = make()
    table.insert({"group": "g", "id": 1})
    assert table["g", 1] == row(1)
    assert refusal(lambda: table.insert({"group": "g"})).code == "missing-column"
    error = refusal(lambda: table.load([row(2), {"id": 5}]))
    assert (error.code, error.column, error.row) == ("missing-column", "group", 2)
    missing = refusal(lambda: table.load((["id"], [[1]])))
    assert (missing.code, missing.column) == ("missing-column", "group")
    assert len(table) == 1


def test_lists_of_another_width(make: Open) -> None:
    """Ragged lists, names given twice and unknown names are refused."""
    table = make()
    names = ["group", "id"]
    for rows in ([["g", 1], ["g"]], [["g", 1, 2]], [5]):
        assert refusal(partial(table.load, (names, rows))).code == "row-width"
    ragged = ColumnBatches(names, [(["g", "g"], [1])])
    assert refusal(lambda: table.load(ragged)).code == "row-width"
    twice = refusal(lambda: table.load((["id", "group", "id"], [[1, "g", 1]])))
    assert twice.code == "duplicate-column"
    unknown = refusal(lambda: table.load((["id", "group", "x"], [[1, "g", 1]])))
    assert unknown.code == "unknown-column"
    assert refusal(lambda: table.load([["g", 1]])).code == "not-a-row"


def test_a_key_that_occurs_twice_is_named(make: Open) -> None:
    """In every mode a repeat raises ``duplicate-key``, or one of the rows stays."""
    rows = [row(1, value=1.0), row(2), row(1, value=2.0)]
    for mode in ("replace", "update", "append"):
        table = make()
        error = refusal(partial(table.load, rows, mode=mode))
        assert (error.code, error.key) == ("duplicate-key", ("g", 1))
        assert len(table) == 0
        table.load(rows, mode=mode, on_duplicate="first")
        assert table["g", 1]["value"] == 1.0
        other = make()
        other.load(rows, mode=mode, on_duplicate="last")
        assert other["g", 1]["value"] == 2.0


def test_append_refuses_a_key_that_is_there(make: Open) -> None:
    """AlreadyExists names the key, and no other row was written."""
    table = make()
    table.load([row(5)])
    error = refusal(lambda: table.load([row(1), row(5)], mode="append"))
    assert isinstance(error, AlreadyExists)
    assert (error.code, error.key) == ("key-exists", ("g", 5))
    assert list(table) == [("g", 5)]
    assert refusal(lambda: table.insert(row(5))).code == "key-exists"


def test_options_are_checked(make: Open) -> None:
    """An unknown mode or way with duplicates raises Invalid ``option``."""
    table: Any = make()
    assert refusal(lambda: table.load([], mode="merge")).code == "option"
    assert refusal(lambda: table.load([], on_duplicate="any")).code == "option"


def test_replacing_writes_only_what_differs() -> None:
    """A load of nearly the same rows puts only the nodes on the changed path."""
    store = MemoryStore()
    rows = [row(number, note="x" * 50) for number in range(4000)]

    def load(root: bytes | None, given_rows: list[Row]) -> tuple[bytes, int]:
        before = len(list(store.iter_addresses()))
        with store.writer() as writer:
            tree = WorkingTree(NodeReader(writer.get), root, DEFAULT_PARAMETERS)
            MutableTable(tree, writer, SCHEMA).load(given_rows)
            root = tree.write(writer)
            writer.commit()
            tree.close()
        return root, len(list(store.iter_addresses())) - before

    root, _ = load(None, rows)
    again, written = load(root, rows[::-1])
    assert (again, written) == (root, 0)
    rows[2000]["note"] = "y" * 50
    changed, written = load(root, rows)
    assert changed != root and written <= 3


def test_a_row_under_a_key_must_agree_with_it(make: Open) -> None:
    """Assignment takes the key's columns from the key, or compares them."""
    table = make()
    table["g", 1] = {"value": 2}
    assert table["g", 1] == row(1, value=2.0)
    table["g", 1] = row(1)
    error = refusal(lambda: table.__setitem__(("g", 1), row(2)))
    assert error.code == "key-mismatch"
    assert refusal(lambda: table.__setitem__("g", row(2))).code == "key-parts"
    assert list(table.rows()) == [row(1)]


def test_it_is_a_mutable_mapping(make: Open) -> None:
    """del, pop, popitem, update, setdefault and clear work as of a dictionary."""
    table = make()
    table.update({("g", number): {"count": number} for number in range(5)})
    del table["g", 0]
    assert table.pop(("g", 1))["count"] == 1
    assert table.popitem() == (("g", 4), row(4, count=4))
    assert table.setdefault(("g", 2), {}) == row(2, count=2)
    table.clear()
    assert len(table) == 0
    with pytest.raises(KeyError):
        table.popitem()
    with pytest.raises(KeyNotFound):
        del table["g", 0]


def test_the_first_rows_decide_an_unknown_schema(make: Open) -> None:
    """Types are those of the first rows written, all but the key nullable."""
    table = make(Schema.unknown("id"))
    assert len(table) == 0 and list(table.rows()) == [] and 5 not in table
    assert table.load([]) == 0 and table.schema.is_unknown
    assert refusal(lambda: table.insert({"name": "x"})).code == "missing-column"
    assert refusal(lambda: table.load([{}])).code == "missing-column"
    assert refusal(lambda: table.insert({"id": None, "a": 1})).code == "null-key"
    assert table.schema.is_unknown, "a refused row decides nothing"
    table.insert({"id": 5, "name": "x"})
    found = [(one.name, one.type, one.nullable) for one in table.schema.columns]
    assert found == [("id", "int", False), ("name", "text", True)]
    table.upsert({"id": 6})
    assert table[6] == {"id": 6, "name": None}
    lists = make(Schema.unknown(("a", "b")))
    lists.load((["b", "a", "c"], [[1, "x", None], [2, "y", None]]))
    assert [one.type for one in lists.schema.columns] == ["int", "text", "text"]
    assert lists["x", 1] == {"b": 1, "a": "x", "c": None}
    late = make(Schema.unknown("id"))
    late.load([{"id": number} for number in range(LOAD_ROWS)] + [{"id": -1, "x": 1}])
    assert late[-1] == {"id": -1, "x": 1}, "a list is looked at as a whole"


def test_a_failing_input_changes_nothing(make: Open) -> None:
    """An exception of the caller's own iterator goes through; the table stands."""
    table = make()
    table.load([row(1)])

    def broken() -> Iterator[Row]:
        yield row(2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        table.load(broken())
    assert list(table) == [("g", 1)]


def test_after_close_every_use_is_refused(make: Open) -> None:
    """Reads, writes and iterators made before raise Invalid ``closed``."""
    table = make()
    table.load([row(1), row(2)])
    rows, columns = iter(table.rows()), table.iter_columns()
    next(rows)
    table.close()
    uses: list[Callable[[], object]] = [
        lambda: table["g", 1],
        lambda: len(table),
        lambda: next(rows),
        lambda: next(columns),
        lambda: table.insert(row(3)),
        lambda: table.upsert(row(3)),
        lambda: table.delete(("g", 1)),
        lambda: table.load([]),
        lambda: table.clear(),
        lambda: table.rows().__iter__(),
    ]
    assert {refusal(use).code for use in uses} == {"closed"}


def test_a_key_at_its_limit(make: Open) -> None:
    """A key of 1,024 encoded bytes is taken; one more is LimitExceeded."""
    table = make(Schema.create([("k", "text")], "k"))
    table.insert({"k": "x" * (KEY_BYTES_MAX - 2)})
    with pytest.raises(LimitExceeded):
        table.insert({"k": "x" * (KEY_BYTES_MAX - 1)})


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 20), st.integers()), min_size=1)),
    st.sampled_from(["replace", "update", "append"]),
)
def test_spilled_loads_obey_as_small_ones_do(
    batches: list[list[tuple[int, int]]], mode: LoadMode
) -> None:
    """When every batch is a run on disk, duplicates are found and settled the same."""
    schema = Schema.create([("id", "int"), ("n", "int")], "id")
    rows = [pair for batch in batches for pair in batch]
    columns = [list(zip(*batch, strict=True)) for batch in batches]
    source = ColumnBatches(["id", "n"], columns)
    writer = MemoryStore().writer()
    for stays, expected in (
        ("first", dict(rows[::-1])),
        ("last", dict(rows)),
        ("error", {} if len(dict(rows)) < len(rows) else dict(rows)),
    ):
        tree = WorkingTree(NodeReader(writer.get), None, DEFAULT_PARAMETERS)
        table = MutableTable(tree, writer, schema, load_bytes_max=1)
        load = partial(table.load, source, on_duplicate=stays, mode=mode)
        if rows and not expected:
            assert refusal(load).code == "duplicate-key"
        else:
            assert load() == len(rows)
        assert {row["id"]: row["n"] for row in table.rows()} == expected
        tree.close()
