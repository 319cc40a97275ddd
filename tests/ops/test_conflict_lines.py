"""Marks of conflicts in files."""

from __future__ import annotations

import json

import pytest

from prolly.ops.conflict_lines import (
    MARKERS,
    is_git_marker,
    is_marker_row,
    marker_cells,
    marker_object,
)


@pytest.mark.parametrize("marker", sorted(MARKERS))
def test_a_marker_is_a_row(marker: str) -> None:
    """As wide as any other; no cell of it is a formula to a spreadsheet."""
    cells = marker_cells(marker, ["a", "b", "c"], ["b"])
    assert cells == [marker, "<<<<<<<", ""]
    assert is_marker_row(cells, 3)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    assert json.loads(marker_object(marker, ["b"])) == {marker: ["b"]}


def test_other_rows_are_none() -> None:
    """Marks of git are, where a row has one cell; a rule of signs may be a text."""
    for mark in ("<<<<<<< HEAD", "||||||| 1a2b", "=======", ">>>>>>> branch"):
        assert is_marker_row([mark], 3)
        assert is_marker_row([mark], 1) == (mark != "=======")
        assert is_git_marker(mark)
    for row in ([], ["<<<<<<< HEAD", ""], [">>>>>>> end", "x"], ["a", "<<<<<<< ours"]):
        assert not is_marker_row(row, 2)
    assert not any(map(is_git_marker, ("", "======", "========", "<<<<<<<", "a")))
