"""Addresses and chunk types."""

from __future__ import annotations

import pickle

import pytest
from blake3 import blake3

from prolly.codec import Address, ChunkType, address_of, require_type
from prolly.errors import Corrupt, Invalid


def test_an_address_is_the_digest_of_the_whole_chunk() -> None:
    """The type byte is hashed with the body."""
    chunk = bytes([ChunkType.LEAF]) + b"body"
    assert address_of(chunk) == blake3(chunk).digest() != blake3(b"body").digest()


def test_an_address_prints_as_hex_and_parses_back() -> None:
    """Text form and parse undo each other, and pickling keeps the type."""
    address = Address(address_of(b"x"))
    assert Address.parse(str(address)) == address == bytes(address)
    assert len(str(address)) == 64
    assert repr(address) == f"Address('{address.hex()}')"
    again = pickle.loads(pickle.dumps(address))
    assert type(again) is Address and again == address
    assert hash(address) == hash(bytes(address))


@pytest.mark.parametrize("text", ["", "ab", "AB" * 32, "zz" * 32, " " + "a" * 63])
def test_a_text_that_is_no_address_is_refused(text: str) -> None:
    """Only 64 lower-case hex digits are an address."""
    with pytest.raises(Invalid) as caught:
        Address.parse(text)
    assert caught.value.code == "address"
    assert caught.value.hint


def test_an_address_of_another_length_is_refused() -> None:
    """31 and 33 bytes are no address."""
    for size in (0, 31, 33):
        with pytest.raises(Invalid):
            Address(bytes(size))


@pytest.mark.parametrize("chunk", [b"", b"\x02", b"\x09", b"\xff"])
def test_a_chunk_of_another_kind_is_refused(chunk: bytes) -> None:
    """The reader's expectation is checked, and the error names both kinds."""
    with pytest.raises(Corrupt) as caught:
        require_type(chunk, ChunkType.LEAF)
    assert caught.value.code == "chunk-type"
    assert caught.value.expected == "leaf"
    require_type(b"\x01", ChunkType.LEAF)
