"""A server over a socket of this machine, in a thread of this process."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from prolly.codec import shown
from prolly.errors import Denied, Invalid, RemoteFailed, Unsupported
from prolly.sync import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from prolly.repo import Repository

# More than exchanges run at once, so that who waits for a turn is told so.
CONNECTIONS_MAX = 64

# Longer than a client keeps an idle connection, or its next request meets a closed one.
KEPT_SECONDS = 75

# What is under way may end; a client that is cut off goes on where it stood.
STOP_SECONDS = 5

# A loop that does not come up by then has failed without a word.
START_SECONDS = 30.0

SERVED_NAME = "repository"


class Server:
    """A server that runs until ``stop``; a context manager that stops at its end.

    ``url`` is the address of the repository, or of the first of several. The
    repositories stay open: they are the caller's.
    """

    def __init__(self, app: ASGIApp, name: str, host: str, port: int) -> None:
        self._socket = _bound(host, port)
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        place = f"[{host}]" if ":" in host else host
        self.base_url = f"http://{place}:{self.port}"
        self.url = f"{self.base_url}/{quote(name, safe='')}"
        self._ready = Event()
        self._server = _uvicorn_server(app, self._ready)
        self._thread = Thread(target=self._run, name="prolly-serve", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_SECONDS) or not self._server.started:
            self.stop()
            raise RemoteFailed(
                "the server does not start",
                code="server-failed",
                hint="Look at what was printed before, and try another port.",
            )

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._ready.set()

    def stop(self) -> None:
        """Take no more requests, let those under way end, and return. Twice is fine.

        What has not ended after ``STOP_SECONDS`` is cut off.
        """
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def serve(
    repository: Repository | Mapping[str, Repository],
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    read_only: bool = False,
) -> Server:
    """Serve a repository, or several by name, over HTTP; return the running server.

    ``port`` 0 takes a free one; the server's ``url`` tells it. One repository is served
    under the name of its directory. Whoever reaches the address may read everything,
    and push unless ``read_only``: therefore it is an address of this machine alone.
    Raises Denied ``loopback-only`` for any other, RemoteFailed ``address-taken``,
    Unsupported ``missing-extra`` where the extra ``sync`` is not installed, Invalid
    ``served-name``, and ``value-type`` for what is no repository.
    """
    served = _by_name(repository)
    try:
        from .asgi_application import application
    except ImportError as error:
        raise _missing_extra() from error
    if not is_loopback(host):
        raise Denied(
            f"{shown(host)} can be reached from other machines, and there are no "
            "tokens that would say who may do what",
            code="loopback-only",
            hint="Serve 127.0.0.1, and reach it from elsewhere over ssh://.",
            host=host,
        )
    app = application(served, read_only=read_only, loopback_only=True)
    return Server(app, next(iter(served)), host, port)


def _by_name(
    repository: Repository | Mapping[str, Repository],
) -> Mapping[str, Repository]:
    if isinstance(repository, Mapping):
        _require_open(*repository.values())
        return repository
    _require_open(repository)
    name = "" if repository.path is None else repository.path.name
    return {name if name.isprintable() and name else SERVED_NAME: repository}


def _require_open(*repositories: object) -> None:
    """Raise Invalid ``value-type`` for a path, a list, or nothing to serve."""
    from prolly.repo import Repository

    if not repositories or not all(isinstance(one, Repository) for one in repositories):
        raise Invalid(
            "what is to be served is no open repository",
            code="value-type",
            hint="Open it first; several are given as {NAME: repository}.",
        )


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket that is bound and does not listen yet."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol said, asyncio sends without delay; else each reply, which is a
    # head and a body, waits 40 ms for the client's acknowledgement of the first.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        raise RemoteFailed(
            f"{host}:{port} cannot be served: {getattr(error, 'strerror', error)}",
            code="address-taken",
            hint="Choose another port; 0 takes a free one.",
            host=host,
            port=port,
        ) from error
    return bound


def _uvicorn_server(app: ASGIApp, ready: Event) -> Any:
    """Return the server, which tells through ``ready`` when it takes requests."""
    try:
        import uvicorn

        from .http_connection import HttpConnection
    except ImportError as error:
        raise _missing_extra() from error

    class Telling(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready.set()

    config = uvicorn.Config(
        app,
        http=HttpConnection,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=KEPT_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    return Telling(config)


def _missing_extra() -> Unsupported:
    return Unsupported(
        "starlette and uvicorn are not installed, and serving needs them",
        code="missing-extra",
        hint="Install them: pip install 'prolly[sync]'.",
        extra="sync",
    )
