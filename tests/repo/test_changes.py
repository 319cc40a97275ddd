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


def test_a_renamed_column_is_compared_with_its_old_self(repo: Repository) -> None:
    """The old row has the new name, and a rename alone changes no record."""
    change(repo, lambda tx: tx.table("t").alter().rename_column("a", "z"))
    assert list(repo.diff("main~1", "main")) == []
    assert repo.diff_counts("main~1", "main")["t"] == DatasetChanges(event="altered")
    change(repo, lambda tx: tx.table("t").patch(1, {"z": 100}))
    [found] = repo.diff("main~2", "main")
    assert (found.key, found.fields) == (1, ("z",))
    assert found.old == {"id": 1, "z": 1, "b": "x"}
    assert found.new == {"id": 1, "z": 100, "b": "x"}
    old, new = repo.compare("main~2", "main").schemas("t")
    assert old is not None and new is not None and old.names == new.names


def test_what_only_stores_rows_in_another_way_is_no_change(repo: Repository) -> None:
    """A wider type, a column of nulls that goes: the event says it, no record does."""

    def widen(tx: Transaction) -> None:
        tx.table("t").alter().add_column("n", "int")
        tx.table("t").alter().widen_column("a", "decimal")

    change(repo, widen)
    change(repo, lambda tx: tx.table("t").alter().drop_column("n"))
    for old, new in (("main~2", "main~1"), ("main~1", "main"), ("main~2", "main")):
        assert list(repo.diff(old, new)) == []
        assert repo.diff_counts(old, new)["t"] == DatasetChanges(event="altered")
    change(repo, lambda tx: tx.table("t").alter(force=True).drop_column("b"))
    found = list(repo.diff("main~1", "main"))
    assert [one.fields for one in found] == [("b",)] * 5
    assert repo.diff_counts("main~1", "main")["t"].modified == 5


def test_a_dropped_column_and_a_new_one_of_its_name(repo: Repository) -> None:
    """Two columns that never were one: both are told apart in the old row."""

    def swap(tx: Transaction) -> None:
        alteration = tx.table("t").alter(force=True)
        alteration.drop_column("b").rename_column("a", "b")

    change(repo, swap)
    first = next(iter(repo.diff("main~1", "main")))
    assert first.old == {"id": 0, "b": 0, "b (dropped)": "x"}
    assert (first.new, first.fields) == ({"id": 0, "b": 0}, ("b (dropped)",))


def test_history_and_log_agree_with_blame(repo: Repository) -> None:
    """A rename or a wider type is in none of them; a written cell is in all."""
    with repo.transaction("main", message="rename") as tx:
        tx.table("t").alter().rename_column("a", "z")
    with repo.transaction("main", message="widen") as tx:
        tx.table("t").alter().widen_column("z", "decimal")
    with repo.transaction("main", message="write") as tx:
        tx.table("t").patch(1, {"b": "y"})
    states = list(repo.history("t", 1))
    assert [one.commit.message for one in states] == ["write", ""]
    logged = repo.log(dataset="t", key=1)
    assert [one.commit.message for one in logged] == ["write", ""]
    assert {
        name: entry.commit.message for name, entry in repo.blame("t", 1).fields.items()
    } == {"id": "", "z": "", "b": "write"}


def test_equal_bytes_under_moved_columns_are_a_change() -> None:
    """After a drop the same stored row is cells of another column, and is told."""
    with memory_repository() as repo:
        with repo.transaction("main") as tx:
            table = tx.table("moved", key="id")
            table.load([{"id": 1, "a": "p", "b": None}, {"id": 2, "a": "q", "b": "q"}])
            gone, stays = (one.name for one in table.schema.cell_columns)
            table.alter().add_index("by", stays)
            table.upsert({"id": 1, gone: "p", stays: None})
        with repo.transaction("main") as tx:
            table = tx.table("moved")
            table.alter(force=True).drop_column(gone)
            table.upsert({"id": 1, stays: "p"})
        now = repo.at("main").table("moved")
        assert list(now.index("by").rows("p")) == [{"id": 1, stays: "p"}]
        found = {one.key: one.new for one in repo.diff("main~1", "main", "moved")}
        assert found[1] == {"id": 1, stays: "p"}
