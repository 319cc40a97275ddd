"""Tables as Arrow data: columns, bounds, predicates, and bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from prolly import Corrupt, Invalid, Repository
from prolly.testing.repositories import memory_repository

ROWS = [
    {"id": number, "name": f"n{number % 7}", "size": number / 4}
    for number in range(3_000)
]


@pytest.fixture
def repo() -> Iterator[Repository]:
    """A repository in memory with the table ``t``."""
    with memory_repository() as repo:
        with repo.transaction("main") as tx:
            tx.table("t", key="id").load(ROWS)
        yield repo


def test_all_records_in_key_order(repo: Repository) -> None:
    """Each column in one piece, up to the size of a batch."""
    found = repo.at("main").table("t").to_arrow()
    assert found.to_pylist() == ROWS
    assert found.column("id").num_chunks == 1


def test_columns_bounds_and_a_predicate(repo: Repository) -> None:
    """What is chosen is what rows would give, in that order."""
    table = repo.at("main").table("t")
    how: dict[str, Any] = {"where": "name = 'n3'", "start": 10, "stop": 100}
    found = table.to_arrow(["size", "id"], **how)
    assert found.column_names == ["size", "id"]
    assert found.to_pylist() == list(table.rows(columns=["size", "id"], **how))
    assert table.to_arrow(where="id < 0").num_rows == 0
    with pytest.raises(Invalid) as caught:
        table.to_arrow(["nope"])
    assert caught.value.code == "unknown-column"


def test_batches_come_one_by_one(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader holds a batch at a time, each ended by rows or by bytes."""
    table = repo.at("main").table("t")
    monkeypatch.setattr("prolly.tables.arrow_layout.ARROW_ROWS", 1_000)
    reader = table.iter_arrow_batches()
    assert isinstance(reader, pa.RecordBatchReader)
    sizes = [batch.num_rows for batch in reader]
    assert sum(sizes) == len(ROWS)
    assert len(sizes) > 1
    monkeypatch.setattr("prolly.tables.arrow_layout.ARROW_BYTES", 1)
    assert len(list(table.iter_arrow_batches(["id"]))) >= len(sizes)


def test_writes_of_a_transaction_are_seen(repo: Repository) -> None:
    """A table under edit reads its own writes here, too."""
    with repo.transaction("main") as tx:
        table = tx.table("t")
        table.delete(0)
        table.upsert({"id": 3_000, "name": None, "size": 2**60})
        found = table.to_arrow().to_pylist()
        assert found == [*ROWS[1:], {"id": 3_000, "name": None, "size": 2.0**60}]


def test_a_damaged_store_is_not_an_error_of_arrow(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What reading raises in the middle comes out as it is."""
    table = repo.at("main").table("t")
    whole = type(table).iter_columns

    def broken(*words: Any, **how: Any) -> Iterator[Any]:
        yield next(whole(*words, **how))
        raise Corrupt("broken", code="broken")

    monkeypatch.setattr(type(table), "iter_columns", broken)
    with pytest.raises(Corrupt, match="broken"):
        list(table.iter_arrow_batches(["name"]))
