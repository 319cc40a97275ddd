"""A store whose chunks are checked against their addresses as they are read.

LMDB and file systems may give back other bytes than were written; only the address can
tell. Put it under a cache, so that a chunk is hashed once and not at every read.
"""

from __future__ import annotations

from collections.abc import Sequence

from blake3 import blake3

from prolly.codec import address_of
from prolly.errors import Corrupt

from .contract import ChunkWriter
from .wrapping_store import WrappingStore, WrappingWriter


class VerifyingStore(WrappingStore):
    """Raises Corrupt ``hash-mismatch`` (field ``address``) for a damaged chunk."""

    def get(self, address: bytes) -> bytes | None:
        return verified(address, self.inner.get(address))

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        return _all_verified(addresses, self.inner.get_many(addresses))

    def writer(self) -> ChunkWriter:
        return _VerifyingWriter(self.inner.writer())


class _VerifyingWriter(WrappingWriter):
    """Checks what is read through the writer too."""

    def get(self, address: bytes) -> bytes | None:
        return verified(address, self.inner.get(address))

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        return _all_verified(addresses, self.inner.get_many(addresses))


def verified(address: bytes, chunk: bytes | None) -> bytes | None:
    """Return the chunk when it has this address, or is absent; else raise Corrupt."""
    if chunk is not None and address_of(chunk) != address:
        raise Corrupt(
            f"chunk {address.hex()} has other bytes than its address promises",
            code="hash-mismatch",
            hint="Run `prolly fsck --full`; fetch it from another replica.",
            address=address,
        )
    return chunk


def _all_verified(
    addresses: Sequence[bytes], chunks: list[bytes | None]
) -> list[bytes | None]:
    found = [None if chunk is None else blake3(chunk).digest() for chunk in chunks]
    if found != addresses:
        for address, chunk in zip(addresses, chunks, strict=True):
            verified(address, chunk)
    return chunks
