"""Values with references."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import (
    REFERRING_BYTES_MAX,
    ChunkType,
    Reference,
    Referring,
    decode_referring,
    encode_referring,
)
from prolly.codec.reference import REFERENCES_MAX
from prolly.errors import Corrupt
from prolly.testing.strategies import addresses

references = st.builds(Reference, addresses(), st.sampled_from(ChunkType).map(int))


@given(st.lists(references, min_size=1, max_size=3), st.binary(max_size=50))
def test_decode_undoes_encode(some: list[Reference], payload: bytes) -> None:
    """References and payload come back."""
    value = encode_referring(some, payload)
    assert type(value) is Referring
    assert decode_referring(value) == (tuple(some), payload)


@given(st.binary(max_size=80))
def test_decode_reads_only_what_encode_writes(data: bytes) -> None:
    """Any bytes are either the encoding of references or Corrupt."""
    try:
        found, payload = decode_referring(data)
    except Corrupt as error:
        assert error.code == "reference"
    else:
        assert bytes(encode_referring(found, payload)) == data


def test_the_same_bytes_without_the_mark_are_another_value() -> None:
    """Equality and hash tell a referring value from plain bytes, on both sides."""
    value = encode_referring([Reference(bytes(32), 3)])
    plain = bytes(value)
    assert value != plain and plain != value
    assert value == Referring(plain)
    assert (value != Referring(plain)) is False
    assert len({value, plain, Referring(plain)}) == 2


def test_thirty_references_fit_and_the_limit_holds() -> None:
    """The last payload that fits passes; one byte more is refused when read."""
    some = [Reference(bytes(32), 3)] * REFERENCES_MAX
    room = REFERRING_BYTES_MAX - len(encode_referring(some))
    full = encode_referring(some, b"x" * room)
    assert len(decode_referring(full)[0]) == REFERENCES_MAX == 30
    with pytest.raises(Corrupt):
        decode_referring(bytes(full) + b"x")
    with pytest.raises(AssertionError):
        encode_referring(some, b"x" * (room + 1))
