"""``history`` and ``blame``: who changed what, as text and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    assert text[0] == "2"
    assert [line.split("Ada  ")[1] for line in text[1:]] == [
        "third  height",
        "second  name",
        "first  id",
    ]


def test_blame_of_a_whole_dataset_is_a_line_for_each_record(people: Run) -> None:
    """Every record in key order, at any version."""
    found = people("blame", "people", "--json").lines
    assert [one["key"] for one in found] == [[1], [2], [4]]
    older = people("blame", "people", "--at", "HEAD~1", "--json").lines
    assert [one["key"] for one in older] == [[1], [2], [3]]
    assert people("blame", "people").out.splitlines()[0] == "1"


def test_what_is_not_there_is_said(people: Run) -> None:
    """Exit 3 for a dataset or record that is not there, with a hint."""
    assert people("history", "nobody", "1", "--json", code=3).error["code"] == (
        "no-such-dataset"
    )
    error = people("blame", "people", "3", "--json", code=3).error
    assert error["code"] == "key-not-found"
    assert "prolly history" in error["hint"]
