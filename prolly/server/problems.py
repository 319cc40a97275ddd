"""What went wrong before a stream began, as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from prolly.codec import shown
from prolly.codec.exchange import PROBLEM_TYPE
from prolly.errors import (
    Corrupt,
    Denied,
    Error,
    Invalid,
    LimitExceeded,
    NotFound,
    ReadOnly,
    RemoteFailed,
    Stale,
    Unsupported,
)

# The first class that fits counts; what has no place here is a fault of this side.
_STATUSES: tuple[tuple[type[Error], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (Denied, HTTPStatus.FORBIDDEN),
    (ReadOnly, HTTPStatus.FORBIDDEN),
    (LimitExceeded, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (Stale, HTTPStatus.PRECONDITION_FAILED),
    (Unsupported, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (Corrupt, HTTPStatus.BAD_REQUEST),
    (Invalid, HTTPStatus.BAD_REQUEST),
    (RemoteFailed, HTTPStatus.SERVICE_UNAVAILABLE),
)
# A second is long for an exchange and short for who waits.
RETRY_SECONDS = 1


def problem_of(error: Error, status: HTTPStatus | None = None) -> Response:
    """Return the response for an error: status, stable code, what to do."""
    if status is None:
        statuses = (one for kind, one in _STATUSES if isinstance(error, kind))
        status = next(statuses, HTTPStatus.INTERNAL_SERVER_ERROR)
    headers = {}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_SECONDS)
    return _problem(status, error.code, error.message, error.hint, headers)


def problem_of_http(request: Request, error: Exception) -> Response:
    """Return the response for what the routes refuse: a path, a method."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    missing = status == HTTPStatus.NOT_FOUND
    if missing and request.url.path == "/sync":
        return _problem(
            status,
            "no-repository",
            "the address names no repository",
            "Put its name behind it; `GET /` tells what is served here.",
            {},
        )
    return _problem(
        status,
        "no-such-page" if missing else "http-method",
        f"{request.method} {shown(request.url.path)}: {status.phrase.lower()}",
        "`GET /` tells what is served here.",
        dict(error.headers or {}),
    )


def _problem(
    status: HTTPStatus, code: str, detail: str, hint: str, headers: dict[str, str]
) -> Response:
    return JSONResponse(
        {
            "type": "about:blank",
            "title": status.phrase,
            "status": status.value,
            "code": code,
            "detail": detail,
            "hint": hint,
        },
        status_code=status.value,
        headers=headers,
        media_type=PROBLEM_TYPE,
    )
