"""The line over HTTP: ``POST URL/sync`` with the request and its body; one reply.

The connection is kept for the next exchange. Bodies and replies are streamed both ways,
so memory is bounded by one piece. Frames are deflated where that pays, so the content
coding of HTTP stays off, and a reply that has one is refused before anything is
inflated. Redirects are refused: who the other side is was said by the URL. Of the line
this module knows only where a request ends; what travels is not its business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from ipaddress import ip_address
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from prolly.codec.exchange import (
    PROBLEM_TYPE,
    SYNC_TYPE,
    broken_line,
    encode_request,
    silent_line,
)
from prolly.errors import (
    AlreadyExists,
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

from .remote import Remote

if TYPE_CHECKING:
    import httpx2

# A host that is there answers within a few of its round trips.
CONNECT_SECONDS = 10.0
# The other side may compare large trees before its first byte, and write a push to disk
# before it answers. Longer than its own limits, so that it is the one who says why.
READ_SECONDS = 120.0
WRITE_SECONDS = 60.0
# Shorter than the server's, or a request would meet a connection that just closed.
KEPT_SECONDS = 30.0

# A problem is a few sentences.
PROBLEM_BYTES_MAX = 64 * 1024
# What a server says is shown to people: as much of it as they read.
TOLD_CHARS_MAX = 500

_CODE = re.compile(r"[a-z][a-z0-9-]{0,63}")

# What the statuses mean that a server of ours gives before the stream begins.
_ERRORS: dict[int, type[Error]] = {
    400: Invalid,
    401: Denied,
    403: Denied,
    404: NotFound,
    405: ReadOnly,
    409: AlreadyExists,
    412: Stale,
    413: LimitExceeded,
    415: Unsupported,
    421: Denied,
}


class HttpRemote(Remote):
    """A line to ``http://`` or ``https://``; nothing is sent before the first ``ask``.

    Raises Invalid ``remote-url`` for a URL that is none, and Unsupported
    ``missing-extra`` where httpx2 is not installed.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        parts = _checked(url)
        self._target = url.rstrip("/") + "/sync"
        self._library = _http_library()
        self._client = self._open(parts)

    def _open(self, parts: SplitResult) -> httpx2.Client:
        library = self._library
        timeout = library.Timeout(
            connect=CONNECT_SECONDS,
            read=READ_SECONDS,
            write=WRITE_SECONDS,
            pool=CONNECT_SECONDS,
        )
        client: httpx2.Client = library.Client(
            headers={"Accept": SYNC_TYPE, "Accept-Encoding": "identity"},
            timeout=timeout,
            follow_redirects=False,
            # A proxy of the environment is for other machines than this one.
            trust_env=not is_loopback(parts.hostname or ""),
            # To load certificates takes longer than most exchanges.
            verify=parts.scheme == "https",
            limits=library.Limits(max_connections=1, keepalive_expiry=KEPT_SECONDS),
        )
        return client

    def _exchange(self, request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        if self._client.is_closed:
            raise Invalid(
                f"the line to {self.url} is closed",
                code="closed",
                hint="Connect again.",
            )
        content, headers = _content(request, body), {"Content-Type": SYNC_TYPE}
        with (
            self._failures_told(),
            self._client.stream(
                "POST", self._target, content=content, headers=headers
            ) as response,
        ):
            self._require_reply(response)
            yield from response.iter_raw()

    def _require_reply(self, response: httpx2.Response) -> None:
        """Raise for whatever is not the stream of a reply."""
        status = response.status_code
        kind = response.headers.get("content-type", "").partition(";")[0].strip()
        if status == 200 and kind == SYNC_TYPE:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise _not_ours(self.url, "the reply has a content coding")
            return
        if 300 <= status < 400:
            place = _told(response.headers.get("location", "nowhere"))
            raise RemoteFailed(
                f"{self.url} redirects to {place}",
                code="redirected",
                hint="Give that address instead, if you trust it.",
                url=self.url,
                location=place,
            )
        if status == 200:
            raise _not_ours(self.url, f"the reply is of type {_told(kind) or 'none'}")
        raise _error_of(self.url, status, _problem_in(response, kind))

    @contextmanager
    def _failures_told(self) -> Iterator[None]:
        """Raise RemoteFailed for what the library raises."""
        library = self._library
        try:
            yield
        except (library.ConnectError, library.ConnectTimeout) as error:
            raise RemoteFailed(
                f"{self.url} cannot be reached: {_told(error)}",
                code="unreachable",
                hint="Check the address, the network and whether the server runs.",
                url=self.url,
            ) from error
        except library.TimeoutException as error:
            problem = f"{self.url} has been silent for too long"
            raise silent_line(problem, url=self.url) from error
        except library.TransportError as error:
            problem = f"the line to {self.url} broke: {_told(error)}"
            raise broken_line(problem, url=self.url) from error
        except library.InvalidURL as error:
            raise _bad_url(self.url, _told(error)) from error

    def close(self) -> None:
        self._client.close()


def _content(request: bytes, body: Iterable[bytes]) -> bytes | Iterator[bytes]:
    """Return what is posted: whole where there is no body, so that its length is told.

    A body is asked for its first piece alone before anything is sent.
    """
    pieces = iter(body)
    first = next(pieces, None)
    head = encode_request(request)
    return head if first is None else chain((head, first), pieces)


def _http_library() -> Any:
    try:
        return import_module("httpx2")
    except ImportError as error:
        raise Unsupported(
            "httpx2 is not installed, and http:// and https:// need it",
            code="missing-extra",
            hint="Install it: pip install 'prolly[sync]'.",
            extra="sync",
        ) from error


def _checked(url: str) -> SplitResult:
    """Return the parts of the URL of a repository over HTTP."""
    try:
        parts = urlsplit(url)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError as error:
        raise _bad_url(url, str(error)) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_right:
        raise _bad_url(url, "it wants a host")
    if parts.username is not None or parts.password is not None:
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        raise _bad_url(bare, "a name and a password do not belong into a URL")
    if parts.query or parts.fragment:
        raise _bad_url(url, "it ends with the path of a repository")
    return parts


def _bad_url(url: str, problem: str) -> Invalid:
    return Invalid(
        f"{url!r} is no address of a repository: {problem}",
        code="remote-url",
        hint="Give one such as http://127.0.0.1:8000/name.",
        url=url,
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine alone: ``localhost``, ``127.0.0.1``..."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _problem_in(response: httpx2.Response, kind: str) -> dict[str, Any]:
    """Return the problem that a server tells, empty where it tells none of ours."""
    if kind != PROBLEM_TYPE:
        return {}
    text = b""
    for piece in response.iter_raw():
        text += piece
        if len(text) > PROBLEM_BYTES_MAX:
            return {}
    try:
        problem = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return problem if isinstance(problem, dict) else {}


def _error_of(url: str, status: int, problem: dict[str, Any]) -> Error:
    """Return the error that a status and its problem stand for."""
    code, detail = problem.get("code"), _told(problem.get("detail") or "")
    hint = _told(problem.get("hint") or "")
    if not isinstance(code, str) or not _CODE.fullmatch(code) or not detail:
        return RemoteFailed(
            f"{url} answers with status {status}",
            code="http-status",
            hint="Is it the address of a repository, as `prolly serve` prints it?",
            url=url,
            status=status,
        )
    kind = _ERRORS.get(status, RemoteFailed)
    return kind(f"{url}: {detail}", code=code, hint=hint, url=url, status=status)


def _not_ours(url: str, what: str) -> RemoteFailed:
    return RemoteFailed(
        f"{url} is no repository: {what}",
        code="not-prolly",
        hint="Give the address of a repository, as `prolly serve` prints it.",
        url=url,
    )


def _told(text: object) -> str:
    """Return what the other side said, short and without control characters."""
    shown = str(text)[:TOLD_CHARS_MAX]
    return "".join(one if one.isprintable() else " " for one in shown)
