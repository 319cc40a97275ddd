"""Keys behind a common prefix: split once, joined again when asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prolly.codec.keyed_node import shared_prefix_length, split_prefix


@given(st.binary(max_size=20), st.binary(max_size=20), st.binary(max_size=20))
def test_shared_prefix(common: bytes, left: bytes, right: bytes) -> None:
    """The shared prefix is the longest: as long as promised, and no longer."""
    first, last = common + left, common + right
    size = shared_prefix_length(first, last)
    assert first[:size] == last[:size]
    assert size >= len(common)
    assert first[size : size + 1] != last[size : size + 1] or size == len(first)


@given(st.lists(st.binary(min_size=1, max_size=6), unique=True).map(sorted))
def test_splitting_keeps_the_keys(keys: list[bytes]) -> None:
    """The prefix before each remainder gives the keys back."""
    prefix, rests = split_prefix(keys)
    assert [prefix + rest for rest in rests] == keys
