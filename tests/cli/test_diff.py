"""``prolly diff``: its forms, formats and shapes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

COUNTS = {"added": 1, "removed": 1, "modified": 1}


def test_for_people(people: Run) -> None:
    """A sign, the key, the fields with old and new; a summary at the end."""
    assert people("diff", "HEAD~1", "HEAD").out.splitlines() == [
        "people",
        "  id  field   old  new",
        "~ 2   name    Bob  Bo",
        "      height  1.8  1.9",
        "- 3   name: Cy, height: 1.7",
        "+ 4   name: Di, height: 1.5",
        "1 added, 1 removed, 1 modified",
    ]
    assert people("diff").out == "no differences\n"


def test_long_rows_are_cut(people: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An added row shows what fits on a line, and nothing for what holds nothing."""
    people("put", "people", "7", json.dumps({"name": "x" * 100}))
    people("put", "people", "8", '{"height": 2}')
    people("put", "people", "9", "{}")
    assert people("diff").out.splitlines()[1] == f"+ 7  name: {'x' * 100}"
    monkeypatch.setenv("COLUMNS", "80")
    first, second, third = people("diff").out.splitlines()[1:4]
    assert first == f"+ 7  name: {'x' * 68}…"
    assert len(first) == 80
    assert (second, third) == ("+ 8  height: 2.0", "+ 9")


def test_events_without_records_are_noted(people: Run) -> None:
    """Lines of records have no place for them, so a note says where they are."""
    people("dataset", "rename", "people", "persons")
    people("dataset", "create", "empty")
    people("put", "m", "k", "1")
    for words in (["--json"], ["--format", "csv"]):
        answer = people("diff", *words)
        assert "empty created, persons renamed" in answer.err
        assert "--stat" in answer.err
        assert "m created" not in answer.err
    assert len(people("diff", "--json").lines) == 1


def test_json_lines(people: Run) -> None:
    """One object a record; what there is not is left out."""
    assert people("diff", "HEAD~1", "HEAD", "--json").lines == [
        {
            "dataset": "people",
            "key": [2],
            "change": "modified",
            "old": {"id": 2, "name": "Bob", "height": 1.8},
            "new": {"id": 2, "name": "Bo", "height": 1.9},
            "fields": ["name", "height"],
        },
        {
            "dataset": "people",
            "key": [3],
            "change": "removed",
            "old": {"id": 3, "name": "Cy", "height": 1.7},
        },
        {
            "dataset": "people",
            "key": [4],
            "change": "added",
            "new": {"id": 4, "name": "Di", "height": 1.5},
        },
    ]


def test_a_map(people: Run) -> None:
    """Values of a map, null among them, are not taken for absent ones."""
    people("put", "m", "k", "null")
    people("put", "m", "[1]", "[1]")
    assert people("diff", "--json").lines == [
        {"dataset": "m", "key": ["k"], "change": "added", "new": None},
        {"dataset": "m", "key": [1], "change": "added", "new": [1]},
    ]
    people("commit", "-m", "m")
    people("put", "m", "k", '"x"')
    assert people("diff").out.splitlines()[1:3] == [
        "  key  old   new",
        '~ k    null  "x"',
    ]


@pytest.mark.parametrize(
    "words",
    [
        ["HEAD~1", "HEAD"],
        ["HEAD~1..HEAD"],
        ["HEAD~1.."],
        ["HEAD~1...HEAD"],
        ["HEAD~1"],
    ],
)
def test_the_forms_of_two_versions(people: Run, words: list[str]) -> None:
    """All of these compare the first commit with the second."""
    found = people("diff", *words, "--stat", "--json").document
    assert found == {"datasets": {"people": COUNTS}}


def test_three_dots_begin_at_the_common_commit(people: Run) -> None:
    """A...B shows what B did, and not what A did meanwhile."""
    people("branch", "side", "HEAD~1")
    people("switch", "side")
    people("delete", "people", "1")
    people("commit", "-m", "side")
    assert [one["key"] for one in people("diff", "main...side", "--json").lines] == [
        [1]
    ]
    assert len(people("diff", "main..side", "--json").lines) == 4


def test_without_a_revision_it_is_the_working_state(people: Run) -> None:
    """Only what is uncommitted shows."""
    people("delete", "people", "1")
    [line] = people("diff", "--json").lines
    assert (line["change"], line["key"]) == ("removed", [1])


def test_a_scope_narrows_to_a_dataset_and_a_prefix(people: Run) -> None:
    """Behind -- stands one dataset, and a prefix of keys behind its colon."""
    people("put", "words", "alpha", "1")
    people("put", "words", "beta", "1")
    keys = [one["key"] for one in people("diff", "--json", "--", "words:al").lines]
    assert keys == [["alpha"]]
    assert people("diff", "HEAD~1", "HEAD", "--", "people:2").out.count("~") == 1
    assert people("diff", "--stat", "--", "people").out == "no differences\n"
    people("diff", "--", "nothing", code=3)


def test_stat_for_people_and_by_field(people: Run) -> None:
    """Aligned counts; --fields counts the modified rows by field."""
    assert people("diff", "--stat", "HEAD~1", "HEAD").out == (
        "people  1 added, 1 removed, 1 modified\n"
    )
    words = ["diff", "--stat", "--fields", "HEAD~1", "HEAD"]
    shown = people(*words).out
    assert [line.split() for line in shown.splitlines()[1:]] == [
        ["name", "1"],
        ["height", "1"],
    ]
    found = people(*words, "--json").document["datasets"]["people"]
    assert found["fields"] == {"name": 1, "height": 1}


def test_only_the_fields_that_differ(people: Run) -> None:
    """One line a field for people; old and new cut down to them as JSON."""
    words = ["diff", "--fields", "HEAD~1", "HEAD"]
    shown = people(*words).out.splitlines()
    assert shown[2:4] == ["~ 2   name    Bob  Bo", "~ 2   height  1.8  1.9"]
    line = people(*words, "--json").lines[0]
    assert line["old"] == {"name": "Bob", "height": 1.8}


def test_csv_has_a_line_for_each_field(people: Run) -> None:
    """Cells as an export writes them; whole records as JSON."""
    text = people("diff", "--format", "csv", "HEAD~1", "HEAD").out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["change"], row["field"], row["old"], row["new"]) for row in rows] == [
        ("modified", "name", "Bob", "Bo"),
        ("modified", "height", "1.8", "1.9"),
        ("removed", "", '{"id": 3, "name": "Cy", "height": 1.7}', ""),
        ("added", "", "", '{"id": 4, "name": "Di", "height": 1.5}'),
    ]
    assert "[usage]" not in text
    people("diff", "--json", "--format", "csv", code=2)


@pytest.mark.parametrize("more", [[], ["--stat"], ["--json"], ["--format", "csv"]])
def test_the_exit_code_answers(people: Run, more: list[str]) -> None:
    """With --exit-code 1 means different, 0 equal; without it always 0."""
    people("diff", "--exit-code", "HEAD~1", "HEAD", *more, code=1)
    people("diff", "--exit-code", "HEAD", *more, code=0)
    people("diff", "HEAD~1", *more, code=0)


def test_a_file_is_no_revision(people: Run, place: Path, monkeypatch: Any) -> None:
    """An existing file gets exit 2 and a hint of its own, unless a ref has the name."""
    monkeypatch.chdir(place)
    answer = people("diff", "first.csv", "second.csv", code=2)
    assert "[file-not-revision]" in answer.err
    people("branch", "first.csv")
    people("diff", "first.csv")
