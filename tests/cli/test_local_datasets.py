"""Local datasets at the command line: written at once, and never committed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def notes(run: Run, repository: Path) -> Run:
    """A repository with a local map ``notes`` and a commit of ``shared``."""
    run("put", "shared", "a", "1")
    run("commit", "-m", "first")
    run("dataset", "create", "notes", "--local")
    run("put", "notes", "a", '"mine"')
    return run


def test_what_reads_sees_it(notes: Run) -> None:
    """``ls``, ``get``, ``scan``, ``stats`` and ``status``; at any version."""
    assert notes("get", "notes", "a", "--json").document["value"] == "mine"
    old = notes("get", "notes", "a", "--at", "HEAD~1", "--json").document
    assert old["value"] == "mine"
    assert [one["key"] for one in notes("scan", "notes", "--json").lines] == [["a"]]
    assert notes("ls", "--json").document["datasets"]["notes"]["local"] is True
    assert set(notes("stats", "--json").document["datasets"]) == {"notes", "shared"}
    assert notes("stats", "notes", "--json").document["count"] == 1
    assert notes("status", "--json").document["local"] == ["notes"]
    assert "local, in no commit: notes" in notes("status").out
    assert "local" not in notes("show", "--json").document["datasets"]


def test_there_is_nothing_to_commit(notes: Run) -> None:
    """It is stored at once: the working state is clean, and a reset leaves it."""
    assert notes("status", "--json").document["datasets"] == {}
    assert "nothing-to-commit" in notes("commit", "-m", "x", code=2).err
    notes("reset", "--hard")
    notes("branch", "other")
    notes("switch", "other")
    assert notes("get", "notes", "a", "--json").document["value"] == "mine"


def test_history_says_that_it_is_in_no_commit(notes: Run) -> None:
    """What goes by commits refuses it by name."""
    for words in (
        ("diff", "--", "notes"),
        ("blame", "notes"),
        ("history", "notes", "a"),
        ("log", "--", "notes:a"),
        ("commit", "-m", "x", "--dataset", "notes"),
        ("commit", "-m", "x", "--dataset", "notes", "--key", "a"),
        ("reset", "--dataset", "notes"),
    ):
        notes("put", "shared", "b", "2")
        assert "[local-dataset]" in notes(*words, code=2).err, words
    assert [one["dataset"] for one in notes("diff", "--json").lines] == ["shared"]


def test_an_import_is_stored_with_its_counts(
    notes: Run, write: Callable[..., str]
) -> None:
    """Into a local table rows go at once; what else waits is not committed by it."""
    file = write("rows.csv", "id,name", "1,Ada", "2,Bo")
    columns = [{"name": "id", "type": "int"}, {"name": "name", "type": "text"}]
    schema = write("schema.json", json.dumps({"columns": columns, "key": ["id"]}))
    notes("dataset", "create", "people", "--local", "--schema", schema)
    notes("put", "shared", "b", "2")
    told = notes("import", "people", file, "-m", "never").out
    assert "2 added" in told and "in no commit" in told
    assert notes("status", "--json").document["datasets"]["shared"]["added"] == 1
    document = notes("import", "people", file, "--json").document
    assert document["datasets"]["people"] == {"added": 0, "removed": 0, "modified": 0}
    assert notes("export", "people").out.splitlines()[1:] == ["1,Ada", "2,Bo"]


def test_a_name_is_taken_by_either(notes: Run) -> None:
    """Neither can be made or renamed to where the other stands."""
    assert "dataset-exists" in notes("dataset", "create", "notes", code=2).err
    assert (
        "dataset-exists" in notes("dataset", "create", "shared", "--local", code=2).err
    )
    assert "dataset-exists" in notes("dataset", "rename", "notes", "shared", code=2).err


def test_both_of_a_name_can_be_told_apart(
    run: Run, repository: Path, place: Path
) -> None:
    """Where a branch has the name of a local one, it is seen as ``NAME~shared``."""
    run("branch", "other")
    run("switch", "other")
    run("put", "notes", "a", '"all"')
    run("commit", "-m", "notes of all")
    run("switch", "main")
    run("dataset", "create", "notes", "--local")
    run("put", "notes", "a", '"mine"')
    run("merge", "other")
    assert run("get", "notes", "a", "--json").document["value"] == "mine"
    assert run("get", "notes~shared", "a", "--json").document["value"] == "all"
    assert list(run("ls", "--json").document["datasets"]) == ["notes", "notes~shared"]
    assert list(run("show", "--json").document["datasets"]) == ["notes"]
    assert run("blame", "notes", "a", "--json").document["dataset"] == "notes"
    run("put", "notes~shared", "a", '"ours"')
    [change] = run("diff", "--json", "--", "notes").lines
    assert (change["dataset"], change["new"]) == ("notes", "ours")
    run("dataset", "rename", "notes", "mine")
    assert run("get", "notes", "a", "--json").document["value"] == "ours"
    assert run("get", "mine", "a", "--json").document["value"] == "mine"
