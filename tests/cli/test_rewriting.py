"""``revert``, ``cherry-pick``, ``rebase`` and ``squash`` as commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]


def head(run: Run, branch: str = "HEAD") -> str:
    return str(run("show", branch, "--json").document["commit"])


@pytest.fixture
def apart(forked: Run) -> Run:
    """Branches that clash; ``feature``, with one commit more, is the current one."""
    forked("switch", "feature")
    forked("put", "settings", "size", "3")
    forked("commit", "-m", "size")
    return forked


def test_a_rebase_stops_waits_and_goes_on(apart: Run) -> None:
    """Exit 1 with conflicts; ``status`` tells what is under way and what to come."""
    old = head(apart)
    told = apart("rebase", "main", code=1).out
    assert "rebasing" in told and "1 commit still to come" in told
    assert "then prolly rebase --continue; or prolly rebase --abort" in told
    shown = apart("status").out
    assert "rebasing" in shown and "3 conflicts:" in shown
    assert "has moved" not in shown
    document = apart("status", "--json").document
    assert document["replaying"]["verb"] == "rebase"
    assert (document["replaying"]["todo"], document["commit"]) == (1, old)
    assert "open-conflicts" in apart("rebase", "--continue", code=1).err
    apart("resolve", "people", "--theirs")
    apart("resolve", "settings", "--ours")
    done = apart("rebase", "--continue").out
    assert done.startswith("2 commits; feature is at ")
    assert head(apart, "feature@{1}") == old
    assert head(apart, "HEAD~2") == head(apart, "main")
    lines = apart("log", "--oneline").out.splitlines()
    assert [line.split()[-1] for line in lines[:2]] == ["size", "theirs"]


@pytest.mark.parametrize("verb", ["rebase", "merge"])
def test_what_waits_is_given_up(apart: Run, verb: str) -> None:
    """By its own command, or by ``merge --abort``, which ends whatever waits."""
    old = head(apart)
    apart("rebase", "main", code=1)
    told = apart(verb, "--abort").out
    assert told == "gave the rebase up; feature is as it was before\n"
    assert head(apart) == old
    assert "nothing uncommitted" in apart("status").out


def test_a_step_is_left_out(apart: Run) -> None:
    """And named."""
    apart("rebase", "main", code=1)
    told = apart("rebase", "--skip").out
    assert "left out" in told and "theirs" in told
    assert head(apart, "HEAD~1") == head(apart, "main")


def test_commit_ends_a_step_too(apart: Run) -> None:
    """With its message, or another."""
    apart("rebase", "main", code=1)
    apart("resolve", "people", "--theirs")
    apart("resolve", "settings", "--theirs")
    apart("commit", "-m", "told anew")
    lines = apart("log", "--oneline").out.splitlines()
    assert [line.split()[1:] for line in lines[:2]] == [["size"], ["told", "anew"]] or (
        "told anew" in lines[1]
    )


def test_a_revert_as_json(people: Run) -> None:
    """The status, the commits made and left out, and the counts."""
    told = people("revert", "HEAD", "--json").document
    counts = {"added": 1, "removed": 1, "modified": 1}
    assert told["datasets"] == {"people": counts}
    assert (told["status"], told["conflicts"], told["todo"]) == ("replayed", 0, 0)
    assert (told["made"], told["dropped"]) == ([told["commit"]], [])
    assert people("get", "people", "3", "--json").document["name"] == "Cy"
    assert people("show").out.count('Revert "second"') == 1


def test_a_revert_without_a_commit_waits(people: Run) -> None:
    """Until --continue, or --abort."""
    assert "not committed" in people("revert", "HEAD", "--no-commit").out
    assert "reverting" in people("status").out
    people("revert", "--continue")
    assert "nothing uncommitted" in people("status").out


def test_a_pick_of_several(apart: Run) -> None:
    """In the order that they are named."""
    apart("switch", "main")
    apart("cherry-pick", "feature")
    again = apart("cherry-pick", "feature", "--json").document
    assert (again["status"], len(again["dropped"])) == ("up-to-date", 1)
    assert "left out" in apart("cherry-pick", "feature").out
    apart("cherry-pick", "feature~1", "feature", code=1)
    assert "picking" in apart("status").out
    apart("cherry-pick", "--abort")


def test_squash_folds_commits(people: Run) -> None:
    """The message names them; the old tip stays in the reflog."""
    old = head(people)
    people("squash", "HEAD~2")
    assert people("log", "--oneline").out.splitlines()[0].endswith("2 commits in one")
    assert head(people, "main@{1}") == old
    told = people("squash", "HEAD~1", "-m", "one", "--json").document
    assert told["datasets"]["people"]["added"] == 3


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["revert"], 2, "usage"),
        (["revert", "HEAD", "--abort"], 2, "usage"),
        (["rebase", "--abort", "--skip"], 2, "usage"),
        (["revert", "HEAD", "-m", "2"], 2, "mainline"),
        (["revert", "nothing"], 3, "no-such-revision"),
        (["squash", "HEAD"], 2, "nothing-to-squash"),
        (["rebase", "--continue"], 2, "no-merge"),
        (["cherry-pick", "HEAD~2"], 2, "first-commit"),
    ],
)
def test_what_is_wrong_is_refused(
    people: Run, words: list[str], code: int, error: str
) -> None:
    """With the code of its kind; nothing has changed."""
    before = head(people)
    assert people(*words, "--json", code=code).error["code"] == error
    assert head(people) == before


def test_another_command_does_not_end_what_waits(apart: Run) -> None:
    """The hint names the one that began it."""
    apart("rebase", "main", code=1)
    error = apart("cherry-pick", "--abort", "--json", code=2).error
    assert error["code"] == "merging"
    assert "prolly rebase --abort" in error["hint"]
