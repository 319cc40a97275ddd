"""``revert``, ``cherry-pick``, ``rebase`` and ``squash`` as commands."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
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


def test_what_waits_is_given_up(apart: Run) -> None:
    """By the command that began it."""
    old = head(apart)
    apart("rebase", "main", code=1)
    told = apart("rebase", "--abort").out
    assert told == "gave the rebase up; feature is as it was before\n"
    assert head(apart) == old
    assert "nothing uncommitted" in apart("status").out


def test_a_step_is_left_out(apart: Run) -> None:
    """And named as what somebody skipped; of what was empty that is said."""
    skipped = head(apart, "HEAD~1")
    apart("rebase", "main", code=1)
    told = apart("rebase", "--skip").out
    assert "left out" not in told
    assert told.startswith(f"skipped {skipped[:12]} theirs\n")
    assert head(apart, "HEAD~1") == head(apart, "main")


def test_the_only_step_is_left_out(apart: Run) -> None:
    """The branch stays, and nobody says that it has all of it."""
    old = head(apart)
    apart("cherry-pick", "main", code=1)
    told = apart("cherry-pick", "--skip", "--json").document
    assert (told["status"], len(told["skipped"])) == ("up-to-date", 1)
    assert (told["dropped"], told["commit"]) == ([], old)
    apart("cherry-pick", "main", code=1)
    told = apart("cherry-pick", "--skip").out.splitlines()
    assert told[0].startswith("skipped ") and told[1].startswith("feature is at ")


def test_every_hint_names_the_command_that_waits(apart: Run) -> None:
    """Not `merge`: that ends merges alone."""
    apart("rebase", "main", code=1)
    told = [
        apart("conflicts", "--stat").out,
        apart("import", "people", "first.csv", "-m", "x", code=1).err,
        apart("commit", "--amend", code=2).err,
        apart("reset", "HEAD~1", code=2).err,
        apart("reset", "--dataset", "people", code=2).err,
        apart("stash", "push", code=2).err,
        apart("merge", "main", code=2).err,
        apart("switch", "main").err,
    ]
    apart("switch", "feature")
    apart("resolve", "people", "--theirs")
    told.append(apart("resolve", "settings", "--theirs").out)
    told.append(apart("conflicts", "--all").out)
    for text in told:
        assert "rebase" in text and "prolly merge" not in text, text
    for text in told[-2:]:
        assert text.endswith("all settled; next: prolly rebase --continue\n")


def test_a_push_says_what_it_leaves_behind(apart: Run, place: Path) -> None:
    """What waits is no commit yet."""
    apart("clone", ".", place / "there")
    apart("remote", "add", "origin", place / "there")
    apart("cherry-pick", "main", code=1)
    told = apart("push").err
    assert "a cherry-pick waits on feature, and is not pushed before" in told
    assert "`prolly cherry-pick --continue`" in told
    apart("cherry-pick", "--abort")
    assert "waits" not in apart("push").err


def killed(run: Run, *words: str) -> None:
    """Run a command in a child that is killed when it first waits for the disk."""
    child = os.fork()
    if not child:
        try:
            os.fdatasync = lambda descriptor: os.kill(os.getpid(), 9)
            run(*words)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9


@pytest.mark.parametrize("ending", ["--continue", "--abort"])
def test_a_command_that_was_killed_is_done_again(apart: Run, ending: str) -> None:
    """``status`` tells where it stands, and nothing that was settled is lost."""
    old = head(apart)
    killed(apart, "rebase", "main")
    if apart("status", "--json").document["conflicts"] == 0:
        apart("rebase", "main", code=1)
    apart("resolve", "people", "--theirs")
    apart("resolve", "settings", "--theirs")
    killed(apart, "rebase", "--continue")
    told = apart("status", "--json").document
    if "replaying" in told:
        assert (told["commit"], told["conflicts"]) == (old, 0)
        assert "rebasing" in apart("status").out
        apart("rebase", ending)
    assert "nothing uncommitted" in apart("status").out
    if ending == "--continue":
        assert apart("get", "settings", "theme").out == '"grey"\n'
        assert head(apart, "HEAD~2") == head(apart, "main")
    assert apart("fsck", "--full").out.endswith("found 0 faults\n")


@pytest.mark.parametrize("ending", ["--continue", "--skip", "--abort"])
def test_options_of_the_beginning_do_not_go_with_an_end(
    people: Run, ending: str
) -> None:
    """They are refused by name, before anything is looked at."""
    for words in (["--no-commit"], ["-m", "1"]):
        told = people("revert", ending, *words, code=2).err
        name = "--mainline" if words[0] == "-m" else words[0]
        assert f"{name} does not go with {ending}" in told
    if ending != "--continue":
        told = people("apply", ending, "-m", "x", code=2).err
        assert f"--message does not go with {ending}" in told


def test_a_policy_settles_what_none_else_does(apart: Run) -> None:
    """In all steps, or from where it goes on; the commits say so."""
    old = head(apart)
    assert apart("rebase", "main", "--policy", "theirs").out.startswith("2 commits")
    assert "merged with the policy theirs" in apart("show", "HEAD~1").out
    assert apart("get", "settings", "theme").out == '"grey"\n'
    apart("reset", "--hard", old)
    apart("put", "settings", "theme", '"red"')
    apart("commit", "-m", "red")
    apart("rebase", "main", code=1)
    apart("rebase", "--skip", code=1)
    apart("rebase", "--abort")
    apart("rebase", "main", code=1)
    apart("rebase", "--skip", "--policy", "ours")
    assert apart("get", "settings", "theme").out == '"light"\n'
    for words in (("rebase", "HEAD~1"), ("revert", "HEAD"), ("cherry-pick", "HEAD")):
        error = apart(*words, "--policy", "nonsense", "--json", code=2).error
        assert error["code"] == "unknown-policy"


def test_a_merge_is_picked_against_a_parent(forked: Run) -> None:
    """What it brought comes as one commit; without --mainline it is refused."""
    forked("branch", "joined", "main")
    forked("switch", "joined")
    forked("merge", "feature", "--policy", "theirs")
    forked("switch", "main")
    error = forked("cherry-pick", "joined", "--json", code=2).error
    assert (error["code"], "--mainline 1" in error["hint"]) == ("merge-commit", True)
    assert forked("cherry-pick", "joined", "HEAD", "-m", "1", code=2).err.count(
        "mainline"
    )
    forked("cherry-pick", "joined", "--mainline", "1")
    joined = forked("show", "joined", "--json").document
    picked = forked("show", "--json").document
    assert (picked["root"], len(picked["parents"])) == (joined["root"], 1)
    assert "merge" not in picked["metadata"]


def test_show_tells_where_a_commit_comes_from(people: Run) -> None:
    """The commit that was taken back, or picked; its id alone where it is not here."""
    second = head(people)
    people("revert", "HEAD")
    assert f"takes back {second[:12]} second" in people("show").out
    people("branch", "aside", "HEAD~2")
    people("switch", "aside")
    people("cherry-pick", "main~1")
    assert f"picked from {second[:12]} second" in people("show").out


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
    """The hint names the one that began it; `merge` is no exception."""
    apart("rebase", "main", code=1)
    for words in (("cherry-pick", "--abort"), ("merge", "--abort")):
        for ending in (words, (words[0], "--continue")):
            error = apart(*ending, "--json", code=2).error
            assert error["code"] == "merging"
            assert "prolly rebase --abort" in error["hint"]
    apart("rebase", "--abort")
    apart("merge", "main", code=1)
    error = apart("rebase", "--abort", "--json", code=2).error
    assert "prolly merge --abort" in error["hint"]


def test_nothing_waits_or_elsewhere(apart: Run) -> None:
    """The hint says how to begin, or on which branch something waits."""
    error = apart("rebase", "--continue", "--json", code=2).error
    assert "no rebase waits" in error["message"]
    assert error["hint"] == "Begin one: `prolly rebase REV`."
    apart("rebase", "main", code=1)
    apart("switch", "main")
    error = apart("rebase", "--continue", "--json", code=2).error
    assert error["hint"] == "A rebase waits on feature: `prolly switch feature`."
