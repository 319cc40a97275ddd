"""``history`` and ``blame``: who changed what, as text and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import prolly

Run = Callable[..., Any]


def messages(lines: list[Any]) -> list[tuple[str, str]]:
    """Return (message, change) of lines of history."""
    return [(one["message"], one["change"]) for one in lines]


def test_history_tells_the_states_of_a_record(people: Run) -> None:
    """One line a state, newest first: commit, author, what it was and became."""
    found = people("history", "people", "2", "--json").lines
    assert messages(found) == [("second", "modified"), ("first", "added")]
    newest = found[0]
    assert newest["old"] == {"id": 2, "name": "Bob", "height": 1.8}
    assert newest["new"] == {"id": 2, "name": "Bo", "height": 1.9}
    assert (newest["fields"], newest["author"]) == (["name", "height"], "Ada")
    assert newest["key"] == [2]
    head = people("show", "--json").document["commit"]
    assert newest["commit"] == head
    text = people("history", "people", "2").out.splitlines()
    assert text[0].startswith(head[:12])
    assert text[0].endswith("Ada  second")
    assert text[1:3] == ['  ~ name: "Bob" -> "Bo"', "  ~ height: 1.8 -> 1.9"]
    assert text[4] == '  + {"id": 2, "name": "Bob", "height": 1.8}'


def test_history_knows_deleted_records_and_versions(people: Run) -> None:
    """A deleted record has a history; --at and -n say where to begin and how much."""
    found = people("history", "people", "3", "--json").lines
    assert messages(found) == [("second", "removed"), ("first", "added")]
    assert "new" not in found[0]
    assert "- deleted (was {" in people("history", "people", "3").out
    older = people("history", "people", "3", "--at", "HEAD~1", "--json").lines
    assert messages(older) == [("first", "added")]
    assert len(people("history", "people", "2", "-n", "1", "--json").lines) == 1
    nothing = people("history", "people", "77")
    assert (nothing.out, "no commit" in nothing.err) == ("", True)


def test_history_of_a_map(people: Run) -> None:
    """A map's values are shown as JSON."""
    for value in ('"dark"', '"light"'):
        people("put", "settings", "theme", value)
        people("commit", "-m", value)
    assert '  ~ "dark" -> "light"' in people("history", "settings", "theme").out
    found = people("history", "settings", "theme", "--json").lines
    assert [one["new"] for one in found] == ["light", "dark"]


def test_blame_tells_the_commit_of_each_field(people: Run) -> None:
    """JSON by field; text groups the fields of a commit, the newest first."""
    people("put", "people", "2", '{"name": "Bo", "height": 2.0}')
    people("commit", "-m", "third")
    found = people("blame", "people", "2", "--json").document
    assert {name: one["message"] for name, one in found["fields"].items()} == {
        "id": "first",
        "name": "second",
        "height": "third",
    }
    assert list(found["fields"]["id"]) == ["commit", "author", "time", "message"]
    assert (found["dataset"], found["key"]) == ("people", [2])
    text = people("blame", "people", "2").out.splitlines()
    assert text[0].split() == ["key", "fields", "commit", "date", "author", "message"]
    assert [line.split()[-1] for line in text[1:]] == ["third", "second", "first"]
    assert text[1].startswith("2    height  ")
    assert [line.split()[0] for line in text[2:]] == ["name", "id"]


def test_blame_of_a_whole_dataset_is_a_line_for_each_record(people: Run) -> None:
    """Every record in key order, at any version."""
    found = people("blame", "people", "--json").lines
    assert [one["key"] for one in found] == [[1], [2], [4]]
    older = people("blame", "people", "--at", "HEAD~1", "--json").lines
    assert [one["key"] for one in older] == [[1], [2], [3]]
    assert people("blame", "people").out.splitlines()[1].startswith("1 ")


def test_what_is_not_there_is_said(people: Run) -> None:
    """Exit 3 for a dataset or record that is not there, with a hint."""
    assert people("history", "nobody", "1", "--json", code=3).error["code"] == (
        "no-such-dataset"
    )
    error = people("blame", "people", "3", "--json", code=3).error
    assert error["code"] == "key-not-found"
    assert "prolly history" in error["hint"]


def test_reset_of_one_dataset_and_of_one_record(people: Run) -> None:
    """The branch stays, and the rest stays uncommitted."""
    people("put", "m", "k", "1")
    people("put", "people", "1", '{"name": "Eve"}', "--update")
    people("delete", "people", "4")
    answer = people("reset", "--dataset", "people", "--key", "1", "--json").document
    assert answer["datasets"]["people"] == {"added": 0, "removed": 1, "modified": 0}
    people("reset", "--dataset", "people")
    assert list(people("status", "--json").document["datasets"]) == ["m"]
    people("reset", "--dataset", "m")
    assert people("status", "--json").document["datasets"] == {}
    assert "[no-such-dataset]" in people("reset", "--dataset", "none", code=3).err
    for words in (["--key", "1"], ["HEAD~1", "--dataset", "people"]):
        assert "[usage]" in people("reset", *words, code=2).err


def test_commands_say_that_the_branch_has_moved(people: Run, place: Path) -> None:
    """What is uncommitted stands on an older commit: a note, and the way out."""
    people("put", "m", "k", "1")
    with prolly.open(place) as repo, repo.transaction("main", message="other") as tx:
        tx.map("other")["a"] = 1
    for words in (["ls"], ["scan", "people"], ["diff"], ["diff", "HEAD"]):
        assert "the branch has moved" in people(*words).err
    assert "moved" not in people("ls", "--at", "HEAD").err
    assert "moved" not in people("diff", "HEAD~1", "HEAD").err
    people("stash")
    assert "moved" not in people("ls").err
    people("stash", "pop")
    answer = people("ls", "--json")
    assert "moved" not in answer.err
    assert set(answer.document["datasets"]) == {"people", "m", "other"}


def test_a_part_that_refers_to_what_waits_says_so(
    run: Run, repository: Path, place: Path
) -> None:
    """The hint names the dataset that is to be committed with it."""
    with prolly.open(place) as repo, repo.working_area().edit("edit") as workspace:
        workspace.table("parents", key="id").insert({"id": 1})
        child = workspace.table("children", key="id")
        child.insert({"id": 1, "of": 1})
        child.alter().add_reference("of", "of", "parents")
    error = run("--json", "commit", "-m", "x", "--dataset", "children", code=2).error
    assert error["code"] == "reference-missing"
    assert "--dataset parents" in error["hint"]
    run("commit", "-m", "x", "--dataset", "children", "--dataset", "parents")
