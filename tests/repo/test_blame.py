"""Blame: the commit that last changed each field, as a plain replay tells it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.errors import Invalid, KeyNotFound, NotFound
from prolly.repo import Blame, Repository
from prolly.tables import Schema
from prolly.testing.repositories import memory_repository, merge_commit

Found = dict[Any, dict[str, str]]


def blamed(repo: Repository, dataset: str, revision: str = "HEAD") -> Found:
    """Return the message of the commit to blame, by key and field."""
    return {one.key: messages(one) for one in repo.blame_all(dataset, revision)}


def messages(blame: Blame) -> dict[str, str]:
    """Return the message of the commit to blame, by field."""
    return {name: entry.commit.message for name, entry in blame.fields.items()}


def edit(repo: Repository, message: str, *rows: dict[str, Any]) -> None:
    """Commit rows of the table ``t``."""
    with repo.transaction("main", message=message) as tx:
        for row in rows:
            tx.table("t", key="id").upsert(row)


EDITS = st.lists(
    st.tuples(st.integers(0, 5), st.none() | st.tuples(*[st.integers(0, 2)] * 2)),
    max_size=4,
)


@settings(max_examples=60)
@given(st.lists(EDITS, max_size=12))
def test_every_cell_has_the_last_commit_that_changed_it(
    history: list[list[tuple[int, tuple[int, int] | None]]],
) -> None:
    """Random histories of one line: a replay that notes who wrote what agrees."""
    repo = memory_repository()
    rows: dict[int, dict[str, int]] = {}
    expected: Found = {}
    schema = Schema.create([("id", "int"), ("x", "int"), ("y", "int")], "id")
    for number, edits in enumerate(history):
        after = dict(rows)
        with repo.transaction("main", message=str(number)) as tx:
            table = tx.table("t", schema=schema)
            for key, cells in edits:
                if cells is not None:
                    after[key] = {"id": key, "x": cells[0], "y": cells[1]}
                    table.upsert(after[key])
                elif after.pop(key, None):
                    del table[key]
        for key, row in after.items():
            old = rows.get(key, {})
            said = expected.setdefault(key, {})
            said.update(
                {name: str(number) for name in row if row[name] != old.get(name)}
            )
        rows = after
        expected = {key: expected[key] for key in rows}
    if history:
        assert blamed(repo, "t") == expected
        for key in rows:
            assert messages(repo.blame("t", key)) == expected[key]


def test_a_map_has_one_field(repo: Repository) -> None:
    """Of a map the whole value is blamed, long ones too."""
    with repo.transaction("main", message="long") as tx:
        tx.map("m")["k"] = "x" * 5000
    assert blamed(repo, "m") == {"k": {"value": "long"}}


@pytest.fixture
def repo() -> Repository:
    repo = memory_repository()
    edit(repo, "made", {"id": 1, "x": 1, "y": 1}, {"id": 2, "x": 1, "y": 1})
    return repo


def test_what_was_changed_back_was_changed(repo: Repository) -> None:
    """The last commit that wrote a field answers, whatever stood there before."""
    edit(repo, "there", {"id": 1, "x": 9, "y": 1})
    edit(repo, "back", {"id": 1, "x": 1, "y": 1})
    assert messages(repo.blame("t", 1)) == {"id": "made", "x": "back", "y": "made"}
    assert messages(repo.blame("t", 1, "HEAD~1"))["x"] == "there"


def test_a_row_that_came_back_is_new(repo: Repository) -> None:
    """Deleting and inserting a row makes every field of it new."""
    with repo.transaction("main", message="gone") as tx:
        del tx.table("t")[1]
    edit(repo, "again", {"id": 1, "x": 1, "y": 1})
    assert set(messages(repo.blame("t", 1)).values()) == {"again"}
    assert set(messages(repo.blame("t", 2)).values()) == {"made"}
    assert blamed(repo, "t")[1] == {"id": "again", "x": "again", "y": "again"}


def test_a_new_column_is_blamed_on_who_added_it(repo: Repository) -> None:
    """Columns that stayed keep their commits, whatever happened to the rows."""
    with repo.transaction("main", message="wider") as tx:
        tx.table("t").alter().add_column("z", "int")
    edit(repo, "filled", {"id": 2, "x": 1, "y": 1, "z": 5})
    made = {"id": "made", "x": "made", "y": "made"}
    assert blamed(repo, "t") == {1: {**made, "z": "wider"}, 2: {**made, "z": "filled"}}
    assert messages(repo.blame("t", 1)) == {**made, "z": "wider"}


def test_altered_columns_keep_their_commits(repo: Repository) -> None:
    """Neither another name, nor a type that shows the same, nor a drop is a change."""
    with repo.transaction("main", message="altered") as tx:
        table = tx.table("t")
        table.alter(force=True).drop_column("y").widen_column("x", "text")
        table.alter().rename_column("x", "w")
    assert blamed(repo, "t") == {key: {"id": "made", "w": "made"} for key in (1, 2)}


def merged_by_fields(repo: Repository) -> None:
    """Two branches change x and y of one row, and a commit joins them."""
    repo.create_branch("side")
    with repo.transaction("side", message="on side") as tx:
        tx.table("t").upsert({"id": 1, "x": 5, "y": 1})
    edit(repo, "on main", {"id": 1, "x": 1, "y": 6})
    with repo.transaction("side", message="more on side") as tx:
        tx.table("t").upsert({"id": 3, "x": 3, "y": 3})
    rows = [{"id": 1, "x": 5, "y": 6}, {"id": 2, "x": 1, "y": 7}]
    merge_commit(repo, "main", "side", {}, t=[*rows, {"id": 3, "x": 3, "y": 3}])


def test_a_merge_answers_only_for_what_no_parent_has(repo: Repository) -> None:
    """Each field leads to the side that changed it; the merge keeps its own."""
    merged_by_fields(repo)
    edit(repo, "after", {"id": 2, "x": 8, "y": 7})
    assert blamed(repo, "t") == {
        1: {"id": "made", "x": "on side", "y": "on main"},
        2: {"id": "made", "x": "after", "y": "merge"},
        3: dict.fromkeys(("id", "x", "y"), "more on side"),
    }
    for key, found in blamed(repo, "t").items():
        assert messages(repo.blame("t", key)) == found


def test_one_pass_agrees_with_single_records_over_merges() -> None:
    """Random histories with branches: every record's own walk gives the same."""
    chance = random.Random(7)
    for _ in range(15):
        repo = memory_repository()
        with repo.transaction("main", message="made") as tx:
            tx.map("m").update(dict.fromkeys(range(6), 0))
        repo.create_branch("side")
        for number in range(12):
            branch = chance.choice(["main", "side"])
            other = "side" if branch == "main" else "main"
            apart = repo.resolve(branch) != repo.resolve(other)
            if apart and chance.random() < 0.3:
                sides = [dict(repo.at(one).map("m").items()) for one in (branch, other)]
                keys = set(sides[0]) | set(sides[1])
                values = {key: chance.choice(sides).get(key) for key in keys}
                kept = {key: one for key, one in values.items() if one is not None}
                merge_commit(repo, branch, other, kept)
                continue
            with repo.transaction(branch, message=str(number)) as tx:
                tx.map("m")[chance.randrange(6)] = number
                tx.map("m").pop(chance.randrange(6), None)
        found = {one.key: one.fields for one in repo.blame_all("m", "main")}
        assert found.keys() == set(repo.at("main").map("m"))
        for key, fields in found.items():
            assert repo.blame("m", key, "main").fields == fields


def test_files_are_blamed_by_what_differs(repo: Repository) -> None:
    """Content, mode and time of a file have commits of their own."""
    with repo.transaction("main", message="first") as tx:
        tx.files("f").write("a.txt", b"a", mtime_ns=1)
    with repo.transaction("main", message="mode") as tx:
        tx.files("f").write("a.txt", b"a", mode=0o600, mtime_ns=1)
    expected = {"content": "first", "mode": "mode", "mtime": "first"}
    assert messages(repo.blame("f", "a.txt")) == expected
    assert blamed(repo, "f") == {"a.txt": expected}


def test_what_cannot_be_blamed_says_so(repo: Repository) -> None:
    """No such dataset, no such record, a blob."""
    with pytest.raises(NotFound) as caught:
        repo.blame("none", 1)
    assert caught.value.code == "no-such-dataset"
    with pytest.raises(KeyNotFound) as missing:
        repo.blame("t", 9)
    assert "prolly history" in missing.value.hint
    with repo.transaction("main") as tx, tx.blob("b") as file:
        file.write(b"x")
    with pytest.raises(Invalid) as wrong:
        repo.blame("b", "x")
    assert wrong.value.code == "wrong-kind"


def test_a_column_that_took_the_name_of_another() -> None:
    """A renamed column keeps its commit; the new one of its name has its own."""
    repo = memory_repository()
    with repo.transaction("main", message="first") as tx:
        tx.table("t", key="id").upsert({"id": 1, "a": 7})
    with repo.transaction("main", message="second") as tx:
        tx.table("t").alter().rename_column("a", "b").add_column("a", "int")
        tx.table("t").upsert({"id": 1, "a": 7, "b": 7})
    fields = repo.blame("t", 1).fields
    told = {name: one.commit.message for name, one in fields.items()}
    assert (told["a"], told["b"]) == ("second", "first")
