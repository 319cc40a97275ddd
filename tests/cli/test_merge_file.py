"""``prolly merge-file``: exit codes and outputs, without a repository."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

FILES = ["ours.csv", "base.csv", "theirs.csv"]


@pytest.fixture
def files(run: Run, write: Callable[..., str]) -> Run:
    """Three files that merge but for the name of 2; returns ``run``."""
    write("base.csv", "id,name,height", "1,Ada,1.6", "2,Bob,1.8", "3,Cy,1.7")
    write("ours.csv", "id,name,height", "1,Ada,1.61", "2,Bo,1.8")
    write("theirs.csv", "id,name,height", "1,Ada L,1.6", "2,Rob,1.8", "3,Cy,1.7")
    return run


def test_conflicts_exit_with_one(files: Run) -> None:
    """The file goes to standard output, words about it to standard error."""
    answer = files("merge-file", *FILES, "--key", "id", code=1)
    lines = answer.out.splitlines()
    assert lines[:2] == ["id,name,height", "1,Ada L,1.61"]
    assert [line[:7] for line in lines[2:]].count("<<<<<<<") == 1
    assert "conflict: 2 in name: both changed it" in answer.err
    assert "1 conflict in ours.csv" in answer.err
    quiet = files("merge-file", *FILES, "--key", "id", "-q", "--name", "x", code=1)
    assert (quiet.out, quiet.err) == (answer.out, "")


def test_a_clean_merge_exits_with_zero(files: Run, place: Path) -> None:
    """Over ours, whole; with --json a document tells of it."""
    words = ["--key", "id", "--policy", "name=theirs", "-o", "ours.csv", "--json"]
    found = files("merge-file", *FILES, *words)
    assert found.document == {
        "status": "merged",
        "conflicts": 0,
        "added": 0,
        "removed": 0,
        "modified": 2,
    }
    expected = "id,name,height\n1,Ada L,1.61\n2,Rob,1.8\n"
    assert (place / "ours.csv").read_text() == expected
    assert sorted(one.name for one in place.iterdir()) == sorted(FILES)


def test_conflicts_are_listed_for_programs(files: Run, place: Path) -> None:
    """As JSON lines, or as CSV where the name says so; marked files are refused."""
    words = ["merge-file", *FILES, "--key", "id", "-o", "out.csv", "--name", "p.csv"]
    files(*words, "--conflicts", "c.jsonl", code=1)
    [one] = map(json.loads, (place / "c.jsonl").read_text().splitlines())
    assert (one["dataset"], one["key"], one["fields"]) == ("p.csv", ["2"], ["name"])
    files(*words, "--conflicts", "c.csv", code=1)
    [row] = csv.DictReader(io.StringIO((place / "c.csv").read_text()))
    assert (row["base"], row["ours"], row["theirs"]) == ("Bob", "Bo", "Rob")
    answer = files("merge-file", "out.csv", *FILES[1:], "--key", "id", code=129)
    assert "[conflict-markers]" in answer.err
    files("init")
    answer = files("import", "t", "out.csv", "--key", "id", code=2)
    assert "[conflict-markers]" in answer.err
    assert "out.csv line 3" in answer.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([*FILES], "usage"),
        ([*FILES[:2], "--key", "id"], "usage"),
        ([*FILES, "--key", "id", "--nothing"], "usage"),
        ([*FILES, "--key", "id", "--json"], "usage"),
        ([*FILES[:2], "no.csv", "--key", "id"], "no-file"),
        ([*FILES, "--key", "no"], "missing-key"),
        ([*FILES, "--key", "id", "--policy", "no"], "unknown-policy"),
        ([*FILES, "--key", "id", "-o", "no/where.csv"], "no-file"),
        ([*FILES, "--key", "id", "--conflicts", "no/c.csv"], "no-file"),
        ([*FILES, "--key", "id", "--conflicts", "./theirs.csv"], "usage"),
        ([*FILES, "--key", "id", "-o", "x.csv", "--conflicts", "x.csv"], "usage"),
        (["t.db:a", "t.db:b", "t.db:c", "--key", "id"], "format-unknown"),
    ],
)
def test_every_error_exits_with_129(
    files: Run, place: Path, words: list[str], code: str
) -> None:
    """Git takes less for a number of conflicts; nothing is written."""
    before = {one.name: one.read_bytes() for one in place.iterdir()}
    answer = files("merge-file", *words, code=129)
    assert code in answer.err
    assert answer.out == ""
    assert {one.name: one.read_bytes() for one in place.iterdir()} == before


def test_errors_are_json_where_that_is_asked_for(files: Run) -> None:
    """As of any command."""
    words = ["merge-file", *FILES, "--key", "no", "--json", "-o", "x.csv"]
    assert files(*words, code=129).error["code"] == "missing-key"
    assert files("merge-file", "--json", code=129).error["code"] == "usage"
    assert files("--json", "merge-file", "x", code=129).error["code"] == "usage"


def test_help_is_no_error(files: Run) -> None:
    """Nor is a pipe whose reader has gone a merge."""
    assert "--key" in files("merge-file", "--help").out


def test_a_closed_output_is_an_error(files: Run, start: Callable[..., Any]) -> None:
    """The file is not there, so it is not merged."""
    with open("/dev/full", "wb") as full:
        process = start("merge-file", *FILES, "--key", "id", stdout=full)
        assert isinstance(process, subprocess.Popen)
        errors = process.communicate()[1]
    assert process.returncode == 129
    assert b"[disk-full]" in errors


def test_what_is_wrong_is_named_alike(
    files: Run, place: Path, write: Callable[..., str]
) -> None:
    """A double key as ``diff`` names it, git's markers as such, formats that merge."""
    double = write("double.csv", "id,name,height", "1,A,1", "1,B,2")
    told = files("diff", FILES[1], double, "--key", "id", code=2).err.splitlines()[0]
    answer = files("merge-file", double, *FILES[1:], "--key", "id", code=129)
    assert answer.err.splitlines()[0] == told
    assert "the key '1' stands on lines 2 and 3" in told
    left = write("left.csv", "id,name,height", "1,A,1", "=======", "2,B,2")
    lines = write("left.jsonl", '{"id": 1}', "=======")
    for name in (left, lines):
        answer = files("merge-file", name, name, name, "--key", "id", code=129)
        assert "[conflict-markers]" in answer.err
    (place / "plain").write_text("id\n")
    answer = files("merge-file", *["plain"] * 3, "--key", "id", code=129)
    assert "--input-format csv|tsv|jsonl|sqlite." in answer.err


def test_a_table_has_no_marks(run: Run, place: Path) -> None:
    """So the words about its conflicts tell of none."""
    place.mkdir(exist_ok=True)
    for name in ("ours", "base", "theirs"):
        with closing(sqlite3.connect(place / f"{name}.db")) as opened, opened:
            opened.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
            opened.execute("INSERT INTO t VALUES (1, ?)", (name,))
    words = ["ours.db", "base.db", "theirs.db", "--key", "id", "-o", "ours.db:t"]
    answer = run("merge-file", *words, code=1)
    assert "<<<<" not in answer.err
    assert "as ours has them" in answer.err
    assert len(list(place.iterdir())) == 3
