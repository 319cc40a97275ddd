"""A set of addresses in little more memory than their bytes.

A Python set of bytes takes 110 bytes an address; a walk over every chunk of a large
store cannot afford that. Addresses are hashes, so their first two bytes spread them
evenly over 65,536 buckets, and each bucket holds the other 30 bytes of its addresses
back to back, found by one C-level search. Memory, the buckets included: 33 bytes an
address from a million on (112 at ten thousand, where it does not matter). A look-up
takes about a microsecond.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from prolly.codec import ADDRESS_BYTES

PREFIX_BYTES = 2
SUFFIX_BYTES = ADDRESS_BYTES - PREFIX_BYTES

_EMPTY = b""


class Known(Protocol):
    """Addresses that a walk has seen: a set of bytes, or an ``AddressSet``."""

    def __contains__(self, address: bytes, /) -> bool:
        """Tell whether the address is known."""

    def add(self, address: bytes, /) -> None:
        """Remember an address."""


class AddressSet:
    """Addresses, each once. Not thread-safe."""

    def __init__(self, addresses: Iterable[bytes] = ()) -> None:
        # Bytes, which are made anew for each address: to grow in place they would keep
        # an eighth of their room in reserve, and at ten million that is no faster.
        self._buckets: list[bytes] = [_EMPTY] * 256**PREFIX_BYTES
        self._count = 0
        for address in addresses:
            self.add(address)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, address: bytes) -> bool:
        bucket = self._buckets[address[0] << 8 | address[1]]
        return bool(bucket) and _is_in(bucket, address[PREFIX_BYTES:])

    def __iter__(self) -> Iterator[bytes]:
        """Yield the addresses, ordered by their first two bytes."""
        for number, bucket in enumerate(self._buckets):
            prefix = number.to_bytes(PREFIX_BYTES, "big")
            for at in range(0, len(bucket), SUFFIX_BYTES):
                yield prefix + bucket[at : at + SUFFIX_BYTES]

    def add(self, address: bytes) -> None:
        """Add an address; one that is there already changes nothing."""
        assert len(address) == ADDRESS_BYTES
        number = address[0] << 8 | address[1]
        bucket = self._buckets[number]
        suffix = address[PREFIX_BYTES:]
        if bucket and _is_in(bucket, suffix):
            return
        self._buckets[number] = bucket + suffix
        self._count += 1


def _is_in(bucket: bytes, suffix: bytes) -> bool:
    """Find a suffix where one begins; a match across two is none."""
    at = bucket.find(suffix)
    while at % SUFFIX_BYTES and at >= 0:
        at = bucket.find(suffix, at + 1)
    return at >= 0
