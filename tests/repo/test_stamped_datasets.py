"""Datasets where the last writer wins, through transactions, commits and merges."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from prolly.chunks import MemoryStore
from prolly.codec import key as key_codec
from prolly.codec.record_stamps import RecordStamps, stamp_ms
from prolly.datasets import Manifest
from prolly.errors import Invalid
from prolly.merge import STAMP_AHEAD_MS_MAX, stamps_of, stamps_root
from prolly.ops import check_repository
from prolly.repo import Repository, Transaction, begin_history
from prolly.testing.repositories import EPOCH_US, ticking_environment, write_on
from prolly.testing.stamped_world import commit_bad_stamps
from prolly.tree import NodeReader


class Clock:
    """A clock in microseconds that a test sets; it goes on a little at each look."""

    def __init__(self) -> None:
        self.us = EPOCH_US
        self._looks: Iterator[int] = count()

    def __call__(self) -> int:
        return self.us + next(self._looks)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def repo(clock: Clock) -> Repository:
    environment = ticking_environment()._replace(now_us=clock)
    store = MemoryStore()
    begin_history(store, environment)
    repo = Repository(store, None, environment=environment)
    with repo.transaction("main", message="base") as tx:
        tx.map("m").update({"a": 1, "b": 2, "c": 3})
        tx.set_policy("m", "last-writer-wins")
    return repo


def stamps(repo: Repository, key: str, *, working: bool = False) -> RecordStamps:
    """Return the stamps of a record of ``m``, committed or uncommitted."""
    root = (repo.at_working() if working else repo.at("main")).root
    reader = NodeReader(repo.store.get)
    entry = Manifest(reader, root).require("m")
    return stamps_of(reader, stamps_root(entry), key_codec.encode((key,)))


def put(repo: Repository, **values: int) -> None:
    """Write values into the working state."""
    with repo.working_area().edit("put") as workspace:
        workspace.map("m").update(values)


def test_a_transaction_stamps_what_it_changes(repo: Repository) -> None:
    """Records of the commit that set the policy are stamped, and each change since."""
    before = stamps(repo, "a")
    write_on(repo, "main", lambda tx: tx.map("m").update(a=10, b=2))
    assert stamps(repo, "a").of(None) > before.of(None)
    assert stamps(repo, "b") == before
    write_on(repo, "main", lambda tx: tx.map("m").pop("a"))
    assert stamps(repo, "a").of(None) > before.of(None)
    assert list(check_repository(repo.store, full=True)) == []


def test_disjoint_transactions_keep_both_stamps(repo: Repository) -> None:
    """What is carried over to a branch that moved goes with its stamps."""
    before = stamps(repo, "a")
    with repo.transaction("main", message="slow") as slow:
        slow.map("m")["a"] = 10
        write_on(repo, "main", lambda tx: tx.map("m").update(b=20))
    assert stamps(repo, "a").of(None) > before.of(None)
    assert stamps(repo, "b").of(None) > before.of(None)
    assert stamps(repo, "c") == before


def test_an_edit_that_undoes_itself_leaves_no_stamp(repo: Repository) -> None:
    """In the working state nobody has seen it: it is clean again."""
    put(repo, a=10)
    assert not repo.working_area().is_clean
    put(repo, a=1)
    assert repo.working_area().is_clean


def test_parts_are_committed_with_the_stamps_of_their_edits(repo: Repository) -> None:
    """After all parts nothing is left, not even a stamp."""
    put(repo, a=10, b=20)
    edited = stamps(repo, "a", working=True)
    area = repo.working_area()
    area.commit("one", only={"m": ["a"]})
    assert stamps(repo, "a") == edited != stamps(repo, "c")
    assert stamps(repo, "b").of(None) < stamps(repo, "b", working=True).of(None)
    area.commit("two", only={"m": ["b"]})
    assert area.is_clean


def test_a_stash_keeps_the_stamps(repo: Repository) -> None:
    """Who takes a change up again did not write it now."""
    put(repo, a=10)
    edited = stamps(repo, "a", working=True)
    repo.stash.push("later")
    write_on(repo, "main", lambda tx: tx.map("m").update(b=20))
    repo.stash.pop()
    assert stamps(repo, "a", working=True) == edited


def test_the_later_write_stands_after_a_merge(repo: Repository) -> None:
    """On either side, whichever is merged into which."""
    repo.create_branch("feature", "main")
    write_on(repo, "main", lambda tx: tx.map("m").update(a=10, b=20))
    write_on(repo, "feature", lambda tx: tx.map("m").update(a=11))
    write_on(repo, "main", lambda tx: tx.map("m").update(b=21))
    assert repo.merge("feature", into="main").status == "merged"
    assert dict(repo.at("main").map("m").items()) == {"a": 11, "b": 21, "c": 3}
    assert list(check_repository(repo.store, full=True)) == []


@pytest.mark.parametrize("is_ours_later", [False, True])
@pytest.mark.parametrize("widens", ["no", "before", "after", "both"])
def test_the_later_write_stands_under_a_widened_key(
    repo: Repository, widens: str, is_ours_later: bool
) -> None:
    """Widened before the write or after it, on one side or on both: none is lost."""

    def base(tx: Transaction) -> None:
        tx.table("t", key="id").load({"id": key, "a": 0} for key in range(3))
        tx.set_policy("t", "last-writer-wins")

    def widen(tx: Transaction) -> None:
        tx.table("t").alter().widen_column("id", "text")

    def ours() -> None:
        if widens in ("before", "both"):
            write_on(repo, "main", widen)
        key = "1" if widens in ("before", "both") else 1
        write_on(repo, "main", lambda tx: tx.table("t").upsert({"id": key, "a": 1}))
        if widens == "after":
            write_on(repo, "main", widen)

    def theirs() -> None:
        write_on(repo, "feature", lambda tx: tx.table("t").upsert({"id": 1, "a": 2}))
        if widens == "both":
            write_on(repo, "feature", widen)

    write_on(repo, "main", base)
    repo.create_branch("feature", "main")
    for write in (theirs, ours) if is_ours_later else (ours, theirs):
        write()
    assert repo.merge("feature", into="main").status == "merged"
    later = 1 if is_ours_later else 2
    assert [row["a"] for row in repo.at("main").table("t").values()] == [0, later, 0]
    assert list(check_repository(repo.store, full=True)) == []


def test_a_transaction_that_merges_is_the_last_writer(repo: Repository) -> None:
    """With isolation ``merge`` its stamps decide, too."""
    with repo.transaction("main", message="slow", isolation="merge") as slow:
        slow.map("m")["a"] = 10
        write_on(repo, "main", lambda tx: tx.map("m").update(a=11))
    assert repo.at("main").map("m")["a"] == 10


@pytest.mark.parametrize("ahead", [STAMP_AHEAD_MS_MAX, STAMP_AHEAD_MS_MAX + 1])
def test_stamps_from_the_future_are_not_merged(
    repo: Repository, clock: Clock, ahead: int
) -> None:
    """Five minutes are fine; a millisecond more is refused, and nothing changes."""
    repo.create_branch("feature", "main")
    write_on(repo, "main", lambda tx: tx.map("m").update(b=20))
    clock.us += 1000 * 1000 * 1000
    write_on(repo, "feature", lambda tx: tx.map("m").update(a=10))
    [written] = {
        stamps_of(reader, stamps_root(entry), key_codec.encode(("a",))).of(None)
        for reader in [NodeReader(repo.store.get)]
        for entry in [Manifest(reader, repo.at("feature").root).require("m")]
    }
    clock.us = 1000 * (stamp_ms(written) - ahead)
    if ahead <= STAMP_AHEAD_MS_MAX:
        assert repo.merge("feature", into="main").status == "merged"
        return
    before = repo.resolve("main")
    with pytest.raises(Invalid) as caught:
        repo.merge("feature", into="main")
    assert caught.value.code == "stamp-ahead"
    assert caught.value.facts == {"dataset": "m", "key": "a", "ahead_ms": ahead}
    assert repo.resolve("main") == before

    # As the hint says: without the policy for a moment its stamps are gone.
    write_on(repo, "feature", lambda tx: tx.set_policy("m", None))
    write_on(repo, "feature", lambda tx: tx.set_policy("m", "last-writer-wins"))
    assert repo.merge("feature", into="main").status == "merged"
    assert repo.at("main").map("m")["a"] == 10


def test_a_conflict_settled_as_ours_is_stamped_anew(repo: Repository) -> None:
    """Blobs and records that a person settles are written at that moment."""
    repo.create_branch("feature", "main")
    write_on(repo, "main", lambda tx: tx.blob("b", "wb").write(b"main"))
    write_on(repo, "feature", lambda tx: tx.blob("b", "wb").write(b"feature"))
    assert repo.merge("feature", into="main").status == "conflicts"
    assert list(check_repository(repo.store, full=True)) == []
    with repo.working_area().edit("policy") as workspace:
        workspace.set_policy("b", "last-writer-wins")
    repo.conflicts().settle("b", (), "theirs")
    repo.working_area().commit("settled")
    assert repo.at("main").blob("b").read() == b"feature"
    assert list(check_repository(repo.store, full=True)) == []


def test_a_check_reads_stamps(repo: Repository) -> None:
    """A value that is no string of stamps is found, and named."""
    [name] = repo.at("main").datasets
    commit_bad_stamps(repo, name, "a", b"bad")
    assert [one.code for one in check_repository(repo.store, full=True)] == ["stamps"]
