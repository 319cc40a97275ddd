"""``prolly diff FILE FILE``: no repository is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def files(run: Run, write: Callable[..., str]) -> Run:
    """Two files beside nothing; returns ``run``."""
    write("old.csv", "id,name,height", "1,Ada,1.6", "2,Bob,1.8", "3,Cy,1.7")
    write("new.csv", "id,name,height", "4,Di,1.5", "2,Bob,1.80", "1,Ada,1.6")
    return run


def test_rows_by_key(files: Run) -> None:
    """In the order of keys, cells as text, named as the second file."""
    words = ["diff", "old.csv", "new.csv", "--key", "id"]
    assert files(*words, "--json", "--exit-code", code=1).lines == [
        {
            "dataset": "new.csv",
            "key": [2],
            "change": "modified",
            "old": {"id": 2, "name": "Bob", "height": "1.8"},
            "new": {"id": 2, "name": "Bob", "height": "1.80"},
            "fields": ["height"],
        },
        {
            "dataset": "new.csv",
            "key": [3],
            "change": "removed",
            "old": {"id": 3, "name": "Cy", "height": "1.7"},
        },
        {
            "dataset": "new.csv",
            "key": [4],
            "change": "added",
            "new": {"id": 4, "name": "Di", "height": "1.5"},
        },
    ]
    counts = {"added": 1, "removed": 1, "modified": 1}
    found = files(*words, "--stat", "--json").document
    assert found == {"datasets": {"new.csv": counts}}
    assert files(*words, "--format", "csv").out.count("\n") == 4
    for shown in ([], ["--fields"], ["--stat"]):
        assert "new.csv" in files(*words, *shown).out


def test_no_difference_is_no_answer_of_one(files: Run) -> None:
    """With --exit-code, equal files exit with 0."""
    words = ["diff", "old.csv", "old.csv", "--key", "id", "--exit-code"]
    assert files(*words).out == "no differences\n"
    assert (
        "input-format" in files("diff", "old.csv", "--input-format", "csv", code=2).err
    )


def test_a_table_of_a_database(files: Run, place: Path) -> None:
    """It is named behind a colon."""
    files("init")
    files("import", "t", "old.csv", "--key", "id")
    files("export", "t", "a.db", "--format", "sqlite:t")
    files("delete", "t", "1")
    files("export", "t", "a.db", "--format", "sqlite:u")
    [line] = files("diff", "a.db:t", "a.db:u", "--key", "id", "--json").lines
    assert (line["key"], line["change"], line["dataset"]) == ([1], "removed", "a.db:u")


def test_without_a_key_files_get_a_hint(files: Run) -> None:
    """Outside a repository too, and the exit code is that of wrong usage."""
    for words in (["old.csv"], ["old.csv", "new.csv"]):
        answer = files("diff", *words, code=2)
        assert "[file-not-revision]" in answer.err
        assert "--key COLUMN" in answer.err


@pytest.mark.parametrize(
    "words",
    [["old.csv"], ["old.csv", "new.csv", "x"], ["old.csv", "new.csv", "--", "x"]],
)
def test_it_takes_two_files(files: Run, words: list[str]) -> None:
    """Neither one nor three, and no dataset."""
    assert "[usage]" in files("diff", "--key", "id", *words, code=2).err


def test_what_git_hands_over(files: Run) -> None:
    """Seven words, or nine for a renamed file; the exit code is 0."""
    driver = ["diff", "--git-driver", "--key", "id", "--stat", "--json"]
    sides = ["old.csv", "0" * 40, "100644", "new.csv", "1" * 40, "100644"]
    [name] = files(*driver, "dir/x.csv", *sides).document["datasets"]
    assert name == "dir/x.csv"
    [name] = files(*driver, "x.csv", *sides, "y.csv", "similarity").document["datasets"]
    assert name == "y.csv"
    nothing = ["/dev/null", ".", "."]
    found = files(*driver, "x.csv", *nothing, *sides[3:]).document["datasets"]
    assert found["x.csv"]["event"] == "created"
    assert files(*driver, "x.csv").out == "x.csv is unmerged\n"
    files(*driver, "x.csv", "y.csv", code=2)
    files("diff", "--git-driver", "x.csv", *sides, code=2)


def test_what_has_no_such_key_is_shown_by_lines(files: Run) -> None:
    """Git would stop at an error."""
    sides = ["old.csv", "0" * 40, "100644", "new.csv", "1" * 40, "100644"]
    answer = files("diff", "--git-driver", "--key", "no", "x.csv", *sides)
    assert "no column 'no'" in answer.out
    assert "-2,Bob,1.8\n" in answer.out
