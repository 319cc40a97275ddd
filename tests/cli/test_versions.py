"""Versions and branches: status, commit, log, show, branch, switch, tag, reset."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prolly_cli.commit_graph import Graph

Run = Callable[..., Any]

ZERO = {"added": 0, "removed": 0, "modified": 0}


def test_the_first_use_is_friendly(run: Run, place: Path) -> None:
    """``init`` says where and what next, and so does ``status``."""
    answer = run("init", "--json").document
    assert answer["path"] == str(place)
    assert answer["branch"] == "main"
    shown = run("status").out
    assert "on branch main" in shown
    assert "prolly import DATASET FILE --key COLUMN" in shown
    assert "made a repository" in run("init", "another").out


def test_every_first_commit_is_the_same(run: Run) -> None:
    """Two repositories begin with one constant commit."""
    first, second = run("init", "a", "--json"), run("init", "b", "--json")
    assert first.document["commit"] == second.document["commit"]


def test_status_counts_what_is_uncommitted(people: Run) -> None:
    """Counts by dataset, and what to do next; JSON of the promised shape."""
    people("delete", "people", "1")
    answer = people("status", "--json").document
    head = people("show", "--json").document["commit"]
    assert answer == {
        "branch": "main",
        "commit": head,
        "datasets": {"people": {**ZERO, "removed": 1}},
        "conflicts": 0,
    }
    shown = people("status").out
    assert "people  0 added, 1 removed, 0 modified" in shown
    assert "prolly commit -m MESSAGE" in shown


def test_commit_reports_what_it_holds(people: Run) -> None:
    """The answer is the new commit and its counts; the state is clean then."""
    people("delete", "people", "1")
    answer = people("commit", "-m", "one less\nbecause", "--json").document
    assert answer["datasets"] == {"people": {**ZERO, "removed": 1}}
    shown = people("show", "--json").document
    assert (shown["commit"], shown["message"]) == (
        answer["commit"],
        "one less\nbecause",
    )
    assert "nothing uncommitted" in people("status").out


def test_log_lists_commits_backwards(people: Run) -> None:
    """JSON lines of the promised shape; text with author, date and message."""
    entries = people("log", "--json").lines
    assert [one["message"] for one in entries] == ["second", "first", ""]
    assert [one["generation"] for one in entries] == [2, 1, 0]
    assert entries[0]["parents"] == [entries[1]["commit"]]
    assert entries[2]["time"] == "1970-01-01T00:00:00Z"
    fields = ["commit", "root", "parents", "author", "time", "message"]
    assert all(list(one) == [*fields, "generation"] for one in entries)
    shown = people("log").out
    assert f"commit {entries[0]['commit']} (HEAD -> main)\nAuthor: Ada\nDate: " in shown
    assert "    (the first, empty commit)" in shown


def test_log_options(people: Run) -> None:
    """One line each, so many, from a revision, of one dataset or record."""
    people("put", "settings", "k", "1")
    people("tag", "v1")
    people("commit", "-m", "third")
    assert len(people("log", "--oneline").out.splitlines()) == 4
    shown = people("log", "--oneline").out
    assert re.search(r"^[0-9a-f]{12} \(tag: v1\) second$", shown, re.M)
    assert len(people("log", "-n", "2", "--json").lines) == 2
    assert len(people("log", "HEAD~1", "--json").lines) == 3

    def messages(scope: str) -> list[str]:
        return [one["message"] for one in people("log", "--json", "--", scope).lines]

    assert messages("people") == ["second", "first"]
    assert messages("people:1") == ["first"]
    assert messages("people:2") == ["second", "first"]
    assert messages("settings") == ["third"]


def test_show_has_the_datasets(people: Run) -> None:
    """JSON as of the log, with the datasets; text with what changed."""
    shown = people("show", "HEAD", "--json").document
    assert shown["datasets"]["people"]["count"] == 3
    assert shown["datasets"]["people"]["kind"] == "table"
    text = people("show").out
    assert "people  table  3 records" in text
    assert "people  1 added, 1 removed, 1 modified" in text
    assert "first, empty" in people("show", "HEAD~2").out


def test_branches(people: Run) -> None:
    """Made at a revision, listed with the current one marked, deleted."""
    people("branch", "old", "HEAD~1")
    listed = people("branch", "--json").document
    assert listed["current"] == "main"
    assert set(listed["branches"]) == {"main", "old"}
    assert people("branch").out.splitlines()[0].startswith("* main  ")
    people("switch", "old")
    assert len(people("scan", "people", "--json").lines) == 3
    assert people("get", "people", "3", "--json").document["name"] == "Cy"
    people("switch", "main")
    deleted = people("branch", "-d", "old").out
    people("switch", "old", code=3)
    again = deleted.splitlines()[1].partition("prolly ")[2]
    people(*again.split())
    assert people("branch", "--json").document == listed


def test_a_branch_with_edits_is_not_deleted_by_mistake(people: Run) -> None:
    """What is uncommitted is in no commit: it takes --force to drop it."""
    people("branch", "other")
    people("switch", "other")
    people("delete", "people", "1")
    people("switch", "main")
    answer = people("branch", "-d", "other", code=2)
    assert "[uncommitted]" in answer.err
    assert "--force" in answer.err
    people("branch", "-d", "other", "--force")
    people("branch", "-d", "other", "--force", code=3)


def test_uncommitted_changes_stay_with_their_branch(people: Run) -> None:
    """Switching away leaves them; switching back finds them."""
    people("branch", "other")
    people("delete", "people", "1")
    answer = people("switch", "other")
    assert "uncommitted on main waits there" in answer.err
    assert len(people("scan", "people", "--json").lines) == 3
    people("switch", "main")
    assert len(people("scan", "people", "--json").lines) == 2


def test_tags(people: Run) -> None:
    """A tag names a commit, and is a revision."""
    people("tag", "v1", "HEAD~1")
    first = people("show", "HEAD~1", "--json").document["commit"]
    assert people("tag", "--json").document == {"tags": {"v1": first}}
    assert people("show", "v1", "--json").document["commit"] == first
    assert people("tag").out == f"v1  {first[:12]}  first\n"
    people("tag", "v1", code=2)
    people("tag", "-d", "v1")
    assert "no tags yet" in people("tag").err


def test_reset_keeps_the_data_unless_hard(people: Run) -> None:
    """Without --hard what differs becomes uncommitted; with it the data goes back."""
    answer = people("reset", "HEAD~1", "--json").document
    counts = {"added": 1, "removed": 1, "modified": 1}
    assert answer["datasets"] == {"people": counts}
    assert len(people("log", "--json").lines) == 2
    people("commit", "-m", "second again")
    people("reset", "HEAD~1", "--hard")
    assert people("status", "--json").document["datasets"] == {}
    assert people("get", "people", "2", "--json").document["name"] == "Bob"
    again = people("show", "main@{1}", "--json").document
    assert again["message"] == "second again"


@pytest.mark.parametrize("revision", ["HEAD", "@", "main", "branches/main", "HEAD^0"])
def test_revisions_of_the_newest_commit(people: Run, revision: str) -> None:
    """All of these are the same commit, and so is a prefix of its id."""
    head = people("show", "--json").document["commit"]
    assert people("show", revision, "--json").document["commit"] == head
    assert people("show", head[:8], "--json").document["commit"] == head


def test_the_graph_of_a_line() -> None:
    """One lane, one star a commit."""
    graph = Graph()
    drawn = [*graph.draw(b"b", [b"a"], ["two"]), *graph.draw(b"a", [], ["one"])]
    assert drawn == ["* two", "* one"]


def test_the_graph_of_a_merge() -> None:
    """Two lanes open at the merge and end in their common parent."""
    graph = Graph()
    drawn = []
    for commit_id, parents in ((b"d", [b"b", b"c"]), (b"b", [b"a"]), (b"c", [b"a"])):
        drawn += graph.draw(commit_id, parents, [commit_id.decode()])
    drawn += graph.draw(b"a", [], ["a"])
    assert drawn == ["* d", "|\\", "* | b", "| * c", "|/", "* a"]


def test_the_graph_of_a_side_that_ends_in_the_other() -> None:
    """The first parent's lane may end in that of the second: one lane is left."""
    graph = Graph()
    drawn: list[str] = []
    for commit_id, parents in ((b"d", [b"b", b"c"]), (b"c", [b"a"]), (b"b", [b"a"])):
        drawn += graph.draw(commit_id, parents, [commit_id.decode()])
    drawn += graph.draw(b"a", [], ["a"])
    assert drawn == ["* d", "|\\", "| * c", "* | b", "|/", "* a"]
