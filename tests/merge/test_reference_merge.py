"""References that only both changes together break."""

from __future__ import annotations

import pytest

from prolly.merge import Rules, reference_merge
from prolly.merge.candidate import Candidate
from prolly.merge.constraint_merge import settle_rules
from prolly.merge.merge_work import MergeWork
from prolly.repo import Transaction
from prolly.tables import Schema
from prolly.testing.three_versions import Step, ThreeVersions, nothing

PARENTS = Schema.create([("id", "int"), ("a", "int")], "id")
CHILDREN = Schema.create([("id", "int"), ("parent", "int")], "id")


def base(tx: Transaction) -> None:
    """Make parents, and children that refer to them."""
    tx.table("p", schema=PARENTS).load([{"id": key, "a": 0} for key in range(4)])
    children = tx.table("c", schema=CHILDREN)
    children.alter().add_reference("parent", "parent", "p")
    children.upsert({"id": 1, "parent": 1})


def child(key: int, parent: int | None) -> Step:
    """Return a step that writes a child."""
    return lambda tx: tx.table("c").upsert({"id": key, "parent": parent})


def without_parent(key: int) -> Step:
    """Return a step that deletes a parent."""
    return lambda tx: tx.table("p").delete(key)


def test_a_child_of_theirs_gives_way() -> None:
    """Ours deleted the parent, theirs refers to it: the child is withheld."""
    three = ThreeVersions(base, without_parent(2), child(9, 2))
    merge = three.merge()
    assert three.rows(merge, "c") == [{"id": 1, "parent": 1}]
    assert three.named(merge) == ["reference parent"]
    [conflict] = three.conflicts(merge)
    assert (
        conflict.entry.facts["other_dataset"] == three.manifest(merge.root).ids()["p"]
    )


def test_a_parent_that_ours_needs_stays() -> None:
    """Theirs deleted the parent, ours refers to it: the parent stays, in conflict."""
    three = ThreeVersions(base, child(9, 2), without_parent(2))
    merge = three.merge()
    assert {"id": 2, "a": 0} in three.rows(merge, "p")
    assert three.named(merge) == ["reference parent"]
    [conflict] = three.conflicts(merge)
    assert conflict.dataset == three.manifest(merge.root).ids()["p"]


def test_a_parents_table_that_ours_needs_stays() -> None:
    """Theirs dropped both tables, ours has a child more: the parents stay too."""

    def dropped(tx: Transaction) -> None:
        tx.drop("c")
        tx.drop("p")

    three = ThreeVersions(base, child(9, 2), dropped)
    merge = three.merge()
    assert len(three.rows(merge, "p")) == 4
    assert {"id": 9, "parent": 2} in three.rows(merge, "c")
    assert three.named(merge) == ["dropped", "dropped"]


def test_a_reference_to_a_table_that_ours_dropped_is_left_out() -> None:
    """Ours dropped both tables, theirs has a child more: it stays, without the rule."""

    def dropped(tx: Transaction) -> None:
        tx.drop("c")
        tx.drop("p")

    three = ThreeVersions(base, dropped, child(9, 2))
    merge = three.merge()
    assert len(three.rows(merge, "c")) == 2
    assert sorted(three.named(merge)) == ["dropped", "reference parent"]


def test_a_reference_of_theirs_that_ours_breaks_is_left_out() -> None:
    """Theirs brought the reference; ours had a row that breaks it already."""

    def tables(tx: Transaction) -> None:
        tx.table("p", schema=PARENTS).upsert({"id": 1, "a": 0})
        tx.table("c", schema=CHILDREN).upsert({"id": 1, "parent": 1})

    three = ThreeVersions(
        tables,
        child(9, 77),
        lambda tx: tx.table("c").alter().add_reference("parent", "parent", "p"),
    )
    merge = three.merge()
    assert {"id": 9, "parent": 77} in three.rows(merge, "c")
    assert three.named(merge) == ["reference parent"]
    swapped = three.merge(swapped=True)
    assert three.rows(swapped, "c") == [{"id": 1, "parent": 1}]


def test_a_chain_of_references_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is withheld in one table may take back what another refers to.

    After each round only the table that it changed is looked at again.
    """
    looked: list[str] = []

    def counted(work: MergeWork, candidate: Candidate) -> None:
        looked.append(candidate.name)
        settle_rules(work, candidate)

    monkeypatch.setattr(reference_merge, "settle_rules", counted)

    def chain(tx: Transaction) -> None:
        tx.table("t0", schema=PARENTS).load([{"id": key, "a": 0} for key in range(3)])
        for number in (1, 2, 3):
            table = tx.table(f"t{number}", schema=CHILDREN)
            table.alter().add_reference("parent", "parent", f"t{number - 1}")

    def added(tx: Transaction) -> None:
        for number in (1, 2, 3):
            parent = 2 if number == 1 else 5
            tx.table(f"t{number}").upsert({"id": 5, "parent": parent})

    three = ThreeVersions(chain, lambda tx: tx.table("t0").delete(2), added)
    merge = three.merge()
    assert [three.rows(merge, f"t{number}") for number in (1, 2, 3)] == [[], [], []]
    assert three.named(merge) == ["reference parent"] * 3
    assert looked == ["t1", "t2", "t3"]


@pytest.mark.parametrize("mode", ["base", "keep-both"])
def test_other_modes_are_valid_too(mode: str) -> None:
    """Virtual bases and unattended merges keep references, without conflicts."""
    rules = Rules(on_conflict="base" if mode == "base" else "keep-both")
    three = ThreeVersions(base, without_parent(2), child(9, 2))
    merge = three.merge(rules)
    assert merge.conflicts is None
    assert ("prolly/conflicts" in three.manifest(merge.root).ids()) == (mode != "base")


def test_a_parents_key_of_another_type_leaves_the_reference_out() -> None:
    """Theirs gave the parents' key another type, ours made the reference: no rule."""

    def tables(tx: Transaction) -> None:
        tx.table("p", schema=PARENTS).upsert({"id": 1, "a": 0})
        tx.table("c", schema=CHILDREN).upsert({"id": 1, "parent": 1})

    three = ThreeVersions(
        tables,
        lambda tx: tx.table("c").alter().add_reference("parent", "parent", "p"),
        lambda tx: tx.table("p").alter().widen_column("id", "text"),
    )
    merge = three.merge()
    assert three.rows(merge, "p") == [{"id": "1", "a": 0}]
    assert three.named(merge) == ["reference parent"]
    nothing_else = ThreeVersions(tables, nothing, nothing)
    assert nothing_else.merge().conflicts is None
