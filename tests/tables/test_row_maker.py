"""Rows are made of tuples, whatever the names and however many there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.tables.row_maker import _SLOW_ROWS, SingleRows, row_maker

names = st.lists(st.text(), max_size=6, unique=True).map(tuple)


@given(names, st.integers(0, 5))
def test_rows_are_what_names_and_cells_say(names: tuple[str, ...], count: int) -> None:
    """Each tuple becomes a dictionary of its own, in the order of the names."""
    cells = [tuple((number, place) for place in names) for number in range(count)]
    rows = row_maker(names)(cells)
    assert rows == [dict(zip(names, one, strict=True)) for one in cells]
    assert all(list(row) == list(names) for row in rows)
    assert len({id(row) for row in rows}) == count


@pytest.mark.parametrize("width", [1, 100, 101, 2048])
def test_any_width_will_do(width: int) -> None:
    """The widest that is written out, one past it, and the widest table."""
    names = tuple(f"c{place}" for place in range(width))
    assert row_maker(names)([names]) == [dict(zip(names, names, strict=True))]


def test_names_are_never_code() -> None:
    """What looks like code is a name."""
    names = ("n0", "c0", "'}]", "__import__('os')")
    assert row_maker(names)([(1, 2, 3, 4)]) == [
        {"n0": 1, "c0": 2, "'}]": 3, "__import__('os')": 4}
    ]


@pytest.mark.parametrize("width", [1, 3, 100, 101])
def test_single_rows(width: int) -> None:
    """Rows made one by one are those made together, before and after the compiling."""
    names = tuple(f"column {place}" for place in range(width))
    single = SingleRows(names)
    for number in range(_SLOW_ROWS + 10):
        cells = tuple(range(number, number + width))
        assert single.make(*cells) == row_maker(names)([cells])[0]
