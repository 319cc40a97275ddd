"""Rows from another replica: whole leaves of them looked through in a few calls.

``row.decode`` is for bytes that were checked when they came in. Here each row has to be
the one spelling of its cells. Rows of one shape are not even taken apart for that; of
others all are read in one call, and spelt anew in one. What neither can tell is looked
at row by row, and refused there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from prolly.errors import Corrupt

from . import cbor, row
from .byte_strings import EvenStrings
from .row_shape import shape_of

_HEADS_KEPT = 1024
_NULL = frozenset({type(None)})
# Two values of one of these types are equal where they are spelt alike, but for NaN.
_PLAIN_FILLS = _NULL | {bool, int, float, str, bytes}


class CheckedColumn(NamedTuple):
    """A column of rows that were found right: the types of its cells, and the cells.

    ``cells`` stand in any order, and are None where they were not taken out of rows.
    """

    kinds: set[type]
    cells: Sequence[Any] | None


def check_rows(values: Sequence[bytes], fills: Sequence[object]) -> list[CheckedColumn]:
    """Check some plain rows from outside, and return their columns. Not for no row.

    Raises Corrupt ``row`` or ``value-spelling`` for anything that ``row.encode`` does
    not write for these fills.
    """
    kinds = {*map(type, fills)}
    if type(values) is EvenStrings and kinds == _NULL:
        found = _check_shaped(values, len(fills))
        if found is not None:
            return found
    if kinds <= _PLAIN_FILLS and all(fill == fill for fill in fills):
        found = _check_together(values, fills)
        if found is not None:
            return found
    rows = [row.check(value, fills) for value in values]
    return [
        CheckedColumn({*map(type, cells)}, cells) for cells in zip(*rows, strict=True)
    ]


def _check_shaped(values: EvenStrings, count: int) -> list[CheckedColumn] | None:
    """Check rows with so many columns without fills, if they are of one shape.

    ``None`` where that is not enough to tell that they are spelt as they have to be.
    """
    shape = shape_of(values)
    stored = None if shape is None else _stored_by_spelt(shape.head, count)
    kinds = shape.kinds(values) if shape and stored else None
    if stored is None or kinds is None:
        return None
    columns = [CheckedColumn({type(None)}, None)] * count
    for position, kind in zip(stored, kinds, strict=True):
        columns[position] = CheckedColumn({kind}, None)
    return columns


def _check_together(
    values: Sequence[bytes], fills: Sequence[object]
) -> list[CheckedColumn] | None:
    """Check rows by one call for all; ``None`` where that is not enough to tell."""
    heads, rests = _apart(values, len(fills))
    stored: dict[bytes, tuple[int, ...]] = {}
    for head in set(heads):
        places = _stored_by_spelt(head, len(fills))
        if places is None:
            return None
        stored[head] = places
    if len(stored) == 1:
        places = stored[heads[0]]
        size = len(places)
        found = cbor.decode_runs(rests, size)
        if found is None:
            return None
        columns = [found[place :: size + 1] for place in range(size)]
        return _joined([_Group(places, columns, len(rests))], fills)
    found = cbor.decode_runs(rests, [len(stored[head]) for head in heads])
    return None if found is None else _joined(_grouped(heads, stored, found), fills)


def _apart(values: Sequence[bytes], count: int) -> tuple[list[bytes], list[bytes]]:
    """Return the heads of rows, presence included, and what stands behind each.

    Where all rows begin alike there may be one head alone. Raises Corrupt ``row``.
    """
    head = row.head_of(values[0])
    size = len(head)
    if type(values) is EvenStrings and values.begin_with(head):
        return [head], values.behind(size).apart()
    heads = [value[:size] for value in values]
    if None not in {_stored_by_spelt(head, count) for head in set(heads)}:
        return heads, [value[size:] for value in values]
    heads = list(map(row.head_of, values))
    rests = [value[len(head) :] for head, value in zip(heads, values, strict=True)]
    return heads, rests


class _Group(NamedTuple):
    """Rows that store the same columns: which, their cells, and how many rows."""

    places: tuple[int, ...]
    columns: list[list[Any]]
    rows: int


def _grouped(
    heads: Sequence[bytes],
    stored: Mapping[bytes, tuple[int, ...]],
    found: Sequence[Any],
) -> list[_Group]:
    """Return the cells of rows, which stand in ``found`` with a mark behind each."""
    starts: dict[bytes, list[int]] = {head: [] for head in stored}
    at = 0
    for head in heads:
        starts[head].append(at)
        at += len(stored[head]) + 1
    groups = []
    for head, begin in starts.items():
        places = stored[head]
        columns = [[found[at + place] for at in begin] for place in range(len(places))]
        groups.append(_Group(places, columns, len(begin)))
    return groups


def _joined(
    groups: Sequence[_Group], fills: Sequence[object]
) -> list[CheckedColumn] | None:
    """Return the columns of all groups; ``None`` if a cell may equal its fill."""
    joined: list[CheckedColumn] = []
    for position, fill in enumerate(fills):
        kinds: set[type] = set()
        cells: list[Any] = []
        for group in groups:
            if position in group.places:
                column = group.columns[group.places.index(position)]
                found = {*map(type, column)}
                # A value of another type is spelt in another way, though 1 and true
                # are equal.
                if type(fill) in found and fill in column:
                    return None
            else:
                column, found = [fill] * group.rows, {type(fill)}
            cells = cells + column if cells else column
            kinds |= found
        joined.append(CheckedColumn(kinds, cells))
    return joined


@lru_cache(maxsize=_HEADS_KEPT)
def _stored_by_spelt(head: bytes, count: int) -> tuple[int, ...] | None:
    """Return the positions of stored cells; ``None`` for bytes that are no head.

    So it is for one in another spelling than the shortest.
    """
    try:
        stored = row.stored_by(head, count)
    except (Corrupt, IndexError):
        return None
    presence = cbor.encode(row.presence_of(stored))
    return stored if head == cbor.array_header(1 + len(stored)) + presence else None
