"""Cells of a sheet of conflicts: what a spreadsheet leaves alone comes back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.ops.conflict_cells import read_text, safe_text
from prolly.tables import COLUMN_TYPES, column_type
from prolly.testing.strategies import typed_values


@given(
    st.sampled_from(sorted(COLUMN_TYPES)).flatmap(
        lambda name: st.tuples(st.just(name), typed_values()[name])
    )
)
def test_a_cell_comes_back(typed: tuple[str, Any]) -> None:
    """Every value of every type is read as it was spelt, and spelt the same again."""
    name, value = typed
    kind = column_type(name)
    checked = kind.check(value)
    text = safe_text(kind, checked)
    assert safe_text(kind, read_text(kind, text)) == text
    assert "\n" not in text
    assert "\r" not in text


@pytest.mark.parametrize(
    "text",
    [
        *("007", "1e5", "TRUE", "true", "=1+1", "+1", "-x", "@a", "MARCH1", "1.10"),
        *("1/2", " a", "a ", "null", "", '"', "1234567890123456", "a\nb", "nan"),
        "2026-01-31",
    ],
)
def test_what_a_spreadsheet_may_change_stands_in_quotes(text: str) -> None:
    """Numbers in disguise, dates, formulas, blanks at the ends, and words it knows."""
    kind = column_type("text")
    spelt = safe_text(kind, text)
    assert spelt.startswith('"')
    assert read_text(kind, spelt) == text


@pytest.mark.parametrize("text", ["Ada", "Ada Lovelace", "12", "-1.5", "Zürich, CH"])
def test_plain_words_and_numbers_stand_as_they_are(text: str) -> None:
    """They are what people mostly type."""
    assert safe_text(column_type("text"), text) == text


def test_null_and_what_a_spreadsheet_writes_are_read() -> None:
    """An empty cell is null; TRUE is what it makes of true."""
    assert read_text(column_type("text"), "") is None
    assert read_text(column_type("int"), "null") is None
    assert read_text(column_type("text"), '""') == ""
    assert read_text(column_type("bool"), "TRUE") is True
