"""Texts merged by characters: laws, a plain model, limits and the missing package."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.errors import Unsupported
from prolly.maps import ABSENT
from prolly.merge import (
    TEXT_CHARACTERS_MAX,
    UNRESOLVED,
    Rules,
    merge_characters,
    merge_manifests,
    merge_value,
)
from prolly.merge.column_merge import OnConflict
from prolly.merge.text_characters import character_changes
from prolly.merge.text_lines import Change
from prolly.repo import Repository, Workspace
from prolly.testing.repositories import memory_repository, write_on
from prolly.testing.stamped_world import StampedWorld
from prolly.tree import Versions

POLICY = "text:characters"
# Few characters, of one to four bytes and in two planes, so that changes meet.
TEXTS = st.text("ab\u00e9\U0001f600\n", max_size=12)


@st.composite
def edited(draw: st.DrawFn, base: str) -> str:
    """Some text, or the base with a few edits."""
    text = base
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 3)))
        text = text[:start] + draw(TEXTS)[:3] + text[stop:]
    return text


@st.composite
def versions(draw: st.DrawFn, sides: int = 2) -> tuple[str, ...]:
    """A base and what became of it on each side."""
    base = draw(TEXTS)
    return (base, *[draw(edited(base)) for _ in range(sides)])


def plainly_merged(base: str, ours: str, theirs: str) -> str:
    """Return what the specification says, without any document of Yjs."""
    sides = [character_changes(base, one) for one in sorted((ours, theirs))]
    gone: set[int] = set()
    put_in: dict[int, list[Sequence[str]]] = {}
    for change in dict.fromkeys([*sides[0], *sides[1]]):
        gone.update(range(change.start, change.stop))
        put_in.setdefault(change.start, []).append(change.added)
    parts = []
    for place in range(len(base) + 1):
        parts += ["".join(one) for one in put_in.get(place, [])]
        parts += [base[place : place + 1]] if place not in gone else []
    return "".join(parts)


@given(versions())
def test_it_is_what_the_specification_says(three: tuple[str, ...]) -> None:
    """What Yjs makes of both sides is a plain function of their changes."""
    assert merge_characters(*three) == plainly_merged(*three)


@given(versions())
def test_the_sides_do_not_matter(three: tuple[str, ...]) -> None:
    """Swapped, they give the same; equal to each other or the base, one stands."""
    base, ours, theirs = three
    merged = merge_characters(base, ours, theirs)
    assert merge_characters(base, theirs, ours) == merged
    assert merge_characters(base, ours, ours) == ours
    assert merge_characters(base, base, theirs) == theirs


@given(versions())
def test_changes_turn_the_base_into_the_side(three: tuple[str, ...]) -> None:
    """In order, with a character of the base between each two."""
    base, side, _ = three
    built, done = "", 0
    for number, (start, stop, added) in enumerate(character_changes(base, side)):
        assert start > done or not number
        assert start <= stop and (added or start < stop)
        built += base[done:start] + "".join(added)
        done = stop
    assert built + base[done:] == side


def test_two_edits_of_one_line_both_stand() -> None:
    """By lines they would clash; an edit that both made is made once."""
    base = "The cat sat on the mat.\n"
    ours = "The black cat sat on the mat.\n"
    theirs = "The cat sat on the red mat.\n"
    assert merge_value("text", base, ours, theirs) is UNRESOLVED
    merged = merge_value(POLICY, base, ours, theirs)
    assert merged == "The black cat sat on the red mat.\n"
    alike = ["Teh end.", "The end!", "The end?"]
    assert merge_characters(*alike) == "The end!?"
    assert merge_characters("", "\U0001f600", "z\uffff") == "z\uffff\U0001f600"


def test_a_deletion_is_in_conflict_with_a_change() -> None:
    """So is text with what is no text; null counts as empty where the base is null."""
    assert merge_value(POLICY, "a", ABSENT, "b") is UNRESOLVED
    assert merge_value(POLICY, "a", None, "b") is UNRESOLVED
    assert merge_value(POLICY, None, "a", "b") == "ab"


@pytest.mark.parametrize("more", [0, 1])
def test_long_lines_are_taken_whole(more: int) -> None:
    """Up to the limit a line is divided; past it, it is replaced by one change."""
    half = TEXT_CHARACTERS_MAX // 2
    base = "." * (half - 2) + "ab"
    side = "x" + base[:-2] + "b" + "c" * more
    found = character_changes(base, side)
    if more:
        assert found == [Change(0, half, side)]
    else:
        assert found == [Change(0, 0, "x"), Change(half - 2, half - 1, "")]


def noted(repo: Repository) -> None:
    """Let two branches write into one line of a note."""
    write_on(repo, "main", lambda tx: tx.map("n").update(a="one line"))
    write_on(repo, "main", lambda tx: tx.set_policy("n", POLICY))
    repo.create_branch("feature", "main")
    write_on(repo, "main", lambda tx: tx.map("n").update(a="one long line"))
    write_on(repo, "feature", lambda tx: tx.map("n").update(a="one line more"))


def test_without_the_package_it_stays_a_conflict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a merge that somebody asks for: nothing is lost, and the reason says how."""
    repo = memory_repository()
    noted(repo)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pycrdt", None)
        assert repo.merge("feature", into="main").status == "conflicts"
        [conflict] = repo.conflicts().of()
        assert (conflict.ours, conflict.theirs) == ("one long line", "one line more")
        assert "pip install 'prolly[text]'" in conflict.reason
        repo.working_area().discard()
    assert repo.merge("feature", into="main").status == "merged"
    assert repo.at("main").map("n")["a"] == "one long line more"


@pytest.mark.parametrize("mode", ["keep-both", "base"])
def test_without_the_package_nothing_else_is_settled(
    monkeypatch: pytest.MonkeyPatch, mode: OnConflict
) -> None:
    """Where nobody is asked, another replica would settle it otherwise: refused."""
    world = StampedWorld()

    def put(text: str) -> bytes:
        def edit(space: Workspace) -> None:
            space.map("n")["a"] = text

        return world.write(base, edit)

    def begin(space: Workspace) -> None:
        space.map("n")["a"] = "one line"
        space.set_policy("n", POLICY)

    base = world.write(world.empty, begin)
    sides = Versions(base, put("one long line"), put("one line more"))
    merged = world.merge(sides)
    monkeypatch.setitem(sys.modules, "pycrdt", None)
    with world.store.writer() as writer, pytest.raises(Unsupported) as caught:
        rules = Rules(on_conflict=mode)
        merge_manifests(world.reader, writer, sides, rules)
    assert caught.value.code == "missing-extra"
    assert caught.value.facts == {"extra": "text"}
    monkeypatch.undo()
    assert world.merge(sides) == merged
