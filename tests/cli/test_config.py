"""``config`` and ``completion``: settings, and what the shell is told."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prolly_cli.pager import pager_command

Run = Callable[..., Any]


def test_settings_are_set_listed_and_unset(run: Run, repository: Path) -> None:
    """Alone it lists all with their meaning; get falls back to the default."""
    assert run("config", "get", "gc.auto").out == "on\n"
    assert run("config", "set", "gc.auto", "off").out == "gc.auto is off\n"
    assert run("config", "get", "gc.auto", "--json").document == {
        "name": "gc.auto",
        "value": "off",
    }
    settings = run("config", "list", "--json").document["settings"]
    assert settings == {"gc.auto": "off", "pager": "", "user.name": ""}
    assert "author of commits" in run("config").out
    assert run("config", "unset", "gc.auto").out == "gc.auto is on\n"
    assert run("config", "unset", "gc.auto").out == "gc.auto is on\n"


def test_unknown_settings_are_refused(run: Run, repository: Path) -> None:
    """Exit 2, and the hint lists the known ones."""
    error = run("config", "set", "user", "x", "--json", code=2).error
    assert error["code"] == "config-key"
    assert "user.name" in error["hint"]
    assert run("config", "set", "gc.auto", "x", "--json", code=2).error["code"] == (
        "config-value"
    )


def test_the_author_of_commits(
    run: Run, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """user.name is the author, unless PROLLY_AUTHOR names one."""
    run("config", "set", "user.name", "Grace")
    for named, author in (("Ada", "Ada"), ("", "Grace")):
        monkeypatch.setenv("PROLLY_AUTHOR", named)
        run("put", "m", author, "1")
        run("commit", "-m", author)
        assert run("show", "--json").document["author"] == author


def test_the_pager_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting goes before $PAGER, and off is none."""
    monkeypatch.setenv("PAGER", "more")
    assert pager_command("less -S") == "less -S"
    assert pager_command("off") is None
    assert pager_command("") == "more"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(run: Run, shell: str) -> None:
    """A script of the shell that asks the program; no repository is needed."""
    script = run("completion", shell).out
    assert "_PROLLY_COMPLETE" in script
    assert f"{shell}_complete" in script
    assert run("completion", shell, "--json").document["shell"] == shell
    run("completion", "csh", code=2)
    error = run("completion", code=2).err
    assert "bash, zsh, fish" in error and "\\" not in error


def completed(start: Callable[..., subprocess.Popen[bytes]], *words: str) -> set[str]:
    """Return what the shell would offer behind some words."""
    environment = {
        "_PROLLY_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["prolly", *words]),
        "COMP_CWORD": str(len(words)),
    }
    process = start(env={**os.environ, **environment})
    out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    return {line.partition(",")[2] for line in out.decode().split()}


def test_names_are_completed(people: Run, start: Any) -> None:
    """Commands, options, datasets, branches and tags; nothing where there is none."""
    people("branch", "side")
    assert {"stash", "status"} <= completed(start, "sta")
    assert completed(start, "commit", "--am") == {"--amend"}
    assert completed(start, "get", "peo") == {"people"}
    assert completed(start, "log", "si") == {"side"}
    assert completed(start, "scan", "people", "--at", "ma") == {"main"}
    assert completed(start, "stash", "po") == {"pop"}
    assert completed(start, "get", "zzz") == set()
    people("tag", "v1")
    assert completed(start, "switch", "si") == {"side"}
    assert completed(start, "branch", "-d", "") == {"main", "side"}
    assert completed(start, "tag", "-d", "") == {"v1"}
    assert completed(start, "dataset", "drop", "") == {"people"}
    assert completed(start, "dataset", "rename", "p") == {"people"}
    assert completed(start, "config", "get", "user") == {"user.name"}
    assert completed(start, "diff", "main..s") == {"main..side"}
