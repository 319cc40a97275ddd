"""``prolly bisect``: marks, runs, and what a command may answer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]

COMMITS = 7


@pytest.fixture
def grown(run: Run) -> Run:
    """A map whose counter is one higher in each commit; commit K has ``n`` = K."""
    run("init")
    for number in range(1, COMMITS + 1):
        run("put", "m", "n", number)
        run("commit", "-m", f"n is {number}")
    return run


def answering(text: str) -> list[str]:
    """Return the words of a program: an expression over ``number`` is its exit code.

    It counts how far the commit is from the newest one by the ids that it is told.
    """
    code = "import os, sys; ids = sys.argv[2:]; at = sys.argv[1];"
    code += "assert at == os.environ['PROLLY_COMMIT'];"
    code += f"number = {COMMITS} - ids.index(at); sys.exit({text})"
    return [sys.executable, "-c", code, "{}"]


def ids(run: Run) -> list[str]:
    return [one["commit"] for one in run("log", "--json").lines]


def test_a_search_by_hand(grown: Run) -> None:
    """What to test next is named, and in the end the first bad commit."""
    told = grown("bisect", "start", "HEAD", "HEAD~6").out
    assert told.splitlines()[0].endswith("n is 4")
    assert "6 commits left, about 3 steps" in told
    assert "prolly bisect" in grown("status").out
    assert grown("status", "--json").document["bisecting"] is True
    assert grown("bisect", "good").out.splitlines()[0].endswith("n is 5")
    found = grown("bisect", "bad").out
    assert "n is 5 is the first bad commit" in found
    assert "0 added, 0 removed, 1 modified" in found
    assert "first bad" in grown("bisect").out
    grown("bisect", "reset")
    assert "prolly bisect" not in grown("status").out


def test_a_command_finds_it(grown: Run) -> None:
    """Exit 0 is good, 1 to 124 bad; the commit is told twice."""
    known = ids(grown)
    grown("bisect", "start", "HEAD", "HEAD~6")
    words = answering("0 if number < 3 else 7")
    told = grown("bisect", "run", "--json", *words, *known).document
    assert (told["status"], told["commit"]) == ("found", known[COMMITS - 3])
    assert told["datasets"]["m"]["modified"] == 1


def test_125_skips(grown: Run) -> None:
    """With nothing else left the search is undecided, exit 1."""
    known = ids(grown)
    grown("bisect", "start", "HEAD", "HEAD~6")
    told = grown("bisect", "run", *answering("125"), *known, code=1).out
    assert "only commits that were skipped are left" in told
    document = grown("bisect", "--json", code=1).document
    assert (document["status"], len(document["among"])) == ("undecided", 6)


@pytest.mark.parametrize("text", ["126", "127", "128", "os.kill(os.getpid(), 9)"])
def test_past_125_stops(grown: Run, text: str) -> None:
    """And so does a signal; the search goes on where it was."""
    known = ids(grown)
    grown("bisect", "start", "HEAD", "HEAD~6")
    error = grown(
        "bisect", "run", "--json", *answering(text), *known, code=2
    ).err.splitlines()[-1]
    assert "bisect-command" in error
    assert grown("bisect", "--json").document["status"] == "testing"


def test_124_is_bad_and_what_cannot_be_run_is_an_error(grown: Run) -> None:
    """Of a shell, too: it says 127 for a command that there is not."""
    known = ids(grown)
    grown("bisect", "start", "HEAD", "HEAD~6")
    for words in (["/no/such/program"], ["sh", "-c", "no-such-program 2>/dev/null"]):
        error = grown("bisect", "run", *words, code=2).err
        assert "bisect-command" in error
    assert grown("bisect", "--json").document["left"] == COMMITS - 1
    grown("bisect", "run", *answering("124"), *known)
    assert grown("bisect", "--json").document["commit"] == known[COMMITS - 2]


def test_no_shell_reads_the_command(grown: Run) -> None:
    """Words are words; `sh -c` reads its own, and a fault in them, exit 2, is bad."""
    known = ids(grown)
    grown("bisect", "start", "HEAD", "HEAD~6")
    grown("bisect", "run", "sh", "-c", "test $0 != $PROLLY_COMMIT", "{}")
    assert grown("bisect", "--json").document["commit"] == known[COMMITS - 2]
    grown("bisect", "start", "HEAD", "HEAD~6")
    grown("bisect", "run", "test", "$PROLLY_COMMIT", "=", "$PROLLY_COMMIT")
    assert grown("bisect", "--json").document["commit"] == known[0]
    grown("bisect", "start", "HEAD", "HEAD~6")
    grown("bisect", "run", "sh", "-c", "if")
    assert grown("bisect", "--json").document["commit"] == known[COMMITS - 2]


def test_what_is_wrong_is_refused(grown: Run) -> None:
    """Marks that contradict each other, and a search that was not started."""
    for words, error in (
        (["good"], "no-bisect"),
        (["start", "HEAD~3", "HEAD"], "bisect-marks"),
        (["run"], "usage"),
    ):
        told = grown("bisect", *words, "--json", code=2)
        assert told.error["code"] == error
    assert grown("bisect", "start").out == "next: prolly bisect bad REV\n"
    assert grown("bisect", "bad", "HEAD").out == "next: prolly bisect good REV\n"
