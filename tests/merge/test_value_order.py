"""The order of all values: total, and that of keys where keys have one."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import given

from prolly.codec import FileEntry, Reference, cbor
from prolly.codec import key as key_codec
from prolly.errors import Error
from prolly.maps import ABSENT
from prolly.merge.value_order import canonical, order_key, same
from prolly.testing.strategies import scalars, values


@given(values(4), values(4))
def test_only_equal_encodings_are_equal(one: Any, other: Any) -> None:
    """Two values are equal in the order just if they are in the format."""
    is_same = cbor.encode(one) == cbor.encode(other)
    assert (order_key(one) == order_key(other)) is is_same
    assert same(one, other) is is_same


@given(scalars(), scalars())
def test_scalars_stand_as_in_keys(one: Any, other: Any) -> None:
    """Where both can be keys, they are in the order of keys, or equal in value."""
    try:
        keys = [key_codec.encode((value,)) for value in (one, other)]
    except Error:
        return
    places = [order_key(value)[:2] for value in (one, other)]
    if places[0] != places[1]:
        assert (places[0] < places[1]) is (keys[0] < keys[1])


def test_worked_order() -> None:
    """Types in their ranks, and what comparing numbers alone would mix up."""
    noon = datetime(2020, 1, 1, 12, tzinfo=UTC)
    later = datetime(2020, 1, 1, 13, 30, tzinfo=timezone(timedelta(hours=1)))
    ordered: list[Any] = [
        None,
        b"z",
        "",
        "Z",
        "a",
        -(2**80),
        7,
        math.nan,
        -math.inf,
        -0.0,
        0.0,
        False,
        True,
        noon.date(),
        noon,
        later,
        Decimal("1.1"),
        Decimal("1.10"),
        Decimal("1.2"),
        [],
        [1],
        {},
        {"a": 1},
    ]
    shuffled = ordered[::-1]
    assert sorted(shuffled, key=order_key) == ordered
    assert max(["x" * 5000, "y"], key=order_key) == "y"


def test_absence_equals_itself_alone() -> None:
    """Absent is not null."""
    assert same(ABSENT, ABSENT)
    assert not same(ABSENT, None) and not same(None, ABSENT)


def test_entries_of_files_are_told_apart_by_all_they_hold() -> None:
    """The canonical bytes of an entry are what a leaf stores."""
    entry = FileEntry(1, 0o644, None, Reference(b"\1" * 32, 3))
    other = FileEntry(1, 0o644, 0, Reference(b"\1" * 32, 3))
    assert canonical(entry) != canonical(other)
    assert same(entry, FileEntry(1, 0o644, None, Reference(b"\1" * 32, 3)))
    assert not same(entry, other)
