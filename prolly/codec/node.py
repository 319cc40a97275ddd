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

from collections.abc import Sequence
from itertools import pairwise

import cbor2

from prolly.errors import Corrupt

from .address import ChunkType
from .inner_node import (
    INNER_ENTRY_OVERHEAD,
    INNER_MARK,
    Child,
    Inner,
    encode_inner,
)
from .kernel import kernel
from .key import KEY_BYTES_MAX
from .keyed_node import KeyedNode, shared_prefix_length, split_prefix
from .reference import INLINE_BYTES_MAX, Referring

__all__ = [
    "INNER_ENTRY_OVERHEAD",
    "INNER_MARK",
    "LEAF_ENTRY_OVERHEAD",
    "LEAF_MARK",
    "TREE_LEVEL_MAX",
    "Child",
    "Inner",
    "Leaf",
    "Node",
    "check_node",
    "decode_node",
    "encode_inner",
    "encode_leaf",
    "shared_prefix_length",
]

LEAF_MARK = bytes([ChunkType.LEAF])

# 2**64 records at no less than two children a node need at most 64 levels.
TREE_LEVEL_MAX = 64

# What one entry weighs beyond its key and value: its two CBOR headers (at most 3 bytes
# each), and it stands for per-entry cost.
LEAF_ENTRY_OVERHEAD = 8


class Leaf(KeyedNode):
    """A node of level 0: keys and stored values, those that refer as ``Referring``."""

    __slots__ = ("suffixes", "values")

    level = 0
    suffixes: list[bytes]

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


Node = Leaf | Inner


def _reference_bits(values: Sequence[bytes]) -> bytes:
    if Referring not in set(map(type, values)):
        return b""
    bits = 0
    for index, value in enumerate(values):
        if type(value) is Referring:
            bits |= 1 << index
    return bits.to_bytes((len(values) + 7) // 8, "little")


def encode_leaf(keys: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    """Encode sorted keys and their values; the caller vouches for the order."""
    if kernel is not None:
        try:
            return kernel.leaf_encode(keys, values, Referring)
        except kernel.Unfit:
            pass
    prefix, suffixes = split_prefix(keys)
    return _encode_leaf(prefix, suffixes, values)


def _encode_leaf(
    prefix: bytes, suffixes: Sequence[bytes], values: Sequence[bytes]
) -> bytes:
    bits = _reference_bits(values)
    if bits:
        values = list(map(bytes, values))
    return LEAF_MARK + cbor2.dumps([prefix, suffixes, values, bits])


def decode_node(chunk: bytes) -> Node:
    """Decode a node; Corrupt when the bytes do not have the form of one."""
    mark = chunk[:1]
    if mark == INNER_MARK:
        return Inner(chunk)
    if mark != LEAF_MARK:
        raise Corrupt(
            "a chunk is not a node of a record tree",
            code="chunk-type",
            expected="leaf or inner node",
            actual=mark.hex(),
        )
    try:
        return _leaf(*cbor2.loads(chunk[1:]))
    except (cbor2.CBORDecodeError, TypeError, ValueError, OverflowError) as error:
        raise Corrupt(
            f"a leaf does not decode: {error}",
            code="node-form",
            hint="Run `prolly fsck` to see what is damaged.",
        ) from error


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
