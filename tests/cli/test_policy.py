"""``policy`` with policies that merge from within: sets and texts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]


def branched(run: Run, policy: str, dataset: str, values: list[str]) -> None:
    """Commit a record under a policy, then one value after the other, on a branch the
    last, and go back to where the branch began."""
    first, *ours, theirs = values
    run("put", dataset, "x", first)
    run("commit", "-m", "first")
    told = run("policy", dataset, policy, "--json").document
    assert told["policy"] == policy
    run("commit", "-m", "policy")
    run("branch", "other")
    for value in ours:
        run("put", dataset, "x", value)
        run("commit", "-m", "ours")
    run("switch", "other")
    run("put", dataset, "x", theirs)
    run("commit", "-m", "theirs")
    run("switch", "main")


@pytest.mark.parametrize(
    ("policy", "stands"), [("set", ["b", "c"]), ("set:add-wins", ["a", "b", "c"])]
)
def test_what_was_put_in_again_wins(
    forked: Run, policy: str, stands: list[str]
) -> None:
    """Over a removal, under add-wins alone; a new element stands under both."""
    values = ['["a", "b"]', '["b"]', '["a", "b"]', '["b", "c"]']
    branched(forked, policy, "labels", values)
    told = forked("merge", "other", "--json").document
    assert (told["status"], told["conflicts"]) == ("merged", 0)
    assert forked("get", "labels", "x", "--json").document["value"] == stands
    assert forked("policy", "labels").out == f"{policy}  everywhere\n"
    assert forked("fsck", "--full", "--json").lines[-1]["faults"] == 0


def test_texts_merge_within_a_line(forked: Run) -> None:
    """Two edits of one line: in conflict by lines, merged by characters."""
    values = ['"one line"', '"one long line"', '"one line more"']
    branched(forked, "text", "notes", values)
    forked("merge", "other", code=1)
    forked("merge", "--abort")
    forked("merge", "other", "--policy", "text:characters", code=1)
    forked("merge", "--abort")
    forked("policy", "notes", "--unset")
    forked("commit", "-m", "no policy")
    told = forked("merge", "other", "--policy", "text:characters", "--json").document
    assert told["status"] == "merged"
    merged = forked("get", "notes", "x", "--json").document["value"]
    assert merged == "one long line more"


def test_without_the_package_texts_stay_in_conflict(
    forked: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason says what to install."""
    values = ['"one line"', '"one long line"', '"one line more"']
    branched(forked, "text:characters", "notes", values)
    monkeypatch.setitem(sys.modules, "pycrdt", None)
    forked("merge", "other", code=1)
    [line] = forked("conflicts", "--json").lines
    assert line["ours"] == "one long line"
    assert line["theirs"] == "one line more"
    assert "pip install 'prolly[text]'" in line["reason"]


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        (("people", "set:add-wins"), "policy-type"),
        (("people", "set:add-wins", "--column", "height"), "policy-type"),
        (("people", "text:characters", "--column", "height"), "policy-type"),
        (("settings", "set:remove-wins"), "unknown-policy"),
        (("settings", "text:words"), "unknown-policy"),
    ],
)
def test_policies_that_do_not_fit_are_refused(
    forked: Run, scope: tuple[str, ...], code: str
) -> None:
    """Where they could settle nothing, or nobody knows them."""
    assert forked("policy", *scope, "--json", code=2).error["code"] == code
