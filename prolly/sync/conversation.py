"""Asking another replica: requests out, frames in, errors as they were raised there.

A reply that breaks is asked for again from where it broke, as long as each attempt
brings something; then RemoteFailed of the line goes to the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from blake3 import blake3

from prolly.codec.exchange import broken_line
from prolly.codec.wire import (
    WIRE_VERSION,
    FrameDecoder,
    FrameType,
    WireFrame,
    bad_wire,
    take_wire_frame,
)
from prolly.codec.wire_messages import (
    Message,
    decode_message,
    decode_wire_error,
    encode_message,
)
from prolly.errors import Corrupt, Error, RemoteFailed

from .kept_stream import KeptStream
from .remote import Remote

# A line that broke may be whole again at once, as when a server was restarted; one that
# brings nothing so often in a row is for the caller to wait for.
FRUITLESS_ATTEMPTS_MAX = 3
# The refs of the largest repository take a tenth of it.
REPLY_MESSAGES_MAX = 1024


def request_of(verb: str, fields: Mapping[str, Any]) -> bytes:
    """Return the bytes of a request."""
    named = {**fields, "verb": verb, "version": WIRE_VERSION}
    return encode_message(FrameType.REQUEST, named)


def subject_of(verb: str, fields: Mapping[str, Any]) -> bytes:
    """Return the hash that tells one request from all others."""
    return blake3(request_of(verb, fields)).digest()


def ask_once(
    remote: Remote, verb: str, fields: Mapping[str, Any], body: Iterable[bytes] = ()
) -> Iterator[Message]:
    """Yield the messages of a reply that has nothing else. Raises what it tells of."""
    decoder = FrameDecoder()
    count = 0
    for piece in remote.ask(request_of(verb, fields), body):
        for frame in decoder.feed(piece):
            _raise_told(frame)
            if frame.kind != FrameType.END:
                yield decode_message(frame, FrameType.REPLY)
            count += 1
            if count > REPLY_MESSAGES_MAX:
                raise bad_wire(f"more than {REPLY_MESSAGES_MAX} messages")
    decoder.finish()


def ask_for(
    remote: Remote, verb: str, fields: Mapping[str, Any], body: Iterable[bytes] = ()
) -> Message:
    """Return the one message of a reply."""
    found: Message | None = None
    for message in ask_once(remote, verb, fields, body):
        if found is not None:
            raise bad_wire("several answers to one question")
        found = message
    if found is None:
        raise bad_wire("no answer")
    return found


def ask_on(
    remote: Remote, verb: str, fields: Mapping[str, Any], kept: KeptStream
) -> Iterator[WireFrame]:
    """Yield the frames of a reply, the first of them from what is kept of it.

    The frame END is not among them. Raises RemoteFailed when the line breaks and
    breaks; what came is kept.
    """
    decoder = FrameDecoder()
    if kept.size:
        for piece in kept.pieces():
            yield from _frames(decoder, piece)
    fruitless = 0
    while not decoder.is_ended:
        before = kept.size
        resumed = {**fields, "offset": kept.size, "digest": kept.digest}
        told: Error | None = None
        try:
            pieces = remote.ask(request_of(verb, resumed))
            for piece in behind_head(pieces) if kept.size else pieces:
                kept.append(piece)
                for frame in _frames(decoder, piece):
                    if frame.kind == FrameType.ERROR:
                        kept.cut(frame.start)
                        told = decode_wire_error(frame.payload)
                        break
                    yield frame
            if told is None:
                decoder.finish()
        except (RemoteFailed, Corrupt) as error:
            if isinstance(error, Corrupt) and error.code != "wire-truncated":
                raise
            fruitless = 0 if kept.size > before else fruitless + 1
            if fruitless == FRUITLESS_ATTEMPTS_MAX:
                raise given_up(error) from error
        if told is not None:
            raise told


def behind_head(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what follows the frame that a resumed reply begins with."""
    data = b""
    for piece in pieces:
        data += piece
        taken = take_wire_frame(data)
        if taken is not None:
            _raise_told(taken[0])
            decode_message(taken[0], FrameType.REPLY).number("resumed")
            yield taken[1]
            yield from pieces


def _frames(decoder: FrameDecoder, piece: bytes) -> Iterator[WireFrame]:
    for frame in decoder.feed(piece):
        if frame.kind != FrameType.END:
            yield frame


def _raise_told(frame: WireFrame) -> None:
    if frame.kind == FrameType.ERROR:
        raise decode_wire_error(frame.payload)


def given_up(error: Error) -> RemoteFailed:
    """Return (not raise) the error for a line that breaks again and again."""
    if isinstance(error, RemoteFailed):
        return error
    return broken_line("the line broke before the reply was whole")
