"""Packs: immutable files of chunks, the same bytes on disk, in a bucket, on the wire.

    pack     frame ... frame | index | footer
    frame    codec u8 | raw length u32 | stored length u32 | payload
    index    count entries of 40 bytes, in ascending order of address:
             address (32 bytes) | offset u32 | length u32
    footer   magic (8 bytes) | version u32 | count u32 | index offset u64 |
             BLAKE3-256 of the index (32 bytes)

All integers are little-endian and unsigned. Frames stand back to back from byte 0 to
the index; ``offset`` is a frame's first byte and ``length`` its whole length, header
included, so that one ranged read fetches one frame. Codec 0 stores the chunk as it is,
codec 1 as a zlib stream that is smaller than the chunk. The address is always that of
the uncompressed chunk. A pack is named by the BLAKE3-256 of all its bytes.

Every length is checked before anything is inflated. Decoders raise Corrupt and nothing
else. Page: ``docs/spec/packs.md``.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from itertools import pairwise
from operator import itemgetter
from struct import Struct
from struct import error as StructError
from typing import NamedTuple

from blake3 import blake3

from prolly.errors import Corrupt

from .address import ADDRESS_BYTES, address_of

# A node weighs at most MAX plus its envelope, a blob piece 256 KiB; 4 MiB leaves room
# for other parameters and bounds what one inflated frame may take in memory.
CHUNK_BYTES_MAX = 4 * 1024 * 1024

PACK_MAGIC = b"\x89PRLPCK\n"
PACK_VERSION = 1

CODEC_NONE = 0
CODEC_ZLIB = 1

# Chunks are small and mostly incompressible keys and hashes: level 6 costs twice the
# time of level 1 for about three per cent of size.
ZLIB_LEVEL = 1

FRAME_HEADER = Struct("<BII")
INDEX_ENTRY = Struct("<32sII")
FOOTER = Struct("<8sIIQ32s")

FRAME_HEADER_BYTES = FRAME_HEADER.size
INDEX_ENTRY_BYTES = INDEX_ENTRY.size
FOOTER_BYTES = FOOTER.size

# The index holds offsets in 32 bits.
PACK_FRAMES_BYTES_MAX = 2**32 - 1

# 2^22 entries make an index of 160 MiB. The largest pack that is ever written holds
# 64 MiB of frames, so this only stops a hostile count before memory is taken for it.
PACK_CHUNKS_MAX = 2**22


class IndexEntry(NamedTuple):
    """Where the frame of one chunk stands in a pack."""

    address: bytes
    offset: int
    length: int


class Footer(NamedTuple):
    """What a footer says: entries in the index, its first byte, its hash."""

    chunk_count: int
    index_offset: int
    index_hash: bytes

    @property
    def index_bytes(self) -> int:
        """The length of the index."""
        return self.chunk_count * INDEX_ENTRY_BYTES

    @property
    def pack_bytes(self) -> int:
        """The length of the whole pack."""
        return self.index_offset + self.index_bytes + FOOTER_BYTES


def encode_frame(chunk: bytes, compress: bool = False) -> bytes:
    """Return the frame of a chunk; ``compress`` is ignored where it saves nothing."""
    raw_length = len(chunk)
    assert 0 < raw_length <= CHUNK_BYTES_MAX, "the store refuses such a chunk"
    if compress:
        payload = zlib.compress(chunk, ZLIB_LEVEL)
        if len(payload) < raw_length:
            return FRAME_HEADER.pack(CODEC_ZLIB, raw_length, len(payload)) + payload
    return FRAME_HEADER.pack(CODEC_NONE, raw_length, raw_length) + chunk


def plain_frame_header(raw_length: int) -> bytes:
    """Return the header of a frame that stores its chunk as it is."""
    return FRAME_HEADER.pack(CODEC_NONE, raw_length, raw_length)


def decode_frame(frame: bytes) -> bytes:
    """Return the chunk of one whole frame. The caller verifies its address."""
    try:
        codec, raw_length, stored_length = FRAME_HEADER.unpack_from(frame)
    except StructError:
        raise _bad_frame(f"a frame of {len(frame)} bytes has no header") from None
    if stored_length != len(frame) - FRAME_HEADER_BYTES:
        raise _bad_frame(
            f"a frame of {len(frame)} bytes says that {stored_length} are stored"
        )
    if not 0 < raw_length <= CHUNK_BYTES_MAX:
        raise _bad_frame(f"a frame promises a chunk of {raw_length} bytes")
    if codec == CODEC_NONE:
        if stored_length != raw_length:
            raise _bad_frame(
                f"an uncompressed chunk of {raw_length} bytes stored in {stored_length}"
            )
        return bytes(frame[FRAME_HEADER_BYTES:])
    if codec != CODEC_ZLIB:
        raise _bad_frame(f"frame codec {codec} is not known")
    if stored_length >= raw_length:
        raise _bad_frame("a compressed frame saves nothing")
    return _inflate(frame[FRAME_HEADER_BYTES:], raw_length)


def _inflate(payload: bytes, raw_length: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        # One byte of room more, so that the end of an honest stream is reached and an
        # endless one is stopped.
        chunk = inflater.decompress(payload, raw_length + 1)
    except zlib.error as error:
        raise _bad_frame(f"a frame does not inflate: {error}") from None
    if len(chunk) != raw_length or not inflater.eof or inflater.unused_data:
        raise _bad_frame(f"a frame does not inflate to its {raw_length} bytes")
    return chunk


def encode_index(entries: Iterable[tuple[bytes, int, int]]) -> bytes:
    """Return the index of (address, offset, length), given in any order."""
    pack = INDEX_ENTRY.pack
    return b"".join([pack(*entry) for entry in sorted(entries)])


def decode_index(index: bytes, footer: Footer) -> list[IndexEntry]:
    """Return the entries in order of address.

    Refuses an index that is not the one the footer names, that is unsorted, names an
    address twice, or whose frames do not fill the pack back to back.
    """
    if len(index) != footer.index_bytes:
        raise _bad_index(f"the index has {len(index)} bytes, not {footer.index_bytes}")
    if blake3(index).digest() != footer.index_hash:
        raise _bad_index("the index does not have the hash that the footer names")
    entries = [IndexEntry(*entry) for entry in INDEX_ENTRY.iter_unpack(index)]
    for left, right in pairwise(entries):
        if left.address >= right.address:
            raise _bad_index("the index is not in strictly ascending order")
    expected = 0
    for _address, offset, length in sorted(entries, key=itemgetter(1)):
        if offset != expected or length <= FRAME_HEADER_BYTES:
            raise _bad_index(f"no frame begins at byte {expected}")
        expected += length
    if expected != footer.index_offset:
        raise _bad_index(f"the frames end at {expected}, not {footer.index_offset}")
    return entries


def encode_footer(count: int, index_offset: int, index_hash: bytes) -> bytes:
    """Return the fixed end of a pack."""
    assert count <= PACK_CHUNKS_MAX, "packs are rolled long before"
    assert index_offset <= PACK_FRAMES_BYTES_MAX, "packs are rolled long before"
    assert len(index_hash) == ADDRESS_BYTES, "a BLAKE3-256 digest"
    return FOOTER.pack(PACK_MAGIC, PACK_VERSION, count, index_offset, index_hash)


def decode_footer(footer: bytes) -> Footer:
    """Return what the last ``FOOTER_BYTES`` bytes of a pack say."""
    try:
        magic, version, count, index_offset, index_hash = FOOTER.unpack(footer)
    except StructError:
        raise _bad_pack(f"{len(footer)} bytes are no pack footer") from None
    if magic != PACK_MAGIC:
        raise _bad_pack("the footer does not begin with the magic bytes of a pack")
    if version != PACK_VERSION:
        raise _bad_pack(f"pack version {version} is not known")
    if count > PACK_CHUNKS_MAX:
        raise _bad_pack(f"a pack of {count} chunks is past {PACK_CHUNKS_MAX}")
    if index_offset > PACK_FRAMES_BYTES_MAX:
        raise _bad_pack(f"frames of {index_offset} bytes are past 32 bits")
    return Footer(count, index_offset, index_hash)


def encode_pack(chunks: Iterable[bytes], compress: bool = False) -> bytes:
    """Return one pack of the chunks, in the order given; a repeated one stands once."""
    entries: dict[bytes, tuple[bytes, int, int]] = {}
    frames: list[bytes] = []
    offset = 0
    for chunk in chunks:
        address = address_of(chunk)
        if address not in entries:
            frame = encode_frame(chunk, compress)
            frames.append(frame)
            entries[address] = (address, offset, len(frame))
            offset += len(frame)
    index = encode_index(entries.values())
    footer = encode_footer(len(entries), offset, blake3(index).digest())
    return b"".join([*frames, index, footer])


def decode_pack(pack: bytes) -> dict[bytes, bytes]:
    """Return the chunks by address, in order of address, each verified."""
    if len(pack) < FOOTER_BYTES:
        raise _bad_pack(f"{len(pack)} bytes are no pack")
    footer = decode_footer(pack[-FOOTER_BYTES:])
    if footer.pack_bytes != len(pack):
        raise _bad_pack(f"the pack has {len(pack)} bytes, not {footer.pack_bytes}")
    index_end = footer.index_offset + footer.index_bytes
    chunks: dict[bytes, bytes] = {}
    for entry in decode_index(pack[footer.index_offset : index_end], footer):
        chunk = decode_frame(pack[entry.offset : entry.offset + entry.length])
        if address_of(chunk) != entry.address:
            raise Corrupt(
                f"the pack holds other bytes under {entry.address.hex()}",
                code="hash-mismatch",
                hint="Fetch the pack again.",
                address=entry.address,
            )
        chunks[entry.address] = chunk
    return chunks


def _bad_frame(message: str) -> Corrupt:
    return Corrupt(message, code="pack-frame", hint="Run `prolly fsck --full`.")


def _bad_index(message: str) -> Corrupt:
    return Corrupt(message, code="pack-index", hint="Run `prolly fsck --full`.")


def _bad_pack(message: str) -> Corrupt:
    return Corrupt(message, code="pack-footer", hint="Run `prolly fsck --full`.")
