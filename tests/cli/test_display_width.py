"""Columns of a terminal: what takes two, what takes none, and what is never torn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prolly_cli.display_width import clusters, cut, head, padded, tail, width

# What a terminal may be asked to show, with much of what is hard to measure.
PIECES = (
    "a",
    " ",
    "é",
    "e\u0301",
    "漢",
    "한",
    "👩\u200d🚀",
    "❤\ufe0f",
    "👍🏽",
    "🇩🇪",
    "ก็",
)
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("abc", 3),
        ("漢字", 4),
        ("e\u0301", 1),
        ("한", 2),
        ("\u1112\u1161\u11ab", 2),
        ("👩\u200d🚀", 2),
        ("👨\u200d👩\u200d👧\u200d👦!", 3),
        ("❤\ufe0f", 2),
        ("1\ufe0f\u20e3", 2),
        ("👍🏽", 2),
        ("🇩🇪🇫🇷", 4),
        ("ก็", 1),
        ("\uff21", 2),
    ],
)
def test_what_takes_two_columns_and_what_none(text: str, columns: int) -> None:
    """Wide characters take two, marks none, and a joined picture is one."""
    assert width(text) == columns


@given(TEXTS)
def test_clusters_are_the_text(text: str) -> None:
    """Nothing is lost, and the columns of the parts are those of the whole."""
    found = list(clusters(text))
    assert "".join(one for one, _ in found) == text
    assert all(one for one, _ in found)
    assert sum(columns for _, columns in found) == width(text)


@given(TEXTS, st.integers(0, 12))
def test_a_cut_text_fits_and_is_a_beginning(text: str, room: int) -> None:
    """It is never wider than its room, whole if it fits, and ends in an ellipsis."""
    found = cut(text, room)
    assert width(found) <= room
    if width(text) <= room:
        assert found == text
    elif room:
        assert found.endswith("…")
        assert text.startswith(found[:-1])


@given(TEXTS, st.integers(0, 12))
def test_head_and_tail_tear_nothing_apart(text: str, room: int) -> None:
    """Both are whole clusters from an end of the text, as many as fit."""
    parts = [one for one, _ in clusters(text)]
    assert head(text, room) in {"".join(parts[:n]) for n in range(len(parts) + 1)}
    assert tail(text, room) in {"".join(parts[n:]) for n in range(len(parts) + 1)}
    assert max(width(head(text, room)), width(tail(text, room))) <= room


@given(TEXTS, st.integers(0, 12), st.booleans())
def test_padding_fills_up(text: str, columns: int, right: bool) -> None:
    """It adds spaces alone, up to the width, on the side that was asked for."""
    found = padded(text, columns, right=right)
    assert width(found) == max(columns, width(text))
    assert found.endswith(text) if right else found.startswith(text)
