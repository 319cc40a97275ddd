"""Blobs: bytes in, chunks, the same bytes out, and little written for an edit."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.chunks import ChunkWriter, RefMove, RefNote
from prolly.codec import (
    ChunkType,
    Reference,
    address_of,
    decode_blob_node,
    encode_blob_node,
)
from prolly.errors import Corrupt
from prolly.maps import blob_length, iter_pieces, read_blob, write_blob
from prolly.maps.blob import SINGLE_PIECE_BYTES_MAX
from prolly.maps.content_cut import plain_cuts


class Chunks(ChunkWriter):
    """Chunks in a dictionary, with a count of those that were new and those read."""

    def __init__(self) -> None:
        self.held: dict[bytes, bytes] = {}
        self.reads = 0

    def put(self, chunk: bytes) -> bytes:
        """Keep a chunk."""
        address = address_of(chunk)
        self.held[address] = chunk
        return address

    def get(self, address: bytes) -> bytes | None:
        """Give a chunk, and count."""
        self.reads += 1
        return self.held.get(address)

    def commit(self, moves: object = (), note: RefNote | None = None) -> int:
        """Accept everything; there are no names here."""
        assert moves == () or isinstance(moves, RefMove)
        return 0

    def abort(self) -> None:
        """Nothing to forget."""


def made(seed: int, size: int) -> bytes:
    """Return random bytes of a seed."""
    return random.Random(seed).randbytes(size)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 2**32),
    st.one_of(st.integers(0, 300), st.integers(0, 3_000_000)),
    st.data(),
)
def test_a_blob_comes_back_whole_and_in_ranges(
    seed: int, size: int, data: st.DataObject
) -> None:
    """Any length; any range equals the slice; the length is known."""
    value, chunks = made(seed, size), Chunks()
    reference = write_blob(chunks, value)
    assert read_blob(chunks.get, reference) == value
    assert blob_length(chunks.get, reference) == size
    start, stop = (
        data.draw(st.integers(0, size + 5)),
        data.draw(st.one_of(st.none(), st.integers(0, size + 5))),
    )
    found = b"".join(iter_pieces(chunks.get, reference, start, stop))
    assert found == value[start:stop]


def test_up_to_64_kib_is_one_piece_and_one_more_byte_is_not() -> None:
    """The limit of a single piece, and the empty value."""
    for size in (0, 1, SINGLE_PIECE_BYTES_MAX):
        chunks = Chunks()
        reference = write_blob(chunks, bytes(size))
        assert reference.kind == ChunkType.BLOB_PIECE
        assert chunks.held == {reference.address: b"\x03" + bytes(size)}
    chunks = Chunks()
    reference = write_blob(chunks, bytes(SINGLE_PIECE_BYTES_MAX + 1))
    assert reference.kind == ChunkType.BLOB_NODE


def test_the_root_is_a_function_of_the_bytes() -> None:
    """Equal bytes, equal root; other bytes, another."""
    value = made(1, 500_000)
    assert write_blob(Chunks(), value) == write_blob(Chunks(), bytes(bytearray(value)))
    assert write_blob(Chunks(), value) != write_blob(Chunks(), value + b"x")


def test_an_edit_in_front_re_uses_what_follows() -> None:
    """Of some 900 pieces and 2 levels of nodes an insertion writes a few anew."""
    value, chunks = made(2, 64_000_000), Chunks()
    first = write_blob(chunks, value)
    assert decode_blob_node(chunks.held[first.address]).level == 2
    before = dict(chunks.held)
    write_blob(chunks, value[:100_000] + b"inserted" + value[100_000:])
    assert len(before) > 500
    assert len(chunks.held.keys() - before.keys()) <= 6


def test_a_range_reads_only_what_it_needs() -> None:
    """One byte of a large value: the nodes above its piece, and the piece."""
    value, chunks = made(3, 20_000_000), Chunks()
    reference = write_blob(chunks, value)
    chunks.reads = 0
    assert b"".join(iter_pieces(chunks.get, reference, 9_999_999, 10_000_000))
    assert chunks.reads <= 3


def test_an_absent_chunk_is_named() -> None:
    """Corrupt chunk-missing carries the address."""
    value, chunks = made(4, 200_000), Chunks()
    reference = write_blob(chunks, value)
    lost = decode_blob_node(chunks.held[reference.address]).addresses[-1]
    del chunks.held[lost]
    with pytest.raises(Corrupt) as caught:
        read_blob(chunks.get, reference)
    assert caught.value.code == "chunk-missing"
    assert caught.value.address == lost


def test_hostile_nodes_are_corrupt() -> None:
    """Wrong types, levels and lengths; a node that holds what one piece could."""
    chunks = Chunks()
    piece = chunks.put(b"\x03" + bytes(70_000))
    good = chunks.put(encode_blob_node(1, [piece], [70_000]))
    assert len(read_blob(chunks.get, Reference(good, 4))) == 70_000
    short = chunks.put(b"\x03" + bytes(10))
    for root in (
        Reference(piece, ChunkType.BLOB_PIECE),
        Reference(piece, ChunkType.BLOB_NODE),
        Reference(good, ChunkType.BLOB_PIECE),
        Reference(good, ChunkType.LEAF),
        Reference(chunks.put(encode_blob_node(1, [piece], [70_001])), 4),
        Reference(chunks.put(encode_blob_node(1, [short], [10])), 4),
        Reference(chunks.put(encode_blob_node(1, [good], [70_000])), 4),
        Reference(chunks.put(encode_blob_node(2, [piece], [70_000])), 4),
        Reference(chunks.put(encode_blob_node(3, [good], [70_000])), 4),
        Reference(chunks.put(encode_blob_node(2, [good], [70_001])), 4),
        Reference(chunks.put(b"\x04"), 4),
        Reference(chunks.put(b"\x03" + bytes(300_000)), 3),
    ):
        with pytest.raises(Corrupt):
            read_blob(chunks.get, root)


def test_blob_vectors_hold() -> None:
    """Roots, kinds, chunks and cuts are those of the vectors of the format."""
    path = Path(__file__).parents[1] / "vectors" / "blob.json"
    for case in json.loads(path.read_text(encoding="utf-8"))["blobs"]:
        data, chunks = blake3(b"prolly").digest(length=case["length"]), Chunks()
        reference = write_blob(chunks, data)
        assert (reference.address.hex(), reference.kind) == (case["root"], case["kind"])
        assert len(chunks.held) == case["chunks"]
        if "ends" in case:
            assert [end for _, end in plain_cuts(data)] == case["ends"]
