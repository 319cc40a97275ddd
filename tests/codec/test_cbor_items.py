"""Counting the items of CBOR without decoding it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import cbor
from prolly.codec.cbor_items import count_items

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    PLAIN | st.binary(max_size=400),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def count(value: Any) -> int:
    """Return how many items a value is spelt with."""
    if isinstance(value, list):
        return 1 + sum(map(count, value))
    if isinstance(value, dict):
        return 1 + len(value) + sum(map(count, value.values()))
    # A large integer is a tag in front of a byte string.
    is_large = type(value) is int and not -(2**64) <= value < 2**64
    return 2 if is_large else 1


@given(VALUES, st.integers(1, 50))
def test_items_are_counted_wherever_pieces_end(value: object, size: int) -> None:
    """The limit is exact, and a piece may end within a head or a string."""
    data = cbor.encode(value)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    items = count(value)
    assert count_items(pieces, 2 * items) == items
    assert count_items(pieces, items - 1) == items


@given(st.binary(max_size=60))
def test_what_is_no_value_is_counted_too(data: bytes) -> None:
    """Any bytes end, and none have more items than bytes."""
    assert count_items([data], len(data)) <= len(data)
