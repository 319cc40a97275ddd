"""Conflicts of tables whose key column got another type on one side, or since."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Unsupported
from prolly.maps import ABSENT
from prolly.repo import Repository, Transaction
from prolly.testing.repositories import diverged

Edits = dict[int, int | None]
KEYS = st.integers(0, 3)
EDITS = st.dictionaries(KEYS, st.one_of(st.none(), st.integers(1, 3)), max_size=4)
SIDES = st.sampled_from(["ours", "theirs"])


def base(tx: Transaction) -> None:
    table = tx.table("t", key="id")
    table.load({"id": key, "a": 0, "b": str(key)} for key in range(3))


class Side:
    """A side that writes rows, behind a key column of another type if it is widened."""

    def __init__(self, edits: Edits, *, is_widened: bool) -> None:
        self.edits = edits
        self.is_widened = is_widened

    def __call__(self, tx: Transaction) -> None:
        table = tx.table("t")
        if self.is_widened:
            table.alter().widen_column("id", "text")
        for key, value in self.edits.items():
            mine: Any = str(key) if self.is_widened else key
            if value is None and mine in table:
                table.delete(mine)
            elif value is not None:
                row = table.get(mine) or {"id": mine, "b": str(key)}
                table.upsert({**row, "a": value})

    def value(self, key: str) -> Any:
        """Return the cell that this side has in a row, ABSENT without the row."""
        value = self.edits.get(int(key), 0 if int(key) < 3 else None)
        return ABSENT if value is None else value


def rows(repo: Repository) -> dict[str, Any]:
    """Return the cells of the table as it is committed."""
    return {row["id"]: row["a"] for row in repo.at("main").table("t").values()}


@given(EDITS, EDITS, st.sampled_from([(True, False), (False, True)]), SIDES)
def test_a_side_is_shown_and_taken_under_any_key(
    mine: Edits, others: Edits, widened: tuple[bool, bool], take: Any
) -> None:
    """Whoever widened the key: each side is shown as it is, and stands when taken."""
    ours, theirs = (
        Side(mine, is_widened=widened[0]),
        Side(others, is_widened=widened[1]),
    )
    repo = diverged(base, ours, theirs)
    repo.merge("feature", fast_forward=False)
    conflicts = repo.conflicts("main")
    found = list(conflicts.values())
    for one in found:
        for side, shown in ((ours, one.ours), (theirs, one.theirs)):
            value = side.value(one.key)
            assert shown is value if value is ABSENT else shown["a"] == value
        assert (one.base is ABSENT) is (int(one.key) > 2)
    if found:
        conflicts.settle_all(take)
        conflicts.commit()
    taken = ours if take == "ours" else theirs
    stands = rows(repo)
    for one in found:
        assert stands.get(one.key, ABSENT) == taken.value(one.key)


@pytest.mark.parametrize("take", ["ours", "theirs"])
def test_a_row_that_breaks_a_constraint(take: Any) -> None:
    """A row of theirs that was withheld is there under the key of ours."""

    def unique(tx: Transaction) -> None:
        tx.table("t", key="id").insert({"id": 1, "u": 1})
        tx.table("t").alter().add_index("u", ["u"], unique=True)

    def ours(tx: Transaction) -> None:
        tx.table("t").alter().widen_column("id", "text")
        tx.table("t").insert({"id": "2", "u": 5})

    repo = diverged(unique, ours, lambda tx: tx.table("t").insert({"id": 3, "u": 5}))
    repo.merge("feature")
    conflicts = repo.conflicts("main")
    assert conflicts["t", "3"].theirs == {"id": 3, "u": 5}
    with repo.working_area("main").edit("free") as edited:
        edited.table("t").delete("2")
    conflicts.settle("t", "3", take)
    conflicts.commit()
    keys = list(repo.at("main").table("t"))
    assert keys == (["1"] if take == "ours" else ["1", "3"])


def test_a_key_that_is_widened_while_the_merge_waits() -> None:
    """The conflict has the new key, and is found under the old one, too."""

    def row(value: int) -> Any:
        return lambda tx: tx.table("t").upsert({"id": 1, "a": value, "b": "1"})

    repo = diverged(base, row(1), row(2))
    repo.merge("feature")
    conflicts = repo.conflicts("main")
    with repo.working_area("main").edit("widen") as edited:
        edited.table("t").alter().widen_column("id", "text")
    [one] = conflicts.values()
    assert one.key == "1" and list(conflicts) == [("t", "1")]
    assert ("t", 1) in conflicts and (one.ours["a"], one.theirs["a"]) == (1, 2)
    conflicts.settle("t", "1", "theirs")
    conflicts.commit()
    assert rows(repo) == {"0": 0, "1": 2, "2": 0}


@pytest.mark.parametrize("take", ["ours", "base", "keep", "theirs"])
def test_a_row_whose_key_does_not_fit(take: Any) -> None:
    """It is shown under its own key; who has no such row may be taken, theirs not."""
    key = 2**53 + 1
    repo = diverged(
        base,
        lambda tx: tx.table("t").alter().widen_column("id", "float"),
        lambda tx: tx.table("t").insert({"id": key, "a": 5}),
    )
    repo.merge("feature")
    conflicts = repo.conflicts("main")
    assert conflicts["t", key].theirs == {"id": key, "a": 5, "b": None}
    if take == "theirs":
        with pytest.raises(Unsupported) as caught:
            conflicts.settle("t", key, take)
        assert caught.value.code == "settle-by-hand"
        conflicts.settle_value("t", key, ABSENT)
    else:
        conflicts.settle("t", key, take)
    conflicts.commit()
    assert len(rows(repo)) == 3
