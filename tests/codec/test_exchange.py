"""Exchanges on a pipe: lengths before what they measure, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import exchange
from prolly.codec.exchange import (
    LENGTH_BYTES,
    PIECE_BYTES_MAX,
    REQUEST_BYTES_MAX,
    decode_piece_length,
    decode_request_length,
    encode_request,
    iter_pieces,
)
from prolly.errors import Corrupt


@given(st.binary(min_size=1, max_size=200))
def test_a_request_has_its_length_before_it(request_: bytes) -> None:
    """The length is that of what follows."""
    encoded = encode_request(request_)
    length = decode_request_length(encoded[:LENGTH_BYTES])
    assert encoded[LENGTH_BYTES:] == request_ and length == len(request_)


@given(st.binary(max_size=200), st.integers(1, 50))
def test_pieces_are_the_bytes(data: bytes, size: int) -> None:
    """Cut into pieces of any size, the bytes come out as they went in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange, "PIECE_BYTES_MAX", size)
        framed = b"".join(iter_pieces(data))
        found = b""
        while framed:
            length = decode_piece_length(framed[:LENGTH_BYTES])
            assert length
            found += framed[LENGTH_BYTES : LENGTH_BYTES + length]
            framed = framed[LENGTH_BYTES + length :]
    assert found == data


def test_end_and_broken_are_no_pieces() -> None:
    """The two marks are told apart from lengths."""
    assert decode_piece_length(exchange.END) == 0
    assert decode_piece_length(exchange.BROKEN) is None


def test_the_largest_request_and_piece_are_taken() -> None:
    """Both limits hold at the limit, and one past it is refused."""
    pack = exchange.LENGTH.pack
    assert decode_request_length(pack(REQUEST_BYTES_MAX)) == REQUEST_BYTES_MAX
    assert decode_piece_length(pack(PIECE_BYTES_MAX)) == PIECE_BYTES_MAX
    for decode, length in (
        (decode_request_length, REQUEST_BYTES_MAX + 1),
        (decode_request_length, 0),
        (decode_piece_length, PIECE_BYTES_MAX + 1),
    ):
        with pytest.raises(Corrupt) as raised:
            decode(pack(length))
        assert raised.value.code == "line-form"
