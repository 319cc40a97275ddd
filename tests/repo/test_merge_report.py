"""What the report of a merge counts as settled by which policy."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.repo import Transaction
from prolly.testing.repositories import Write, diverged
from prolly.testing.waiting_merges import both, rows, sets


def policy(dataset: str, name: str, **scope: Any) -> Write:
    return lambda tx: tx.set_policy(dataset, name, **scope)


def blob(content: bytes) -> Write:
    def write(tx: Transaction) -> None:
        with tx.blob("b", "wb") as file:
            file.write(content)

    return write


def counted(base: Write, ours: Write, theirs: Write, **how: Any) -> dict[str, Any]:
    """Return what each policy settled, by dataset."""
    result = diverged(base, ours, theirs).merge("feature", **how)
    return {name: dict(one.settled) for name, one in result.report.items()}


def test_what_both_sides_have_counts_for_nobody() -> None:
    """Equal lists stand without a policy, though their tags are merged; equal counts
    do not."""
    begin = both(
        sets(a=[1], b=[1], c=1),
        policy("m", "set:add-wins"),
        policy("m", "counter", prefix="c"),
    )
    told = counted(begin, sets(a=[1, 2], b=[2], c=2), sets(a=[1, 2], b=[3], c=2))
    assert told == {"m": {"counter": 1, "set:add-wins": 1}}


def test_equal_cells_count_for_nobody() -> None:
    """The same in a table, also beside a counter."""
    begin = both(
        rows({"id": 1, "tags": [1], "n": 1}, {"id": 2, "tags": [1], "n": 1}),
        policy("t", "set:add-wins", column="tags"),
        policy("t", "counter", column="n"),
    )
    alike = {"id": 1, "tags": [1, 2], "n": 1}
    ours = rows(alike, {"id": 2, "tags": [2], "n": 2})
    theirs = rows(alike, {"id": 2, "tags": [3], "n": 2})
    assert counted(begin, ours, theirs) == {"t": {"counter": 1, "set:add-wins": 1}}


@pytest.mark.parametrize("name", ["ours", "theirs", "keep-both", "last-writer-wins"])
def test_a_blob_counts_as_one(name: str) -> None:
    """Whatever settles it: the policy of the dataset, that of the merge, resolve=."""
    sides = blob(b"1"), blob(b"2")
    begin = both(blob(b"0"), policy("b", name))
    assert counted(begin, *sides)["b"] == {name: 1}
    assert counted(blob(b"0"), *sides, policy=name)["b"] == {name: 1}
    told = counted(blob(b"0"), *sides, resolve=lambda clash: clash.ours)
    assert told == {"b": {"resolve": 1}}
