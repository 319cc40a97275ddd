"""Cells of files merged by policies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly import ABSENT
from prolly.errors import Invalid
from prolly.merge import UNRESOLVED
from prolly.ops.cell_merge import JSON_POLICIES, TEXT_POLICIES, CellMerge, Cells, same

CELL = st.sampled_from(["", "a", "1", "2", "10", "1.5", "2.50", "x\ny"])


@given(CELL, CELL, CELL, st.sampled_from(TEXT_POLICIES))
def test_one_change_is_taken(base: str, ours: str, theirs: str, policy: str) -> None:
    """Under every policy; and but for ours and theirs the sides are alike."""
    cells = CellMerge([policy], is_text=True)
    assert cells.merge("c", Cells(base, ours, base)) is ours
    assert cells.merge("c", Cells(base, base, theirs)) is theirs
    found = cells.merge("c", Cells(base, ours, theirs))
    assert found is UNRESOLVED or found is ABSENT or type(found) is str
    if policy not in ("ours", "theirs"):
        assert cells.merge("c", Cells(base, theirs, ours)) == found


@given(st.integers(), st.integers(), st.integers())
def test_counters_add_up(base: int, ours: int, theirs: int) -> None:
    """Also where both sides did the same."""
    cells = CellMerge(["n=counter"], is_text=True)
    sides = map(str, (base, ours, theirs))
    assert cells.merge("n", Cells(*sides)) == str(ours + theirs - base)


def test_types_are_told_apart() -> None:
    """As in tables."""
    values: list[Any] = [1, 1.0, True, "1", None, ABSENT, [1], {"a": 1}, ""]
    for place, one in enumerate(values):
        for other_place, other in enumerate(values):
            assert same(one, other) is (place == other_place)


def test_what_needs_more_than_files_have_is_refused() -> None:
    """Clocks, a place for what loses, resolvers; a set needs JSON."""
    for policy in ("last-writer-wins", "keep-both", "set:add-wins", "app:x"):
        with pytest.raises(Invalid) as raised:
            CellMerge([policy], is_text=False)
        assert raised.value.code == "policy-type"
    with pytest.raises(Invalid):
        CellMerge(["map"], is_text=True)
    for policy in JSON_POLICIES:
        assert CellMerge([f"a=b={policy}"], is_text=False).policy("a=b") == policy
