"""clone --depth, --dataset, --prefix, --lazy, and pin, as they are typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def home(run: Run, repository: Path, tmp_path: Path) -> Path:
    """A directory with a repository, ``place``, of two commits and two maps."""
    run("put", "m", "a1", 1)
    run("put", "m", "b1", 1)
    run("commit", "-m", "first")
    run("put", "other", "x", 1)
    run("commit", "-m", "second")
    return tmp_path


def test_a_shallow_clone_says_where_it_ends(
    home: Path, run_in: Callable[..., Run]
) -> None:
    """log ends with a note, what needs more is told, and can be had."""
    run_in(home)("clone", "place", "copy", "--depth", 1)
    copy = run_in(home / "copy")
    log = copy("log", "--oneline")
    assert len(log.out.splitlines()) == 1 and "cut off" in log.err
    assert copy("log", "--json").document["cut"] is True
    assert "cut off" in copy("show").err
    assert "second" in copy("log", "--", "m").out
    assert "[shallow]" in copy("show", "main~1", code=3).err
    copy("fetch", "--depth", 1, "--unshallow", code=2)
    copy("fetch", "--unshallow")
    assert len(copy("log", "--oneline").out.splitlines()) == 3
    assert "cut" not in copy("log", "--json", "-n", 1).document


def test_what_is_absent_comes_or_is_named(
    home: Path, run_in: Callable[..., Run]
) -> None:
    """Offline an error with exit 3, online the record; pinned it stays."""
    run_in(home)("clone", "place", "copy", "--lazy")
    copy = run_in(home / "copy")
    (home / "place").rename(home / "away")
    assert "?" in copy("ls").out
    assert copy("ls", "--json").document["datasets"]["m"]["count"] is None
    assert "[absent]" in copy("scan", "m", code=3).err
    assert "[absent]" in copy("put", "m", "c", 1, code=3).err
    (home / "away").rename(home / "place")
    assert "here already" not in copy("pin", "m").out
    (home / "place").rename(home / "away")
    assert copy("get", "m", "a1").out == "1\n"
    assert "here already" in copy("pin", "m").out
    checked = copy("fsck", "--json").document
    assert checked["faults"] == 0 and checked["absent"] == 1
    assert "no faults" in copy("fsck").err


def test_a_prefix_is_of_one_dataset(home: Path, run_in: Callable[..., Run]) -> None:
    """Without the dataset it is refused; with it the records are there."""
    home_run = run_in(home)
    refused = home_run("clone", "place", "copy", "--prefix", "a", code=2)
    assert "[clone-prefix]" in refused.err
    home_run("clone", "place", "copy", "--dataset", "m", "--prefix", "a")
    assert run_in(home / "copy")("scan", "m", "--prefix", "a").out == "a1: 1\n"
    none = home_run("clone", "place", "third", "--dataset", "none", code=3)
    assert "[no-such-dataset]" in none.err
