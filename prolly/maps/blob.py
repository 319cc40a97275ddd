"""Blobs: large values as pieces, found again however the value is edited.

A value of up to 64 KiB is one piece. A longer one is cut by content, and nodes of
addresses and lengths stand above its pieces, grouped by the splitter of record trees
with the format's parameters: priority XXH3-64 of the child's address under the level's
seed, weight 48 a child. So an insertion in front re-uses what follows, and the root is
a pure function of the bytes. Page: docs/spec/blobs.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prolly.chunks import ChunkWriter
from prolly.codec import (
    FORMAT_PARAMETERS,
    BlobNode,
    ChunkType,
    Reference,
    decode_blob_node,
    encode_blob_node,
    require_type,
)
from prolly.errors import Corrupt
from prolly.tree import cut_ends, level_seed, priorities_of

from .content_cut import PIECE_BYTES_MAX, cuts

# One read from disk or bucket costs the same up to here, and most values end below.
SINGLE_PIECE_BYTES_MAX = 64 * 1024
# Address, length, and the same room for headers that inner nodes count.
CHILD_WEIGHT = 48

ReadChunk = Callable[[bytes], bytes | None]

PIECE_HEAD = bytes((ChunkType.BLOB_PIECE,))


def write_blob(writer: ChunkWriter, data: bytes) -> Reference:
    """Write a value's pieces and nodes; return the reference to its root.

    The empty value is one empty piece. Raises what the writer raises.
    """
    if len(data) <= SINGLE_PIECE_BYTES_MAX:
        address = writer.put(PIECE_HEAD + data)
        return Reference(address, int(ChunkType.BLOB_PIECE))
    spans = list(cuts(data))
    addresses = writer.put_many(PIECE_HEAD + data[low:high] for low, high in spans)
    lengths = [high - low for low, high in spans]
    level = 0
    while level == 0 or len(addresses) > 1:
        level += 1
        addresses, lengths = write_blob_level(writer, level, addresses, lengths)
    return Reference(addresses[0], int(ChunkType.BLOB_NODE))


def read_blob(read: ReadChunk, reference: Reference) -> bytes:
    """Return the whole value; ``read`` is for example ``store.get``.

    Raises Corrupt: ``chunk-missing`` for an absent chunk, else where one is of another
    kind, level or length than what points at it says.
    """
    return b"".join(iter_pieces(read, reference))


def blob_length(read: ReadChunk, reference: Reference) -> int:
    """Return the number of bytes of a value; reads one chunk. Raises as read_blob."""
    if reference.kind == ChunkType.BLOB_PIECE:
        return len(read_piece(read, reference.address, None))
    return sum(read_blob_root(read, reference).lengths)


def iter_pieces(
    read: ReadChunk, reference: Reference, start: int = 0, stop: int | None = None
) -> Iterator[bytes]:
    """Yield the bytes of [start, stop) of a value, in parts and in order.

    Only chunks that hold a part of the range are read. A range past the end is cut
    short; ``stop`` of None is the end. Raises as read_blob.
    """
    assert start >= 0
    if reference.kind == ChunkType.BLOB_PIECE:
        piece = read_piece(read, reference.address, None)[start:stop]
        if piece:
            yield piece
        return
    node = read_blob_root(read, reference)
    end = sum(node.lengths)
    yield from _iter_range(read, node, start, end if stop is None else min(stop, end))


def write_blob_level(
    writer: ChunkWriter, level: int, addresses: list[bytes], lengths: list[int]
) -> tuple[list[bytes], list[int]]:
    """Write the nodes above a row of children; return their addresses and lengths."""
    ends = cut_ends(
        [CHILD_WEIGHT] * len(addresses),
        priorities_of(addresses, level_seed(FORMAT_PARAMETERS.seed, level)),
        FORMAT_PARAMETERS.weight_min,
        FORMAT_PARAMETERS.weight_max,
    )
    spans = list(zip([0, *ends[:-1]], ends, strict=True))
    nodes = [
        encode_blob_node(level, addresses[low:high], lengths[low:high])
        for low, high in spans
    ]
    return writer.put_many(nodes), [sum(lengths[low:high]) for low, high in spans]


def _iter_range(
    read: ReadChunk, node: BlobNode, start: int, stop: int
) -> Iterator[bytes]:
    """Yield the bytes of [start, stop), counted from the node's first byte."""
    at = 0
    for address, length in zip(node.addresses, node.lengths, strict=True):
        low, high = max(start - at, 0), min(stop - at, length)
        if low < high:
            if node.level == 1:
                yield read_piece(read, address, length)[low:high]
            else:
                child = read_blob_node(read, address)
                if child.level != node.level - 1 or sum(child.lengths) != length:
                    raise bad_blob("a node is of another level or length than told")
                yield from _iter_range(read, child, low, high)
        at += length


def read_blob_root(read: ReadChunk, reference: Reference) -> BlobNode:
    """Return the root node of a blob of several pieces. Raises as read_blob."""
    if reference.kind != ChunkType.BLOB_NODE:
        raise bad_blob(f"a blob cannot be of chunk type {reference.kind}")
    node = read_blob_node(read, reference.address)
    if sum(node.lengths) <= SINGLE_PIECE_BYTES_MAX:
        raise bad_blob("so short a value is a single piece")
    return node


def read_blob_node(read: ReadChunk, address: bytes) -> BlobNode:
    """Return the node at an address. Raises as read_blob."""
    return decode_blob_node(_require_chunk(read, address))


def read_piece(read: ReadChunk, address: bytes, length: int | None) -> bytes:
    """Return a piece's bytes; a length of None is for a value of a single piece."""
    chunk = _require_chunk(read, address)
    require_type(chunk, ChunkType.BLOB_PIECE)
    size = len(chunk) - 1
    if length not in (None, size):
        raise bad_blob(f"a piece of {size} bytes, {length} were told")
    if size > (SINGLE_PIECE_BYTES_MAX if length is None else PIECE_BYTES_MAX):
        raise bad_blob(f"a piece of {size} bytes")
    return chunk[1:]


def _require_chunk(read: ReadChunk, address: bytes) -> bytes:
    chunk = read(address)
    if chunk is None:
        raise Corrupt(
            f"chunk {address.hex()} of a blob is missing",
            code="chunk-missing",
            hint="Run `prolly fsck` to see what else is missing.",
            address=address,
        )
    return chunk


def bad_blob(reason: str) -> Corrupt:
    """Return (not raise) the error for chunks that do not make a blob."""
    return Corrupt(
        f"not a blob: {reason}",
        code="blob-form",
        hint="Run `prolly fsck --full` to see what else is damaged.",
    )
