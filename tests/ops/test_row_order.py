"""Where rows of a merged file stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.ops.row_order import merged_order

KEYS = st.lists(st.integers(0, 20), unique=True, max_size=12)


def order(ours: list[object], theirs: list[object]) -> list[object]:
    """Return the merged order of keys of one part."""
    common = {(one,) for one in {*ours} & {*theirs}}
    sides = [[(one,) for one in side] for side in (ours, theirs)]
    return [key for (key,) in merged_order(sides[0], sides[1], common)]


@given(KEYS, KEYS)
def test_each_key_stands_once_and_ours_as_they_stood(
    ours: list[object], theirs: list[object]
) -> None:
    """And what theirs has added stands behind the same row as there."""
    found = order(ours, theirs)
    assert len(found) == len(set(found))
    assert set(found) == {*ours, *theirs}
    assert [one for one in found if one in ours] == ours
    for place, one in enumerate(theirs):
        if one not in ours:
            before = [other for other in theirs[:place] if other in ours]
            here = [o for o in found[: found.index(one)] if o in ours and o in theirs]
            assert here[-1:] == before[-1:]


@given(KEYS, KEYS)
def test_sorted_files_make_a_sorted_file(ours: list[int], theirs: list[int]) -> None:
    """From whichever side."""
    sides = sorted(ours), sorted(theirs)
    expected = sorted({*ours, *theirs})
    assert order(list(sides[0]), list(sides[1])) == expected
    assert order(list(sides[1]), list(sides[0])) == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (["b", "a"], ["b", "x", "a"], ["b", "x", "a"]),
        (["b", "a"], ["x", "b", "a", "y"], ["x", "b", "a", "y"]),
        (["m", "z", "c"], ["m", "x"], ["m", "z", "c", "x"]),
        (["m", "c", "z"], ["m", "x"], ["m", "c", "x", "z"]),
        (["m", "9", "11"], ["m", "10"], ["m", "9", "10", "11"]),
        (["q", "b"], ["d", "a"], ["q", "b", "d", "a"]),
        ([], ["d", "a"], ["d", "a"]),
    ],
)
def test_examples(
    ours: list[object], theirs: list[object], expected: list[str]
) -> None:
    """Behind the row that stands before them there; by key where both are sorted."""
    assert order(ours, theirs) == expected
