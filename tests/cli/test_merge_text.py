"""How a merge was made, as ``show`` tells it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prolly_cli.merge_text import merge_lines, named_conflicts

import prolly
from prolly import Transaction
from prolly.codec import key

Run = Callable[..., Any]
Write = Callable[[Transaction], None]


def test_show_tells_how_conflicts_were_settled(merging: Run) -> None:
    """What a person settled which way stands in the commit, and ``show`` prints it."""
    merging("resolve", "people", "2", "--theirs")
    merging("resolve", "--all", "--ours")
    merging("commit", "-m", "merged")
    shown = merging("show").out.splitlines()
    at = shown.index("conflicts settled: ours 2, theirs 1")
    assert shown[at + 1 : at + 5] == [
        "  people 2: theirs",
        "  people 3: ours",
        "  settings theme: ours",
        "",
    ]
    told = merging("show", "--json").document["metadata"]["merge"]
    assert told["settled"] == {"ours": 2, "theirs": 1}
    assert len(told["conflicts"]) == 3
    assert "metadata" not in merging("show", "HEAD~1", "--json").document
    assert "settled" not in merging("show", "HEAD~1").out


def settled(place: Path, *sides: Write) -> None:
    """Merge two sides of a repository, and settle all for theirs."""
    with prolly.open(place) as repo:
        for number, write in enumerate(sides):
            branch = ("main", "main", "feature")[number]
            with repo.transaction(branch, message="mine") as tx:
                write(tx)
            if not number:
                repo.create_branch("feature")
        conflicts = repo.merge("feature").conflicts
        conflicts.settle_all("theirs")
        conflicts.commit()


def test_show_names_the_first_of_many(run: Run, repository: Path) -> None:
    """Ten are named, and how many more there were."""
    settled(
        repository,
        *[
            lambda tx, n=n: tx.map("m").update(dict.fromkeys(range(30), n))
            for n in (0, 1, 2)
        ],
    )
    shown = run("show").out.splitlines()
    at = shown.index("conflicts settled: theirs 30")
    expected = [f"  m [{n}]: theirs" for n in range(10)]
    assert shown[at + 1 : at + 13] == [*expected, "  ... and 20 more", ""]


def test_show_names_what_is_no_record(run: Run, repository: Path) -> None:
    """A blob has no key, a part of a description is named, and so is what is gone."""

    def begin(tx: Transaction) -> None:
        tx.map("gone")["x"] = 0
        tx.table("t", key="id").upsert({"id": 1})

    def side(value: int) -> Write:
        def write(tx: Transaction) -> None:
            with tx.blob("b", "wb") as blob:
                blob.write(bytes([value]))
            tx.set_policy("t", "max" if value else "min")
            if value:
                tx.drop("gone")
            else:
                tx.map("gone")["x"] = 1

        return write

    settled(repository, begin, side(0), side(1))
    lines = set(run("show").out.splitlines())
    assert {
        "  b: theirs",
        "  t policy / (schema): theirs",
        "  gone dropped (schema): theirs",
    } <= lines


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


@pytest.mark.parametrize(
    "listed",
    [None, {}, [5], [[]], [[b"x", 0, b"\xff", "ours"]], [[b"x", 0, "key", "ours"]]],
)
def test_named_conflicts_of_another_form_are_passed_over(listed: Any) -> None:
    """Nor does what they name need to be there."""
    assert list(named_conflicts(listed, {})) == []
    one = [bytes(8), 0, key.encode(("a",)), "ours"]
    assert list(named_conflicts([one], {})) == ["00000000 a: ours"]
