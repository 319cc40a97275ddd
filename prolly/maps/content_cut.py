"""Where a large value is cut into pieces: FastCDC 2020, by content.

A cut depends only on the bytes since the cut before it, so an insertion moves the cuts
around it and not those behind. The rolling hash is h = 2h + gear[byte] mod 2^64, from 0
at the minimum size on; the piece ends *before* the first byte that leaves the masked
bits of h zero: MASK_SMALL before the middle size, MASK_LARGE (4 times likelier) behind
it; at the latest at the maximum size. An odd last byte of the search is not looked at.

``pyfastcdc`` (extra ``blob``) does it in C at some GB/s. Without it the twin here makes
the same cuts at some MB/s. Page: docs/spec/blobs.md.
"""

from __future__ import annotations

from collections.abc import Iterator

# Small enough that an edit moves few bytes, large enough that a gigabyte has only some
# 16,000 pieces. The middle is the average that FastCDC aims at.
PIECE_BYTES_MIN = 16 * 1024
PIECE_BYTES_MIDDLE = 64 * 1024
PIECE_BYTES_MAX = 256 * 1024

# The masks of the published table for 2^17 and 2^15, that is normalisation level 1.
MASK_SMALL = 0x0000D90703537000
MASK_LARGE = 0x0000D90F03530000

_HASH_BITS = 0xFFFFFFFFFFFFFFFF


def gear_table() -> list[int]:
    """Return the 256 gear numbers: the first 8 bytes of MD5 of 64 times the byte."""
    # Few programs cut a large value, and this import is felt at each start.
    import hashlib

    return [
        int.from_bytes(
            hashlib.md5(bytes((byte,)) * 64, usedforsecurity=False).digest()[:8], "big"
        )
        for byte in range(256)
    ]


def cuts(data: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the pieces of a value, in order; none of an empty one.

    Of the beginning of a longer value, every piece but the last is one of the longer
    value too.
    """
    try:
        from pyfastcdc import FastCDC
    except ImportError:
        yield from plain_cuts(data)
        return
    cutter = FastCDC(
        PIECE_BYTES_MIDDLE,
        min_size=PIECE_BYTES_MIN,
        max_size=PIECE_BYTES_MAX,
        normalized_chunking=1,
    )
    for piece in cutter.cut_buf(data):
        yield piece.offset, piece.offset + piece.length


def plain_cuts(data: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Yield what :func:`cuts` does, in Python alone."""
    gear = gear_table()
    start = 0
    while start < len(data):
        end = start + _piece_length(data, start, gear)
        yield start, end
        start = end


def _piece_length(data: bytes | bytearray, start: int, gear: list[int]) -> int:
    remaining = min(len(data) - start, PIECE_BYTES_MAX)
    if remaining <= PIECE_BYTES_MIN:
        return remaining
    # The published code takes two bytes a step, so an odd last byte is left out.
    middle = min(PIECE_BYTES_MIDDLE, remaining) // 2 * 2
    end = remaining // 2 * 2
    rolling = 0
    for low, high, mask in (
        (PIECE_BYTES_MIN, middle, MASK_SMALL),
        (middle, end, MASK_LARGE),
    ):
        window = data[start + low : start + high]
        for length, byte in enumerate(window, low):
            rolling = (rolling + rolling + gear[byte]) & _HASH_BITS
            if not rolling & mask:
                return length
    return remaining
