"""Rows by predicate: the same whatever the way, and the way that costs least."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.errors import Invalid
from prolly.tables import COLUMN_TYPES, FilteredRows, Index, Schema
from prolly.testing.predicate_model import predicate_holds, predicates, rows
from prolly.testing.table_model import TableModel

ORDERED = [name for name in COLUMN_TYPES if name != "json"]
COLUMNS = [(name, name, name != "int") for name in COLUMN_TYPES]


def schemas() -> st.SearchStrategy[Schema]:
    """Tables of all types, with a key and some indexes of any of them."""
    names = st.lists(st.sampled_from(ORDERED), min_size=1, max_size=2, unique=True)
    index = st.tuples(names, st.sampled_from([None, 1, 2]))

    def made(keys: list[str], indexes: list[tuple[list[str], int | None]]) -> Schema:
        listed = []
        for number, (columns, prefix) in enumerate(indexes):
            if not {"text", "bytes"} & set(columns):
                prefix = None
            listed.append(Index(f"i{number}", tuple(columns), False, prefix))
        return Schema.create(COLUMNS, keys, indexes=listed)

    return st.builds(made, names, st.lists(index, max_size=3))


@settings(max_examples=60)
@given(st.data())
def test_every_way_finds_the_same(data: st.DataObject) -> None:
    """Whatever keys and indexes there are, the rows are those of the naive reading."""
    schema = data.draw(schemas())
    model = TableModel(schema, data.draw(rows(schema)))
    table = model.table()
    every = list(table.rows())
    for value in data.draw(st.lists(predicates(schema), min_size=1, max_size=4)):
        wanted = [row for row in every if predicate_holds(value, row)]
        found = table.rows(where=value)
        assert list(map(repr, found)) == list(map(repr, wanted)), found.path
        assert len(found) == len(wanted)
        assert list(map(repr, reversed(found))) == list(map(repr, wanted[::-1]))


PLACES = Schema.create(
    [
        ("country", "text"),
        ("code", "text"),
        ("feet", "int"),
        ("note", "text"),
        ("tag", "int"),
    ],
    ("country", "code"),
    indexes=[
        Index("by_feet", ("feet", "country")),
        Index("by_note", ("note",), False, 4),
        Index("by_tag", ("tag",), True),
    ],
)
ROWS = [
    {
        "country": f"C{number % 40:02d}",
        "code": f"{number:05d}",
        "feet": number // 4 if number % 50 else None,
        "note": f"note {number:05d}"[::-1],
        "tag": number if number % 7 else None,
    }
    for number in range(4000)
]


@pytest.fixture(scope="module")
def model() -> TableModel:
    return TableModel(PLACES, ROWS)


@pytest.mark.parametrize(
    ("where", "path", "reads_max"),
    [
        ("country = 'C07'", "key", 12),
        ("country = 'C07' and code >= '03900'", "key", 6),
        ("country prefix 'C0' and feet > 5", "key", 40),
        ("country between 'C01' and 'C02'", "key", 20),
        ("feet = 700", "index by_feet", 20),
        ("feet = 700 and country = 'C01'", "index by_feet", 12),
        ("feet between 700 and 702 and note is not null", "index by_feet", 40),
        ("feet > 998", "index by_feet", 20),
        ("feet is null", "index by_feet", 120),
        ("note = '00710 eton'", "index by_note", 20),
        ("note prefix '0071'", "index by_note", 20),
        ("tag = 300", "index by_tag", 20),
        ("tag is null", "scan", 200),
        ("code = '00700'", "scan", 200),
        ("feet = 700 or feet = 701", "scan", 200),
        ("not feet = 700", "scan", 200),
        ("feet in (700, 701)", "index by_feet", 30),
        ("feet >= 0", "scan", 200),
    ],
)
def test_the_way_that_costs_least(
    model: TableModel, where: str, path: str, reads_max: int
) -> None:
    """Key, index or scan, by what leads; nodes read are those of that way."""
    table = model.table()
    found = table.rows(where=where)
    assert isinstance(found, FilteredRows) and found.path == path
    rows = list(found)
    assert rows, "each example finds something"
    fresh = model.table()
    model.store.costs.reset()
    assert list(fresh.rows(where=where)) == rows
    assert model.store.costs.gets <= reads_max


def test_bounds_and_columns_hold_too(model: TableModel) -> None:
    """where is joined with start, stop, prefix, reverse and columns."""
    table = model.table()
    start, stop = ("C10",), ("C12",)
    for where in ("feet < 20", "feet >= 0"):
        found = table.rows(where=where, start=start, stop=stop, columns=["code"])
        rows = list(table.rows(start=start, stop=stop, where=where))
        assert [row["code"] for row in rows] == [row["code"] for row in found]
        turned = table.rows(where=where, start=start, stop=stop, reverse=True)
        assert list(turned) == rows[::-1] and list(reversed(turned)) == rows
    assert next(iter(table.rows(where="feet = 5", columns=[]))) == {}
    batches = table.iter_columns(["code"], where="feet = 700", reverse=True)
    assert [code for [codes] in batches for code in codes] == [
        row["code"] for row in table.rows(where="feet = 700", reverse=True)
    ]


def test_a_wrong_predicate_is_refused_at_once(model: TableModel) -> None:
    """Before anything is read: Invalid ``predicate``."""
    for where in ("nothing = 1", "feet = 'x'", ["=", "feet"], "feet ="):
        with pytest.raises(Invalid) as caught:
            model.table().rows(where=where)
        assert caught.value.code == "predicate"


def test_edits_are_seen(model: TableModel) -> None:
    """In a transaction the answer holds its writes, on every way."""
    table, tree = model.edit()
    table.upsert({**ROWS[0], "feet": 123_456})
    table.delete(("C01", "02801"))
    assert [row["code"] for row in table.rows(where="feet = 123456")] == ["00000"]
    assert list(table.rows(where="feet = 700 and country = 'C01'")) == []
    table.upsert({**ROWS[1], "feet": 123_456})
    assert len(table.rows(where="feet = 123456")) == 2
    table.close()
    tree.close()
