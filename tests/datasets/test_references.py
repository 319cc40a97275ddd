"""References between tables: what a commit must keep, and at what cost."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from prolly.chunks import CountingStore, MemoryStore
from prolly.errors import Invalid
from prolly.repo import Repository
from prolly.tables import Index, Reference, Schema
from prolly.testing.repositories import memory_repository

COUNTRIES = Schema.create([("code", "text"), ("name", "text")], "code")
AIRPORTS = Schema.create(
    [("icao", "text"), ("country", "text"), ("feet", "int")],
    "icao",
    references=[Reference("of_country", ("country",), "countries")],
)


@pytest.fixture
def repo() -> Iterator[Repository]:
    """Two countries and two airports, one of which is nowhere."""
    with memory_repository() as repo:
        with repo.transaction("main") as tx:
            tx.table("airports", schema=AIRPORTS).load(
                [
                    {"icao": "KSFO", "country": "US", "feet": 13},
                    {"icao": "XXXX", "country": None, "feet": None},
                ]
            )
            tx.table("countries", schema=COUNTRIES).load(
                [{"code": "US", "name": "States"}, {"code": "CA", "name": "Canada"}]
            )
        yield repo


def refusal(repo: Repository, edit: Any) -> Invalid:
    """Return the error with which a transaction ends; nothing is committed."""
    before = repo.resolve("main")
    with pytest.raises(Invalid) as caught, repo.transaction("main") as tx:
        edit(tx)
    assert repo.resolve("main") == before and caught.value.hint
    return caught.value


def test_a_row_names_a_row_that_is_there(repo: Repository) -> None:
    """A new or changed row that names none is refused: row, columns, constraint."""
    row = {"icao": "CYVR", "country": "CC", "feet": 14}
    error = refusal(repo, lambda tx: tx.table("airports").insert(row))
    assert error.code == "reference-missing"
    found = error.dataset, error.table, error.reference, error.columns, error.key
    assert found == ("airports", "countries", "of_country", ("country",), "CYVR")
    changed = {"icao": "KSFO", "country": "CC", "feet": 13}
    error = refusal(repo, lambda tx: tx.table("airports").upsert(changed))
    assert (error.code, error.key) == ("reference-missing", "KSFO")
    long = {"icao": "KSFO", "country": "C" * 900, "feet": 13}
    assert refusal(repo, lambda tx: tx.table("airports").upsert(long)).code == (
        "reference-missing"
    )


def test_order_within_a_transaction_does_not_matter(repo: Repository) -> None:
    """Child before parent, parent gone and back: the state at the end decides."""
    with repo.transaction("main") as tx:
        tx.table("airports").insert({"icao": "EDDF", "country": "DE", "feet": 364})
        tx.table("countries").delete("US")
        tx.table("countries").insert({"code": "DE", "name": "Germany"})
        tx.table("countries").insert({"code": "US", "name": "America"})
    assert len(repo.at("main").table("airports")) == 3


def test_a_row_that_is_referred_to_stays(repo: Repository) -> None:
    """Deleted it is refused, with both rows; once nobody refers to it, it may go."""
    error = refusal(repo, lambda tx: tx.table("countries").delete("US"))
    assert error.code == "reference-in-use"
    found = error.key, error.other_key, error.dataset, error.columns
    assert found == ("US", "KSFO", "airports", ("country",))
    with repo.transaction("main") as tx:
        tx.table("countries").delete("CA")
        tx.table("countries").delete("US")
        tx.table("airports").upsert({"icao": "KSFO", "country": None, "feet": 13})
    assert len(repo.at("main").table("countries")) == 0


def test_two_transactions_cannot_break_it_together(repo: Repository) -> None:
    """One deletes the parent, another adds a child: whoever is second is refused."""
    first, second = repo.transaction("main"), repo.transaction("main")
    first.table("countries").delete("CA")
    second.table("airports").insert({"icao": "CYVR", "country": "CA", "feet": 14})
    first.commit()
    with pytest.raises(Invalid) as caught:
        second.commit()
    assert (caught.value.code, caught.value.key) == ("reference-missing", "CYVR")
    third, fourth = repo.transaction("main"), repo.transaction("main")
    third.table("airports").insert({"icao": "KLAX", "country": "US", "feet": 1})
    fourth.table("airports").delete("KSFO")
    fourth.table("countries").delete("US")
    third.commit()
    with pytest.raises(Invalid) as late:
        fourth.commit()
    assert (late.value.code, late.value.other_key) == ("reference-in-use", "KLAX")


def test_the_table_stays_and_may_be_renamed(repo: Repository) -> None:
    """Dropped it is refused; renamed, references follow, also to itself."""
    error = refusal(repo, lambda tx: tx.drop("countries"))
    assert (error.code, error.table) == ("reference-missing", "countries")
    with repo.transaction("main") as tx:
        tx.rename("countries", "states")
    schema = repo.at("main").table("airports").schema
    assert schema.references[0].table == "states"
    error = refusal(repo, lambda tx: tx.table("states").delete("US"))
    assert error.code == "reference-in-use"
    with repo.transaction("main") as tx:
        tx.drop("airports")
        tx.drop("states")


def test_a_new_reference_is_asked_of_every_row(repo: Repository) -> None:
    """So is one whose table is made later; the columns must fit its key."""

    def refer(columns: Any, table: str) -> Any:
        return lambda tx: (
            tx.table("airports").alter().add_reference("r", columns, table)
        )

    assert refusal(repo, refer("feet", "countries")).code == "reference-columns"
    assert refusal(repo, refer(["country", "feet"], "countries")).code == (
        "reference-columns"
    )
    assert refusal(repo, refer("country", "nowhere")).code == "reference-missing"
    error = refusal(repo, refer("icao", "countries"))
    assert (error.code, error.key, error.reference) == (
        "reference-missing",
        "KSFO",
        "r",
    )
    with repo.transaction("main") as tx:
        tx.table("airports").alter().drop_reference("of_country")
    with repo.transaction("main") as tx:
        tx.table("airports").insert({"icao": "CYVR", "country": "CC", "feet": 14})

    def refer_again(tx: Any) -> None:
        tx.table("airports").alter().add_reference("again", "country", "countries")

    assert refusal(repo, refer_again).key == "CYVR"


def test_a_table_may_refer_to_itself() -> None:
    """A tree of rows: a parent goes with its children, or not at all."""
    schema = Schema.create(
        [("id", "int"), ("parent", "int")],
        "id",
        references=[Reference("parent", ("parent",), "tree")],
    )
    with memory_repository() as repo:
        with repo.transaction("main") as tx:
            tx.table("tree", schema=schema).load(
                [
                    {"id": number, "parent": number // 2 or None}
                    for number in range(1, 8)
                ]
            )
        error = refusal(repo, lambda tx: tx.table("tree").delete(2))
        assert (error.code, error.key, error.other_key) == ("reference-in-use", 2, 4)
        with repo.transaction("main") as tx:
            for number in (2, 4, 5):
                tx.table("tree").delete(number)


def test_keys_of_several_parts_and_exact_spellings() -> None:
    """All parts count, a null in one refers to nothing, 1.1 is not the key 1.10."""
    parents = Schema.create([("day", "date"), ("n", "decimal")], ("n", "day"))
    children = Schema.create(
        [("id", "int"), ("d", "date"), ("m", "decimal")],
        "id",
        references=[Reference("r", ("m", "d"), "parents")],
    )
    day = datetime.date(2026, 1, 31)
    with memory_repository() as repo:
        with repo.transaction("main") as tx:
            tx.table("parents", schema=parents).load(
                [{"day": day, "n": Decimal(text)} for text in ("1.10", "1.1", "2")]
            )
            tx.table("children", schema=children).load(
                [
                    {"id": 1, "d": day, "m": Decimal("1.10")},
                    {"id": 2, "d": None, "m": Decimal("5")},
                ]
            )
        with repo.transaction("main") as tx:
            tx.table("parents").delete((Decimal("1.1"), day))
        bad = {"id": 3, "d": day, "m": Decimal("1.1")}
        error = refusal(repo, lambda tx: tx.table("children").insert(bad))
        assert (error.code, error.key) == ("reference-missing", 3)
        error = refusal(
            repo, lambda tx: tx.table("parents").delete((Decimal("1.10"), day))
        )
        assert error.code == "reference-in-use"


def test_the_working_state_is_checked_when_committed(repo: Repository) -> None:
    """Edits may wait in any order; the commit wants them whole."""
    with repo.working_area().edit("put") as workspace:
        workspace.table("airports").insert({"icao": "EDDF", "country": "DE", "feet": 1})
    with pytest.raises(Invalid) as caught:
        repo.working_area().commit("half")
    assert caught.value.code == "reference-missing"
    with repo.working_area().edit("put") as workspace:
        workspace.table("countries").insert({"code": "DE", "name": "Germany"})
    repo.working_area().commit("whole")


def test_the_cost_is_that_of_the_change() -> None:
    """Ten changed rows of thousands: a few nodes each, in both tables and the index."""
    schema = Schema.create(
        [("id", "int"), ("of", "int"), ("note", "text")],
        "id",
        references=[Reference("r", ("of",), "parents")],
    )
    parents = Schema.create([("id", "int"), ("note", "text")], "id")
    note = "n" * 90
    store = CountingStore(MemoryStore())
    with memory_repository(store) as repo:
        with repo.transaction("main") as tx:
            tx.table("children", schema=schema).load(
                {"id": number, "of": number * 7919 % 20_000, "note": note}
                for number in range(20_000)
            )
            tx.table("parents", schema=parents).load(
                {"id": number, "note": note} for number in range(20_100)
            )
        store.costs.reset()
        with repo.transaction("main") as tx:
            for number in range(0, 20_000, 2000):
                tx.table("children").upsert({"id": number, "of": 5, "note": "new"})
            for number in range(20_000, 20_010):
                tx.table("parents").delete(number)
        assert store.costs.gets < 600
        assert store.costs.puts < 200


def test_unique_indexes_hold_across_transactions() -> None:
    """Both add a row of the same cells: the second is refused, naming both rows."""
    schema = Schema.create(
        [("id", "int"), ("code", "text")], "id", indexes=[Index("i", ("code",), True)]
    )
    with memory_repository() as repo:
        with repo.transaction("main") as tx:
            tx.table("t", schema=schema).insert({"id": 0, "code": "z"})
        first, second = repo.transaction("main"), repo.transaction("main")
        third = repo.transaction("main")
        first.table("t").insert({"id": 1, "code": "x"})
        second.table("t").insert({"id": 2, "code": "x"})
        third.table("t").insert({"id": 3, "code": "y"})
        first.commit()
        with pytest.raises(Invalid) as caught:
            second.commit()
        assert {caught.value.key, caught.value.other_key} == {1, 2}
        third.commit()
        table = repo.at("main").table("t")
        assert list(table.index("i").keys()) == [1, 3, 0]
        with repo.transaction("main") as tx:
            tx.table("fresh", schema=table.schema).load(list(table.rows()))
        fresh = repo.at("main").table("fresh")
        tree, carried = (
            fresh.index_tree(schema.indexes[0]),
            table.index_tree(schema.indexes[0]),
        )
        assert tree[1] == carried[1], "carried over equals a rebuild"
