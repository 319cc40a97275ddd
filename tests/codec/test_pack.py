"""Packs: what is written is read back, and everything else is Corrupt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import address_of
from prolly.codec.pack import (
    CHUNK_BYTES_MAX,
    CODEC_NONE,
    CODEC_ZLIB,
    FOOTER_BYTES,
    FRAME_HEADER,
    FRAME_HEADER_BYTES,
    PACK_CHUNKS_MAX,
    PACK_FRAMES_BYTES_MAX,
    decode_footer,
    decode_frame,
    decode_index,
    decode_pack,
    encode_footer,
    encode_frame,
    encode_index,
    encode_pack,
    plain_frame_header,
)
from prolly.errors import Corrupt

CHUNK = st.binary(min_size=1, max_size=200) | st.integers(1, 5000).map(bytes)
VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "pack.json").read_text(encoding="utf-8")
)


@given(CHUNK, st.booleans())
def test_frame_is_read_back(chunk: bytes, compress: bool) -> None:
    """Decoding undoes encoding, compressed or not, and compression never grows."""
    frame = encode_frame(chunk, compress)
    assert decode_frame(frame) == chunk
    assert len(frame) <= FRAME_HEADER_BYTES + len(chunk)
    assert frame[0] == CODEC_NONE or (compress and frame[0] == CODEC_ZLIB)
    if not compress:
        assert frame == plain_frame_header(len(chunk)) + chunk


@given(st.lists(CHUNK, max_size=8), st.booleans())
def test_pack_is_read_back(chunks: list[bytes], compress: bool) -> None:
    """A pack gives back each chunk once, under its address, in order of address."""
    found = decode_pack(encode_pack(chunks, compress))
    assert found == {address_of(chunk): chunk for chunk in chunks}
    assert list(found) == sorted(found)


@given(st.lists(CHUNK, max_size=4), st.data())
def test_changed_pack_is_corrupt(chunks: list[bytes], data: st.DataObject) -> None:
    """A pack with any bit flipped, cut off or added is Corrupt or unchanged in sense.

    Nothing else: no other error, and no chunk under an address that is not its own.
    """
    pack = bytearray(encode_pack(chunks))
    place = data.draw(st.integers(0, len(pack) - 1))
    pack[place] ^= 1 << data.draw(st.integers(0, 7))
    end = data.draw(st.integers(0, len(pack)))
    for damaged in (bytes(pack), bytes(pack[:end])):
        with pytest.raises(Corrupt):
            decode_pack(damaged)


@given(st.binary(max_size=300))
def test_noise_is_corrupt(noise: bytes) -> None:
    """Arbitrary bytes are refused by every decoder with Corrupt alone."""
    for decode in (decode_pack, decode_footer):
        with pytest.raises(Corrupt):
            decode(noise)
    try:
        decode_frame(noise)
    except Corrupt:
        return
    assert noise[0] in (CODEC_NONE, CODEC_ZLIB)


@given(st.binary(max_size=60))
def test_compressed_noise_is_corrupt_or_a_chunk(noise: bytes) -> None:
    """A hostile zlib stream inflates to what it promises or is Corrupt."""
    try:
        chunk = decode_frame(FRAME_HEADER.pack(CODEC_ZLIB, 100, len(noise)) + noise)
    except Corrupt:
        return
    assert len(chunk) == 100


def test_bomb_is_stopped_at_its_promise() -> None:
    """A stream that would inflate to far more than its frame says is refused."""
    bomb = encode_frame(bytes(CHUNK_BYTES_MAX), compress=True)[FRAME_HEADER_BYTES:]
    for raw_length in (len(bomb) + 1, CHUNK_BYTES_MAX - 1):
        header = FRAME_HEADER.pack(CODEC_ZLIB, raw_length, len(bomb))
        with pytest.raises(Corrupt):
            decode_frame(header + bomb)


def test_chunk_at_the_limit() -> None:
    """The largest chunk has a frame; one byte more is Corrupt before inflating."""
    largest = bytes(CHUNK_BYTES_MAX)
    frame = encode_frame(largest, compress=True)
    assert decode_frame(frame) == largest
    payload = frame[FRAME_HEADER_BYTES:]
    over = FRAME_HEADER.pack(CODEC_ZLIB, CHUNK_BYTES_MAX + 1, len(payload))
    with pytest.raises(Corrupt):
        decode_frame(over + payload)


def test_footer_limits() -> None:
    """Count and offset are read at their limits and refused one past them."""
    at = encode_footer(PACK_CHUNKS_MAX, PACK_FRAMES_BYTES_MAX, bytes(32))
    footer = decode_footer(at)
    assert (footer.chunk_count, footer.index_offset) == (
        PACK_CHUNKS_MAX,
        PACK_FRAMES_BYTES_MAX,
    )
    for position, value in ((12, PACK_CHUNKS_MAX + 1), (16, 2**32)):
        past = at[:position] + value.to_bytes(8, "little") + at[position + 8 :]
        with pytest.raises(Corrupt):
            decode_footer(past)


def test_index_is_a_function_of_its_entries() -> None:
    """In whatever order entries are given, the index is the same and sorted."""
    chunks = [b"a", b"bb", b"ccc"]
    entries, offset = [], 0
    for chunk in chunks:
        entries.append((address_of(chunk), offset, FRAME_HEADER_BYTES + len(chunk)))
        offset += FRAME_HEADER_BYTES + len(chunk)
    index = encode_index(entries)
    assert encode_index(reversed(entries)) == index
    footer = decode_footer(encode_footer(3, offset, blake3(index).digest()))
    assert decode_index(index, footer) == sorted(entries)
    assert footer.pack_bytes == offset + len(index) + FOOTER_BYTES


def test_valid_vectors_hold() -> None:
    """Each frame and pack gives its chunks; the plain ones are written the same."""
    for case in VECTORS["frames"]["valid"]:
        frame = bytes.fromhex(case["bytes"])
        assert decode_frame(frame).hex() == case["chunk"], case["name"]
        if frame[0] == CODEC_NONE:
            assert encode_frame(bytes.fromhex(case["chunk"])) == frame
    for case in VECTORS["packs"]["valid"]:
        data = bytes.fromhex(case["bytes"])
        chunks = [bytes.fromhex(chunk) for chunk in case["chunks"]]
        assert decode_pack(data) == {address_of(chunk): chunk for chunk in chunks}
        assert blake3(data).hexdigest() == case["pack_name"]
        if case["name"] != "compressed beside plain":
            assert encode_pack(chunks) == data


@pytest.mark.parametrize("kind", ["frames", "packs"])
def test_invalid_vectors_are_corrupt(kind: str) -> None:
    """Each is refused with Corrupt."""
    decode = {"frames": decode_frame, "packs": decode_pack}[kind]
    for case in VECTORS[kind]["invalid"]:
        with pytest.raises(Corrupt):
            decode(bytes.fromhex(case["bytes"]))
            raise AssertionError(case["name"])
