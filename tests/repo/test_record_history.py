"""The history of one record: its states, newest first, and nothing else read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from prolly.chunks import MemoryStore, Store, WrappingStore
from prolly.codec import ChunkType
from prolly.errors import NotFound
from prolly.maps import ABSENT
from prolly.repo import Repository
from prolly.testing.repositories import memory_repository, merge_commit


def states(repo: Repository, key: Any, **how: Any) -> list[tuple[str, Any]]:
    """Return (message, value) of the states of a record of the map ``m``."""
    return [
        (one.commit.message, one.change.new) for one in repo.history("m", key, **how)
    ]


def put(repo: Repository, message: str, branch: str = "main", **values: Any) -> bytes:
    """Commit values into the map ``m``; ABSENT deletes."""
    with repo.transaction(branch, message=message) as tx:
        for key, value in values.items():
            if value is ABSENT:
                del tx.map("m")[key]
            else:
                tx.map("m")[key] = value
    return tx.commit_id


@pytest.fixture
def repo() -> Repository:
    repo = memory_repository()
    put(repo, "one", a=1, b=1)
    put(repo, "other", b=2)
    put(repo, "two", a=2)
    put(repo, "gone", a=ABSENT)
    put(repo, "again", a=2)
    return repo


def test_states_come_newest_first(repo: Repository) -> None:
    """Each commit that changed the record, with what it was before and after."""
    assert states(repo, "a") == [
        ("again", 2),
        ("gone", ABSENT),
        ("two", 2),
        ("one", 1),
    ]
    kinds = [one.change.kind for one in repo.history("m", "a")]
    assert kinds == ["added", "removed", "modified", "added"]
    assert [one.change.old for one in repo.history("m", "a")] == [ABSENT, 2, 1, ABSENT]
    assert states(repo, "a", revision="HEAD~2") == [("two", 2), ("one", 1)]


def test_what_never_was_has_no_history(repo: Repository) -> None:
    """An absent record has no states; an absent dataset is an error at once."""
    assert states(repo, "z") == []
    with pytest.raises(NotFound) as caught:
        repo.history("nothing", "a")
    assert caught.value.code == "no-such-dataset"


def test_a_rename_does_not_end_the_history(repo: Repository) -> None:
    """The dataset is followed by its id."""
    with repo.transaction("main", message="rename") as tx:
        tx.rename("m", "n")
    assert [one.commit.message for one in repo.history("n", "b")] == ["other", "one"]


def test_rows_tell_the_fields(repo: Repository) -> None:
    """A state of a row names the columns that its commit changed."""
    for message, row in (
        ("made", {"id": 1, "x": 1, "y": 1}),
        ("mended", {"id": 1, "x": 1, "y": 2}),
    ):
        with repo.transaction("main", message=message) as tx:
            tx.table("t", key="id").upsert(row)
    newest, oldest = repo.history("t", 1)
    assert (newest.change.fields, newest.change.new["y"]) == (("y",), 2)
    assert (oldest.change.kind, oldest.change.fields) == ("added", ())


def test_a_merge_leads_to_the_side_that_changed_the_record(repo: Repository) -> None:
    """A merge is passed over where a parent has the same record, else it is shown."""
    repo.create_branch("side")
    put(repo, "on side", "side", a=3)
    put(repo, "on main", b=3)
    merge_commit(repo, "main", "side", {"a": 3, "b": 3})
    assert states(repo, "a")[:2] == [("on side", 3), ("again", 2)]
    assert states(repo, "b")[:2] == [("on main", 3), ("other", 2)]
    put(repo, "ours", a=4)
    put(repo, "theirs", "side", a=5)
    merge_commit(repo, "main", "side", {"a": 6, "b": 3})
    found = states(repo, "a")
    assert found[0] == ("merge", 6)
    assert {found[1], found[2]} == {("ours", 4), ("theirs", 5)}
    assert found[3:5] == [("on side", 3), ("again", 2)]


class TallyingStore(WrappingStore):
    """Counts the chunks that are read, by their type."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.read: Counter[int] = Counter()

    def get(self, address: bytes) -> bytes | None:
        chunk = self.inner.get(address)
        if chunk is not None:
            self.read[chunk[0]] += 1
        return chunk


Count = Callable[[Callable[[Repository], Any]], Counter[int]]


@pytest.fixture
def counted() -> tuple[Repository, Count]:
    """A repository of 20,000 records, and what counts the chunks that work reads."""
    store = TallyingStore(MemoryStore())
    repo = memory_repository(store)
    with repo.transaction("main", message="load") as tx:
        tx.map("m").update((f"{number:05}", "v" * 80) for number in range(20_000))

    def count(work: Callable[[Repository], Any]) -> Counter[int]:
        store.read.clear()
        work(Repository(store, None))
        return store.read.copy()

    return repo, count


def test_leaves_are_read_only_of_commits_that_changed_the_record(
    counted: tuple[Repository, Count],
) -> None:
    """Of a thousand commits those elsewhere cost themselves, a manifest, inner nodes.

    The path to the record is read down to where two commits' paths part.
    """
    repo, count = counted
    commits, near = 1000, 10
    for number in range(commits):
        # The record now and then; else one in another leaf.
        key = "00050" if number % 100 == 50 else f"{5000 + number * 13:05}"
        put(repo, str(number), **{key: f"{number:080}"})
    read = count(lambda fresh: list(fresh.history("m", "00050")))
    assert len(states(repo, "00050")) == near + 1
    manifests = commits + 1
    assert read[ChunkType.COMMIT] == commits + 2
    assert read[ChunkType.LEAF] <= manifests + near + 2
    assert read[ChunkType.INNER] <= 2 * (commits + 1)
    read = count(lambda fresh: fresh.blame("m", "00050", "HEAD~40"))
    # The newest change is ten commits below: little behind it is looked at.
    assert read[ChunkType.LEAF] <= 12 + 2


def test_commits_of_other_datasets_read_no_records(
    counted: tuple[Repository, Count],
) -> None:
    """A commit that leaves the dataset alone costs its chunk and its manifest."""
    repo, count = counted
    for number in range(300):
        with repo.transaction("main") as tx:
            tx.map("other")["k"] = number
    read = count(lambda fresh: list(fresh.history("m", "00050")))
    assert read[ChunkType.LEAF] <= 302 + 1
    assert read[ChunkType.INNER] <= 2


def test_blame_through_a_thousand_commits_reads_the_leaves_of_few() -> None:
    """A row with a field as old as the table: of all other commits no leaf is read."""
    store = TallyingStore(MemoryStore())
    repo = memory_repository(store)
    with repo.transaction("main", message="load") as tx:
        rows = [{"id": one, "old": "o" * 40, "new": 0} for one in range(6000)]
        tx.table("t", key="id").load(rows)
    commits, near = 1000, 10
    for number in range(commits):
        key = 5 if number % 100 == 50 else 1000 + number * 4
        with repo.transaction("main", message=str(number)) as tx:
            tx.table("t").upsert({"id": key, "old": "o" * 40, "new": number + 1})
    store.read.clear()
    found = Repository(store, None).blame("t", 5)
    said = {name: entry.commit.message for name, entry in found.fields.items()}
    assert said == {"id": "load", "old": "load", "new": "950"}
    assert store.read[ChunkType.COMMIT] == commits + 2
    assert store.read[ChunkType.LEAF] <= (commits + 2) + near + 2
    assert store.read[ChunkType.INNER] <= commits + 1
