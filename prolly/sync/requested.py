"""Chunks asked for by address: each comes under the one that it was asked for.

The frames of a reply are a function of the chunks that are still to come from the first
of a frame on. So where a line broke, that frame is begun anew only as far as it did not
come, and the request names the next few chunks alone: a line that breaks often would
else carry the same addresses again and again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from blake3 import blake3

from prolly.codec import address_of
from prolly.codec.wire import FrameDecoder, FrameType, WireFrame, bad_wire
from prolly.codec.wire_messages import decode_chunks, decode_wire_error
from prolly.errors import Corrupt, Error, Invalid, RemoteFailed

from .conversation import (
    FRUITLESS_ATTEMPTS_MAX,
    behind_head,
    given_up,
    request_of,
)
from .node_walk import WALK_ADDRESSES_MAX
from .remote import Remote

# Addresses in the request after one that broke, two kilobytes: half a megabyte of
# leaves. Each that goes well doubles the next.
AFTER_BREAK_ADDRESSES = 64


def requested_chunks(
    remote: Remote, addresses: Sequence[bytes], *, after_break: bool = False
) -> Iterator[bytes]:
    """Yield the chunks of some addresses in order, each verified.

    With ``after_break`` the line is not trusted to last, as behind a break. Raises
    Corrupt ``unasked``, ``hash-mismatch`` and ``chunk-missing``, RemoteFailed when the
    line breaks and breaks, and what the other side raises.
    """
    limit = AFTER_BREAK_ADDRESSES if after_break else WALK_ADDRESSES_MAX
    return _Requested(remote, addresses, limit).chunks()


class _Requested:
    def __init__(self, remote: Remote, addresses: Sequence[bytes], limit: int) -> None:
        self._remote = remote
        self._due = addresses
        self._came = 0
        self._limit = limit
        # What came of the frame that was on its way when the line broke.
        self._rest = b""
        self._decoder = FrameDecoder()

    def chunks(self) -> Iterator[bytes]:
        fruitless = 0
        while self._came < len(self._due):
            before = self._came, len(self._rest)
            try:
                yield from self._asked()
                self._limit = min(2 * self._limit, WALK_ADDRESSES_MAX)
                fruitless = 0
            except _Told as told:
                raise told.error from None
            except (RemoteFailed, Corrupt, Invalid) as error:
                if not self._may_go_on(error):
                    raise
                is_further = (self._came, len(self._rest)) > before
                fruitless = 0 if is_further else fruitless + 1
                if fruitless == FRUITLESS_ATTEMPTS_MAX:
                    raise given_up(error) from error
                self._limit = AFTER_BREAK_ADDRESSES

    def _may_go_on(self, error: Error) -> bool:
        is_broken = isinstance(error, RemoteFailed) or error.code == "wire-truncated"
        # Of so many small chunks that the frame is another one in a shorter reply what
        # came of it cannot be gone on with.
        is_other = error.code == "resume-mismatch" and bool(self._rest)
        self._rest = b"" if is_other else self._decoder.waiting
        return is_broken or is_other

    def _asked(self) -> Iterator[bytes]:
        """Ask for the next chunks, and yield them."""
        batch = self._due[self._came : self._came + self._limit]
        end = self._came + len(batch)
        fields: dict[str, Any] = {"addresses": b"".join(batch)}
        rest = self._rest
        if rest:
            fields |= {"offset": len(rest), "digest": blake3(rest).digest()}
        decoder = self._decoder = FrameDecoder()
        pieces = self._remote.ask(request_of("chunks", fields))
        for frame in _frames(decoder, rest):
            yield from self._taken(frame, end)
        for piece in behind_head(pieces) if rest else pieces:
            for frame in _frames(decoder, piece):
                yield from self._taken(frame, end)
        decoder.finish()
        self._rest = b""
        if self._came < end:
            missing = self._due[self._came]
            raise Corrupt(
                f"chunk {missing.hex()} was asked for and did not come",
                code="chunk-missing",
                address=missing,
            )

    def _taken(self, frame: WireFrame, end: int) -> Iterator[bytes]:
        if frame.kind != FrameType.CHUNKS:
            raise bad_wire(f"{FrameType(frame.kind).name} among chunks")
        for chunk in decode_chunks(frame.payload):
            address = self._due[self._came] if self._came < end else None
            if address is None or address_of(chunk) != address:
                raise _other_chunk(address)
            self._came += 1
            yield chunk


class _Told(Exception):
    """The other side raised an error, and the line is whole."""

    def __init__(self, error: Error) -> None:
        super().__init__(error)
        self.error = error


def _frames(decoder: FrameDecoder, piece: bytes) -> Iterator[WireFrame]:
    for frame in decoder.feed(piece):
        if frame.kind == FrameType.ERROR:
            raise _Told(decode_wire_error(frame.payload))
        if frame.kind != FrameType.END:
            yield frame


def _other_chunk(address: bytes | None) -> Corrupt:
    if address is None:
        text, code = "more chunks came than were asked for", "unasked"
    else:
        text = f"other bytes came for chunk {address.hex()}"
        code = "hash-mismatch"
    return Corrupt(
        text,
        code=code,
        hint="The other side is damaged, or lies; nothing was changed.",
        address=address,
    )
