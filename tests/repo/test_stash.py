"""The stash: changes put aside survive, and come back once, on any branch."""

from __future__ import annotations

from pathlib import Path

import pytest

from prolly.chunks import RefMove
from prolly.codec import WorkingState, encode_working
from prolly.errors import Invalid, NotFound, Stale
from prolly.repo import Repository, create_repository, open_repository
from prolly.testing.repositories import memory_repository


@pytest.fixture
def repo() -> Repository:
    repo = memory_repository()
    with repo.transaction("main", message="base") as tx:
        tx.map("m").update({"a": 1, "b": 1})
    return repo


def put(repo: Repository, key: str, value: int, branch: str | None = None) -> None:
    """Write one record into the working state of a branch."""
    with repo.working_area(branch).edit("put") as workspace:
        workspace.map("m")[key] = value


def working(repo: Repository, branch: str | None = None) -> dict[str, int]:
    """Return the records of the working state."""
    return dict(repo.at_working(branch).map("m").items())


def test_pushing_cleans_and_popping_brings_back(repo: Repository) -> None:
    """After a push the state is clean; a pop restores it and empties the stash."""
    put(repo, "a", 2)
    before = repo.at_working().root
    entry = repo.stash.push("half done")
    assert repo.working_area().is_clean
    assert [(one.commit.message, one.branch) for one in repo.stash] == [
        ("half done", "main")
    ]
    assert repo.stash[0].id == entry.id
    assert repo.at(bytes(entry.id)).root == before
    assert repo.stash.pop().id == entry.id
    assert repo.at_working().root == before
    assert len(repo.stash) == 0


def test_the_newest_comes_first(repo: Repository) -> None:
    """It is a stack; any place of it can be dropped, and numbers are used anew."""
    for number in (2, 3, 4):
        put(repo, "a", number)
        repo.stash.push(str(number))
    assert [one.commit.message for one in repo.stash] == ["4", "3", "2"]
    assert [one.index for one in repo.stash] == [0, 1, 2]
    repo.stash.drop(1)
    assert [one.commit.message for one in repo.stash] == ["4", "2"]
    repo.stash.pop(1)
    assert working(repo)["a"] == 2
    with pytest.raises(NotFound) as caught:
        repo.stash.drop(1)
    assert (caught.value.code, caught.value.index) == ("no-such-stash", 1)


def test_it_comes_back_onto_other_changes(repo: Repository) -> None:
    """On a branch that moved and has changes of its own, all of them stay."""
    put(repo, "a", 2)
    repo.stash.push()
    with repo.transaction("main") as tx:
        tx.map("m")["c"] = 3
    put(repo, "b", 2)
    repo.stash.apply()
    assert working(repo) == {"a": 2, "b": 2, "c": 3}
    assert len(repo.stash) == 1


def test_it_comes_back_on_another_branch(repo: Repository) -> None:
    """A change made on one branch may be taken up on another."""
    repo.create_branch("side")
    put(repo, "a", 2)
    repo.stash.push()
    repo.stash.pop(branch="side")
    assert repo.working_area("main").is_clean
    assert working(repo, "side") == {"a": 2, "b": 1}


def test_a_conflict_changes_nothing(repo: Repository) -> None:
    """Where both changed one record, stash and working state stay as they were."""
    put(repo, "a", 2)
    repo.stash.push()
    put(repo, "a", 3)
    with pytest.raises(Stale) as caught:
        repo.stash.pop()
    assert (caught.value.code, caught.value.key) == ("write-conflict", "a")
    assert "uncommitted" in caught.value.hint
    assert working(repo)["a"] == 3
    assert len(repo.stash) == 1


def test_what_undoes_a_later_edit_leaves_the_state_clean(repo: Repository) -> None:
    """Where stash and state together equal the commit, nothing is uncommitted."""
    put(repo, "a", 2)
    with repo.working_area().edit("put") as workspace:
        workspace.map("m")["c"] = 3
    repo.stash.push()
    with repo.transaction("main") as tx:
        tx.map("m")["b"] = 5
    repo.stash.pop()
    for key, value in (("a", 1), ("c", None)):
        with repo.working_area().edit("back") as workspace:
            if value is None:
                del workspace.map("m")[key]
            else:
                workspace.map("m")[key] = value
    assert repo.working_area().is_clean


def test_there_must_be_something_and_no_merge(repo: Repository) -> None:
    """A clean state, and a merge under way, are refused."""
    with pytest.raises(Invalid) as caught:
        repo.stash.push()
    assert caught.value.code == "nothing-to-stash"
    head = bytes(repo.resolve("HEAD"))
    other = bytes(repo.resolve("HEAD~1"))
    state = WorkingState(head, repo.commit_of("HEAD").root, (other,))
    with repo.store.writer() as writer:
        address = writer.put(encode_working(state))
        writer.commit([RefMove("working/main", None, address)])
    with pytest.raises(Invalid) as merging:
        repo.stash.push()
    assert merging.value.code == "merging"


def test_it_survives_the_process(tmp_path: Path) -> None:
    """A stashed change is there after the repository was closed and opened."""
    with create_repository(tmp_path) as repo:
        put(repo, "a", 2)
        repo.stash.push("kept")
    with open_repository(tmp_path) as repo:
        assert [one.commit.message for one in repo.stash] == ["kept"]
        repo.stash.pop()
        assert working(repo) == {"a": 2}
