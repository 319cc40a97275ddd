r"""Texts merged by lines: what is kept of each side, and where it stops."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.merge import TEXT_EDITS_MAX, merge_texts
from prolly.merge.text_lines import Change, LineClash, changes_of, split_lines


def texts() -> st.SearchStrategy[str]:
    r"""Texts of few different lines, with and without an end to the last."""
    line = st.sampled_from(["a\n", "b\n", "c\n", "\n", "a\r\n"])
    end = st.sampled_from(["", "a", "z"])
    return st.tuples(st.lists(line, max_size=8).map("".join), end).map("".join)


def applied(base: list[str], changes: list[Change]) -> list[str]:
    """Return the lines of a side, from the base and its changes."""
    found: list[str] = []
    at = 0
    for start, stop, added in changes:
        found += base[at:start]
        found += added
        at = stop
    return found + base[at:]


@given(texts())
def test_lines_joined_are_the_text(text: str) -> None:
    r"""Splitting loses nothing, and only ``\n`` ends a line."""
    lines = split_lines(text)
    assert "".join(lines) == text
    assert all(line.find("\n") in (-1, len(line) - 1) for line in lines)
    assert "" not in lines


def test_only_a_line_feed_ends_a_line() -> None:
    r"""``\r``, form feeds and line separators are characters like others."""
    assert split_lines("a\r\nb\rc\x0cd\u2028e\n") == ["a\r\n", "b\rc\x0cd\u2028e\n"]
    assert split_lines("") == []
    assert split_lines("\n\n") == ["\n", "\n"]


@given(texts(), texts())
def test_changes_lead_from_the_base_to_the_side(base: str, side: str) -> None:
    """They stand in order, apart by a line at least, and give the side's text."""
    lines = split_lines(base)
    changes = changes_of(lines, split_lines(side))
    assert "".join(applied(lines, changes)) == side
    for one, following in pairwise(changes):
        assert one.stop < following.start
    assert all(one.stop > one.start or one.added for one in changes)


def edit_distance(one: list[str], other: list[str]) -> int:
    """Return the fewest lines taken out and put in, by the plain recurrence."""
    row = list(range(len(other) + 1))
    for number, line in enumerate(one, 1):
        before, row = row, [number]
        for place, mark in enumerate(other):
            best = (
                before[place] if line == mark else 1 + min(before[place + 1], row[-1])
            )
            row.append(best)
    return row[-1]


@given(texts(), texts())
def test_as_few_lines_as_possible_are_changed(base: str, side: str) -> None:
    """The changes are a shortest way."""
    lines, others = split_lines(base), split_lines(side)
    changes = changes_of(lines, others)
    edits = sum(one.stop - one.start + len(one.added) for one in changes)
    assert edits == edit_distance(lines, others)


@given(texts(), texts(), texts())
def test_a_merge_is_symmetric(base: str, ours: str, theirs: str) -> None:
    """Sides swapped give the same text, or a clash in the same place."""
    assert merge_texts(base, ours, theirs) == merge_texts(base, theirs, ours)


@given(texts(), texts())
def test_one_changed_side_is_taken(base: str, side: str) -> None:
    """The change of one side alone, or the same change of both, stands."""
    assert merge_texts(base, side, base) == side
    assert merge_texts(base, base, side) == side
    assert merge_texts(base, side, side) == side


@given(st.lists(st.integers(0, 9), min_size=1, max_size=9), texts(), texts())
def test_changes_apart_from_each_other_are_both_made(
    middle: list[int], first: str, last: str
) -> None:
    """With lines between them that stand, both changes come through."""
    stands = "".join(f"line {number} stands\n" for number in middle)
    head, tail = "the head\n", "the tail\n"
    ours = first.replace("\n", "!\n") + "\n" + stands + tail
    theirs = head + stands + last
    merged = merge_texts(head + stands + tail, ours, theirs)
    assert merged == first.replace("\n", "!\n") + "\n" + stands + last


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("1\n2\n3\n", "1\nx\n3\n", "1\n2\n3\n4\n", "1\nx\n3\n4\n"),
        ("1\n2\n3\n", "0\n1\n2\n3\n", "1\n2\n", "0\n1\n2\n"),
        # Both put the same line in, and each another one further on.
        ("1\n2\n", "1\nx\n2\n", "1\nx\n2\n3\n", "1\nx\n2\n3\n"),
        # Both took out the same lines.
        ("1\n2\n3\n4\n", "1\n4\n", "1\n4\n5\n", "1\n4\n5\n"),
        # Line ends are part of their line.
        ("1\r\n2\r\n3\r\n", "x\r\n2\r\n3\r\n", "1\r\n2\r\ny\r\n", "x\r\n2\r\ny\r\n"),
        # The last line without an end.
        ("1\n2\n3", "x\n2\n3", "1\n2\n3\n4", "x\n2\n3\n4"),
        # Lines next to each other touch, and so do an insertion and a change there.
        ("1\n2\n", "x\n2\n", "1\ny\n", LineClash(0, 2)),
        ("1\n2\n", "1\nx\n2\n", "1\ny\n", LineClash(1, 2)),
        ("1\n", "1\nx\n", "1\ny\n", LineClash(1, 1)),
        ("", "x\n", "y\n", LineClash(0, 0)),
        # A change that reaches over two of the other side makes one region of all.
        ("1\n2\n3\n4\n", "a\nb\nc\nd\n", "x\n2\n3\ny\n", LineClash(0, 4)),
        # Taken out by one, changed by the other.
        ("1\n2\n3\n", "1\n3\n", "1\n2!\n3\n", LineClash(1, 2)),
    ],
)
def test_worked_merges(base: str, ours: str, theirs: str, merged: Any) -> None:
    """What diff3 makes of small texts."""
    assert merge_texts(base, ours, theirs) == merged


def test_more_changes_than_the_limit_are_one_change() -> None:
    """At the limit each change counts for itself; past it all between is one change."""
    stands = "the middle\n"
    half = TEXT_EDITS_MAX // 4

    def side(count: int) -> tuple[str, str]:
        old = [f"{number} old\n" for number in range(count)]
        new = [f"{number} new\n" for number in range(count)]
        end = [f"{number} end\n" for number in range(half)]
        other = [f"{number} other\n" for number in range(half)]
        return (
            "".join([*old, "0\n", stands, "1\n", *end]),
            "".join([*new, "0\n", stands, "1\n", *other]),
        )

    base, ours = side(half)
    assert merge_texts(base, ours, base.replace(stands, "another\n")) == ours.replace(
        stands, "another\n"
    )
    base, ours = side(half + 1)
    clash = merge_texts(base, ours, base.replace(stands, "another\n"))
    assert clash == LineClash(0, len(split_lines(base)))
