"""The working state: edits that gather, survive, and become one commit."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.errors import Invalid, NotFound, Stale
from prolly.repo import Repository, working_area
from prolly.testing.repositories import memory_repository


@pytest.fixture
def repo() -> Repository:
    repo = memory_repository()
    with repo.transaction("main", message="base") as tx:
        tx.map("m").update({"a": 1, "b": 2})
    return repo


def put(repo: Repository, key: str, value: int) -> None:
    with repo.working_area().edit("put") as workspace:
        workspace.map("m")[key] = value


def test_edits_gather_until_commit(repo: Repository) -> None:
    """Two edits stand in the working state, not on the branch, then in one commit."""
    area, before = repo.working_area(), repo.resolve("main")
    put(repo, "a", 10)
    put(repo, "c", 3)
    assert not area.is_clean
    assert repo.resolve("main") == before
    assert dict(repo.at_working().map("m").items()) == {"a": 10, "b": 2, "c": 3}
    commit_id = area.commit("both", author="ann")
    assert area.is_clean
    assert repo.resolve("main") == commit_id
    assert repo.commit_of("main").parents == (before,)
    assert repo.at("main").root == repo.at_working().root


def test_an_edit_that_undoes_itself_is_clean(repo: Repository) -> None:
    """Going back to the committed records leaves nothing uncommitted."""
    put(repo, "a", 10)
    put(repo, "a", 1)
    assert repo.working_area().is_clean
    with pytest.raises(Invalid) as caught:
        repo.working_area().commit("nothing")
    assert caught.value.code == "nothing-to-commit"


def test_an_exception_discards_the_edit_only(repo: Repository) -> None:
    """What gathered before a failed edit stays."""
    put(repo, "a", 10)
    with pytest.raises(ZeroDivisionError), repo.working_area().edit("bad") as workspace:
        workspace.map("m")["b"] = 1 / 0
    assert dict(repo.at_working().map("m").items()) == {"a": 10, "b": 2}


def test_changes_carry_over_to_a_moved_branch(repo: Repository) -> None:
    """When the branch moved under other keys, the commit stands on its new head."""
    put(repo, "a", 10)
    with repo.transaction("main", message="theirs") as tx:
        tx.map("m")["b"] = 20
    repo.working_area().commit("mine")
    assert dict(repo.at("main").map("m").items()) == {"a": 10, "b": 20}
    assert repo.commit_of("main").parents == (repo.resolve("main~1"),)
    assert repo.commit_of("main~1").message == "theirs"


def test_a_clash_with_a_moved_branch_is_stale(repo: Repository) -> None:
    """When both changed one key, commit is refused and the edits stay."""
    put(repo, "a", 10)
    with repo.transaction("main") as tx:
        tx.map("m")["a"] = 11
    with pytest.raises(Stale) as caught:
        repo.working_area().commit("mine")
    assert caught.value.code == "write-conflict"
    assert repo.at_working().map("m")["a"] == 10
    assert repo.at("main").map("m")["a"] == 11


def test_two_edits_at_once_keep_both(repo: Repository) -> None:
    """Edits of other keys that overlap in time are both kept; of one key, not."""
    area = repo.working_area()
    with area.edit("outer") as outer:
        outer.map("m")["a"] = 10
        put(repo, "b", 20)
    assert dict(repo.at_working().map("m").items()) == {"a": 10, "b": 20}
    with pytest.raises(Stale), area.edit("outer") as outer:
        outer.map("m")["a"] = 11
        put(repo, "a", 12)
    assert repo.at_working().map("m")["a"] == 12


def test_discard_and_move_head(repo: Repository) -> None:
    """discard forgets; moving the head keeps the data, or takes the target's."""
    area, base = repo.working_area(), repo.resolve("main")
    put(repo, "a", 10)
    area.discard()
    assert area.is_clean
    put(repo, "a", 10)
    area.commit("ten")
    area.move_head(base, keep=True, why="reset")
    assert repo.resolve("main") == base
    assert repo.at_working().map("m")["a"] == 10
    area.move_head(base, keep=False, why="reset --hard")
    assert area.is_clean
    assert repo.at_working().map("m")["a"] == 1


@pytest.mark.parametrize("what", ["read_state", "read_head"])
def test_a_commit_made_while_the_head_moves_stays(
    repo: Repository, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """With ``keep`` the data of a commit that came in between is kept, too."""
    put(repo, "a", 10)
    repo.working_area().commit("ten")
    area, base = repo.working_area(), repo.resolve("main~1")
    read = getattr(working_area, what)

    def reading(*given: Any) -> Any:
        found = read(*given)
        monkeypatch.setattr(working_area, what, read)
        with repo.transaction("main", message="other") as tx:
            tx.map("m")["c"] = 3
        return found

    monkeypatch.setattr(working_area, what, reading)
    area.move_head(base, keep=True, why="reset")
    assert repo.resolve("main") == base
    assert dict(repo.at_working().map("m").items()) == {"a": 10, "b": 2, "c": 3}
    assert next(iter(repo.reflog("main"))).why == "reset"


def test_a_head_that_moved_since_the_edits_is_kept(repo: Repository) -> None:
    """What was committed beside the edits stays in the data, or the move is refused."""
    base = repo.resolve("main")
    put(repo, "a", 10)
    with repo.transaction("main", message="beside") as tx:
        tx.map("m")["b"] = 20
    repo.working_area().move_head(repo.resolve("main"), keep=True, why="reset")
    assert dict(repo.at_working().map("m").items()) == {"a": 10, "b": 20}
    repo.working_area().move_head(base, keep=True, why="reset")
    assert dict(repo.at_working().map("m").items()) == {"a": 10, "b": 20}
    with repo.transaction("main", message="the same record") as tx:
        tx.map("m")["a"] = 11
    with pytest.raises(Stale) as caught:
        repo.working_area().move_head(base, keep=True, why="reset")
    assert caught.value.code == "write-conflict"
    repo.working_area().move_head(base, keep=False, why="reset --hard")
    assert repo.at_working().map("m")["a"] == 1


def test_just_the_state_expected_is_discarded(repo: Repository) -> None:
    """What somebody edits since is not dropped."""
    put(repo, "a", 10)
    area = repo.working_area()
    expected = area.read()[0]
    put(repo, "b", 20)
    with pytest.raises(Stale) as caught:
        area.discard("drop", expected=expected)
    assert caught.value.code == "ref-moved"
    assert dict(repo.at_working().map("m").items()) == {"a": 10, "b": 20}
    area.discard("drop", expected=area.read()[0])
    assert area.is_clean


def test_each_branch_has_its_own(repo: Repository) -> None:
    """The working state stays with its branch, and goes when that is deleted."""
    put(repo, "a", 10)
    repo.create_branch("side")
    repo.switch("side")
    assert repo.working_area().is_clean
    put(repo, "b", 20)
    repo.switch("main")
    assert dict(repo.at_working().map("m").items()) == {"a": 10, "b": 2}
    with pytest.raises(Invalid) as caught:
        repo.delete_branch("side")
    assert caught.value.code == "uncommitted" and not repo.working_area("side").is_clean
    repo.delete_branch("side", force=True)
    repo.create_branch("side")
    assert repo.working_area("side").is_clean


def test_a_missing_branch_has_no_working_state(repo: Repository) -> None:
    """Asking for the state of an unknown branch is NotFound."""
    with pytest.raises(NotFound) as caught:
        _ = repo.working_area("nope").state
    assert caught.value.code == "no-such-branch"
