"""Schemas: what they refuse, and that value and JSON form come back."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import cbor, row
from prolly.errors import Corrupt, Error, Invalid, LimitExceeded
from prolly.tables import (
    COLUMN_NAME_BYTES_MAX,
    COLUMN_TYPES,
    COLUMNS_MAX,
    FILL_BYTES_MAX,
    INDEX_PREFIX_MAX,
    INDEXES_MAX,
    Check,
    Column,
    Index,
    RecordCodec,
    Reference,
    Schema,
    as_predicate,
)
from prolly.tables.index_codec import IndexCodec
from prolly.testing import strategies
from prolly.testing.repositories import memory_repository

NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]),
    min_size=1,
    max_size=6,
)
FILLS: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int": st.integers(),
    "float": st.floats(),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False, places=2).map(
        lambda value: value if value else abs(value)
    ),
    "text": strategies.texts(),
    "bytes": strategies.byte_strings(),
    "date": st.dates(),
    "datetime": strategies.datetimes(),
    "uuid": st.uuids(),
    "json": st.integers() | st.text(max_size=3) | st.booleans(),
}


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """Schemas of a few columns of all types, some with a fill."""
    names = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    key = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    columns = []
    for name in names:
        types = set(COLUMN_TYPES) - ({"json"} if name in key else set())
        kind = draw(st.sampled_from(sorted(types)))
        fill = None if name in key else draw(st.none() | FILLS[kind])
        columns.append((name, kind, draw(st.booleans()), fill))
    ordered = [name for name, kind, *_ in columns if kind != "json"]
    indexes = [Index("by some", tuple(ordered[:2]))] if ordered else []
    checks = [Check("not null", as_predicate(["not", ["null", names[0]]]))]
    references = [Reference("refers", tuple(ordered[-1:]), "others")] if ordered else []
    return Schema.create(
        columns,
        key,
        indexes=draw(st.sampled_from([[], indexes])),
        checks=draw(st.sampled_from([[], checks])),
        references=draw(st.sampled_from([[], references])),
    )


def refused(columns: Any, key: Any) -> str:
    """Return the code with which a schema is refused."""
    with pytest.raises((Invalid, LimitExceeded)) as caught:
        Schema.create(columns, key)
    assert caught.value.hint
    return caught.value.code


@given(schemas())
def test_value_and_json_come_back(schema: Schema) -> None:
    """from_value undoes to_value, and from_json, through JSON text, to_json."""
    value = cbor.decode(cbor.encode(schema.to_value()))
    assert Schema.from_value(value).to_value() == value or "nan" in repr(value)
    assert cbor.encode(Schema.from_value(value).to_value()) == cbor.encode(value)
    form = json.loads(json.dumps(schema.to_json()))
    again = Schema.from_json(form)
    assert cbor.encode(again.to_value()) == cbor.encode(value)


@given(schemas(), st.randoms())
def test_ids_do_not_depend_on_the_order(schema: Schema, random: Any) -> None:
    """The same columns in another order have the same ids."""
    columns = [(one.name, one.type, one.nullable) for one in schema.columns]
    random.shuffle(columns)
    ids = {one.name: one.id for one in Schema.create(columns, schema.key).columns}
    assert ids == {one.name: one.id for one in schema.columns}


@given(
    st.recursive(
        strategies.scalars(),
        lambda inner: (
            st.lists(inner, max_size=5)
            | st.dictionaries(
                st.sampled_from(["columns", "key", "indexes", "checks", "references"]),
                inner,
                max_size=5,
            )
        ),
    )
)
def test_a_value_that_is_no_schema_is_corrupt(value: Any) -> None:
    """from_value takes any value and raises Corrupt or returns a schema."""
    try:
        assert cbor.encode(Schema.from_value(value).to_value()) == cbor.encode(value)
    except Corrupt as error:
        assert error.code == "schema"


@pytest.mark.parametrize(
    "column",
    [
        [1, "a", "int", 0, None, 0],
        [1.0, "a", "int", True, None, 0],
        [-1, "a", "int", True, None, 0],
        [2**32, "a", "int", True, None, 0],
        [1, "a", "number", True, None, 0],
        [1, ["a"], "int", True, None, 0],
        [1, "a", ["int"], True, None, 0],
        [1, "a", "float", True, 5, 0],
        [1, "a", "json", True, [5], 0],
        [1, "a", "int", True, None],
        [0, "a", "int", True, None, 0],
        [1, "k", "int", True, None, 0],
        [1, "a", "int", True, None, None],
        [1, "a", "int", True, None, 1],
        [1, "a", "int", True, None, False],
    ],
)
def test_a_damaged_column_is_corrupt(column: list[Any]) -> None:
    """Wrong types of fields, ids out of range or taken, and misfit fills are found."""
    with pytest.raises(Corrupt):
        Schema.from_value(plain([column]))


def plain(columns: list[Any], **more: list[Any]) -> dict[str, Any]:
    """The plain value of a schema with a key column and others."""
    empty: dict[str, Any] = {"indexes": [], "checks": [], "references": []}
    every = [[0, "k", "int", False, None, None], *columns]
    return {"columns": every, "key": ["k"], **empty, **more}


@pytest.mark.parametrize(
    "more",
    [
        {"indexes": [["i", ["k"], False]]},
        {"indexes": [["i", "k", False, None]]},
        {"indexes": [["i", [], False, None]]},
        {"indexes": [["i", ["k", "k"], False, None]]},
        {"indexes": [["i", ["x"], False, None]]},
        {"indexes": [["i", ["k"], 0, None]]},
        {"indexes": [["i", ["k"], False, 5]]},
        {"indexes": [["i", [["k"]], False, None]]},
        {"indexes": [["j", ["k"], False, None], ["i", ["k"], False, None]]},
        {"indexes": [["i", ["k"], False, None], ["i", ["k"], False, None]]},
        {"checks": [["c"]]},
        {"checks": [["c", "k = 5"]]},
        {"checks": [["c", ["=", "x", 5]]]},
        {"checks": [["c", ["=", "k", 5.0]]]},
        {"references": [["r", ["k"], "a:b"]]},
        {"references": [["r", ["k"], "others"]]},
    ],
)
def test_a_damaged_constraint_is_corrupt(more: dict[str, Any]) -> None:
    """What does not fit the columns, has another form or order, is found."""
    with pytest.raises(Corrupt):
        Schema.from_value(plain([], **more))


def test_what_a_schema_refuses() -> None:
    """Each fault of a schema has its code."""
    key = ("k", "int", False)
    assert refused([key], []) == "schema"
    assert refused([key], ["x"]) == "schema"
    assert refused([key], ["k", "k"]) == "schema"
    assert refused([key, key], ["k"]) == "schema"
    assert refused([("k", "json")], ["k"]) == "schema"
    assert refused([("k", "int", False, 5)], ["k"]) == "schema"
    assert refused([("k",)], ["k"]) == "schema"
    assert refused(["k"], ["k"]) == "schema"
    assert refused([("k", "number")], ["k"]) == "column-type"
    assert refused([("", "int"), key], ["k"]) == "column-name"
    assert refused([(5, "int"), key], ["k"]) == "column-name"
    assert refused([("a\n", "int"), key], ["k"]) == "column-name"
    assert refused([("\ud800", "int"), key], ["k"]) == "column-name"
    assert refused([key, ("a", "json", True, [])], ["k"]) == "column-fill"
    assert refused([key, ("a", "int", True, "x")], ["k"]) == "column-fill"


def test_limits_of_names_fills_and_columns() -> None:
    """Each limit is allowed, and one more is refused."""
    name, fill = "n" * COLUMN_NAME_BYTES_MAX, "x" * (FILL_BYTES_MAX - 3)
    Schema.create([(name, "int")], name)
    assert refused([(name + "n", "int")], [name + "n"]) == "column-name"
    Schema.create([("k", "int"), ("t", "text", True, fill)], "k")
    wide = [("k", "int"), ("t", "text", True, fill + "x")]
    assert refused(wide, "k") == "column-fill"
    many = [(f"c{number}", "int") for number in range(COLUMNS_MAX)]
    assert len(Schema.create(many, "c0").columns) == COLUMNS_MAX
    assert refused([*many, ("more", "int")], "c0") == "too-many-columns"


def test_limits_of_indexes_and_prefixes() -> None:
    """Each limit is allowed, and one more is refused."""
    columns = [("k", "int"), ("t", "text")]

    def made(count: int, prefix: int | None) -> Schema:
        indexes = [
            Index(f"i{number}", ("t",), False, prefix) for number in range(count)
        ]
        return Schema.create(columns, "k", indexes=indexes)

    assert len(made(INDEXES_MAX, INDEX_PREFIX_MAX).indexes) == INDEXES_MAX
    with pytest.raises(LimitExceeded) as caught:
        made(INDEXES_MAX + 1, None)
    assert caught.value.code == "too-many-indexes"
    with pytest.raises(Invalid) as refused:
        made(1, INDEX_PREFIX_MAX + 1)
    assert refused.value.code == "schema"


def test_every_type_but_json_may_be_a_key() -> None:
    """A key of each of the nine ordered types is allowed."""
    for name in COLUMN_TYPES:
        if name != "json":
            assert Schema.create([("k", name)], "k").key_columns[0].type == name


def test_json_form_of_a_schema() -> None:
    """The form is columns and key; nullable may be left out, other fields not added."""
    form = {
        "columns": [
            {"name": "id", "type": "int"},
            {"name": "price", "type": "decimal", "fill": {"$decimal": "1.10"}},
            {"name": "name", "type": "text", "nullable": False},
        ],
        "key": ["id"],
    }
    schema = Schema.from_json(form)
    assert [one.nullable for one in schema.columns] == [False, True, False]
    assert schema.to_json()["columns"][1] == {
        "name": "price",
        "type": "decimal",
        "nullable": True,
        "fill": {"$decimal": "1.10"},
    }


@pytest.mark.parametrize(
    "form",
    [
        5,
        {},
        {"columns": [], "key": ["a"], "more": 1},
        {"columns": {}, "key": ["a"]},
        {"columns": [{"name": "a"}], "key": ["a"]},
        {"columns": [{"name": "a", "type": "int", "id": 5}], "key": ["a"]},
        {"columns": [{"name": 5, "type": "int"}], "key": ["a"]},
        {"columns": [{"name": "a", "type": "int", "nullable": 1}], "key": ["a"]},
        {"columns": [{"name": "a", "type": "int"}], "key": [5]},
        {"columns": [{"name": "a", "type": "int", "nullable": True}], "key": ["a"]},
        {"columns": [{"name": "a", "type": "text", "fill": {}}], "key": ["b"]},
    ],
)
def test_json_that_is_no_schema_is_invalid(form: Any) -> None:
    """A wrong form raises Invalid with a hint."""
    with pytest.raises(Invalid) as caught:
        Schema.from_json(form)
    assert caught.value.hint or caught.value.code == "value-type"


def test_columns_keep_their_ids_from_a_base() -> None:
    """A renamed column keeps its id when the schema is read again over the old one."""
    columns = (Column(7, "k", "int", False), Column(9, "old", "text", True, None, 0))
    base = Schema(columns, ("k",), (Index("i", ("old",)),))
    form = base.to_json()
    form["columns"][1] = {"name": "renamed", "type": "json", "was": "old"}
    form["columns"] += [{"name": "old", "type": "int"}, {"name": "new", "type": "int"}]
    form["indexes"][0]["columns"] = ["k"]
    altered = Schema.from_json(form, base=base)
    new = [row.column_id(name, "int", {7, 9}) for name in ("old", "new")]
    assert [one.id for one in altered.columns] == [7, 9, *new]
    slots = {one.id: one.slot for one in altered.columns}
    assert slots == {7: None, 9: 0, min(new): 1, max(new): 2}
    form["columns"][2]["was"] = "nowhere"
    with pytest.raises(Invalid):
        Schema.from_json(form, base=base)


def test_constraints_that_json_leaves_out_stay() -> None:
    """Over a base only what is written changes; renames reach what stays."""
    base = Schema.create(
        [("k", "int"), ("a", "int"), ("b", "int")],
        "k",
        indexes=[Index("i", ("a", "b"))],
        checks=[Check("c", as_predicate("a > 5 or a = 1"))],
    )
    form = {
        "columns": [
            {"name": "k", "type": "int"},
            {"name": "b", "type": "int", "was": "a"},
            {"name": "a", "type": "int", "was": "b"},
        ],
        "key": ["k"],
    }
    altered = Schema.from_json(form, base=base)
    assert altered.indexes[0].columns == ("b", "a")
    assert altered.checks[0].predicate.columns == {"b"}
    assert Schema.from_json({**form, "indexes": []}, base=base).indexes == ()


def test_a_reference_gets_its_index() -> None:
    """Unless an index serves it; and no schema may have one without."""
    columns = [("k", "int"), ("a", "int"), ("b", "int")]
    refers = [Reference("r", ("a",), "others")]
    schema = Schema.create(columns, "k", references=refers)
    assert schema.indexes == (Index("r", ("a",)),)
    led = [Index("i", ("a", "b"))]
    schema = Schema.create(columns, "k", references=refers, indexes=led)
    assert schema.indexes == tuple(led)
    taken = [Index("r", ("b",))]
    schema = Schema.create(columns, "k", references=refers, indexes=taken)
    assert schema.index("r 2") == Index("r 2", ("a",))
    with pytest.raises(Invalid):
        Schema(schema.columns, ("k",), references=tuple(refers))


def test_an_unknown_column_is_named() -> None:
    """column() of a name that is not there raises Invalid ``unknown-column``."""
    with pytest.raises(Invalid) as caught:
        Schema.create([("k", "int")], "k").column("x")
    assert (caught.value.code, caught.value.column) == ("unknown-column", "x")


def test_a_schema_may_be_unknown() -> None:
    """Only the key is decided; it is a value like any other, and has no columns."""
    schema = Schema.unknown("k")
    assert schema.is_unknown and schema.key_columns == () == schema.cell_columns
    assert Schema.from_value(schema.to_value()) == schema
    with pytest.raises(Invalid):
        Schema.unknown(())


def test_cells_of_a_new_table_stand_in_the_order_of_their_ids() -> None:
    """The row of a record is all but the key, by slot, whatever the display order."""
    names = ["d", "k", "b", "a", "c"]
    schema = Schema.create([(name, "int") for name in names], "k")
    ids = [one.id for one in schema.cell_columns]
    assert ids == sorted(ids) and len(ids) == 4
    assert [one.slot for one in schema.cell_columns] == [0, 1, 2, 3]
    assert schema.names == tuple(names)


def test_the_worked_bytes_of_the_page_are_true(root: Path) -> None:
    """docs/spec/tables.md shows the schema value, key and row that this code writes."""
    page = (root / "docs" / "spec" / "tables.md").read_text(encoding="utf-8")
    shown = {
        name: [re.split(" => ?", line) for line in text.splitlines()]
        for name, text in re.findall(r"```(\w+)\n(.*?)```", page, re.DOTALL)
    }
    [[form, value]] = shown["schema"]
    schema = Schema.from_json(json.loads(form))
    assert cbor.encode(schema.to_value()) == bytes.fromhex(value)
    codec = RecordCodec(schema)
    records: dict[str, list[list[Any]]] = {}
    for form, key, value in shown["record"]:
        row = json.loads(form)
        columns = [
            COLUMN_TYPES[one.type].from_json_many([row[one.name]])
            for one in schema.columns
        ]
        assert codec.encode_keys(columns) == [bytes.fromhex(key)]
        writer = MemoryStore().writer()
        assert codec.encode_rows(columns, writer) == [bytes.fromhex(value)]
        records[key] = columns
    assert len(shown["record"]) > 1
    found = []
    for name, key, *entry in shown["entry"]:
        index = IndexCodec(schema, schema.index(name))
        keys, values = index.entries([bytes.fromhex(key)], records[key])
        shown_key, shown_value = [bytes.fromhex(part) for part in entry]
        assert (keys, values) == ([shown_key], [shown_value])
        found.append(name)
    assert found == ["by_feet", "by_feet", "one"]
    assert IndexCodec(schema, schema.index("one")).entries(
        [bytes.fromhex(shown["record"][1][1])], records[shown["record"][1][1]]
    ) == ([], [])


def test_rows_of_python_values_make_a_schema() -> None:
    """of_rows takes the types that the values have, and what is left out as null."""
    schema = Schema.of_rows(
        [
            {"id": 1, "a": 1, "b": 1, "c": "x", "d": [1], "e": None},
            {"id": 2, "a": 1.5, "b": None, "c": 5, "d": None},
        ],
        "id",
    )
    found = [(one.name, one.type, one.nullable) for one in schema.columns]
    assert found == [
        ("id", "int", False),
        ("a", "float", False),
        ("b", "int", True),
        ("c", "json", False),
        ("d", "json", True),
        ("e", "text", True),
    ]
    with pytest.raises(Error):
        Schema.of_rows([{"a": 1}], "id")
    with pytest.raises(Invalid) as caught:
        Schema.of_rows([["a", 1]], "id")  # type: ignore[list-item]  # Wrong on purpose.
    assert caught.value.code == "not-a-row"


def test_a_schema_is_given_as_one_or_as_json() -> None:
    """The same either way; anything else says how one is made."""
    form = {
        "columns": [{"name": "id", "type": "int"}, {"name": "v", "type": "text"}],
        "key": ["id"],
    }
    schema = Schema.create([("id", "int"), ("v", "text")], "id")
    assert Schema.of(schema) is schema
    assert Schema.of(form) == schema
    for wrong, code in (([("id", "int")], "schema"), ({"id": "int"}, "schema-json")):
        with pytest.raises(Invalid) as caught:
            Schema.of(wrong)
        assert caught.value.code == code and caught.value.hint
    with memory_repository() as repo, repo.transaction("main") as tx:
        tx.table("t", schema=form).insert({"id": 1})
        assert tx.table("t", schema=schema).schema == schema


def test_a_pickled_schema_is_its_fields_alone() -> None:
    """What a schema keeps beside its fields is made anew, and does not travel."""
    schema = Schema.create([("id", "int"), ("name", "text")], "id")
    assert schema.codec is schema.codec and schema.names
    twin = pickle.loads(pickle.dumps(schema))
    assert twin == schema and twin.names == schema.names
    assert set(schema.__getstate__()) == {one.name for one in fields(Schema)}
