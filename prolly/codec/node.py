"""Nodes of a record tree: whole nodes to bytes and back.

After the type byte stands one CBOR array (spec: ``docs/spec/nodes.md``)::

    leaf    01 [ prefix, [suffix, ...], [value, ...], reference_bits ]
    inner   02 [ level, prefix, [suffix, ...], child_addresses, child_counts,
                 child_weights ]

``prefix`` is the longest common prefix of the node's keys and each suffix is what
remains of a key behind it. The key of an inner entry is the *last* key of its child.
``child_addresses`` is 32 bytes a child, ``child_counts`` a little-endian uint64 a
child (records below it), ``child_weights`` a little-endian uint32 a child (its own
weight). ``reference_bits`` is empty when no value refers, else ceil(n / 8) bytes,
least significant bit first, zero padded.

The encoding is a function of the entries alone. ``decode_node`` is for bytes whose
address was verified and which were checked when they came in; ``check_node`` is the
check: it refuses every other spelling, disorder and misfit with Corrupt.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from struct import Struct
from typing import NamedTuple

import cbor2

from prolly.errors import Corrupt

from .address import ADDRESS_BYTES, ChunkType
from .key import KEY_BYTES_MAX
from .reference import INLINE_BYTES_MAX, Referring

LEAF_MARK = bytes([ChunkType.LEAF])
INNER_MARK = bytes([ChunkType.INNER])

# 2**64 records at no less than two children a node need at most 64 levels.
TREE_LEVEL_MAX = 64

# What one entry weighs beyond its key and value. The leaf's 8 cover its two CBOR
# headers (at most 3 bytes each) and stand for per-entry cost; the inner 48 are the
# address, the count, the weight and the header.
LEAF_ENTRY_OVERHEAD = 8
INNER_ENTRY_OVERHEAD = 48


class Child(NamedTuple):
    """What an inner entry says of its child: address, records below, own weight."""

    address: bytes
    records: int
    weight: int


class _Keyed:
    """What leaf and inner nodes share: sorted keys behind a common prefix."""

    __slots__ = ("prefix", "suffixes")

    prefix: bytes
    suffixes: list[bytes]

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


class Leaf(_Keyed):
    """A node of level 0: keys and stored values, those that refer as ``Referring``."""

    __slots__ = ("values",)

    level = 0

    def __init__(
        self, prefix: bytes, suffixes: list[bytes], values: list[bytes]
    ) -> None:
        self.prefix = prefix
        self.suffixes = suffixes
        self.values = values

    def count(self) -> int:
        """Return the number of records."""
        return len(self.suffixes)

    def encode_with(self, values: Sequence[bytes]) -> bytes:
        """Encode the same keys over other values."""
        return _encode_leaf(self.prefix, self.suffixes, values)


class Inner(_Keyed):
    """A node of level 1 or more: the last key, address, count, weight of each child."""

    __slots__ = ("addresses", "counts", "level", "weights")

    def __init__(
        self,
        level: int,
        prefix: bytes,
        suffixes: list[bytes],
        columns: tuple[bytes, Sequence[int], Sequence[int]],
    ) -> None:
        self.level = level
        self.prefix = prefix
        self.suffixes = suffixes
        self.addresses, self.counts, self.weights = columns

    def count(self) -> int:
        """Return the number of records below."""
        return sum(self.counts)

    def address(self, index: int) -> bytes:
        """Return the address of one child."""
        at = index * ADDRESS_BYTES
        return self.addresses[at : at + ADDRESS_BYTES]

    def child(self, index: int) -> Child:
        """Return all that the entry says of one child."""
        return Child(self.address(index), self.counts[index], self.weights[index])

    def children(self) -> list[Child]:
        """Return all that the entries say of the children."""
        return list(map(Child, self.child_addresses(), self.counts, self.weights))

    def encode_with(self, changed: Mapping[int, Child]) -> tuple[bytes, int]:
        """Encode the same keys over changed children; return it and the records."""
        addresses = bytearray(self.addresses)
        counts, weights = array("Q", self.counts), array("I", self.weights)
        for index, child in changed.items():
            at = index * ADDRESS_BYTES
            addresses[at : at + ADDRESS_BYTES] = child.address
            counts[index] = child.records
            weights[index] = child.weight
        columns = [bytes(addresses), _pack("Q", counts), _pack("I", weights)]
        fields = [self.level, self.prefix, self.suffixes, *columns]
        return INNER_MARK + cbor2.dumps(fields), sum(counts)

    def child_addresses(self) -> list[bytes]:
        """Return the addresses of the children, in key order."""
        return list(_addresses_form(len(self.suffixes)).unpack(self.addresses))


Node = Leaf | Inner


@cache
def _addresses_form(count: int) -> Struct:
    """Return what divides so many addresses: a fifth of the time of slices."""
    return Struct(f"{ADDRESS_BYTES}s" * count)


def shared_prefix_length(first: bytes, last: bytes) -> int:
    """Return how many leading bytes two keys share, at the speed of big integers."""
    size = min(len(first), len(last))
    differing = int.from_bytes(first[:size]) ^ int.from_bytes(last[:size])
    return size - (differing.bit_length() + 7) // 8


def _split_prefix(keys: Sequence[bytes]) -> tuple[bytes, Sequence[bytes]]:
    if not keys:
        return b"", []
    size = shared_prefix_length(keys[0], keys[-1])
    if size == 0:
        return b"", keys
    return keys[0][:size], [key[size:] for key in keys]


def _reference_bits(values: Sequence[bytes]) -> bytes:
    if Referring not in set(map(type, values)):
        return b""
    bits = 0
    for index, value in enumerate(values):
        if type(value) is Referring:
            bits |= 1 << index
    return bits.to_bytes((len(values) + 7) // 8, "little")


def _pack(code: str, numbers: Sequence[int]) -> bytes:
    column = array(code, numbers)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def _unpack(code: str, data: bytes) -> array[int]:
    column: array[int] = array(code)
    column.frombytes(data)
    if sys.byteorder == "big":
        column.byteswap()
    return column


def encode_leaf(keys: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    """Encode sorted keys and their values; the caller vouches for the order."""
    prefix, suffixes = _split_prefix(keys)
    return _encode_leaf(prefix, suffixes, values)


def _encode_leaf(
    prefix: bytes, suffixes: Sequence[bytes], values: Sequence[bytes]
) -> bytes:
    bits = _reference_bits(values)
    if bits:
        values = list(map(bytes, values))
    return LEAF_MARK + cbor2.dumps([prefix, suffixes, values, bits])


def encode_inner(level: int, keys: Sequence[bytes], children: Sequence[Child]) -> bytes:
    """Encode the children of one inner node under their last keys."""
    prefix, suffixes = _split_prefix(keys)
    addresses, counts, weights = zip(*children, strict=True)
    columns = [b"".join(addresses), _pack("Q", counts), _pack("I", weights)]
    return INNER_MARK + cbor2.dumps([level, prefix, suffixes, *columns])


def decode_node(chunk: bytes) -> Node:
    """Decode a node; Corrupt when the bytes do not have the form of one."""
    mark = chunk[:1]
    try:
        fields = cbor2.loads(chunk[1:])
        if mark == LEAF_MARK:
            return _leaf(*fields)
        if mark == INNER_MARK:
            return _inner(*fields)
    except (cbor2.CBORDecodeError, TypeError, ValueError, OverflowError) as error:
        raise Corrupt(
            f"a node does not decode: {error}",
            code="node-form",
            hint="Run `prolly fsck` to see what is damaged.",
        ) from error
    raise Corrupt(
        "a chunk is not a node of a record tree",
        code="chunk-type",
        expected="leaf or inner node",
        actual=mark.hex(),
    )


def _leaf(
    prefix: bytes, suffixes: list[bytes], values: list[bytes], bits: bytes
) -> Leaf:
    if len(suffixes) != len(values):
        raise ValueError("the numbers of keys and values differ")
    if bits:
        marks = int.from_bytes(bits, "little")
        for index in range(len(values)):
            if marks >> index & 1:
                values[index] = Referring(values[index])
    return Leaf(prefix, suffixes, values)


def _inner(level: int, prefix: bytes, suffixes: list[bytes], *columns: bytes) -> Inner:
    addresses, counts, weights = columns
    if not len(suffixes) * ADDRESS_BYTES == len(addresses) == 4 * len(counts):
        raise ValueError("the columns of an inner node differ in length")
    if len(counts) != 2 * len(weights):
        raise ValueError("the columns of an inner node differ in length")
    unpacked = addresses, _unpack("Q", counts), _unpack("I", weights)
    return Inner(level, prefix, suffixes, unpacked)


def check_node(chunk: bytes) -> Node:
    """Decode a node from outside, refusing all but the one spelling of its entries.

    Checks the types of all fields, the order and limits of keys, the limit of values,
    the prefix, padding, and that encoding again gives the same bytes. Raises Corrupt.
    Counts, weights and cuts need the children: the reader of the subtree checks them.
    """
    node = decode_node(chunk)
    try:
        spelt = _encode_checked(node)
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise Corrupt(f"a node has a wrong field: {error}", code="node-form") from error
    if spelt != chunk:
        raise Corrupt(
            "a node is spelt in a way that is not canonical", code="node-form"
        )
    return node


def _encode_checked(node: Node) -> bytes:
    keys = node.keys()
    for key in keys:
        if type(key) is not bytes or not 0 < len(key) <= KEY_BYTES_MAX:
            raise ValueError("a key is empty, too long or no byte string")
    if any(left >= right for left, right in pairwise(keys)):
        raise ValueError("the keys are not in ascending order")
    if isinstance(node, Leaf):
        for value in node.values:
            if not isinstance(value, bytes) or len(value) > INLINE_BYTES_MAX:
                raise ValueError("a value is too long or no byte string")
        return encode_leaf(keys, node.values)
    if type(node.level) is not int or not 1 <= node.level <= TREE_LEVEL_MAX:
        raise ValueError("the level is out of range")
    if not keys:
        raise ValueError("an inner node has no child")
    return encode_inner(node.level, keys, node.children())
