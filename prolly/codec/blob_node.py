"""Blob nodes: the order of the pieces of a large value.

    03 | the bytes of one piece
    04 | CBOR [ level, addresses, lengths ]

``level`` is 1 above pieces and one more above nodes; ``addresses`` is 32 bytes a child,
``lengths`` a little-endian uint64 a child: how many bytes of the value lie below it.
There are no keys. Page: docs/spec/blobs.md.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from typing import NamedTuple

from prolly.errors import Corrupt

from . import cbor
from .address import ADDRESS_BYTES, ChunkType, require_type

# Nodes but the last of a level hold 85 children and more, so 2^64 bytes take fewer
# than 8 levels; twice that is never reached, and bounds recursion on hostile nodes.
BLOB_LEVEL_MAX = 16

_LENGTH_BYTES = 8
_HEAD = bytes((ChunkType.BLOB_NODE,))


class BlobNode(NamedTuple):
    """A decoded blob node; both lists are in the order of the value."""

    level: int
    addresses: list[bytes]
    lengths: list[int]

    @property
    def child_type(self) -> ChunkType:
        """Return the chunk type of the children: pieces below level 1, else nodes."""
        return ChunkType.BLOB_PIECE if self.level == 1 else ChunkType.BLOB_NODE


def encode_blob_node(
    level: int, addresses: Sequence[bytes], lengths: Sequence[int]
) -> bytes:
    """Return the chunk of a blob node."""
    assert len(addresses) == len(lengths) > 0 and 0 < level <= BLOB_LEVEL_MAX
    return _HEAD + cbor.encode([level, b"".join(addresses), _pack(lengths)])


def decode_blob_node(chunk: bytes) -> BlobNode:
    """Return the node that a chunk spells.

    Raises Corrupt ``chunk-type``, ``value-spelling`` or ``blob-node``: a level out of
    range, no children, columns of unequal length, a child of no bytes.
    """
    require_type(chunk, ChunkType.BLOB_NODE)
    value = cbor.decode(chunk[1:])
    if type(value) is not list or [type(part) for part in value] != [int, bytes, bytes]:
        raise _bad_node("it is no array of a level and two byte strings")
    level, raw, lengths = value
    count = len(raw) // ADDRESS_BYTES
    if not 0 < level <= BLOB_LEVEL_MAX:
        raise _bad_node(f"level {level}")
    if not count or len(raw) % ADDRESS_BYTES or len(lengths) != _LENGTH_BYTES * count:
        raise _bad_node(f"{len(raw)} bytes of addresses, {len(lengths)} of lengths")
    node = BlobNode(
        level,
        [raw[at : at + ADDRESS_BYTES] for at in range(0, len(raw), ADDRESS_BYTES)],
        _unpack(lengths),
    )
    if 0 in node.lengths:
        raise _bad_node("a child of no bytes")
    return node


def _bad_node(reason: str) -> Corrupt:
    return Corrupt(
        f"not a blob node: {reason}",
        code="blob-node",
        hint="Run `prolly fsck --full` to see what else is damaged.",
    )


def _pack(numbers: Sequence[int]) -> bytes:
    column = array("Q", numbers)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def _unpack(raw: bytes) -> list[int]:
    column = array("Q", raw)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tolist()
