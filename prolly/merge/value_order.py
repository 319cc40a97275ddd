"""One order of all values: what ``max`` and ``min`` compare by, and sets are sorted by.

    null < bytes < text < int < float < bool < uuid < date < datetime < decimal
         < list < map

as in keys, with lists and maps behind them. Within a type: bytes and text by their
bytes; numbers by value, NaN below all other floats and -0.0 below 0.0; false below
true; times by their place in time; lists and maps by the bytes of their encoding.
Values of one type that this leaves equal (decimals 1.1 and 1.10, one instant with two
offsets) are ordered by the bytes of their encoding, so two values are equal only if
their encodings are. No limit of keys holds here. Page: docs/spec/policies.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from prolly.codec import FileEntry, cbor, encode_file_entry
from prolly.maps import ABSENT


def _float_place(value: float) -> tuple[bool, float, float]:
    if math.isnan(value):
        return False, 0.0, 0.0
    return True, value, math.copysign(1.0, value)


def _itself(value: Any) -> Any:
    return value


# The rank of each type, and what is compared within it.
_PLACES: dict[type, tuple[int, Callable[[Any], Any]]] = {
    type(None): (0, lambda value: 0),
    bytes: (1, _itself),
    str: (2, str.encode),
    int: (3, _itself),
    float: (4, _float_place),
    bool: (5, _itself),
    UUID: (6, lambda value: value.bytes),
    date: (7, _itself),
    datetime: (8, _itself),
    Decimal: (9, _itself),
    list: (10, lambda value: 0),
    dict: (11, lambda value: 0),
}

# Of these, two values of one type are equal in Python only if their encodings are.
_PLAIN = frozenset({bool, int, str, bytes, date, UUID})


def order_key(value: Any) -> tuple[Any, ...]:
    """Return what sorts a value among all others; equal for equal encodings alone."""
    rank, place = _PLACES[type(value)]
    return rank, place(value), cbor.encode(value)


def canonical(value: Any) -> bytes:
    """Return the bytes that tell a value, or the entry of a file, from all others."""
    if type(value) is FileEntry:
        return encode_file_entry(value)
    return cbor.encode(value)


def same(one: Any, other: Any) -> bool:
    """Tell whether two values, or absences, are one in the format.

    1, 1.0 and True differ, and so do decimals 1.1 and 1.10; NaN equals itself.
    """
    if one is other:
        return True
    kind = type(one)
    if kind is type(other):
        if kind in _PLAIN:
            return bool(one == other)
        if kind is float and one == other:
            return bool(one) or math.copysign(1.0, one) == math.copysign(1.0, other)
    if one is ABSENT or other is ABSENT:
        return False
    return canonical(one) == canonical(other)
