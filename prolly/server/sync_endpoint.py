"""``POST /NAME/sync``: one exchange of the line, streamed both ways.

The service is synchronous, so each exchange has a worker thread. Its reply goes through
a short queue to the socket: a client that reads slowly makes the worker wait, and
memory stays bounded. The worker asks for the body piece by piece, so that a service
that writes slowly makes the client wait, too. When the client goes, the queue breaks
and the worker ends. Only what fails before the reply begins has a status; later the
connection is cut, which the client tells from an end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

import anyio
from anyio import from_thread, to_thread
from anyio.streams.memory import MemoryObjectSendStream
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from prolly.codec import shown
from prolly.codec.exchange import SYNC_TYPE
from prolly.errors import Error, NotFound, RemoteFailed, Unsupported

from .answering import Answer, together
from .problems import problem_of
from .request_body import STALL_SECONDS, RequestBody

# Each is a thread with an open read of the store and some megabytes of trees. More
# than the cores of a small machine, since most of them wait for their line.
EXCHANGES_MAX = 16
# A push whose client went is landed all the same, which may take a while.
LEAVING_SECONDS = 30.0

# Enough that worker and socket do not wait for each other, and no more to hold.
WAITING_PIECES_MAX = 4

# As many as one looks through; `GET /` lists all.
TOLD_NAMES = 10


class SyncEndpoint:
    """The ASGI application behind the route; ``answers`` are services by name."""

    def __init__(
        self, answers: Mapping[str, Answer], stall_seconds: float = STALL_SECONDS
    ) -> None:
        self._answers = answers
        self._stall_seconds = stall_seconds
        self._running = 0
        self._exchanges: set[_Exchange] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._running >= EXCHANGES_MAX:
            await problem_of(_busy())(scope, receive, send)
            return
        self._running += 1
        try:
            await self._answer(scope, receive, send)
        finally:
            self._running -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            _require_type(Headers(scope=scope))
            answer = self._require(scope["path_params"]["name"])
            body = RequestBody(receive, self._stall_seconds)
            request = await body.read_request()
        except Error as error:
            await problem_of(error)(scope, receive, send)
            return
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", SYNC_TYPE.encode()),
                    (b"cache-control", b"no-store"),
                ],
            }
        )
        await self._wait_for_leaving()
        exchange = _Exchange(answer, request, body, self._stall_seconds)
        self._exchanges.add(exchange)
        try:
            await exchange.run(send)
        finally:
            self._exchanges.discard(exchange)
            exchange.over.set()

    async def _wait_for_leaving(self) -> None:
        """Wait for exchanges to end whose clients have gone.

        Whose line broke comes again at once, and would meet what it began before.
        """
        with anyio.move_on_after(LEAVING_SECONDS):
            for exchange in [one for one in self._exchanges if one.is_leaving]:
                await exchange.over.wait()

    def _require(self, name: str) -> Answer:
        answer = self._answers.get(name)
        if answer is None:
            raise NotFound(
                f"no repository {shown(name)} is served here",
                code="no-repository",
                hint="Check the last part of the address. "
                f"Served here: {', '.join(sorted(self._answers)[:TOLD_NAMES])}.",
                name=name,
            )
        return answer


class _Exchange:
    """One reply on its way: a worker that makes it, and who sends it."""

    def __init__(
        self, answer: Answer, request: bytes, body: RequestBody, stall_seconds: float
    ) -> None:
        self._answer = answer
        self._request = request
        self._body = body
        self._stall_seconds = stall_seconds
        self._is_whole = False
        self.over = anyio.Event()

    @property
    def is_leaving(self) -> bool:
        """Tell whether the client has gone, and the worker goes on for a moment."""
        return self._body.is_gone

    async def run(self, send: Send) -> None:
        """Send the reply; return before its end where the line is to be cut."""
        outgoing, incoming = anyio.create_memory_object_stream[bytes](
            WAITING_PIECES_MAX
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._work, outgoing)
            tasks.start_soon(self._watch, tasks.cancel_scope)
            with incoming:
                async for piece in incoming:
                    with anyio.move_on_after(self._stall_seconds) as patience:
                        await send(_body_message(piece, more=True))
                    if patience.cancelled_caught:
                        self._is_whole = False
                        break
                else:
                    if self._is_whole:
                        await send(_body_message(b"", more=False))
            tasks.cancel_scope.cancel()

    async def _watch(self, scope: anyio.CancelScope) -> None:
        """End the exchange when the client goes: nobody would read what is sent.

        What came of a body that broke is the service's to keep: it ends by itself.
        """
        await self._body.watch()
        if self._body.is_complete:
            scope.cancel()

    async def _work(self, outgoing: MemoryObjectSendStream[bytes]) -> None:
        # A queue that broke means that the client went, or reads no more.
        with outgoing, suppress(anyio.BrokenResourceError):
            await to_thread.run_sync(self._produce, outgoing, limiter=_one_thread())

    def _produce(self, outgoing: MemoryObjectSendStream[bytes]) -> None:
        """Run the service in this thread and hand on what it says."""
        for piece in together(self._answer(self._request, self._iter_body())):
            from_thread.run(outgoing.send, piece)
        self._is_whole = True

    def _iter_body(self) -> Iterator[bytes]:
        """Yield the body; where the line breaks it ends, and its frames tell so."""
        with suppress(RemoteFailed):
            while piece := from_thread.run(self._body.read_piece):
                yield piece


def _one_thread() -> anyio.CapacityLimiter:
    """Return room for one worker: how many there are was asked when it came."""
    return anyio.CapacityLimiter(1)


def _body_message(piece: bytes, *, more: bool) -> dict[str, object]:
    return {"type": "http.response.body", "body": piece, "more_body": more}


def _require_type(headers: Headers) -> None:
    """Refuse what no replica sends.

    A page in a browser may post to any address, this machine's own too, but not with
    this type, unless the server allowed it, which it never does.
    """
    kind = headers.get("content-type", "")
    if kind != SYNC_TYPE or headers.get("content-encoding", "identity") != "identity":
        raise Unsupported(
            f"a request of type {shown(kind)}",
            code="request-type",
            hint=f"Send {SYNC_TYPE}, without a content coding.",
        )


def _busy() -> RemoteFailed:
    return RemoteFailed(
        f"{EXCHANGES_MAX} exchanges are under way already",
        code="server-busy",
        hint="Try again in a moment.",
    )
