"""``stash``, and commits of a part: what is uncommitted, handled in pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]


def test_stash_and_pop(people: Run) -> None:
    """``stash`` alone puts aside; ``pop`` brings back; both say what they did."""
    people("delete", "people", "1")
    said = people("stash").out
    assert "people  0 added, 1 removed, 0 modified" in said
    assert "nothing uncommitted" in people("status").out
    [entry] = people("stash", "list", "--json").lines
    assert (entry["index"], entry["branch"], entry["author"]) == (0, "main", "Ada")
    assert people("stash", "pop", "--json").document["done"] == "popped"
    assert "1 removed" in people("status").out
    assert "the stash is empty" in people("stash", "list").err


def test_stash_has_messages_and_numbers(people: Run) -> None:
    """Several changes are listed newest first and named by number."""
    for message in ("one", "two"):
        people("put", "settings", "k", f'"{message}"')
        people("stash", "push", "-m", message)
    lines = people("stash", "list").out.splitlines()
    assert [line.split("  ")[-1] for line in lines] == ["two", "one"]
    assert lines[0].startswith("0  ")
    assert "dropped" in people("stash", "drop", "0").out
    people("stash", "apply")
    assert people("get", "settings", "k").out == '"one"\n'
    assert len(people("stash", "list").out.splitlines()) == 1
    assert people("stash", "drop", "5", code=3).err.startswith("prolly: error: there")


def test_stash_conflicts_exit_4(people: Run) -> None:
    """A record that was changed since: nothing happens, and the hint says what now."""
    people("put", "people", "1", '{"name": "A", "height": 1}')
    people("stash")
    people("put", "people", "1", '{"name": "B", "height": 1}')
    error = people("stash", "pop", "--json", code=4).error
    assert error["code"] == "write-conflict"
    assert "Reset what is uncommitted" in error["hint"]
    people("commit", "-m", "B")
    hint = people("stash", "pop", "--json", code=4).error["hint"]
    assert "Reset" not in hint and "`prolly stash pop`" in hint
    made_on = hint.partition("`prolly branch NAME ")[2].partition("`")[0]
    people("branch", "aside", made_on)
    people("switch", "aside")
    people("stash", "pop")
    people("commit", "-m", "A")
    people("switch", "main")
    people("put", "people", "1", '{"name": "C", "height": 1}')
    assert people("stash", code=0).out.startswith("stashed")
    assert people("stash", "--json", code=2).error["code"] == "nothing-to-stash"


def test_what_does_not_fit_a_merge_speaks_of_it(forked: Run) -> None:
    """The merge waits on; what is to end before the change is taken up is named."""
    forked("put", "people", "1", '{"name": "X"}', "--update")
    forked("stash")
    forked("merge", "feature", code=1)
    refused = forked("stash", "pop", "--json", code=4)
    assert "prolly merge --continue" in refused.error["hint"]
    assert len(forked("stash", "list", "--json").lines) == 1


def test_commit_of_one_dataset(people: Run) -> None:
    """--dataset commits that one; the rest stays uncommitted."""
    people("delete", "people", "1")
    people("put", "settings", "k", "1")
    answer = people("commit", "-m", "part", "--dataset", "settings", "--json").document
    assert list(answer["datasets"]) == ["settings"]
    assert "people  0 added, 1 removed" in people("status").out
    people("commit", "-m", "rest")
    assert "nothing uncommitted" in people("status").out


def test_commit_of_chosen_records(people: Run) -> None:
    """--key commits single records of one dataset, deleted ones too."""
    people("delete", "people", "1")
    people("delete", "people", "2")
    people("put", "people", "9", '{"name": "N", "height": 1}')
    words = ["commit", "-m", "part", "--dataset", "people", "--key", "1", "--key", "9"]
    counts = people(*words, "--json").document["datasets"]["people"]
    assert counts == {"added": 1, "removed": 1, "modified": 0}
    assert "0 added, 1 removed, 0 modified" in people("status").out
    people("commit", "-m", "x", "--dataset", "people", "--key", "77", code=3)
    people("commit", "-m", "x", "--key", "1", code=2)


def test_amend(people: Run) -> None:
    """--amend takes the place of the newest commit; a new message is optional."""
    people("delete", "people", "1")
    people("commit", "--amend")
    assert [one["message"] for one in people("log", "--json").lines][:2] == [
        "second",
        "first",
    ]
    assert people("commit", "--amend", "-m", "better").out.startswith("[main ")
    assert people("show", "--json").document["message"] == "better"
    assert people("commit", "--amend", code=2).err.startswith("prolly: error: nothing")


def test_the_reflog_of_a_branch(people: Run) -> None:
    """log -g lists where the branch stood, and ``main@{1}`` is one of them."""
    people("put", "settings", "k", "1")
    people("commit", "--amend")
    moves = people("log", "-g", "--json").lines
    assert [one["ref"] for one in moves][:2] == ["main@{0}", "main@{1}"]
    assert moves[0]["why"] == "commit (amend): second"
    assert moves[0]["old"] == moves[1]["new"]
    shown = people("show", "main@{1}", "--json").document
    assert shown["commit"] == moves[1]["new"]
    assert len(people("log", "-g", "-n", "2").out.splitlines()) == 2
    people("log", "-g", "--graph", code=2)
    assert people("log", "nowhere", "-g", "--json", code=3).error["code"] == (
        "no-such-branch"
    )
