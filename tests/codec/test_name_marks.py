"""Marks that nobody sees: found in names, and nothing else is."""

from __future__ import annotations

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import hidden_mark


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_first_mark_without_a_shape_is_named(name: str) -> None:
    """Controls, marks of format, and separators of lines and paragraphs are found."""
    hidden = [one for one in name if category(one) in ("Cc", "Cf", "Zl", "Zp")]
    assert hidden_mark(name) == (f"U+{ord(hidden[0]):04X}" if hidden else "")


SEEN = ["", "a b", "naïve", "имя", "名前", "a\u00a0b", "e\u0301", "👍🏽", "\ue000"]


@pytest.mark.parametrize("name", SEEN)
def test_what_is_seen_passes(name: str) -> None:
    """Letters of any script, spaces, accents apart and emoji are no hidden marks."""
    assert hidden_mark(name) == ""
