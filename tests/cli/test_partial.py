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
    versions = ("diff", "main~1", "main", "--stat")
    assert "other  ? added, ? removed, ? modified (created)" in copy(*versions).out
    counted = copy(*versions, "--json").document["datasets"]["other"]
    assert counted["added"] is None and counted["event"] == "created"
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


def test_what_was_read_stays(home: Path, run_in: Callable[..., Run]) -> None:
    """A record that a command read online is there offline; others are not."""
    run_in(home)("clone", "place", "copy", "--lazy")
    copy = run_in(home / "copy")
    assert copy("get", "m", "a1").out == "1\n"
    (home / "place").rename(home / "away")
    assert copy("get", "m", "a1").out == "1\n"
    assert "[absent]" in copy("get", "other", "x", code=3).err


def test_pins_are_listed_and_ended(home: Path, run_in: Callable[..., Run]) -> None:
    """With prefixes as they can be typed; what was unpinned comes no more."""
    run_in(home)("clone", "place", "copy", "--lazy")
    copy = run_in(home / "copy")
    assert "nothing is pinned" in copy("pin").out
    copy("pin", "m", "--prefix", "a")
    copy("pin", "other")
    copy("pin", "m", "--prefix", '["b1"]')
    lines = [
        'm  keys that begin with ["b1"]',
        "m  keys that begin with a",
        "other",
    ]
    assert copy("pin").out.splitlines() == lines
    assert copy("pin", "--json").document["pins"][2] == {"dataset": "other"}
    copy("pin", "--prefix", "a", code=2)
    copy("unpin", "m", "--prefix", "a")
    assert "[no-such-pin]" in copy("unpin", "m", "--prefix", "a", code=3).err
    assert copy("unpin", "other", "--json").document == {"unpinned": "other"}
    assert copy("pin").out.splitlines() == lines[:1]
    (home / "place").rename(home / "away")
    assert copy("get", "other", "x").out == "1\n"
    (home / "away").rename(home / "place")
    home_run = run_in(home / "place")
    home_run("put", "other", "y", 2)
    home_run("commit", "-m", "third")
    copy("pull")
    (home / "place").rename(home / "away")
    assert "[absent]" in copy("get", "other", "y", code=3).err
    assert copy("get", "m", "b1").out == "1\n"
    assert copy("fsck", "--json").document["faults"] == 0


def test_a_whole_replica_has_no_pins(home: Path, run_in: Callable[..., Run]) -> None:
    """It says that nothing is left out, and unpin has nothing to end."""
    place = run_in(home / "place")
    assert "no record is left out" in place("pin").out
    assert place("pin", "--json").document == {"pins": None}
    assert "[no-such-pin]" in place("unpin", "m", code=3).err


def test_status_tells_how_a_branch_stands(
    home: Path, run_in: Callable[..., Run]
) -> None:
    """Ahead and behind of the remote as last seen, and that the replica is a part."""
    run_in(home)("clone", "place", "copy", "--dataset", "m")
    copy, place = run_in(home / "copy"), run_in(home / "place")
    assert "even with origin/main" in copy("status").out
    assert "a partial replica" in copy("status").out
    assert "origin/main" in copy("log", "--oneline", "-n", 1).out
    copy("put", "m", "c", 1)
    copy("commit", "-m", "ours")
    for number in range(2):
        place("put", "m", "d", number)
        place("commit", "-m", "theirs")
    copy("fetch")
    assert "1 commit ahead of, 2 commits behind origin/main" in copy("status").out
    told = copy("status", "--json").document
    assert told["remotes"] == {"origin/main": {"ahead": 1, "behind": 2}}
    assert told["partial"] is True
    assert "remotes" not in place("status", "--json").document
