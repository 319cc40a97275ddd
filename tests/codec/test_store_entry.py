"""Entries of a local store's index: read back as written, else Corrupt."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import cbor
from prolly.codec.store_entry import (
    INLINE_MARK,
    LOG_KEY_BYTES,
    LogMove,
    decode_counter,
    decode_location,
    decode_log_key,
    decode_log_move,
    encode_counter,
    encode_location,
    encode_log_key,
    encode_log_move,
)
from prolly.errors import Corrupt

UINT32 = st.integers(0, 2**32 - 1)
UINT64 = st.integers(0, 2**64 - 1)
ADDRESS = st.none() | st.binary(min_size=32, max_size=32)
MOVE = st.builds(
    LogMove, st.text(), ADDRESS, ADDRESS, st.text(), st.text(), st.integers()
)


@given(UINT32, UINT32, UINT32)
def test_location_is_read_back(pack: int, offset: int, length: int) -> None:
    """A packed entry gives back its three numbers, and is never inline."""
    entry = encode_location(pack, offset, length)
    assert decode_location(entry) == (pack, offset, length)
    assert not entry.startswith(INLINE_MARK)


@given(st.lists(st.tuples(UINT64, st.integers(0, 2**16 - 1))))
def test_log_keys_sort_by_time(keys: list[tuple[int, int]]) -> None:
    """The order of bytes is the order of sequence, then position."""
    encoded = [encode_log_key(*key) for key in keys]
    assert sorted(encoded) == [encode_log_key(*key) for key in sorted(keys)]
    assert [decode_log_key(key) for key in encoded] == keys
    assert all(len(key) == LOG_KEY_BYTES for key in encoded)


@given(MOVE)
def test_log_move_is_read_back(move: LogMove) -> None:
    """A log entry gives back every fact of its move."""
    assert decode_log_move(encode_log_move(move)) == move


@given(UINT64)
def test_counter_is_read_back(value: int) -> None:
    """A counter gives back its number."""
    assert decode_counter(encode_counter(value)) == value


@pytest.mark.parametrize(
    "parts",
    [
        None,
        [],
        ["a", None, None, "", ""],
        [1, None, None, "", "", 0],
        ["a", b"short", None, "", "", 0],
        ["a", None, "text", "", "", 0],
        ["a", None, None, None, "", 0],
        ["a", None, None, "", "", 1.5],
        ["a", None, None, "", "", True],
    ],
)
def test_misshapen_log_move_is_corrupt(parts: object) -> None:
    """Canonical CBOR of another shape is refused."""
    with pytest.raises(Corrupt):
        decode_log_move(cbor.encode(parts))


@given(
    st.binary(max_size=20),
    st.sampled_from([decode_location, decode_log_key, decode_log_move, decode_counter]),
)
def test_noise_is_corrupt_or_well_formed(
    noise: bytes, decode: Callable[[bytes], object]
) -> None:
    """Arbitrary bytes raise Corrupt alone."""
    try:
        decode(noise)
    except Corrupt as error:
        assert error.code
