"""A repository served over standard input and output, for ``ssh`` and its like.

One exchange after another, until the input ends; a page on the bytes is
``docs/spec/lines.md``. Whoever could start the program has the rights of its user, so
nothing else is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from prolly.codec.exchange import (
    BROKEN,
    END,
    HELLO,
    LENGTH_BYTES,
    broken_line,
    decode_piece_length,
    decode_request_length,
    iter_pieces,
)
from prolly.errors import RemoteFailed

from .answering import Answer, together


def serve_pipes(answer: Answer, source: BinaryIO, target: BinaryIO) -> None:
    """Answer the requests that come from ``source`` until it ends.

    ``source`` and ``target`` are binary and buffered, or files. Raises RemoteFailed
    ``line-broken`` when the input ends in the middle of an exchange, Corrupt
    ``line-form``, and OSError when nobody reads the output.
    """
    target.write(HELLO)
    target.flush()
    while head := source.read(LENGTH_BYTES):
        _answer_one(answer, head, source, target)


def _answer_one(
    answer: Answer, head: bytes, source: BinaryIO, target: BinaryIO
) -> None:
    if len(head) < LENGTH_BYTES:
        raise _cut()
    request = _exactly(source, decode_request_length(head))
    body = _Body(source)
    is_whole = False
    try:
        for piece in together(answer(request, body)):
            for framed in iter_pieces(piece):
                target.write(framed)
            target.flush()
        is_whole = True
    finally:
        if not is_whole:
            target.write(BROKEN)
            target.flush()
    # What the service did not want to hear comes all the same.
    body.drain()
    target.write(END)
    target.flush()


class _Body(Iterator[bytes]):
    """The body of one request; who goes on with it goes on where it stood.

    One that the client gave up ends early: what it says tells that it is not whole.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._has_ended = False
        self._cut: RemoteFailed | None = None

    def __next__(self) -> bytes:
        if self._has_ended:
            raise StopIteration
        try:
            length = decode_piece_length(_exactly(self._source, LENGTH_BYTES))
            if length:
                return _exactly(self._source, length)
        except RemoteFailed as error:
            self._cut = error
        self._has_ended = True
        raise StopIteration

    def drain(self) -> None:
        """Read to the end what nobody wanted. Raises RemoteFailed if there is none."""
        for _piece in self:
            pass
        if self._cut is not None:
            raise self._cut


def _cut() -> RemoteFailed:
    return broken_line("the client went before its request ended")


def _exactly(source: BinaryIO, size: int) -> bytes:
    data = source.read(size)
    if len(data) < size:
        raise _cut()
    return data
