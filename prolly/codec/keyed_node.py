"""What leaf and inner nodes share: sorted keys behind a common prefix."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


class KeyedNode:
    """A node's sorted keys: a prefix, and what remains of each key behind it."""

    __slots__ = ("prefix",)

    prefix: bytes

    @property
    def suffixes(self) -> list[bytes]:
        """What remains of each key behind the prefix, in order."""
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.suffixes)

    def keys(self) -> list[bytes]:
        """Return the full keys, in order; the caller must not change the list."""
        prefix = self.prefix
        if not prefix:
            return self.suffixes
        return [prefix + suffix for suffix in self.suffixes]

    def key(self, index: int) -> bytes:
        """Return one full key."""
        return self.prefix + self.suffixes[index]

    def position(self, key: bytes) -> int:
        """Return the index of the first entry whose key is not below ``key``."""
        prefix = self.prefix
        size = len(prefix)
        head = key[:size]
        if head == prefix:
            return bisect_left(self.suffixes, key[size:])
        return 0 if head < prefix else len(self.suffixes)

    def find(self, key: bytes) -> int:
        """Return the index of exactly ``key``, or -1."""
        size = len(self.prefix)
        if key[:size] != self.prefix:
            return -1
        suffix = key[size:]
        index = bisect_left(self.suffixes, suffix)
        if index < len(self.suffixes) and self.suffixes[index] == suffix:
            return index
        return -1


def shared_prefix_length(first: bytes, last: bytes) -> int:
    """Return how many leading bytes two keys share, at the speed of big integers."""
    size = min(len(first), len(last))
    differing = int.from_bytes(first[:size]) ^ int.from_bytes(last[:size])
    return size - (differing.bit_length() + 7) // 8


def split_prefix(keys: Sequence[bytes]) -> tuple[bytes, Sequence[bytes]]:
    """Return the longest common prefix of sorted keys, and what remains of each."""
    if not keys:
        return b"", []
    size = shared_prefix_length(keys[0], keys[-1])
    if size == 0:
        return b"", keys
    return keys[0][:size], [key[size:] for key in keys]
