"""The ASGI application: repositories by name.

GET  /             what is served here
POST /NAME/sync    one exchange of the line
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from prolly.codec import shown
from prolly.errors import Denied, Invalid
from prolly.sync import Service, is_loopback

from .answering import Answer
from .problems import problem_of, problem_of_http
from .sync_endpoint import SyncEndpoint

if TYPE_CHECKING:
    from prolly.repo import Repository


def application(
    repositories: Mapping[str, Repository],
    *,
    read_only: bool = False,
    loopback_only: bool = False,
) -> Starlette:
    """Return the ASGI application that serves repositories, each under its name.

    A name is one part of a path: not empty, without ``/``; else Invalid
    ``served-name``. With ``read_only`` pushes are refused. With ``loopback_only`` a
    request must be addressed to this machine by name: a page in a browser that was led
    here under another name is refused. The repositories are the caller's to close,
    after the last request.
    """
    for name in repositories:
        _check_name(name)
    answers = {
        name: Service(repository, read_only=read_only).answer
        for name, repository in repositories.items()
    }
    return application_of(answers, loopback_only=loopback_only)


def application_of(
    answers: Mapping[str, Answer], *, loopback_only: bool = False
) -> Starlette:
    """Return the application over whatever answers requests, by name."""

    async def describe(_request: Request) -> Response:
        return JSONResponse(description(answers))

    middleware = [Middleware(_LoopbackNames)] if loopback_only else []
    served = Starlette(
        routes=[
            Route("/", describe, methods=["GET"]),
            Route("/{name}/sync", SyncEndpoint(answers), methods=["POST"]),
        ],
        middleware=middleware,
        exception_handlers={HTTPException: problem_of_http},
    )
    # A client of ours follows no redirect, so the path with a slash is another one.
    served.router.redirect_slashes = False
    return served


def description(answers: Mapping[str, Answer]) -> dict[str, Any]:
    """Return what ``GET /`` says."""
    return {
        "program": "prolly",
        "repositories": {
            name: {"sync": f"/{quote(name, safe='')}/sync"} for name in sorted(answers)
        },
    }


def _check_name(name: str) -> None:
    if not name or "/" in name or not name.isprintable() or name in (".", ".."):
        raise Invalid(
            f"a repository cannot be served as {shown(name)}",
            code="served-name",
            hint="Give a name that is one part of a path.",
            name=name,
        )


class _LoopbackNames:
    """Refuses requests that were addressed to another name than this machine's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = Request(scope).headers.get("host", "")
            try:
                named = urlsplit(f"//{host}").hostname or ""
            except ValueError:
                named = ""
            if not is_loopback(named):
                status = HTTPStatus.MISDIRECTED_REQUEST
                response = problem_of(_foreign_host(host), status)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _foreign_host(host: str) -> Denied:
    return Denied(
        f"the request is addressed to {shown(host)}",
        code="foreign-host",
        hint="Address it to 127.0.0.1 or localhost.",
    )
