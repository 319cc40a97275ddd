"""Altering tables: laws, what touches no row, what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.errors import Error, Invalid, NotFound
from prolly.tables import COLUMN_TYPES, Alteration, Index, Schema, Table
from prolly.testing.predicate_model import CELLS, rows
from prolly.testing.table_model import TableModel

SCHEMA = Schema.create(
    [("id", "int", False), *((name, name) for name in COLUMN_TYPES)],
    "id",
    indexes=[Index("i", ("int", "text"))],
)


def altered(model: TableModel, change: Any, *, force: bool = False) -> Table:
    """Alter a table and store it."""
    table, tree = model.edit()
    change(table.alter(force=force))
    return model.write(table, tree)


def refused(model: TableModel, change: Any) -> Invalid:
    """Return the error of an alteration, after which the table is as it was."""
    table, tree = model.edit()
    before = table.schema, table.root
    with pytest.raises(Invalid) as caught:
        change(table.alter())
    assert (table.schema, table.root) == before
    assert caught.value.hint
    table.close()
    tree.close()
    return caught.value


def changes() -> st.SearchStrategy[tuple[Any, ...]]:
    """Steps of an alteration, as a method and its arguments."""
    names = st.sampled_from([*COLUMN_TYPES, "x", "y"])
    types = st.sampled_from(sorted(COLUMN_TYPES))
    return st.one_of(
        st.tuples(st.just("add_column"), st.sampled_from(["x", "y", "int"]), types),
        st.tuples(st.just("drop_column"), names),
        st.tuples(st.just("rename_column"), names, names),
        st.tuples(st.just("widen_column"), names, types),
        st.tuples(st.just("set_nullable"), names, st.booleans()),
        st.tuples(st.just("add_index"), names, names),
        st.tuples(st.just("drop_index"), st.sampled_from(["i", "x"])),
    )


@settings(max_examples=60)
@given(rows(SCHEMA, 8), st.lists(changes(), max_size=8))
def test_a_table_equals_one_that_was_loaded_under_its_schema(
    listed: list[dict[str, Any]], steps: list[tuple[Any, ...]]
) -> None:
    """Whatever steps led there, all trees are a function of rows and schema."""
    model = TableModel(SCHEMA, listed)
    table, tree = model.edit()
    for method, *arguments in steps:
        before = table.schema, table.root
        try:
            getattr(table.alter(force=True), method)(*arguments)
        except Error:
            assert (table.schema, table.root) == before, "refused whole"
    try:
        stored = model.write(table, tree)
    except Invalid as error:
        assert error.code in ("index-value", "index-key-too-long")
        return
    fresh = TableModel(stored.schema, list(stored.rows()))
    assert fresh.stored == model.stored
    assert len(stored) == len(listed)


@given(rows(SCHEMA, 8), st.sampled_from(sorted(COLUMN_TYPES)), st.data())
def test_adding_a_column_touches_no_row(
    listed: list[dict[str, Any]], kind: str, data: st.DataObject
) -> None:
    """The root stays; rows read the fill; later rows and further columns are fine."""
    fill = (
        data.draw(st.none() | st.sampled_from(CELLS[kind])) if kind != "json" else None
    )
    model = TableModel(SCHEMA, listed)
    root = model.stored.records
    table = altered(
        model,
        lambda alter: alter.add_column("a new", kind, fill=fill).add_column("b", "int"),
    )
    assert model.stored.records == root
    wanted = [{**row, "a new": fill, "b": None} for row in model_rows(listed)]
    assert list(map(repr, table.rows())) == list(map(repr, wanted))
    edited, tree = model.edit()
    one = {**dict.fromkeys(SCHEMA.names), "id": 77, "a new": None, "b": 5}
    edited.upsert(one)
    assert repr(model.write(edited, tree)[77]) == repr(one)


def model_rows(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows in the order of their keys, columns in that of the schema."""
    whole = [{name: row[name] for name in SCHEMA.names} for row in listed]
    return sorted(whole, key=lambda row: int(row["id"]))


PLAIN = Schema.create(
    [("id", "int"), ("a", "int"), ("t", "text"), ("n", "int", True)], "id"
)
ROWS = [{"id": 1, "a": 10, "t": "007", "n": None}, {"id": 2, "a": -5, "t": "x", "n": 3}]


def plain() -> TableModel:
    """A small table."""
    return TableModel(PLAIN, ROWS)


def test_dropping_closes_the_gap() -> None:
    """Slots are 0, 1, 2 ... again, in the order that they had."""
    model = plain()
    before = [one.name for one in PLAIN.cell_columns]
    gone = before[1]
    table = altered(model, lambda alter: alter.drop_column(gone), force=True)
    cells = table.schema.cell_columns
    assert [one.name for one in cells] == [one for one in before if one != gone]
    assert [one.slot for one in cells] == [0, 1]
    assert [set(row) for row in table.rows()] == [{"id", *before} - {gone}] * 2


def test_what_would_be_lost_is_refused() -> None:
    """A dropped value, a spelling that changes: the row and the value are named."""
    error = refused(plain(), lambda alter: alter.drop_column("n"))
    assert (error.code, error.key, error.column) == ("alter-loses-data", 2, "n")
    model = TableModel(PLAIN, ROWS[:1])
    error = refused(model, lambda alter: alter.widen_column("t", "int"))
    assert (error.code, error.key, error.value) == ("alter-loses-data", 1, "007")
    table = altered(model, lambda alter: alter.widen_column("t", "int"), force=True)
    assert table[1]["t"] == 7
    table = altered(model, lambda alter: alter.drop_column("n"))
    assert "n" not in table[1], "a column of nulls is no loss"
    error = refused(plain(), lambda alter: alter.widen_column("t", "int"))
    assert (error.code, error.value) == ("schema-violation", "x"), "it has no number"


@pytest.mark.parametrize(
    ("old", "new", "value", "wanted"),
    [
        ("int", "decimal", 5, Decimal(5)),
        ("int", "float", 5, 5.0),
        ("int", "text", 5, "5"),
        ("int", "json", 5, 5),
        ("float", "decimal", 0.1, Decimal("0.1")),
        ("float", "text", 0.1, "0.1"),
        ("decimal", "text", Decimal("1.10"), "1.10"),
        ("decimal", "float", Decimal("1.5"), 1.5),
        ("text", "int", "5", 5),
        ("bool", "text", True, "true"),
        ("bytes", "text", b"\0", "AA=="),
        ("json", "text", [1], "[1]"),
    ],
)
def test_what_widens_without_loss(old: str, new: str, value: Any, wanted: Any) -> None:
    """No force is needed; the id of the column stays."""
    schema = Schema.create([("id", "int"), ("v", old)], "id")
    model = TableModel(schema, [{"id": 1, "v": value}, {"id": 2, "v": None}])
    table = altered(model, lambda alter: alter.widen_column("v", new))
    assert [row["v"] for row in table.rows()] == [wanted, None]
    assert type(table[1]["v"]) is type(wanted)
    assert table.schema.column("v").id == schema.column("v").id


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("int", "float", 2**53 + 1),
        ("decimal", "float", Decimal("1.10")),
        ("text", "decimal", "1e2"),
    ],
)
def test_what_widens_with_a_loss(old: str, new: str, value: Any) -> None:
    """It wants force."""
    schema = Schema.create([("id", "int"), ("v", old)], "id")
    model = TableModel(schema, [{"id": 1, "v": value}])
    error = refused(model, lambda alter: alter.widen_column("v", new))
    assert (error.code, error.column) == ("alter-loses-data", "v")


def test_renaming_reaches_key_indexes_and_checks() -> None:
    """No row changes; everything that named the column follows."""
    model = plain()
    altered(
        model,
        lambda alter: (
            alter.add_index("i", ("a", "id"), unique=True)
            .add_check("c", "a > -9 or id = 1")
            .add_reference("r", "a", "others")
        ),
    )
    before = model.stored
    table = altered(
        model, lambda alter: alter.rename_column("a", "b").rename_column("id", "key")
    )
    assert model.stored[1:] == before[1:]
    schema = table.schema
    assert schema.key == ("key",) and schema.names == ("key", "b", "t", "n")
    assert schema.index("i").columns == ("b", "key")
    assert schema.checks[0].predicate.columns == {"b", "key"}
    assert schema.references[0].columns == ("b",)
    assert table[1] == {"key": 1, "b": 10, "t": "007", "n": None}


def test_nulls_allowed_and_forbidden() -> None:
    """To allow them changes no row; to forbid them reads all and names the first."""
    model = plain()
    root = model.stored.records
    error = refused(model, lambda alter: alter.set_nullable("n", False))
    assert (error.code, error.key, error.column) == ("schema-violation", 1, "n")
    table = altered(model, lambda alter: alter.set_nullable("t", False))
    assert model.stored.records == root and not table.schema.column("t").nullable
    edited, tree = model.edit()
    with pytest.raises(Invalid):
        edited.upsert({"id": 3, "a": 1, "t": None})
    edited.close()
    tree.close()


def test_checks_are_kept_by_every_row() -> None:
    """Old rows when a check is added, new ones when they are written; null passes."""
    model = plain()
    error = refused(model, lambda alter: alter.add_check("positive", "a > 0"))
    found = error.code, error.check, error.columns, error.key
    assert found == ("check-violation", "positive", ("a",), 2)
    altered(model, lambda alter: alter.add_check("small", "n < 5 and not t = 'no'"))
    table, tree = model.edit()
    table.upsert({"id": 3, "a": 1, "t": "yes", "n": None})
    for row, key in (
        ({"id": 4, "a": 1, "t": "yes", "n": 5}, 4),
        ({"id": 5, "t": "no"}, 5),
    ):
        with pytest.raises(Invalid) as caught:
            table.upsert({"a": 0, "n": 0, **row})
        assert (caught.value.code, caught.value.key) == ("check-violation", key)
    with pytest.raises(Invalid) as many:
        table.load([ROWS[0], {**ROWS[1], "n": 9}], mode="update")
    assert (many.value.row, many.value.check, many.value.key) == (2, "small", 2)
    assert "n < 5" in many.value.hint
    table.alter().drop_check("small")
    table.upsert({**ROWS[1], "n": 9})
    assert len(model.write(table, tree)) == 3


def test_a_retyped_column_is_checked_again() -> None:
    """Literals of a check take the column's new type."""
    model = plain()
    altered(model, lambda alter: alter.add_check("c", "a > -9"))
    table = altered(model, lambda alter: alter.widen_column("a", "decimal"))
    assert table.schema.checks[0].predicate.to_value() == [">", "a", Decimal(-9)]
    assert refused(model, lambda alter: alter.widen_column("a", "text")).code in (
        "check-violation",
        "predicate",
    )


def test_what_the_schema_forbids() -> None:
    """Names that are taken or in use, key columns, fills, unknown names."""
    model = plain()
    altered(model, lambda alter: alter.add_reference("r", "a", "others"))
    cases: list[tuple[Any, str]] = [
        (lambda alter: alter.add_column("a", "int"), "schema"),
        (lambda alter: alter.add_column("b", "int", nullable=False), "missing-column"),
        (lambda alter: alter.add_column("b", "int", fill="x"), "column-fill"),
        (lambda alter: alter.add_column("b", "nothing"), "column-type"),
        (lambda alter: alter.add_column("", "int"), "column-name"),
        (lambda alter: alter.drop_column("id"), "schema"),
        (lambda alter: alter.drop_column("a"), "schema"),
        (lambda alter: alter.drop_column("x"), "unknown-column"),
        (lambda alter: alter.rename_column("a", "t"), "schema"),
        (lambda alter: alter.widen_column("id", "json"), "schema"),
        (lambda alter: alter.set_nullable("id", True), "schema"),
        (lambda alter: alter.add_index("r", "t"), "schema"),
        (lambda alter: alter.add_index("i", ()), "schema"),
        (lambda alter: alter.add_index("i", "x"), "schema"),
        (lambda alter: alter.add_index("i", "a", prefix=3), "schema"),
        (lambda alter: alter.add_index("i", "t", prefix=3, unique=True), "schema"),
        (lambda alter: alter.drop_index("r"), "schema"),
        (lambda alter: alter.add_check("c", "x = 1"), "predicate"),
        (lambda alter: alter.add_reference("s", "x", "others"), "schema"),
        (lambda alter: alter.add_reference("s", "a", "a:b"), "dataset-name"),
        (lambda alter: alter.become(Schema.create([("x", "int")], "x")), "key-change"),
    ]
    for change, code in cases:
        assert refused(model, change).code == code
    base = model.stored.schema
    filled = [
        (one.name, one.type, True, 5 if one.name == "a" else None)
        for one in base.columns
    ]
    other = Schema.create(
        filled, "id", indexes=base.indexes, references=base.references, base=base
    )
    assert refused(model, lambda alter: alter.become(other)).code == "fill-change"
    table, tree = model.edit()
    for drop in (
        Alteration.drop_index,
        Alteration.drop_check,
        Alteration.drop_reference,
    ):
        with pytest.raises(NotFound) as caught:
            drop(table.alter(), "nothing")
        assert caught.value.code == "no-such-constraint"
    table.alter().drop_reference("r").drop_index("r")
    table.close()
    tree.close()


def test_what_may_be_a_rename_is_asked() -> None:
    """A dropped column beside a new one: the hint says how to keep the values."""
    model = plain()
    columns = [("id", "int"), ("x", "decimal"), ("y", "int"), ("t", "text")]
    schema = Schema.create([*columns, ("n", "int")], "id", base=model.stored.schema)
    error = refused(model, lambda alter: alter.become(schema))
    assert (error.code, error.column, error.facts["renamed"]) == (
        "alter-loses-data",
        "a",
        "y",
    )
    assert "\"was\": 'a'" in error.hint
    renamed = Schema.create(
        [("id", "int"), ("y", "int"), ("t", "text"), ("n", "int")],
        "id",
        base=model.stored.schema,
        was={"y": "a"},
    )
    assert altered(model, lambda alter: alter.become(renamed))[1]["y"] == 10
    error = refused(model, lambda alter: alter.drop_column("n"))
    assert "renamed" not in error.facts


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda alter: alter.add_column("a", "int"), ["'a' already"]),
        (lambda alter: alter.add_column("b", "int", nullable=False), ["a fill"]),
        (lambda alter: alter.drop_column("n"), ["check 'sane'", "drop_check('sane')"]),
        (lambda alter: alter.drop_column("t"), ["index 'i'", "drop_index('i')"]),
        (lambda alter: alter.add_index("j", "idd"), ["'idd'", "Is 'id' meant"]),
        (lambda alter: alter.add_index("j", "zzz"), ["'zzz'", "id, a, t, n"]),
        (lambda alter: alter.widen_column("n", "text"), ["check 'sane'"]),
        (lambda alter: alter.add_check("c", "aa > 1"), ["check 'c'", "'aa'"]),
    ],
)
def test_what_is_refused_says_the_cause(change: Any, told: list[str]) -> None:
    """The name of the check or the index, near names, and the way out."""
    model = plain()
    altered(model, lambda alter: alter.add_check("sane", "n < 5").add_index("i", "t"))
    error = refused(model, change)
    for words in told:
        assert words in f"{error.message} {error.hint}"


def test_a_check_follows_its_column_to_another_type() -> None:
    """Its literals are taken by their text, from float to decimal and back."""
    schema = Schema.create([("id", "int"), ("v", "float")], "id")
    model = TableModel(schema, [{"id": 1, "v": 1.5}])
    altered(model, lambda alter: alter.add_check("small", "v < 2.5"))
    table = altered(model, lambda alter: alter.widen_column("v", "decimal"))
    assert table.schema.checks[0].predicate.to_value() == ["<", "v", Decimal("2.5")]
    form = table.schema.to_json()
    assert Schema.from_json(form, base=table.schema) == table.schema
    table = altered(model, lambda alter: alter.widen_column("v", "float"))
    assert table.schema.checks[0].predicate.to_value() == ["<", "v", 2.5]


def test_two_keys_never_become_one() -> None:
    """Widening a key with force refuses what would merge two rows."""
    schema = Schema.create([("id", "text"), ("v", "int")], "id")
    model = TableModel(schema, [{"id": "1", "v": 1}, {"id": "01", "v": 2}])
    table, tree = model.edit()
    with pytest.raises(Invalid) as caught:
        table.alter(force=True).widen_column("id", "int")
    assert (caught.value.code, caught.value.key) == ("duplicate-key", 1)
    assert len(table) == 2 and table.schema == schema
    table.delete("01")
    table.alter().widen_column("id", "int")
    assert list(model.write(table, tree).rows()) == [{"id": 1, "v": 1}]


def test_edits_and_alterations_mix() -> None:
    """Rows written before and after a change, in one transaction, are all there."""
    model = plain()
    table, tree = model.edit()
    table.upsert({"id": 3, "a": 1, "t": "new"})
    table.alter().add_column("b", "int", nullable=False, fill=7).add_index("i", "b")
    table.upsert({"id": 4, "a": 1, "t": "newer", "b": 8})
    assert list(table.index("i").keys()) == [1, 2, 3, 4]
    table.alter(force=True).drop_column("t")
    table.upsert({"id": 5, "a": 1, "b": 0})
    stored = model.write(table, tree)
    assert [row["b"] for row in stored.rows()] == [7, 7, 7, 8, 0]
    assert list(stored.index("i").keys()) == [5, 1, 2, 3, 4]
    assert model.stored.indexes == model.rebuilt_indexes()


def test_a_closed_table_is_not_altered() -> None:
    """After the transaction it raises Invalid ``closed``."""
    model = plain()
    table, tree = model.edit()
    alteration = table.alter()
    table.close()
    tree.close()
    for use in (table.alter, lambda: alteration.add_column("b", "int")):
        with pytest.raises(Invalid) as caught:
            use()
        assert caught.value.code == "closed"


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("add_index", (["a"], "int")),
        ("add_index", ("a", [["int"]])),
        ("add_index", ("a", 5)),
        ("add_check", (["a"], "int > 1")),
        ("add_reference", (["a"], "int", "t")),
        ("add_reference", ("a", "int", ["t"])),
        ("add_column", ("q", ["int"])),
        ("add_column", (["q"], "int")),
        ("rename_column", ("int", ["q"])),
        ("rename_column", (["int"], "q")),
        ("drop_column", (["int"],)),
        ("widen_column", ("int", ["text"])),
        ("set_nullable", ({}, True)),
        ("add_column", ("q\u200b", "int")),
        ("rename_column", ("int", "q\u200b")),
        ("add_index", ("q\u200b", "int")),
    ],
)
def test_words_of_other_types_are_refused(
    method: str, arguments: tuple[Any, ...]
) -> None:
    """A list where a name is wanted is Invalid with a hint, and nothing changes."""
    model = TableModel(SCHEMA)
    refused(model, lambda alteration: getattr(alteration, method)(*arguments))


def test_a_fill_that_another_type_lacks_is_refused_with_a_hint() -> None:
    """A filled column becomes another type if its fill does; the column is named."""
    schema = Schema.create([("id", "int"), ("s", "text", True, "x")], "id")
    error = refused(TableModel(schema), lambda one: one.widen_column("s", "int"))
    assert (error.code, error.column) == ("column-fill", "s")
