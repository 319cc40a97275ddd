"""Words that differ: both texts come back whole, and what is unmarked is equal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prolly_cli.display_width import width
from prolly_cli.folded_cell import folded, spans_width
from prolly_cli.word_difference import Spans, word_differences

WORDS = st.lists(st.sampled_from(["red", "fox", "漢字", "1.5", "e\u0301", ",", " "]))
TEXTS = st.one_of(st.text(), WORDS.map(" ".join), WORDS.map("".join))


def text_of(spans: Spans) -> str:
    return "".join(one.text for one in spans)


def same_in(spans: Spans) -> str:
    """Return what is not marked, but for spaces, which marks may swallow."""
    return "".join("".join(one.text.split()) for one in spans if not one.changed)


@given(TEXTS, TEXTS)
def test_both_texts_come_back(old: str, new: str) -> None:
    """The parts make up the texts, and what is not marked is the same in both."""
    before, after = word_differences(old, new)
    assert (text_of(before), text_of(after)) == (old, new)
    assert same_in(before) == same_in(after)
    if old != new:
        assert any(one.changed for one in [*before, *after])
    else:
        assert not any(one.changed for one in [*before, *after])


@given(TEXTS, TEXTS, st.integers(1, 30))
def test_a_folded_cell_fits_and_shows_a_change(old: str, new: str, room: int) -> None:
    """It is never wider than its room; marks are still there if there were any."""
    for spans in word_differences(old, new):
        found = folded(spans, room)
        assert spans_width(found) <= room
        if spans_width(spans) <= room:
            assert found == spans
        elif room > 2 and any(width(one.text) for one in spans if one.changed):
            assert any(one.changed for one in found)


def test_one_word_in_a_sentence_is_marked() -> None:
    """The word alone, and a number or a date is one word."""
    before, after = word_differences("due 2026-01-31, paid 1.5", "due 2026-02-28, paid")
    assert [one.text for one in before if one.changed] == ["2026-01-31", " 1.5"]
    assert [one.text for one in after if one.changed] == ["2026-02-28"]


def test_a_change_far_inside_stays_visible() -> None:
    """What is the same before and behind it gives way, in very long texts too."""
    for size in (200, 20_000):
        texts = [f"{'x y ' * size}{word}{' z' * size}" for word in ("red", "blue")]
        for word, spans in zip(("red", "blue"), word_differences(*texts), strict=True):
            shown = text_of(folded(spans, 30))
            assert word[1:3] in shown
            assert shown.startswith("…")
            assert shown.endswith("…")
