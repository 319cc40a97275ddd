"""Keys that a table makes: new uuids for rows that leave the last key column out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from prolly.errors import AlreadyExists, Invalid
from prolly.repo import Repository
from prolly.tables import ColumnBatches, MutableTable, Schema
from prolly.testing.repositories import memory_repository

SCHEMA = Schema.create([("id", "uuid"), ("v", "int")], "id")


@pytest.fixture
def repo() -> Repository:
    return memory_repository()


def values(table: MutableTable) -> list[int]:
    """Return the column ``v`` in key order, after a look at the keys."""
    assert all(isinstance(key, UUID) and key.version == 7 for key in table)
    return [row["v"] for row in table.values()]


def test_rows_get_ids_in_the_order_of_their_making(repo: Repository) -> None:
    """insert and upsert return the key that they made; the order is that of time."""
    with repo.transaction("main") as tx:
        table = tx.table("t", schema=SCHEMA)
        keys = [table.insert({"v": number}) for number in range(5)]
        keys.append(table.upsert({"v": 5}))
        assert list(table) == keys
        assert values(table) == list(range(6))


def test_a_key_that_is_given_stays(repo: Repository) -> None:
    """Only what is left out is filled; null is no key."""
    with repo.transaction("main") as tx:
        table = tx.table("t", schema=SCHEMA)
        key = table.insert({"v": 1})
        assert table.upsert({"id": key, "v": 2}) == key
        with pytest.raises(AlreadyExists):
            table.insert({"id": key, "v": 3})
        with pytest.raises(Invalid) as caught:
            table.insert({"id": None, "v": 3})
        assert caught.value.code == "null-key"
        assert values(table) == [2]


@pytest.mark.parametrize(
    "rows",
    [
        [{"v": 1}, {"v": 2}],
        (("v",), [[1], [2]]),
        ColumnBatches(("v",), [[[1, 2]]]),
        iter([{"v": 1}, {"v": 2}]),
    ],
    ids=["rows", "lists", "columns", "iterator"],
)
def test_loads_of_every_form_get_ids(repo: Repository, rows: Any) -> None:
    """Rows, lists under names, batches of columns, and an iterator."""
    with repo.transaction("main") as tx:
        table = tx.table("t", schema=SCHEMA)
        assert table.load(rows) == 2
        assert values(table) == [1, 2]


def test_only_the_last_key_column_is_made(repo: Repository) -> None:
    """A uuid in front names something else, and another type is never made."""
    two = Schema.create(
        [("owner", "uuid"), ("id", "uuid"), ("v", "int")], ["owner", "id"]
    )
    with repo.transaction("main") as tx:
        table = tx.table("two", schema=two)
        key = table.insert({"owner": UUID(int=1), "v": 1})
        assert key[0] == UUID(int=1)
        for columns, names in (
            ([("owner", "uuid"), ("line", "int")], ["owner", "line"]),
            ([("id", "text"), ("v", "int")], ["id"]),
        ):
            other = tx.table(names[-1], schema=Schema.create(columns, names))
            with pytest.raises(Invalid) as caught:
                other.insert({names[0]: UUID(int=1)} if len(names) > 1 else {"v": 1})
            assert caught.value.code == "missing-column"


def test_arrow_data_gets_ids(repo: Repository) -> None:
    """Data frames and Arrow tables without the key column, too."""
    import pyarrow

    with repo.transaction("main") as tx:
        table = tx.table("t", schema=SCHEMA)
        assert table.load(pyarrow.table({"v": [1, 2]})) == 2
        assert values(table) == [1, 2]
