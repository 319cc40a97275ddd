"""Cells in and out of line are told apart by what they hold, not where they stand."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import Reference, Referring, cbor, row
from prolly.maps import ABSENT, write_blob
from prolly.merge.merged_row import CellAccess, MergedRow, same_cell
from prolly.testing import strategies

writer = MemoryStore().writer()


def moved(value: Any) -> Reference:
    """Return the reference of a cell out of line."""
    return write_blob(writer, cbor.encode(value))


@given(strategies.values(4), strategies.values(4), st.booleans(), st.booleans())
def test_cells_are_equal_wherever_they_stand(
    one: Any, other: Any, one_moved: bool, other_moved: bool
) -> None:
    """Each of the two inline or out of line, nothing read."""
    is_same = cbor.encode(one) == cbor.encode(other)
    first = moved(one) if one_moved else one
    second = moved(other) if other_moved else other
    assert same_cell(first, second) is is_same
    assert same_cell(second, first) is is_same
    assert not same_cell(ABSENT, first)


def test_a_long_blob_equals_no_inline_cell() -> None:
    """A blob of several pieces is longer than any cell inline."""
    long = bytes(range(256)) * 1000
    assert same_cell(moved(long), moved(long))
    assert not same_cell(moved(long), "x") and not same_cell("x", moved(long))


@given(strategies.cells(), st.lists(st.integers(0, 1500), max_size=6), st.data())
def test_a_row_with_cells_outside_is_written_as_from_its_values(
    pair: tuple[list[Any], list[Any]], sizes: list[int], data: st.DataObject
) -> None:
    """Whatever stands outside before, the stored row is that of the cells alone."""
    cells = pair[0] + ["x" * size for size in sizes]
    fills = pair[1] + [None] * len(sizes)
    access = CellAccess(fills, writer.get, writer)
    # Only what is stored can stand outside: a cell that equals its fill is not.
    outside = [
        moved(cell)
        if cbor.encode(cell) != cbor.encode(fill) and data.draw(st.booleans())
        else cell
        for cell, fill in zip(cells, fills, strict=True)
    ]
    stored = access.encode(outside)
    assert stored == access.encode(cells)
    if type(stored) is Referring:
        read = access.decode(stored)
        assert list(map(cbor.encode, map(access.load, read))) == list(
            map(cbor.encode, cells)
        )
    else:
        assert row.encode(cells, fills) == stored


def test_a_row_knows_whose_it_is() -> None:
    """Ours, theirs, or neither's."""
    untouched = MergedRow([1, 2])
    assert untouched.stored(b"ours", b"theirs") == b"ours"
    taken = MergedRow([1, 2])
    taken.take(1, 3)
    assert taken.cells == [1, 3] and taken.stored(b"ours", b"theirs") == b"theirs"
    taken.keep()
    assert taken.stored(b"ours", b"theirs") is None
    made = MergedRow([1, 2])
    made.put(0, 5)
    assert made.stored(b"ours", b"theirs") is None
    left = MergedRow([1, 2])
    left.leave(0, "")
    left.leave(1, "why")
    assert left.open == [0, 1] and left.reason == "why"
    assert left.stored(b"ours", b"theirs") == b"ours"
