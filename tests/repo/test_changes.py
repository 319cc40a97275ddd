"""Differences between versions: records, fields, counts and events."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.maps import ABSENT
from prolly.repo import Change, DatasetChanges, Repository, Transaction
from prolly.testing.repositories import memory_repository

contents = st.dictionaries(st.integers(0, 40), st.integers(0, 3), max_size=40)


@settings(max_examples=40, deadline=None)
@given(contents, contents)
def test_diff_equals_that_of_dictionaries(
    old: dict[int, int], new: dict[int, int]
) -> None:
    """Between two commits of a map, the diff is that of two dictionaries, in order."""
    repo = memory_repository()
    for version in (old, new):
        with repo.transaction("main") as tx:
            m = tx.map("m")
            m.clear()
            m.update(version)
    snapshots = repo.at("main~1") if old != new else repo.at("main"), repo.at("main")
    found = [(c.key, c.old, c.new) for c in repo.diff(*snapshots)]
    assert found == [
        (key, old.get(key, ABSENT), new.get(key, ABSENT))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    counts = repo.diff_counts(*snapshots).get("m", DatasetChanges())
    kinds = [change.kind for change in repo.diff(*snapshots)]
    assert (counts.added, counts.removed, counts.modified) == tuple(
        kinds.count(kind) for kind in ("added", "removed", "modified")
    )


@pytest.fixture
def repo() -> Repository:
    repo = memory_repository()
    with repo.transaction("main") as tx:
        table = tx.table("t", key="id")
        table.load([{"id": n, "a": n, "b": "x"} for n in range(5)])
        tx.map("m").update({"k": 1, "l": 2})
    return repo


def change(repo: Repository, edit: Callable[[Transaction], object]) -> None:
    with repo.transaction("main") as tx:
        edit(tx)


def test_modified_rows_name_their_fields(repo: Repository) -> None:
    """A modified row comes with both rows and the names of the fields that differ."""
    change(repo, lambda tx: tx.table("t").upsert({"id": 3, "a": 30, "b": "x"}))
    assert list(repo.diff("main~1", "main")) == [
        Change(
            "t",
            3,
            {"id": 3, "a": 3, "b": "x"},
            {"id": 3, "a": 30, "b": "x"},
            ("a",),
        )
    ]


def test_bounds_and_dataset_limit_a_diff(repo: Repository) -> None:
    """With a dataset and a key range only those differences come."""

    def edit(tx: Transaction) -> None:
        for row in list(tx.table("t").rows()):
            tx.table("t").upsert({**row, "a": 100})
        tx.map("m")["k"] = 9

    change(repo, edit)
    pair = "main~1", "main"
    assert [c.dataset for c in repo.diff(*pair)] == ["m", *["t"] * 5]
    assert [c.key for c in repo.diff(*pair, "t", start=1, stop=3)] == [1, 2]
    assert [c.key for c in repo.diff(*pair, "m")] == ["k"]
    assert list(repo.diff(*pair, "nope")) == []


@pytest.mark.parametrize(
    ("edit", "name", "event"),
    [
        (lambda tx: tx.map("fresh"), "fresh", "created"),
        (lambda tx: tx.drop("m"), "m", "dropped"),
        (lambda tx: tx.rename("m", "n"), "n", "renamed"),
    ],
)
def test_events_of_whole_datasets(
    repo: Repository, edit: Callable[[Transaction], object], name: str, event: str
) -> None:
    """What happens to a dataset as a whole is told beside the counts."""
    change(repo, edit)
    counts = repo.diff_counts("main~1", "main")
    assert list(counts) == [name]
    assert counts[name].event == event
    assert counts[name].removed == (2 if event == "dropped" else 0)


def test_values_that_python_calls_equal_differ(repo: Repository) -> None:
    """1, 1.0 and True are three values; the diff sees each change."""
    for value in (1.0, True, 1):
        change(repo, lambda tx, value=value: tx.map("m").update({"k": value}))
        (only,) = repo.diff("main~1", "main")
        assert type(only.new) is type(value)
