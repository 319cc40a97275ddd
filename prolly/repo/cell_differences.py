"""Which cells differ: those that would be stored as other bytes.

To encode two cells takes ten times what it takes to compare them. Of two that are of
one of the types below, being equal says the same; all others are encoded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import compress
from operator import ne
from typing import Any
from uuid import UUID

from prolly.codec import cbor

# Equal values of one of these types, exactly, have equal encodings, and others have
# not. No two of them are equal across types but 0, 1, False and True.
_EXACT = frozenset({bool, int, str, bytes, date, UUID, type(None)})
_NULL = type(None)


def cells_differ(old: Any, new: Any) -> bool:
    """Tell whether two cells are stored as other bytes."""
    kind = type(old)
    if kind is type(new):
        if kind in _EXACT:
            return bool(old != new)
        if kind is float:
            return _spelling(old) != _spelling(new)
    elif old is None or new is None:
        return True
    return cbor.encode(old) != cbor.encode(new)


def differing_cells(old: Sequence[Any], new: Sequence[Any]) -> list[bool]:
    """Tell it of each pair of cells of two columns of equal length."""
    kinds = {*map(type, old), *map(type, new)} - {_NULL}
    if len(kinds) < 2:
        if kinds <= _EXACT:
            return list(map(ne, old, new))
        if kinds == {float}:
            return list(map(ne, map(_spelling, old), map(_spelling, new)))
    return list(map(cells_differ, old, new))


def differing_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns of both rows whose cells differ, new ones first."""
    names = [*new, *(name for name in old if name not in new)]
    return tuple(
        [
            name
            for name in names
            if name not in old or name not in new or cells_differ(old[name], new[name])
        ]
    )


class FieldNames(dict[tuple[bool, ...], tuple[str, ...]]):
    """The columns that differ, by what is told of each: few combinations, asked often.

    A table of many columns has more of them than are kept.
    """

    _KEPT = 1024

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = names

    def __missing__(self, differ: tuple[bool, ...]) -> tuple[str, ...]:
        found = tuple(compress(self._names, differ))
        if len(self) < self._KEPT:
            self[differ] = found
        return found


# The shortest text that gives the number back: it tells -0.0 from 0.0, and all that is
# no number is one, as in the encoding.
_spelling = repr
