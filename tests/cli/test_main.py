"""The program as a whole: help, global options on both sides, wrong usage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from prolly_cli.command_group import SECTIONS
from prolly_cli.main import cli, main

import prolly

Run = Callable[..., Any]


def test_without_a_command_it_shows_its_help(run: Run) -> None:
    """``prolly`` alone explains itself, with every command by section."""
    shown = run().out
    for title, names in SECTIONS.items():
        assert f"{title}:\n" in shown
        assert all(f"  {name}" in shown for name in names)


def test_every_command_explains_itself(run: Run) -> None:
    """``prolly COMMAND --help`` works for each, and shows its usage."""
    for name in cli.list_commands(click.Context(cli)):
        assert f"Usage: prolly {name}" in run(name, "--help").out


def test_the_version_is_that_of_the_library(run: Run) -> None:
    """``--version`` stands on either side of a command."""
    assert run("--version").out == f"prolly {prolly.__version__}\n"
    assert run("ls", "--version").out == f"prolly {prolly.__version__}\n"


def test_global_options_stand_on_either_side(people: Run) -> None:
    """``--json`` means the same before and after the command."""
    assert people("--json", "ls").document == people("ls", "--json").document


def test_the_directory_may_be_named_twice(
    people: Run, place: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    """``-C`` is relative to the one before it, and finds a repository above."""
    (place / "below" / "deep").mkdir(parents=True)
    monkeypatch.chdir(place.parent)
    assert main(["-C", place.name, "-C", "below/deep", "ls"]) == 0
    assert capfd.readouterr().out.startswith("people")


def test_a_directory_that_is_not_there_is_no_detour(
    people: Run, place: Path, capfd: Any
) -> None:
    """``-C`` with a missing directory, or a file, never finds a repository above it."""
    for name in ("nowhere", "first.csv", "first.csv/x"):
        assert main(["-C", str(place / name), "ls"]) == 3
        assert "[no-such-directory]" in capfd.readouterr().err
    assert main(["-C", str(place / "new" / "one"), "init"]) == 0
    assert (place / "new" / "one" / ".prolly").is_dir()


def test_a_group_alone_shows_its_help(run: Run) -> None:
    """With exit 2, since nothing was done; as JSON it is an error like any other."""
    for name in ("dataset", "files"):
        answer = run(name, code=2)
        assert f"Usage: prolly {name}" in answer.err
        assert "Commands:" in answer.err
        assert "\\n" not in answer.err
        assert run("--json", name, code=2).error["code"] == "usage"


def test_quiet_says_nothing_of_what_was_done(people: Run) -> None:
    """With ``-q`` a command that changes something prints nothing."""
    answer = people("-q", "put", "settings", "theme", '"dark"')
    assert (answer.out, answer.err) == ("", "")


@pytest.mark.parametrize(
    "words",
    [
        ["frobnicate"],
        ["get"],
        ["get", "people"],
        ["get", "people", "1", "2"],
        ["scan", "people", "--limit", "many"],
        ["scan", "people", "--nothing"],
        ["diff", "a", "b", "c"],
        ["diff", "--", "people", "others"],
        ["diff", "--stat", "--format", "csv"],
        ["branch", "-d"],
        ["tag", "-d"],
        ["commit"],
        ["branch", "x", "--force"],
        ["import", "people", "first.csv", "--append", "--update"],
        ["import", "people", "first.csv", "--replace", "--append", "--update"],
        ["put", "settings", "k", "1", "--update"],
        ["dataset", "frobnicate"],
        ["schema", "people", "--set", "x.json", "--at", "HEAD"],
    ],
)
def test_wrong_usage_exits_2_in_the_form_of_all_errors(
    people: Run, words: list[str]
) -> None:
    """What click refuses looks like any error: code, hint, and an object as JSON."""
    answer = people(*words, code=2)
    assert answer.out == ""
    first, second = answer.err.splitlines()
    assert first.startswith("prolly: error: ")
    assert first.endswith("[usage]")
    assert second.startswith("hint: `prolly ")
    assert people("--json", *words, code=2).error["code"] == "usage"


def test_a_command_that_is_nearly_right_is_suggested(run: Run) -> None:
    """A typing error gets the command that was meant."""
    assert "did you mean import?" in run("imprt", code=2).err
    assert "did you mean log -g?" in run("reflog", code=2).err
