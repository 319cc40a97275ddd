"""Three sides beside each other: each in its columns, cut where they differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prolly_cli.conflict_columns import column_widths, fitted, fitted_row
from prolly_cli.display_width import width


def test_wide_values_are_cut_to_the_terminal() -> None:
    """Who needs less than a third leaves the rest to the others."""
    assert column_widths(80, [["a", "b" * 10, "c" * 10]]) == [4, 10, 10]
    assert column_widths(66, [["a" * 99, "b" * 99, "c"]]) == [27, 27, 6]
    assert column_widths(10, [["a" * 99, "b" * 99, "c" * 99]]) == [8, 8, 8]
    assert fitted("abcdef", 4) == "abc…"
    assert fitted("a\n", 4) == "a\\n "


@given(
    st.text(max_size=60), st.text(max_size=60), st.text(max_size=60), st.integers(8, 40)
)
def test_the_three_columns_keep_their_widths(
    base: str, ours: str, theirs: str, room: int
) -> None:
    """Whatever the texts, each takes exactly its columns, and nothing escapes."""
    told = fitted_row([base, ours, theirs], [room] * 3)
    assert [width(one) for one in told] == [room] * 3
    assert not set("".join(told)) & set("\x1b\x9b\n\r\u202e\u2066")
