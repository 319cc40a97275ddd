"""Arrow data into tables: Tables, readers, batches, pandas, polars, and bad ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pandas
import polars
import pyarrow as pa
import pytest
from hypothesis import given, settings

from prolly import Repository, Schema
from prolly.errors import AlreadyExists, Invalid, Unsupported
from prolly.testing.repositories import memory_repository
from prolly.testing.strategies import typed_tables

WHEN = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def repo() -> Iterator[Repository]:
    """An empty repository in memory."""
    with memory_repository() as repo:
        yield repo


def load(repo: Repository, source: Any, **how: Any) -> list[dict[str, Any]]:
    """Load Arrow data into the table ``t`` by ``id``; return its rows."""
    schema = how.pop("schema", None)
    with repo.transaction("main") as tx:
        table = tx.table("t", key=None if schema else "id", schema=schema)
        assert table.load(source, **how) >= 0
    return list(repo.at("main").table("t").rows())


@settings(max_examples=40)
@given(made=typed_tables())
def test_a_table_through_arrow_is_the_same(made: Any) -> None:
    """What to_arrow gives, load takes: equal roots and schemas."""
    schema, rows = made
    with memory_repository() as repo:
        with repo.transaction("main") as tx:
            loaded = tx.table("t", schema=schema)
            loaded.load((schema.names, rows), on_duplicate="last")
        arrow = repo.at("main").table("t").to_arrow()
        with repo.transaction("main") as tx:
            tx.table("again", key=list(schema.key)).load(arrow)
            tx.table("polars", schema=schema).load(polars.DataFrame(arrow))
        found = repo.at("main").datasets
        assert found["again"].root == found["polars"].root == found["t"].root
        assert found["again"].schema == schema


PEOPLE = pa.table({"id": [1, 2], "name": ["Ada", None]})
ROWS = [{"id": 1, "name": "Ada"}, {"id": 2, "name": None}]


@pytest.mark.parametrize(
    "source",
    [
        PEOPLE,
        PEOPLE.to_reader(),
        PEOPLE.to_batches()[0],
        PEOPLE.to_struct_array(),
        PEOPLE.to_pandas(),
        polars.DataFrame(PEOPLE),
    ],
    ids=lambda one: f"{type(one).__module__}.{type(one).__name__}",
)
def test_whatever_hands_out_arrow_is_rows(repo: Repository, source: Any) -> None:
    """Tables, readers, batches and DataFrames give the same rows."""
    assert load(repo, source) == ROWS


def test_types_come_from_the_data_and_not_from_its_first_rows(
    repo: Repository,
) -> None:
    """A column of nulls alone keeps its type; no row at all is a table, too."""
    empty = pa.table(
        {"id": pa.array([], pa.int64()), "at": pa.array([], pa.timestamp("us", "UTC"))}
    )
    assert load(repo, empty) == []
    schema = repo.at("main").table("t").schema
    assert [(one.name, one.type) for one in schema.columns] == [
        ("id", "int"),
        ("at", "datetime"),
    ]
    assert load(repo, pa.table({"id": [1], "at": [WHEN]})) == [{"id": 1, "at": WHEN}]


def test_modes_and_duplicates_are_those_of_every_load(repo: Repository) -> None:
    """Update keeps other rows, append refuses a key that is there."""
    load(repo, PEOPLE)
    more = pa.table({"id": [2, 3], "name": ["Bob", "Cy"]})
    assert [row["name"] for row in load(repo, more, mode="update")] == [
        "Ada",
        "Bob",
        "Cy",
    ]
    with pytest.raises(AlreadyExists):
        load(repo, more, mode="append")
    twice = pa.concat_tables([PEOPLE, PEOPLE])
    with pytest.raises(Invalid) as caught:
        load(repo, twice)
    assert caught.value.code == "duplicate-key"
    assert load(repo, twice, on_duplicate="first") == ROWS


def test_text_spells_what_lost_its_mark(repo: Repository) -> None:
    """A column of the table says what text from elsewhere means."""
    columns = [("id", "int"), ("d", "decimal"), ("u", "uuid"), ("j", "json")]
    schema = Schema.create(columns, "id")
    number = UUID(int=5)
    source = pa.table({"id": [1], "d": ["1.10"], "u": [number.bytes], "j": ["[1]"]})
    [row] = load(repo, source, schema=schema)
    assert row == {"id": 1, "d": Decimal("1.10"), "u": number, "j": [1]}
    for name, wrong in (("d", "x"), ("u", b"short"), ("j", "[1")):
        bad = {"id": [1, 2], "d": ["1"] * 2, "u": [number.bytes] * 2, "j": ["1"] * 2}
        bad[name][1] = wrong
        with pytest.raises(Invalid) as caught:
            load(repo, pa.table(bad))
        error = caught.value
        assert (error.code, error.column) == ("schema-violation", name)
        assert error.row == 2


@pytest.mark.parametrize(
    ("type_name", "text"),
    [
        ("float", "7"),
        ("float", "007"),
        ("int", "007"),
        ("bool", "true"),
        ("decimal", "+1"),
        ("date", "2026-01-31"),
        ("bytes", "AAE="),
    ],
)
def test_text_is_not_parsed_silently(
    repo: Repository, type_name: str, text: str
) -> None:
    """Only what an export has to write as text, spelt as it does, is read from it."""
    schema = Schema.create([("id", "int"), ("v", type_name)], "id")
    with pytest.raises(Invalid) as caught:
        load(repo, polars.DataFrame({"id": [1], "v": [text]}), schema=schema)
    error = caught.value
    assert (error.code, error.column, error.row) == ("schema-violation", "v", 1)
    with repo.transaction("main") as tx, pytest.raises(Invalid):
        tx.table("t", schema=schema).insert({"id": 1, "v": text})


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (pandas.DataFrame({"id": [1], "v": [object()]}), "arrow-data"),
        (pandas.DataFrame({"id": [1, "x"]}), "arrow-data"),
        (pandas.DataFrame({"id": [1], "at": [pandas.Timestamp(0)]}), "naive-timestamp"),
        (pa.table({"v": [1]}), "missing-column"),
        (pa.table({"id": [1], "v": pa.array([1], pa.duration("s"))}), "arrow-type"),
        (pa.table([[1], [2], [3]], names=["id", "v", "v"]), "duplicate-column"),
        (pa.table({"id": [None, 1]}), "null-key"),
        (pa.table({"id": pa.array([1], pa.timestamp("ns", "UTC"))}), "arrow-value"),
    ],
)
def test_bad_data_is_refused(repo: Repository, source: Any, code: str) -> None:
    """And the table is as it was."""
    with repo.transaction("main") as tx:
        tx.table("t", key="id")
    before = repo.at("main").root
    with pytest.raises(Invalid) as caught:
        load(repo, source)
    assert caught.value.code == code
    assert caught.value.hint
    assert repo.at("main").root == before


def test_the_index_of_pandas_is_no_column(repo: Repository) -> None:
    """pandas hands out columns alone."""
    frame = pandas.DataFrame({"id": [1, 2, 3], "v": ["a", "b", "c"]})
    rows = load(repo, frame[frame["id"] != 2])
    assert rows == [{"id": 1, "v": "a"}, {"id": 3, "v": "c"}]
    indexed = frame.set_index("id")
    assert load(repo, indexed.reset_index()) == frame.to_dict("records")
    with pytest.raises(Invalid) as caught:
        load(repo, indexed)
    assert (caught.value.code, caught.value.column) == ("missing-column", "id")


def test_without_the_extra_a_sentence_helps(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever hands out Arrow data without pyarrow hears what to install."""
    load(repo, PEOPLE)
    frame = polars.DataFrame(PEOPLE)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Unsupported) as caught:
        load(repo, frame)
    assert (caught.value.code, caught.value.extra) == ("missing-extra", "arrow")
    with pytest.raises(Unsupported):
        repo.at("main").table("t").to_arrow()


def test_rows_without_an_id_get_one(repo: Repository) -> None:
    """A table whose only key is a uuid gives ids to Arrow data, too."""
    schema = Schema.create([("id", "uuid"), ("v", "int")], "id")
    data = pa.table({"v": [7, 8]})
    rows = load(repo, data, schema=schema)
    assert sorted(row["v"] for row in rows) == [7, 8]
    assert len({row["id"] for row in rows}) == 2
    named = pa.table({"v": [9], "id": pa.array([UUID(int=5)], pa.uuid())})
    assert load(repo, named, schema=schema) == [{"id": UUID(int=5), "v": 9}]
