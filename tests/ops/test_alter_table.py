"""Giving a table another schema."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from prolly import Invalid, NotFound, Repository, Schema
from prolly.chunks import MemoryStore
from prolly.env import SYSTEM
from prolly.ops import alter_table
from prolly.repo import begin_history

ROWS = [{"id": 1, "a": 10, "b": "x"}, {"id": 2, "a": None, "b": "7"}]
BASE = Schema.create([("id", "int"), ("a", "int"), ("b", "text")], "id")


@pytest.fixture
def repo() -> Iterator[Repository]:
    """A repository in memory with a committed table."""
    store = MemoryStore()
    begin_history(store, SYSTEM)
    with Repository(store, None) as repo:
        with repo.transaction("main") as tx:
            tx.table("t", schema=BASE).load(ROWS)
        yield repo


def alter(
    repo: Repository, *columns: Any, key: str = "id", force: bool = False
) -> bool:
    """Change the schema of ``t`` in the working state."""
    schema = Schema.create(columns, key, base=BASE)
    with repo.working_area().edit("alter") as workspace:
        return alter_table(workspace, "t", schema, force=force)


def rows(repo: Repository) -> list[dict[str, Any]]:
    """Return the rows of ``t`` as they stand."""
    return list(repo.at_working().table("t").rows())


def test_the_table_equals_one_that_had_the_schema_from_the_beginning(
    repo: Repository,
) -> None:
    """Retyped, reordered, dropped and added columns leave no trace in the root."""
    columns = [("a", "decimal"), ("new", "text"), ("id", "int")]
    assert alter(repo, *columns, force=True)
    assert rows(repo) == [
        {"a": Decimal(10), "new": None, "id": 1},
        {"a": None, "new": None, "id": 2},
    ]
    with repo.working_area().edit("fresh") as workspace:
        schema = repo.at_working().table("t").schema
        workspace.table("fresh", schema=schema).load(rows(repo))
    datasets = repo.at_working().datasets
    assert datasets["fresh"].root == datasets["t"].root


def test_what_loses_data_is_forced(repo: Repository) -> None:
    """Without force a column with values stays, and the row is named."""
    with pytest.raises(Invalid) as caught:
        alter(repo, ("id", "int"), ("a", "int"))
    error = caught.value
    assert (error.code, error.key, error.column) == ("alter-loses-data", 1, "b")
    assert rows(repo) == ROWS
    assert alter(repo, ("id", "int"), ("a", "int"), force=True)
    assert rows(repo) == [{"id": 1, "a": 10}, {"id": 2, "a": None}]


def test_it_stays_the_same_dataset(repo: Repository) -> None:
    """The change is an alteration that changes no field; a repeat is none."""
    columns = [("id", "int"), ("a", "text"), ("b", "text")]
    assert alter(repo, *columns)
    counts = repo.diff_counts("HEAD", repo.at_working())["t"]
    assert (counts.event, counts.modified, counts.added) == ("altered", 0, 0)
    assert not alter(repo, *columns)


@pytest.mark.parametrize(
    ("columns", "column", "key"),
    [
        ([("id", "int"), ("a", "int", False), ("b", "text")], "a", 2),
        ([("id", "int"), ("a", "int"), ("b", "int")], "b", 1),
    ],
)
def test_a_value_that_does_not_fit_is_named(
    repo: Repository, columns: list[Any], column: str, key: int
) -> None:
    """Row and column are told, and the table stays; force does not help."""
    for force in (False, True):
        with pytest.raises(Invalid) as caught:
            alter(repo, *columns, force=force)
        error = caught.value
        found = error.code, error.column, error.key
        assert found == ("schema-violation", column, key)
        assert rows(repo) == ROWS


def test_the_key_stays(repo: Repository) -> None:
    """Another key is another table."""
    with pytest.raises(Invalid) as caught:
        alter(repo, ("id", "int"), ("b", "text"), key="b")
    assert caught.value.code == "key-change"


def test_a_new_column_wants_a_default(repo: Repository) -> None:
    """Not null and without a fill it cannot be added to rows."""
    with pytest.raises(Invalid) as caught:
        alter(repo, ("id", "int"), ("c", "int", False))
    assert caught.value.code == "missing-column"


def test_there_must_be_such_a_table(repo: Repository) -> None:
    """No dataset of the name is made."""
    with repo.working_area().edit("alter") as workspace, pytest.raises(NotFound):
        alter_table(workspace, "other", BASE)
