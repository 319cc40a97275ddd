"""Values in messages: always one short line, whatever they are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import SHOWN_CHARS_MAX, shown


@given(
    st.one_of(st.integers(), st.text(), st.binary(), st.lists(st.floats()), st.none())
)
def test_what_is_short_is_its_repr_and_all_is_short(value: Any) -> None:
    """Up to the limit a value is spelt as Python does; beyond, it is cut."""
    text = shown(value)
    spelt = repr(value)
    if len(spelt) <= SHOWN_CHARS_MAX:
        assert text == spelt
    else:
        assert len(text) == SHOWN_CHARS_MAX and text.endswith("...")
        assert spelt.startswith(text[:50])


def test_what_has_no_repr_is_described() -> None:
    """An integer past what Python spells, and lists nested too deeply, have a text."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert shown(10**5000) == "an integer of 16610 bits"
    assert shown(deep) == "a value of type list"
    assert shown([10**5000]) == "a value of type list"


@pytest.mark.parametrize("kind", [str, bytes, bytearray])
def test_a_long_text_is_cut_before_it_is_spelt(kind: Any) -> None:
    """The limit counts for text and bytes of any length."""
    value = kind(10**6) if kind is not str else "x" * 10**6
    assert len(shown(value)) == SHOWN_CHARS_MAX
