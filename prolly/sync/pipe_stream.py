"""A pair of pipes as the streams of a line, on the side that asks.

Both ends are watched at once, so that neither side waits for the other for ever: who
answers may speak before it has heard all, and then what is not sent yet is left out.
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterable, Iterator

from prolly.codec.exchange import (
    BROKEN,
    END,
    HELLO,
    LENGTH_BYTES,
    bad_line,
    broken_line,
    decode_piece_length,
    encode_request,
    iter_pieces,
    silent_line,
)
from prolly.errors import RemoteFailed

READ_BYTES = 64 * 1024

# What comes while we still speak is the beginning of an early reply: an error.
EARLY_BYTES_MAX = 1024 * 1024

_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


class PipeStream:
    """Exchanges over two descriptors: ``source`` is read, ``target`` is written.

    The descriptors belong to the caller; ``target`` is made non-blocking. Raises
    RemoteFailed ``line-broken`` when the other side ends too early, ``line-timeout``
    when it does nothing for ``seconds``, Corrupt ``line-form``.
    """

    def __init__(self, source: int, target: int, seconds: float) -> None:
        self._source = source
        self._target = target
        self._seconds = seconds
        self._heard = bytearray()
        self._has_ended = False
        os.set_blocking(target, False)

    def greet(self) -> None:
        """Read the hello; RemoteFailed ``not-prolly`` for anything else."""
        while len(self._heard) < len(HELLO) and HELLO.startswith(self._heard):
            self._read_more()
        if not self._heard.startswith(HELLO):
            said = bytes(self._heard[:60]).decode("utf-8", "backslashreplace")
            raise RemoteFailed(
                f"what answers there is no prolly: it says {said!r}",
                code="not-prolly",
                hint="A shell may print something when it logs in: keep it silent.",
            )
        del self._heard[: len(HELLO)]

    def send(self, request: bytes, body: Iterable[bytes]) -> None:
        """Send a request and its body; leave off when the reply begins before that."""
        self._write(encode_request(request))
        for data in body:
            for piece in iter_pieces(data):
                if self._heard or self._is_heard():
                    self._write(BROKEN)
                    return
                self._write(piece)
        self._write(END)

    def receive(self) -> Iterator[bytes]:
        """Yield the pieces of a reply until its end."""
        while True:
            length = decode_piece_length(self._take(LENGTH_BYTES))
            if length is None:
                raise self._broken("the other side gave up in the middle of its reply")
            if not length:
                return
            yield self._take(length)

    def _take(self, size: int) -> bytes:
        while len(self._heard) < size:
            self._read_more()
        taken = bytes(self._heard[:size])
        del self._heard[:size]
        return taken

    def _read_more(self) -> None:
        """Wait for bytes of the other side."""
        if not _await(self._seconds, (self._source, select.POLLIN)):
            raise self._silent()
        try:
            data = os.read(self._source, READ_BYTES)
        except OSError as error:
            raise self._broken(str(error.strerror)) from error
        if not data:
            raise self._broken("the other side ended")
        self._heard += data

    def _is_heard(self) -> bool:
        """Tell whether the other side speaks already."""
        return bool(_await(0, (self._source, select.POLLIN)))

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        watched = [(self._source, select.POLLIN), (self._target, select.POLLOUT)]
        while view:
            ready = _await(self._seconds, *watched)
            if not ready:
                raise self._silent()
            if self._source in ready and len(watched) > 1:
                if self._heard_early():
                    continue
                # It ended and takes no more, or it spoke and closed: reading tells.
                return
            try:
                view = view[os.write(self._target, view) :]
            except BlockingIOError:
                continue
            except OSError:
                # Whoever closes its ear may have said why.
                return

    def _heard_early(self) -> bool:
        """Keep what comes while we speak; false when nothing will come any more."""
        data = os.read(self._source, READ_BYTES)
        self._heard += data
        if len(self._heard) > EARLY_BYTES_MAX:
            raise bad_line("a long reply to half a request")
        return bool(data)

    def _broken(self, problem: str) -> RemoteFailed:
        return broken_line(f"the line broke: {problem}")

    def _silent(self) -> RemoteFailed:
        return silent_line(
            f"the other side did nothing for {self._seconds:.0f} seconds"
        )


def _await(seconds: float, *watched: tuple[int, int]) -> list[int]:
    """Return which descriptors are ready, or closed; none after so many seconds."""
    poll = select.poll()
    for descriptor, events in watched:
        poll.register(descriptor, events)
    return [descriptor for descriptor, _events in poll.poll(seconds * 1000)]
