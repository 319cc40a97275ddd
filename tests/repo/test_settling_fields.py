"""One column settled in all rows in which it clashes, the others left open."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Error
from prolly.repo import Conflicts, Repository, Take
from prolly.testing.repositories import Write
from prolly.testing.waiting_merges import both, merged, refused, rows, sets

COLUMNS = ("a", "b", "c")
CELLS = st.fixed_dictionaries(dict.fromkeys(COLUMNS, st.integers(0, 2)))
TABLES = st.dictionaries(st.integers(0, 4), CELLS, min_size=1, max_size=5)


def table(held: dict[int, dict[str, int]]) -> Write:
    return rows(*({"id": key, **cells} for key, cells in held.items()))


def now(repo: Repository) -> dict[Any, Any]:
    return dict(repo.at_working("main").table("t").items())


def opened(conflicts: Conflicts) -> dict[Any, tuple[str, ...]]:
    return {one.key: one.fields for one in conflicts.of("t")}


@given(
    TABLES,
    TABLES,
    TABLES,
    st.sampled_from(["ours", "theirs", "base", "keep"]),
    st.lists(st.sampled_from(COLUMNS), min_size=1, unique=True),
)
def test_columns_of_all_rows_are_those_of_each(
    base: Any, ours: Any, theirs: Any, take: Any, fields: list[str]
) -> None:
    """It comes to the same as settling the rows one by one, errors included."""
    # Something clashes always, also where no row does.
    versions = [
        both(sets(x=n), table(one)) for n, one in enumerate((base, ours, theirs))
    ]
    (repo, conflicts), (other, alone) = (merged(*versions) for _ in range(2))
    clashing = {
        one.key: tuple([name for name in one.fields if name in fields])
        for one in alone.of("t")
    }
    takes = [Take("t", key, take, named) for key, named in clashing.items() if named]
    told = []
    for call in (
        lambda: conflicts.settle_all(take, "t", fields=fields),
        lambda: alone.settle_each(takes),
    ):
        try:
            told.append(call())
        except Error as error:
            told.append(error.code)
    if clashing:
        assert told[0] == told[1]
        assert now(repo) == now(other)
    assert opened(conflicts) == opened(alone)
    shown = [list(one.of("t", open_only=False)) for one in (conflicts, alone)]
    assert shown[0] == shown[1]


def test_rows_that_clash_as_a_whole_stay_open() -> None:
    """A deleted row has no column that clashes; all else of the dataset does."""

    def deletes(tx: Any) -> None:
        tx.table("t").delete(2)

    start = rows({"id": 1, "v": 0}, {"id": 2, "v": 0})
    repo, conflicts = merged(
        start,
        both(deletes, rows({"id": 1, "v": 1})),
        rows({"id": 1, "v": 2}, {"id": 2, "v": 2}),
    )
    assert conflicts.settle_all("theirs", "t", fields=["v"]) == 1
    assert list(conflicts) == [("t", 2)]
    assert now(repo) == {1: {"id": 1, "v": 2}}
    assert conflicts.settle_all("theirs", "t", fields=["v"]) == 0


def test_what_breaks_a_rule_settles_nothing() -> None:
    """A column that makes two rows alike in a unique index: nothing is settled."""

    def begin(tx: Any) -> None:
        rows(*({"id": n, "code": n} for n in (1, 2, 3)))(tx)
        tx.table("t").alter().add_index("code", "code", unique=True)

    def side(*codes: int) -> Write:
        return rows(*({"id": n, "code": code} for n, code in enumerate(codes, 1)))

    repo, conflicts = merged(begin, side(10, 20, 3), side(21, 31, 3))
    with repo.working_area("main").edit("meanwhile") as edited:
        edited.table("t").upsert({"id": 3, "code": 31})
    refused(
        "unique-violation",
        repo,
        lambda: conflicts.settle_all("theirs", "t", fields=["code"]),
    )
    assert len(conflicts) == 2


@pytest.mark.parametrize(
    ("dataset", "field", "code"),
    [
        ("t", "nothing", "no-such-conflict"),
        ("m", "v", "no-such-conflict"),
        ("gone", "v", "no-such-dataset"),
        (None, "v", "take"),
    ],
)
def test_what_is_no_column_is_refused(dataset: Any, field: str, code: str) -> None:
    """A column that the dataset has not, in any version."""
    v = [rows({"id": 1, "v": n}) for n in range(3)]
    repo, conflicts = merged(*(both(sets(x=n), one) for n, one in enumerate(v)))
    error = refused(
        code, repo, lambda: conflicts.settle_all("ours", dataset, fields=[field])
    )
    if dataset == "t":
        assert "id, v" in (error.hint or "")
