"""Links of withheld records: followed, they lead where rounds over everything lead."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.merge import constraint_merge, reference_merge
from prolly.merge.unique_links import LINKED_RECORDS_MAX
from prolly.repo import Transaction
from prolly.tables import Index, Reference, Schema
from prolly.testing.three_versions import Step, ThreeVersions

KEYS = range(11)
SECONDS = st.sampled_from([None, 10, 11])
SCHEMA = Schema.create(
    [("id", "int"), ("a", "int"), ("b", "int"), ("up", "int")],
    "id",
    indexes=[
        Index("a", ("a",), unique=True),
        Index("ab", ("b", "a"), unique=True),
        Index("up", ("up",)),
    ],
    references=[Reference("up", ("up",), "t")],
)
Rows = dict[int, dict[str, int | None]]


@st.composite
def three_sides(draw: st.DrawFn) -> tuple[Rows, Rows, Rows]:
    """Return base, ours and theirs, each with unique cells and rows to refer to.

    Ours takes cells that are free, and drops rows; theirs moves cells between rows, and
    hangs rows onto others.
    """
    size = draw(st.integers(1, 6))
    base: Rows = {
        key: {"id": key, "a": key, "b": draw(SECONDS), "up": None}
        for key in range(size)
    }
    ours = {key: row for key, row in base.items() if draw(st.integers(0, 3))}
    for key, cell in ((6, size), (7, size + 1)):
        if draw(st.booleans()):
            up = draw(st.sampled_from([None, *ours]))
            ours[key] = {"id": key, "a": cell, "b": draw(SECONDS), "up": up}
    keys = [*base, *draw(st.lists(st.integers(8, 10), unique=True))]
    turn = draw(st.integers(0, 2))
    cells = [(place + turn) % (len(keys) + 1) for place in range(len(keys))]
    if draw(st.booleans()):
        cells = draw(st.permutations(cells))
    theirs: Rows = {
        key: {
            "id": key,
            "a": cell,
            "b": base[key]["b"] if key in base else draw(SECONDS),
            "up": draw(st.sampled_from([None, keys[place - 1], *keys])),
        }
        for place, (key, cell) in enumerate(zip(keys, cells, strict=True))
    }
    return base, ours, theirs


def writing(rows: Rows, *, strict: bool = False) -> Step:
    """Return a step that makes a table hold just some rows."""

    def step(tx: Transaction) -> None:
        table = tx.table("t", schema=SCHEMA)
        for key in KEYS:
            if key in table and key not in rows:
                table.delete(key)
        for row in rows.values():
            table.upsert(row)
        if strict:
            highest = max(row["a"] or 0 for row in rows.values())
            table.alter().add_check("strict", f"a <= {highest}")

    return step


def outcome(three: ThreeVersions, *, linked: int, swapped: bool) -> tuple[object, ...]:
    """Return what a merge comes to, when so many records are followed by links."""
    with (
        patch.object(constraint_merge, "LINKED_RECORDS_MAX", linked),
        patch.object(reference_merge, "LINKED_RECORDS_MAX", linked),
    ):
        merge = three.merge(swapped=swapped)
    return merge.root, merge.conflicts


@given(three_sides(), st.booleans(), st.booleans())
def test_links_come_to_what_rounds_come_to(
    sides: tuple[Rows, Rows, Rows], strict: bool, swapped: bool
) -> None:
    """Root and conflicts, with their facts and words, are the same."""
    base, ours, theirs = sides
    three = ThreeVersions(writing(base), writing(ours), writing(theirs, strict=strict))
    slow = outcome(three, linked=0, swapped=swapped)
    for linked in (1, LINKED_RECORDS_MAX):
        assert outcome(three, linked=linked, swapped=swapped) == slow


def shifted(size: int) -> ThreeVersions:
    """Return versions: theirs moved unique cells on by one, ours took the last."""
    schema = Schema.create(
        [("id", "int"), ("a", "int")], "id", indexes=[Index("a", ("a",), unique=True)]
    )

    def base(tx: Transaction) -> None:
        rows = [{"id": key, "a": key} for key in range(size)]
        tx.table("t", schema=schema).load(rows)

    def theirs(tx: Transaction) -> None:
        rows = [{"id": key, "a": key + 1} for key in range(size)]
        tx.table("t").load(rows)

    return ThreeVersions(
        base, lambda tx: tx.table("t").upsert({"id": size, "a": size}), theirs
    )


def chained(size: int) -> ThreeVersions:
    """Return versions of which theirs hung a chain onto a row that ours deleted."""
    schema = Schema.create(
        [("id", "int"), ("up", "int")],
        "id",
        indexes=[Index("up", ("up",))],
        references=[Reference("up", ("up",), "t")],
    )
    rows = [{"id": key, "up": key - 1} for key in range(1, size + 1)]
    return ThreeVersions(
        lambda tx: tx.table("t", schema=schema).insert({"id": 0, "up": None}),
        lambda tx: tx.table("t").delete(0),
        lambda tx: tx.table("t").load(rows, mode="update"),
    )


@pytest.mark.parametrize("make", [shifted, chained])
def test_a_long_chain_is_looked_at_once(make: Callable[[int], ThreeVersions]) -> None:
    """What differs is looked through a few times, not once for each link."""
    size = 300
    three = make(size)
    with patch.object(
        constraint_merge, "Withholding", side_effect=constraint_merge.Withholding
    ) as rounds:
        merge = three.merge()
    assert merge.conflict_count >= size
    assert rounds.call_count < 10
