"""Exchanges on a pipe: where a request, its body and its reply begin and end.

    hello      "prolly\\n" (7 bytes) | version u8       once, from who answers
    request    length u32 | bytes                      then the body, as a stream
    stream     piece ... piece | end
    piece      length u32 (1 to PIECE_BYTES_MAX) | bytes
    end        00 00 00 00
    broken     ff ff ff ff                              instead of the end: given up

Lengths are little-endian and unsigned. After the hello any number of exchanges follow:
a request with its body there, a stream back. Over HTTP only ``request`` is used: what
follows it is the body, and HTTP says where both end. Where pieces begin and end means
nothing. Decoders raise Corrupt and nothing else. Page: ``docs/spec/lines.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Any

from prolly.errors import Corrupt, RemoteFailed

# Over HTTP: of a request and of a reply, and of what is wrong before one begins.
SYNC_TYPE = "application/vnd.prolly.sync"
PROBLEM_TYPE = "application/problem+json"

HELLO = b"prolly\n\x01"

# A request is one frame of the wire, of up to 8 MiB and its header.
REQUEST_BYTES_MAX = 8 * 1024 * 1024 + 64

# One piece is held in memory at a time on either side.
PIECE_BYTES_MAX = 1024 * 1024

LENGTH = Struct("<I")
LENGTH_BYTES = LENGTH.size

END = LENGTH.pack(0)
BROKEN = LENGTH.pack(2**32 - 1)
_BROKEN_LENGTH = 2**32 - 1


def encode_request(request: bytes) -> bytes:
    """Return a request with its length before it."""
    assert 0 < len(request) <= REQUEST_BYTES_MAX, "requests are made small enough"
    return LENGTH.pack(len(request)) + request


def decode_request_length(head: bytes) -> int:
    """Return the length of the request that follows. Raises Corrupt ``line-form``."""
    (length,) = LENGTH.unpack(head)
    if not 0 < length <= REQUEST_BYTES_MAX:
        raise bad_line(f"a request of {length} bytes")
    return int(length)


def iter_pieces(data: bytes) -> Iterator[bytes]:
    """Yield bytes as pieces, each with its length before it; none for no bytes."""
    view = memoryview(data)
    for start in range(0, len(data), PIECE_BYTES_MAX):
        piece = view[start : start + PIECE_BYTES_MAX]
        yield LENGTH.pack(len(piece)) + piece


def decode_piece_length(head: bytes) -> int | None:
    """Return the length of the piece that follows, 0 at the end, ``None`` if broken.

    Raises Corrupt ``line-form``.
    """
    (length,) = LENGTH.unpack(head)
    if length == _BROKEN_LENGTH:
        return None
    if length > PIECE_BYTES_MAX:
        raise bad_line(f"a piece of {length} bytes")
    return int(length)


def bad_line(what: str) -> Corrupt:
    """Return (not raise) the error for bytes that are not what a line carries."""
    return Corrupt(
        f"the line carried {what}",
        code="line-form",
        hint="Is it prolly that answers there, and nothing that prints before it?",
    )


def broken_line(problem: str, **facts: Any) -> RemoteFailed:
    """Return (not raise) the error for a line that ended where it must not."""
    return RemoteFailed(problem, code="line-broken", hint=_GO_ON, **facts)


def silent_line(problem: str, **facts: Any) -> RemoteFailed:
    """Return (not raise) the error for another side that is too slow."""
    return RemoteFailed(problem, code="line-timeout", hint=_GO_ON, **facts)


_GO_ON = "Run it again: what came is kept, and the transfer goes on."
