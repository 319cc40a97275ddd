"""How a merge was made, as ``show`` tells it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from prolly_cli.merge_text import merge_lines

Run = Callable[..., Any]


def test_show_tells_how_conflicts_were_settled(merging: Run) -> None:
    """What a person settled which way stands in the commit, and ``show`` prints it."""
    merging("resolve", "people", "2", "--theirs")
    merging("resolve", "--all", "--ours")
    merging("commit", "-m", "merged")
    assert "conflicts settled: ours 2, theirs 1" in merging("show").out
    told = merging("show", "--json").document["metadata"]["merge"]
    assert told["settled"] == {"ours": 2, "theirs": 1}
    assert len(told["conflicts"]) == 3
    assert "metadata" not in merging("show", "HEAD~1", "--json").document
    assert "settled" not in merging("show", "HEAD~1").out


def test_show_tells_the_policy_of_a_merge(forked: Run) -> None:
    """The policy that one merge was made with is told."""
    forked("merge", "feature", "--policy", "theirs")
    assert "merged with the policy theirs" in forked("show").out


@pytest.mark.parametrize(
    "told",
    [None, 5, [], "x", {"policy": 5}, {"settled": []}, {"answers": {"a": "b", 5: 5}}],
)
def test_metadata_of_another_form_is_passed_over(told: Any) -> None:
    """A commit made elsewhere may say anything there."""
    assert list(merge_lines({"merge": told})) == []
    assert list(merge_lines({})) == []
