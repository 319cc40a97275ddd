"""What is taken for conflicts is written: together as one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prolly.repo.write_taken as write_taken
from prolly.maps import ABSENT
from prolly.repo import Repository, Transaction
from prolly.tables import MutableTable, Schema
from prolly.testing.repositories import Write, diverged
from prolly.testing.waiting_merges import merged, refused, rows

COLUMNS = ("a", "b")
ROWS = st.dictionaries(
    st.integers(0, 5),
    st.none() | st.tuples(*[st.integers(0, 2)] * len(COLUMNS)),
    min_size=1,
)


def written(cells: dict[int, tuple[int, ...] | None]) -> Write:
    """Return a write of rows and map values by key; ``None`` deletes."""

    def write(tx: Transaction) -> None:
        table, mapping = tx.table("t", key="id"), tx.map("m")
        for key, row in cells.items():
            if row is not None:
                named = dict(zip(COLUMNS, row, strict=True))
                table.upsert({"id": key, "note": "x", **named})
                mapping[key] = row[0]
            elif key in table:
                table.delete(key)
                del mapping[key]

    return write


@given(ROWS, ROWS, ROWS, st.sampled_from(["base", "ours", "theirs"]))
@settings(max_examples=40)
def test_all_at_once_is_one_by_one(
    base: Any, ours: Any, theirs: Any, side: Any
) -> None:
    """The data that stands is the same, root for root, and each is marked."""
    base = {**base, 9: (0, 0)}
    repo = diverged(written(base), written(ours), written(theirs))
    if repo.merge("feature").status != "conflicts":
        return
    conflicts = repo.conflicts("main")
    before, state = len(conflicts), repo.working_area("main").state
    assert conflicts.settle_all(side) == before
    together = repo.at_working("main").root
    marks = [one.settled for one in conflicts.of(open_only=False)]
    assert marks == [side] * before
    repo.working_area("main").discard()
    repo.merge("feature")
    assert repo.working_area("main").state == state
    for name in list(conflicts):
        conflicts.settle(*name[:2], side)
    assert repo.at_working("main").root == together


@pytest.mark.parametrize("size", [1, 2, 3])
def test_batches_are_as_one(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """However many rows are written in one go, all are, and counted."""
    monkeypatch.setattr(write_taken, "BATCH_RECORDS", size)
    cells: dict[int, dict[int, tuple[int, ...] | None]] = {
        value: dict.fromkeys(range(5), (value, value)) for value in (0, 1, 2)
    }
    repo, conflicts = merged(written(cells[0]), written(cells[1]), written(cells[2]))
    assert conflicts.settle_all("theirs") == 10
    state = repo.at_working("main")
    assert [row["a"] for row in state.table("t").values()] == [2] * 5
    assert list(state.map("m").values()) == [2] * 5


def table_of(count: int, value: int) -> Write:
    return rows(*[{"id": key, "a": value, "b": value} for key in range(count)])


def test_rows_are_written_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many rows are checked and encoded together, and a schema is read a few times."""
    single: list[Any] = []
    upsert, from_value = MutableTable.upsert, Schema.from_value.__func__
    schemas: list[Any] = []
    repo, conflicts = merged(*[table_of(300, value) for value in (0, 1, 2)])

    def upserted(table: MutableTable, row: Any) -> Any:
        single.append(row)
        return upsert(table, row)

    def read(kind: type[Schema], value: Any) -> Schema:
        schemas.append(value)
        return from_value(kind, value)

    monkeypatch.setattr(MutableTable, "upsert", upserted)
    monkeypatch.setattr(Schema, "from_value", classmethod(read))
    assert conflicts.settle_all("theirs") == 300
    assert (single, len(schemas) < 30) == ([], True)
    assert repo.at_working("main").table("t")[299] == {"id": 299, "a": 2, "b": 2}


def test_an_error_in_a_batch_names_its_own_row() -> None:
    """It is the error of settling that row alone, and nothing is settled."""
    repo, conflicts = merged(*[table_of(4, value) for value in (0, 1, 7)])
    with repo.working_area("main").edit("alter") as edited:
        edited.table("t").alter(force=True).add_check("low", "a < 5 or id != 2")
    alone = refused("check-violation", repo, lambda: conflicts.settle("t", 2, "theirs"))
    both = refused("check-violation", repo, lambda: conflicts.settle_all("theirs"))
    assert (both.message, both.hint) == (alone.message, alone.hint)
    assert len(conflicts) == 4


def test_what_was_dropped_since_is_settled_as_ours() -> None:
    """A dataset that is gone takes nothing; theirs of it is refused."""
    repo, conflicts = merged(*[table_of(3, value) for value in (0, 1, 2)])
    with repo.working_area("main").edit("drop") as edited:
        edited.drop("t")
    refused("no-such-dataset", repo, lambda: conflicts.settle_all("theirs"))
    assert conflicts.settle_all("ours") == 3
    assert list(_working(repo)) == []


def _working(repo: Repository) -> list[str]:
    return list(repo.at_working("main").datasets)


def test_a_blob_that_was_settled_away_is_settled_again() -> None:
    """Nothing was to stand; then a side, and then a value of somebody's own."""

    def holds(content: bytes) -> Write:
        def write(tx: Transaction) -> None:
            with tx.blob("b", "wb") as blob:
                blob.write(content)

        return write

    repo, conflicts = merged(holds(b"base"), holds(b"ours"), holds(b"theirs"))
    for side in ("ours", "theirs", "base"):
        conflicts.settle_value("b", (), ABSENT)
        assert "b" not in repo.at_working("main").datasets
        conflicts.settle("b", (), side)
        assert repo.at_working("main").blob("b").read() == side.encode()
    conflicts.settle_value("b", (), ABSENT)
    conflicts.settle_value("b", (), b"mine")
    conflicts.commit("done")
    assert repo.at("main").blob("b").read() == b"mine"
