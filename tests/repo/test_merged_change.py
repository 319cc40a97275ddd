"""Isolation ``merge``: a transaction's change is merged into a branch that moved."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Stale
from prolly.merge import Clash
from prolly.repo import App, Repository, Transaction
from prolly.tables import Index, Schema
from prolly.testing.repositories import Write, memory_repository, write_on


def at_once(repo: Repository, writes: Iterable[Write]) -> list[Transaction]:
    """Begin a transaction for each write, all on one head, then commit them."""
    begun = [repo.transaction("main", isolation="merge") for _ in writes]
    for tx, write in zip(begun, writes, strict=True):
        write(tx)
    for tx in begun:
        tx.commit()
    return begun


def counting(key: str, delta: int) -> Write:
    """Return a write that adds to a counter as it reads it."""

    def write(tx: Transaction) -> None:
        counters = tx.map("c")
        counters[key] = counters.get(key, 0) + delta

    return write


def counters(repo: Repository) -> None:
    def write(tx: Transaction) -> None:
        tx.map("c")["old"] = 10
        tx.set_policy("c", "counter")

    write_on(repo, "main", write)


def row(**cells: Any) -> Write:
    return lambda tx: tx.table("t", key="id").upsert({"id": 1, **cells})


def conflict(call: Any) -> Stale:
    with pytest.raises(Stale) as caught:
        call()
    assert caught.value.code == "write-conflict"
    return caught.value


@given(st.lists(st.tuples(st.sampled_from(["old", "new"]), st.integers(-9, 9))))
def test_each_increment_counts_once(added: list[tuple[str, int]]) -> None:
    """Whatever the transactions add beside each other, the sum is there."""
    repo = memory_repository()
    counters(repo)
    at_once(repo, [counting(key, delta) for key, delta in added])
    held = repo.at("main").map("c")
    for key, start in (("old", 10), ("new", 0)):
        total = start + sum(delta for one, delta in added if one == key)
        assert held.get(key, 0) == total


def test_a_rule_that_two_break_together_is_named() -> None:
    """A policy would not settle it, so none is spoken of."""
    repo = memory_repository()

    def make(tx: Transaction) -> None:
        tx.table("t", key="id").upsert({"id": 1, "price": 5, "stock": 0})
        tx.table("t").alter().add_check("stocked", "price > 0 or stock = 0")

    write_on(repo, "main", make)
    error = conflict(
        lambda: at_once(repo, [row(price=0, stock=0), row(price=5, stock=3)])
    )
    assert "check stocked" in error.message and "policy" not in error.hint
    assert error.facts["constraint"] == "check stocked"


def test_why_a_policy_did_not_settle_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A package that it needs is named."""
    monkeypatch.setitem(sys.modules, "pycrdt", None)
    repo = memory_repository()

    def make(tx: Transaction) -> None:
        tx.map("m")["k"] = "one"
        tx.set_policy("m", "text:characters")

    def put(text: str) -> Write:
        return lambda tx: tx.map("m").update({"k": text})

    write_on(repo, "main", make)
    error = conflict(lambda: at_once(repo, [put("one two"), put("zero one")]))
    assert "prolly[text]" in error.hint and error.hint.endswith(".")


def test_equal_steps_of_a_counter_are_two() -> None:
    """Nothing is taken for the same change because it looks so."""
    repo = memory_repository()
    counters(repo)
    at_once(repo, [counting("old", 1)] * 5)
    assert repo.at("main").map("c")["old"] == 15
    assert len(list(repo.log("main"))) == 7


def test_fields_of_one_row_meet() -> None:
    """Cells that different transactions wrote all stand; history stays a line."""
    repo = memory_repository()
    write_on(repo, "main", row(a=1, b=1, c=1))
    at_once(repo, [row(a=2, b=1, c=1), row(a=1, b=2, c=1), row(a=1, b=1, c=2)])
    assert repo.at("main").table("t")[1] == {"id": 1, "a": 2, "b": 2, "c": 2}
    assert all(len(one.commit.parents) <= 1 for one in repo.log("main"))


def test_what_was_committed_first_stands() -> None:
    """One cell that both wrote is a conflict, which names it; nothing is stored."""
    repo = memory_repository()
    write_on(repo, "main", row(a=1, b=1))
    late = repo.transaction("main", isolation="merge")
    row(a=3, b=3)(late)
    late.map("m")["x"] = 1
    head = write_on(repo, "main", row(a=2, b=1))
    error = conflict(late.commit)
    assert (error.dataset, error.key, error.fields) == ("t", 1, ("a",))
    assert repo.resolve("main") == head
    assert "m" not in repo.at("main").datasets
    assert repo.working_area("main").is_clean


def test_several_conflicts_are_counted() -> None:
    """The first is named with its facts, and how many more there are."""
    repo = memory_repository()
    write_on(repo, "main", lambda tx: tx.map("m").update({1: 1, 2: 1, 3: 1}))
    late = repo.transaction("main", isolation="merge")
    late.map("m").update({1: 3, 2: 3, 3: 3})
    write_on(repo, "main", lambda tx: tx.map("m").update({1: 2, 2: 2}))
    error = conflict(late.commit)
    assert (error.dataset, error.key, error.fields) == ("m", 1, ())
    assert "and 1 more" in error.message


def test_a_deletion_and_a_change_do_not_meet() -> None:
    """A row deleted by one and changed by the other is a conflict as a whole."""
    repo = memory_repository()
    write_on(repo, "main", row(a=1))
    late = repo.transaction("main", isolation="merge")
    row(a=2)(late)
    with repo.transaction("main") as tx:
        del tx.table("t")[1]
    assert conflict(late.commit).fields == ()


def test_a_description_may_be_in_conflict() -> None:
    """A dataset that both renamed is one too; equal names are not."""
    repo = memory_repository()
    write_on(repo, "main", lambda tx: tx.map("m").update({1: 1}))
    begun = [repo.transaction("main", isolation="merge") for _ in range(3)]
    for tx, name in zip(begun, ("n", "n", "o"), strict=True):
        tx.rename("m", name)
    begun[0].commit()
    begun[1].commit()
    error = conflict(begun[2].commit)
    assert (error.dataset, error.key) == ("n", "name")


def test_a_column_and_rows_meet() -> None:
    """A table that one altered takes the rows that another wrote."""
    repo = memory_repository()
    write_on(repo, "main", row(a=1))
    altering = repo.transaction("main", isolation="merge")
    altering.table("t").alter().rename_column("a", "z").add_column("b", "int")
    write_on(repo, "main", row(a=2))
    altering.commit()
    assert repo.at("main").table("t")[1] == {"id": 1, "z": 2, "b": None}


@pytest.mark.parametrize("policy", ["ours", "theirs", "max"])
def test_policies_settle_what_both_wrote(policy: str) -> None:
    """The branch is ours and the transaction theirs."""
    repo = memory_repository()

    def base(tx: Transaction) -> None:
        tx.map("m")["x"] = 1
        tx.set_policy("m", policy)

    write_on(repo, "main", base)
    late = repo.transaction("main", isolation="merge")
    late.map("m")["x"] = 3
    write_on(repo, "main", lambda tx: tx.map("m").update({"x": 2}))
    late.commit()
    assert repo.at("main").map("m")["x"] == {"ours": 2, "theirs": 3, "max": 3}[policy]


def test_resolvers_of_the_application_are_asked() -> None:
    """The repository's App serves transactions as it serves merges."""
    app, seen = App(), list[Clash]()

    @app.resolver("join")
    def join(clash: Clash) -> Any:
        seen.append(clash)
        return f"{clash.ours}{clash.theirs}"

    repo = memory_repository()
    repo.app = app

    def base(tx: Transaction) -> None:
        tx.map("m")["x"] = "a"
        tx.set_policy("m", "app:join")

    write_on(repo, "main", base)
    late = repo.transaction("main", isolation="merge")
    late.map("m")["x"] = "c"
    write_on(repo, "main", lambda tx: tx.map("m").update({"x": "b"}))
    late.commit()
    assert repo.at("main").map("m")["x"] == "bc"
    assert [(one.base, one.ours, one.theirs) for one in seen] == [("a", "b", "c")]


def test_a_resolver_that_is_not_there_leaves_a_conflict() -> None:
    """Without the App the clash stays, and the change is refused."""
    repo = memory_repository()

    def base(tx: Transaction) -> None:
        tx.map("m")["x"] = "a"
        tx.set_policy("m", "app:join")

    write_on(repo, "main", base)
    late = repo.transaction("main", isolation="merge")
    late.map("m")["x"] = "c"
    write_on(repo, "main", lambda tx: tx.map("m").update({"x": "b"}))
    conflict(late.commit)


def test_a_constraint_that_both_break_is_a_conflict() -> None:
    """A row that would break a unique index with another's is not taken silently."""
    repo = memory_repository()
    schema = Schema.create(
        [("id", "int"), ("mail", "text")],
        "id",
        indexes=[Index("mail", ("mail",), unique=True)],
    )
    write_on(repo, "main", lambda tx: tx.table("t", schema=schema))
    late = repo.transaction("main", isolation="merge")
    late.table("t").insert({"id": 2, "mail": "m"})
    write_on(repo, "main", lambda tx: tx.table("t").insert({"id": 1, "mail": "m"}))
    error = conflict(late.commit)
    assert (error.key, error.fields) == (2, ("mail",))


def test_a_run_is_repeated_until_it_goes() -> None:
    """``run`` reads the branch again after a conflict, as with any isolation."""
    repo = memory_repository()
    write_on(repo, "main", lambda tx: tx.map("m").update({"x": 1}))
    calls = []

    def double(tx: Transaction) -> None:
        value = tx.map("m")["x"]
        if not calls:
            write_on(repo, "main", lambda tx: tx.map("m").update({"x": 5}))
        calls.append(value)
        tx.map("m")["x"] = 2 * value

    repo.run("main", double, isolation="merge")
    assert (calls, repo.at("main").map("m")["x"]) == ([1, 5], 10)
