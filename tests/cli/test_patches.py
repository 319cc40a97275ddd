"""``diff --format patch`` and ``apply``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def patch_file(run: Run, place: Path, *words: str) -> Path:
    """Write the patch that ``diff`` prints to a file."""
    found = place / "changes.patch"
    found.write_text(run("diff", "--format", "patch", *words).out)
    return found


def root(run: Run, revision: str = "HEAD") -> str:
    return str(run("show", revision, "--json").document["root"])


def test_a_patch_brings_one_version_to_the_other(people: Run, place: Path) -> None:
    """Committed with -m, to the same root; once more it changes nothing."""
    second = root(people)
    path = patch_file(people, place, "HEAD~1", "HEAD")
    people("reset", "--hard", "HEAD~1")
    told = people("apply", path.name, "-m", "from a patch").out
    assert "from a patch" in told and "1 added, 1 removed, 1 modified" in told
    assert root(people) == second
    again = people("apply", path.name, "-m", "again", "--json").document
    assert (again["status"], again["made"]) == ("up-to-date", [])
    assert "has all of it already" in people("apply", path.name).out


def test_without_a_message_it_waits(people: Run, place: Path) -> None:
    """For ``commit``, or to be given up; standard input is a patch, too."""
    path = patch_file(people, place, "HEAD", "HEAD~1")
    first = root(people, "HEAD~1")
    people("apply", "-", stdin=path.read_bytes())
    assert "applying a patch" in people("status").out
    assert people("status", "--json").document["replaying"]["verb"] == "apply"
    assert people("apply", "--abort").out == (
        "gave the patch up; main is as it was before\n"
    )
    people("apply", path.name)
    people("commit", "-m", "back")
    assert root(people) == first


def test_conflicts_wait_as_those_of_a_merge(people: Run, place: Path) -> None:
    """Exit 1; settled with ``resolve``, ended with --continue."""
    path = patch_file(people, place, "HEAD~1", "HEAD")
    people("reset", "--hard", "HEAD~1")
    people("put", "people", "2", '{"height": 2.0}', "--update")
    people("commit", "-m", "mine")
    told = people("apply", path.name, "-m", "theirs", code=1).out
    assert "then prolly apply --continue; or prolly apply --abort" in told
    people("resolve", "people", "--ours")
    people("apply", "--continue")
    row = people("get", "people", "2", "--json").document
    assert row == {"id": 2, "name": "Bo", "height": 2.0}


def test_a_patch_of_what_is_uncommitted(people: Run, place: Path) -> None:
    """Without revisions it is the working state against its commit."""
    people("put", "people", "9", '{"name": "Eve", "height": 1.5}')
    path = patch_file(people, place)
    people("reset", "--hard")
    people("apply", path.name, "-m", "Eve")
    assert people("get", "people", "9", "--json").document["name"] == "Eve"


def test_a_patch_tells_whether_there_is_a_difference(people: Run) -> None:
    """With --exit-code, as other formats."""
    people("diff", "--format", "patch", "HEAD~1", "HEAD", "--exit-code", code=1)
    people("diff", "--format", "patch", "HEAD", "HEAD", "--exit-code")


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["apply", "nowhere.patch"], 7, "io-error"),
        (["apply", "first.csv"], 5, "patch"),
        (["apply"], 2, "usage"),
        (["apply", "--continue"], 2, "no-merge"),
    ],
)
def test_what_is_wrong_is_refused(
    people: Run, words: list[str], code: int, error: str
) -> None:
    """With the code of its kind."""
    assert people(*words, "--json", code=code).error["code"] == error


@pytest.mark.parametrize("words", [["--fields"], ["--stat"], ["--", "people:1"]])
def test_a_patch_is_of_whole_records_and_datasets(
    people: Run, words: list[str]
) -> None:
    """No smaller part of one is made, and no count."""
    people("diff", "--format", "patch", "HEAD~1", "HEAD", *words, code=2)


def test_a_patch_of_one_dataset(people: Run, place: Path) -> None:
    """It is applied as any other, and leaves other datasets alone."""
    people("put", "settings", "theme", '"dark"')
    people("put", "people", "9", '{"name": "Eve", "height": 1.5}')
    people("commit", "-m", "both")
    path = patch_file(people, place, "HEAD~1", "HEAD", "--", "people")
    assert "settings" not in path.read_text()
    people("reset", "--hard", "HEAD~1")
    told = people("apply", path.name, "-m", "people alone").out
    assert "people  1 added" in told and "settings" not in told
    assert people("ls").out.count("settings") == 0
    words = ["diff", "--format", "patch", "HEAD~1", "HEAD", "--exit-code", "--"]
    people(*words, "people", code=1)
    people(*words, "nothing", code=3)
