"""Addresses and the first byte of every chunk.

    chunk    type (1 byte) | canonical body
    address  BLAKE3-256 of the whole chunk, type byte included: 32 bytes

Because the type is hashed, no content can be mistaken for another kind. Inside the
library an address is plain ``bytes``; :class:`Address` is what a user gets.
Page: docs/spec/README.md.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from blake3 import blake3

from prolly.errors import Corrupt, Invalid

from .shown_value import shown

# BLAKE3's own output length; half of it would bring collisions within reach (2^64).
ADDRESS_BYTES = 32


class ChunkType(IntEnum):
    """The first byte of a chunk: what its body is."""

    LEAF = 1
    INNER = 2
    BLOB_PIECE = 3
    BLOB_NODE = 4
    COMMIT = 5
    WORKING = 6


_TYPE_NAMES = {int(kind): kind.name.lower().replace("_", " ") for kind in ChunkType}


def address_of(chunk: bytes) -> bytes:
    """Return the address of a chunk: the BLAKE3-256 digest of its bytes."""
    return blake3(chunk).digest()


def require_type(chunk: bytes, kind: ChunkType) -> None:
    """Raise Corrupt ``chunk-type`` unless the chunk begins with the type's byte."""
    if not chunk or chunk[0] != kind:
        found = _TYPE_NAMES.get(chunk[0], f"type {chunk[0]}") if chunk else "no bytes"
        expected = _TYPE_NAMES[int(kind)]
        raise Corrupt(
            f"expected a chunk of kind {expected}, found {found}",
            code="chunk-type",
            hint="Run `prolly fsck --full` to see what else is damaged.",
            expected=expected,
            actual=found,
        )


class Address(bytes):
    """The public form of an address: 32 bytes that print as 64 hex digits.

    Equal to, and hashed as, the plain bytes. Raises Invalid ``address`` for another
    length.
    """

    __slots__ = ()

    def __new__(cls, raw: bytes) -> Self:
        if len(raw) != ADDRESS_BYTES:
            raise _bad_address(f"an address is {ADDRESS_BYTES} bytes, not {len(raw)}")
        return super().__new__(cls, raw)

    def __getnewargs__(self) -> tuple[bytes]:
        return (bytes(self),)

    def __str__(self) -> str:
        return self.hex()

    def __repr__(self) -> str:
        return f"Address({self.hex()!r})"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the address that 64 lower-case hex digits spell; else Invalid."""
        if (
            not isinstance(text, str)
            or len(text) != 2 * ADDRESS_BYTES
            or text.strip("0123456789abcdef")
        ):
            raise _bad_address(f"not an address: {shown(text)}")
        return cls(bytes.fromhex(text))


def _bad_address(message: str) -> Invalid:
    return Invalid(
        message, code="address", hint="An address is 64 lower-case hex digits."
    )
