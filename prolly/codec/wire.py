"""Frames: what travels between replicas, one after the other.

    frame    type u8 | flags u8 | stored length u32 | raw length u32 | payload

Integers are little-endian. Flag 1: the payload is a zlib stream of ``raw length``
bytes, and shorter than them; else both lengths are equal. Other flags are refused. A
message is a sequence of frames that ends with END or ERROR; a body ends with END. Every
length is checked before anything is waited for or inflated. Decoders raise Corrupt and
nothing else. Page: ``docs/spec/sync.md``.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from prolly.errors import Corrupt

WIRE_VERSION = 1

# One chunk of 4 MiB and what stands around it; it bounds what a frame takes in memory.
WIRE_FRAME_BYTES_MAX = 8 * 1024 * 1024
# Small enough that a line which breaks often gets on, large enough that headers and
# calls do not count.
WIRE_FRAME_BYTES_TARGET = 64 * 1024

WIRE_HEADER = Struct("<BBII")
WIRE_HEADER_BYTES = WIRE_HEADER.size

_DEFLATED = 1
# Level 1: on records and nodes a higher one saves some percent for twice the time.
_LEVEL = 1
# To deflate what is random costs more time than to send it, so a sample is tried: some
# bytes from here and there, since the columns of a leaf are of different kinds.
_SAMPLE_BYTES = 2048
_SAMPLES = 8
_PLAIN_BYTES_MIN = 64


class FrameType(IntEnum):
    """What the payload of a frame is."""

    REQUEST = 1
    REPLY = 2
    COMMITS = 3
    TREE = 4
    EDITS = 5
    CHUNKS = 6
    END = 7
    ERROR = 8


_TYPES = frozenset(int(kind) for kind in FrameType)


class WireFrame(NamedTuple):
    """One frame, inflated; ``start`` is the offset of its first byte in the stream."""

    kind: int
    payload: bytes
    start: int


def encode_wire_frame(kind: FrameType, payload: bytes = b"") -> bytes:
    """Return a frame; the payload is deflated where that makes it smaller."""
    raw_length = len(payload)
    assert raw_length <= WIRE_FRAME_BYTES_MAX, "frames are cut long before"
    if raw_length >= _PLAIN_BYTES_MIN and _shrinks(payload):
        deflated = zlib.compress(payload, _LEVEL)
        if len(deflated) < raw_length:
            head = WIRE_HEADER.pack(kind, _DEFLATED, len(deflated), raw_length)
            return head + deflated
    return WIRE_HEADER.pack(kind, 0, raw_length, raw_length) + payload


def _shrinks(payload: bytes) -> bool:
    if len(payload) <= 2 * _SAMPLE_BYTES:
        return True
    stride, size = len(payload) // _SAMPLES, _SAMPLE_BYTES // _SAMPLES
    starts = range(stride - size, len(payload), stride)
    sample = b"".join([payload[at : at + size] for at in starts])
    return len(zlib.compress(sample, _LEVEL)) < 0.9 * len(sample)


END_FRAME = encode_wire_frame(FrameType.END)


class FrameDecoder:
    """Takes the bytes of a stream in pieces of any size, and gives its frames.

    After a frame END or ERROR no more bytes may come. Memory: one frame and a piece.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._wanted = WIRE_HEADER_BYTES
        self._start = 0
        self.is_ended = False

    def feed(self, piece: bytes) -> Iterator[WireFrame]:
        """Yield the frames that a piece completes. Raises Corrupt ``wire-frame``."""
        if self.is_ended and piece:
            raise bad_wire("bytes follow the end of a message")
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting < self._wanted:
            return
        data = b"".join(self._pieces)
        at = 0
        while len(data) - at >= WIRE_HEADER_BYTES:
            kind, flags, stored, raw = _header(data, at)
            end = at + WIRE_HEADER_BYTES + stored
            if end > len(data):
                self._wanted = end - at
                break
            payload = data[at + WIRE_HEADER_BYTES : end]
            payload = _inflate(payload, raw) if flags else payload
            self.is_ended = kind in (FrameType.END, FrameType.ERROR)
            if self.is_ended and end < len(data):
                raise bad_wire("bytes follow the end of a message")
            start, self._start = self._start, self._start + end - at
            at = end
            yield WireFrame(kind, payload, start)
        else:
            self._wanted = WIRE_HEADER_BYTES
        rest = data[at:]
        self._pieces = [rest] if rest else []
        self._waiting = len(rest)

    @property
    def waiting(self) -> bytes:
        """What came of a frame that is not whole yet."""
        return b"".join(self._pieces)

    def finish(self) -> None:
        """Raise Corrupt ``wire-truncated`` unless the message is whole."""
        if not self.is_ended:
            raise Corrupt(
                "a message ends before its end",
                code="wire-truncated",
                hint="The line broke; do it again, what came is kept.",
            )


def take_wire_frame(data: bytes) -> tuple[WireFrame, bytes] | None:
    """Return the first frame of some bytes and what follows it, once it is whole."""
    if len(data) < WIRE_HEADER_BYTES:
        return None
    kind, flags, stored, raw = _header(data, 0)
    end = WIRE_HEADER_BYTES + stored
    if len(data) < end:
        return None
    payload = data[WIRE_HEADER_BYTES:end]
    payload = _inflate(payload, raw) if flags else payload
    return WireFrame(kind, payload, 0), data[end:]


def _header(data: bytes, at: int) -> tuple[int, int, int, int]:
    kind, flags, stored, raw = WIRE_HEADER.unpack_from(data, at)
    if kind not in _TYPES:
        raise bad_wire(f"frame type {kind} is not known")
    if raw > WIRE_FRAME_BYTES_MAX:
        raise bad_wire(f"a frame promises {raw} bytes")
    if flags not in (0, _DEFLATED):
        raise bad_wire(f"frame flags {flags} are not known")
    if stored != raw if not flags else stored >= raw:
        raise bad_wire(f"a frame of {raw} bytes is stored in {stored}")
    return kind, flags, stored, raw


def _inflate(payload: bytes, raw_length: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        # One byte of room more, so that the end of an honest stream is reached and an
        # endless one is stopped.
        data = inflater.decompress(payload, raw_length + 1)
    except zlib.error as error:
        raise bad_wire(f"a frame does not inflate: {error}") from None
    if len(data) != raw_length or not inflater.eof or inflater.unused_data:
        raise bad_wire(f"a frame does not inflate to its {raw_length} bytes")
    return data


def bad_wire(reason: str) -> Corrupt:
    """Return (not raise) the error for bytes that are no message."""
    return Corrupt(
        f"the other side sent what is no message: {reason}",
        code="wire-frame",
        hint="Is that the address of a prolly repository, of this version?",
    )
