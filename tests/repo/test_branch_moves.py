"""What loses a race for a ref is done again, and says so when it never wins."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from prolly.chunks import (
    ChunkWriter,
    MemoryStore,
    RefMove,
    RefNote,
    WrappingStore,
    WrappingWriter,
)
from prolly.errors import Invalid, NotFound, Stale
from prolly.repo import COMMIT_ATTEMPTS_MAX, Repository
from prolly.repo.branch_moves import retried
from prolly.testing.repositories import memory_repository


class RacingStore(WrappingStore):
    """Lets somebody else act just before commits of a writer, ``races`` times."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self.rival: Callable[[], object] | None = None
        self.races = 0
        self.lost = 0

    def writer(self) -> ChunkWriter:
        return _RacingWriter(self.inner.writer(), self)

    def race(self) -> None:
        """Let the rival act; what it does itself has no rival."""
        rival, self.rival = self.rival, None
        if rival is not None and self.lost < self.races:
            self.lost += 1
            rival()
        self.rival = rival


class _RacingWriter(WrappingWriter):
    def __init__(self, inner: ChunkWriter, store: RacingStore) -> None:
        super().__init__(inner)
        self._store = store

    def commit(self, moves: Sequence[RefMove] = (), note: RefNote | None = None) -> int:
        self._store.race()
        return self.inner.commit(moves, note)


@pytest.fixture
def store() -> RacingStore:
    return RacingStore()


@pytest.fixture
def repo(store: RacingStore) -> Repository:
    repo = memory_repository(store)
    with repo.transaction("main", message="base") as tx:
        tx.map("m").update({"a": 1, "b": 1})
    return repo


def edit(repo: Repository, key: str, value: int) -> None:
    """Write one record into the working state."""
    with repo.working_area().edit("put") as workspace:
        workspace.map("m")[key] = value


def commit_other(repo: Repository) -> None:
    """Commit a record of another map, a new one each time."""
    with repo.transaction("main") as tx:
        tx.map("other")[len(tx.map("other"))] = 0


def edit_other(repo: Repository) -> None:
    """Edit a record of another map in the working state, a new one each time."""
    with repo.working_area().edit("rival") as workspace:
        workspace.map("other")[len(workspace.map("other"))] = 0


def act(repo: Repository, action: str) -> None:
    """Do the one thing that a test is about."""
    if action == "transaction":
        with repo.transaction("main") as tx:
            tx.map("m")["a"] = 2
    elif action == "edit":
        edit(repo, "a", 2)
    elif action == "commit":
        repo.working_area().commit("mine")
    elif action == "push":
        repo.stash.push()
    else:
        repo.stash.apply()


def prepare(repo: Repository, store: RacingStore, action: str, *, races: int) -> None:
    """Bring a repository to where an action is about to be raced."""
    if action in ("commit", "push", "apply"):
        edit(repo, "a", 2)
    if action == "apply":
        repo.stash.push()
    rivals = {"transaction": commit_other, "commit": commit_other}
    store.rival = lambda: rivals.get(action, edit_other)(repo)
    store.races = races


ACTIONS = ("transaction", "edit", "commit", "push", "apply")


@pytest.mark.parametrize("action", ACTIONS)
def test_a_race_lost_each_time_is_contended(
    repo: Repository, store: RacingStore, action: str
) -> None:
    """Whatever moves refs of a branch ends in `contended`, after all attempts."""
    prepare(repo, store, action, races=COMMIT_ATTEMPTS_MAX)
    with pytest.raises(Stale) as caught:
        act(repo, action)
    assert caught.value.code == "contended"
    assert caught.value.ref.endswith("/main")
    assert store.lost == COMMIT_ATTEMPTS_MAX


@pytest.mark.parametrize("action", ACTIONS)
def test_the_last_attempt_may_win(
    repo: Repository, store: RacingStore, action: str
) -> None:
    """What lost all races but one is done, and nothing of the rivals is lost."""
    races = COMMIT_ATTEMPTS_MAX - 1
    prepare(repo, store, action, races=races)
    act(repo, action)
    assert store.lost == races
    seen = repo.stash[0].id if action == "push" else None
    snapshot = repo.at_working() if seen is None else repo.at(bytes(seen))
    assert snapshot.map("m")["a"] == 2
    assert len(snapshot.map("other")) == races


def test_a_raced_name_of_the_stash_is_taken_by_one(
    repo: Repository, store: RacingStore
) -> None:
    """Two pushes that chose one free name are two entries."""
    repo.create_branch("side")
    with repo.working_area("side").edit("put") as workspace:
        workspace.map("m")["b"] = 2
    edit(repo, "a", 2)
    store.rival, store.races = lambda: repo.stash.push("rival", branch="side"), 1
    repo.stash.push("mine")
    assert [one.commit.message for one in repo.stash] == ["mine", "rival"]


def test_a_stash_applies_to_no_branch_that_is_gone(
    repo: Repository, store: RacingStore
) -> None:
    """A branch deleted meanwhile gets no working state: NotFound."""
    repo.create_branch("side")
    edit(repo, "a", 2)
    repo.stash.push()
    store.rival, store.races = lambda: repo.delete_branch("side"), 1
    with pytest.raises(NotFound) as caught:
        repo.stash.pop(branch="side")
    assert caught.value.code == "no-such-branch"
    assert repo.store.read_ref("working/side") is None
    assert len(repo.stash) == 1


def test_a_change_is_taken_up_by_one(repo: Repository, store: RacingStore) -> None:
    """A stashed change that another pops first is NotFound, and is there once."""
    repo.create_branch("side")
    edit(repo, "a", 2)
    repo.stash.push()
    store.rival, store.races = lambda: repo.stash.pop(branch="side"), 1
    with pytest.raises(NotFound) as caught:
        repo.stash.pop()
    assert caught.value.code == "no-such-stash"
    assert repo.working_area("main").is_clean
    assert repo.at_working("side").map("m")["a"] == 2


def test_other_errors_end_it_at_once() -> None:
    """Only a moved ref is worth another attempt."""
    calls = []

    def attempt() -> None:
        calls.append(1)
        raise Stale("lost", code="write-conflict", hint="Do it again.")

    with pytest.raises(Stale) as caught:
        retried(attempt, "a branch", "branches/main")
    assert (caught.value.code, calls) == ("write-conflict", [1])


def test_ended_edits_say_so(repo: Repository) -> None:
    """Use of edits past their block is `closed`, in words for both ways to edit."""
    with repo.working_area().edit("put") as workspace:
        workspace.map("m")["a"] = 2
    with pytest.raises(Invalid) as caught:
        workspace.map("m")
    assert caught.value.code == "closed"
    assert "transaction" not in caught.value.message
