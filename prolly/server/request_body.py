"""The bytes that a client sends in one request, as they come, within limits."""

from __future__ import annotations

import anyio
from starlette.types import Receive

from prolly.codec.exchange import (
    LENGTH_BYTES,
    broken_line,
    decode_request_length,
    silent_line,
)
from prolly.errors import Error, LimitExceeded, RemoteFailed

# A push of everything may be large; this only stops a stream that never ends.
BODY_BYTES_MAX = 64 * 1024**3

# Read ahead of the service, so that it and the line do not wait for each other, and so
# that it is noticed while the service works when the client goes.
AHEAD_BYTES_MAX = 1024 * 1024

# Who sends nothing for as long has gone, or holds a place that others wait for.
STALL_SECONDS = 60.0
# Of the request itself, which holds a place too: eight megabytes at the very most.
REQUEST_SECONDS = 120.0


class RequestBody:
    """What follows the headers of a request: one request of the line, then its body.

    ``read_request`` comes first, then ``watch`` runs beside whoever calls
    ``read_piece``. Each piece is awaited for ``STALL_SECONDS``. ``is_complete`` once
    all of it came, ``is_gone`` once the client went.
    """

    def __init__(self, receive: Receive, stall_seconds: float = STALL_SECONDS) -> None:
        self._receive = receive
        self._stall_seconds = stall_seconds
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._bytes = 0
        self.is_complete = False
        self._failure: Error | None = None
        self._came = anyio.Event()
        self._taken = anyio.Event()
        self.is_gone = False

    async def read_request(self) -> bytes:
        """Return the request that the bytes begin with.

        Raises Corrupt ``line-form``, RemoteFailed ``line-broken`` when the client went,
        ``line-timeout`` when it fell silent, or took ``REQUEST_SECONDS``.
        """
        with anyio.move_on_after(REQUEST_SECONDS):
            head = await self._read_exactly(LENGTH_BYTES)
            return await self._read_exactly(decode_request_length(head))
        raise _silent(REQUEST_SECONDS)

    async def watch(self) -> None:
        """Take in the body as there is room, then return when the client goes."""
        try:
            while not self.is_complete:
                if self._waiting >= AHEAD_BYTES_MAX:
                    self._taken = anyio.Event()
                    await self._taken.wait()
                await self._fill()
                self._came.set()
        except Error as error:
            self._failure = error
        self._came.set()
        while not self.is_gone:
            message = await self._receive()
            self.is_gone = message["type"] == "http.disconnect"

    async def read_piece(self) -> bytes:
        """Return the next bytes of the body, and none at its end.

        Raises as ``read_request``, and LimitExceeded ``body-too-large``.
        """
        while not self._pieces:
            if self._failure is not None:
                raise self._failure
            if self.is_complete:
                return b""
            self._came = anyio.Event()
            await self._came.wait()
        return self._take()

    def _take(self) -> bytes:
        piece, self._pieces, self._waiting = b"".join(self._pieces), [], 0
        self._taken.set()
        return piece

    async def _read_exactly(self, size: int) -> bytes:
        while self._waiting < size:
            if self.is_complete:
                raise _gone()
            await self._fill()
        taken = self._take()
        self._pieces, self._waiting = [taken[size:]], len(taken) - size
        if not self._waiting:
            self._pieces = []
        return taken[:size]

    async def _fill(self) -> None:
        """Wait for the next bytes."""
        try:
            with anyio.fail_after(self._stall_seconds):
                message = await self._receive()
        except TimeoutError:
            raise _silent(self._stall_seconds) from None
        if message["type"] == "http.disconnect":
            self.is_gone = True
            raise _gone()
        data = message.get("body", b"")
        if data:
            self._pieces.append(data)
        self._waiting += len(data)
        self._bytes += len(data)
        if self._bytes > BODY_BYTES_MAX:
            raise LimitExceeded(
                f"a request of more than {BODY_BYTES_MAX} bytes",
                code="body-too-large",
                hint="Push in parts: one branch, then the next.",
            )
        self.is_complete = not message.get("more_body", False)


def _silent(seconds: float) -> RemoteFailed:
    problem = f"the client sent nothing, or too little, for {seconds:.0f} seconds"
    return silent_line(problem)


def _gone() -> RemoteFailed:
    return broken_line("the client went before its request ended")
