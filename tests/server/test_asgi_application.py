"""The ASGI application, called in this process: what is refused before a stream."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from threading import Event

import httpx2
import pytest

from prolly.codec.exchange import REQUEST_BYTES_MAX, SYNC_TYPE, encode_request
from prolly.errors import Invalid
from prolly.server import application, request_body, sync_endpoint
from prolly.server.asgi_application import application_of
from prolly.server.sync_endpoint import SyncEndpoint
from prolly.testing.echoing import asking, echo

TYPE = {"content-type": SYNC_TYPE}


def client(app: object, name: str = "127.0.0.1") -> httpx2.AsyncClient:
    """Return a client of the application."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url=f"http://{name}")


def fetch(app: object, method: str, path: str, **how: object) -> httpx2.Response:
    """Send one request and return the response."""

    async def run() -> httpx2.Response:
        host = how.pop("host", "127.0.0.1")
        async with client(app, str(host)) as one:
            return await one.request(method, path, **how)

    return asyncio.run(run())


APP = application_of({"a b": echo}, loopback_only=True)


def test_the_root_tells_what_is_served() -> None:
    """``GET /`` lists the repositories and where each is synchronised."""
    told = fetch(APP, "GET", "/").json()
    assert told["repositories"] == {"a b": {"sync": "/a%20b/sync"}}


def test_an_exchange_is_answered() -> None:
    """A request and its body come to the service, and its reply goes back."""
    request = asking(sizes=[3])
    content = encode_request(request) + b"body"
    answer = fetch(APP, "POST", "/a%20b/sync", content=content, headers=TYPE)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == SYNC_TYPE
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == request + b"body" + bytes(3)


@pytest.mark.parametrize(
    ("method", "path", "how", "status", "code"),
    [
        ("GET", "/nowhere", {}, 404, "no-such-page"),
        ("GET", "/a%20b/sync", {}, 405, "http-method"),
        ("POST", "/", {}, 405, "http-method"),
        ("POST", "/sync", {"headers": TYPE}, 404, "no-repository"),
        ("POST", "/other/sync", {"headers": TYPE}, 404, "no-repository"),
        ("POST", "/a%20b/sync", {}, 415, "request-type"),
        (
            "POST",
            "/a%20b/sync",
            {"headers": {**TYPE, "content-encoding": "gzip"}},
            415,
            "request-type",
        ),
        ("POST", "/a%20b/sync", {"headers": TYPE}, 503, "line-broken"),
        (
            "POST",
            "/a%20b/sync",
            {"headers": TYPE, "content": b"\x05\0\0\0four"},
            503,
            "line-broken",
        ),
        (
            "POST",
            "/a%20b/sync",
            {"headers": TYPE, "content": bytes(8)},
            400,
            "line-form",
        ),
        (
            "POST",
            "/a%20b/sync",
            {
                "headers": TYPE,
                "content": (REQUEST_BYTES_MAX + 1).to_bytes(4, "little"),
            },
            400,
            "line-form",
        ),
        ("GET", "/", {"host": "evil.example"}, 421, "foreign-host"),
        ("GET", "/", {"host": "localhost.evil.example"}, 421, "foreign-host"),
    ],
)
def test_what_fails_before_the_stream_is_a_problem(
    method: str, path: str, how: dict[str, object], status: int, code: str
) -> None:
    """Each refusal has its status, a stable code and a hint, as problem+json."""
    answer = fetch(APP, method, path, **how)
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code)
    assert told["hint"] and told["detail"] and told["title"]


@pytest.mark.parametrize("host", ["localhost:80", "127.0.0.1:1", "[::1]", "127.9.9.9"])
def test_names_of_this_machine_are_taken(host: str) -> None:
    """Whatever loopback is called, with or without a port, it is this machine."""
    assert fetch(APP, "GET", "/", headers={"host": host}).status_code == 200


def test_other_names_are_fine_behind_a_proxy() -> None:
    """Without ``loopback_only`` the name that a request is addressed to is free."""
    app = application_of({"r": echo})
    assert fetch(app, "GET", "/", host="data.example").status_code == 200


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\nb"])
def test_names_that_are_no_part_of_a_path_are_refused(name: str) -> None:
    """A repository is served under one part of a path."""
    with pytest.raises(Invalid) as raised:
        application({name: None})
    assert raised.value.code == "served-name"


async def exchange(
    app: SyncEndpoint, messages: AsyncIterator[dict[str, object]]
) -> list[dict[str, object]]:
    """Call the endpoint with what a server would hand it; return what it sent."""
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        # One that was left while it waited has ended.
        return await anext(messages, None) or await asyncio.Event().wait()

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "path_params": {"name": "r"},
        "headers": [(b"content-type", SYNC_TYPE.encode())],
    }
    await app(scope, receive, send)
    return sent


def message(body: bytes, *, more: bool) -> dict[str, object]:
    """Return a part of a request."""
    return {"type": "http.request", "body": body, "more_body": more}


def test_too_many_exchanges_are_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """One past the limit is refused at once with 503; the places are given back."""
    monkeypatch.setattr(sync_endpoint, "EXCHANGES_MAX", 2)
    go = Event()

    def slow(request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        go.wait(60)
        yield b"done"

    async def run() -> list[int]:
        app = application_of({"r": slow})
        content = encode_request(asking())
        async with client(app) as one:

            async def ask() -> int:
                answer = await one.post("/r/sync", content=content, headers=TYPE)
                if answer.status_code == 503:
                    assert answer.headers["retry-after"] == "1"
                    go.set()
                return answer.status_code

            first = await asyncio.gather(*(ask() for _ in range(3)))
            return [*sorted(first), await ask()]

    assert asyncio.run(run()) == [200, 200, 503, 200]


def test_a_client_that_falls_silent_is_left() -> None:
    """A body that stalls ends early for the service, which may still say so."""
    heard: list[bytes] = []

    def listening(request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        heard.extend(body)
        yield b"said"

    async def stalling() -> AsyncIterator[dict[str, object]]:
        yield message(encode_request(asking()), more=True)
        yield message(b"x", more=True)
        await asyncio.Event().wait()

    app = SyncEndpoint({"r": listening}, stall_seconds=0.05)
    sent = asyncio.run(exchange(app, stalling()))
    assert heard == [b"x"]
    assert [one.get("body") for one in sent[1:]] == [b"said", b""]


def test_the_service_ends_when_the_client_goes() -> None:
    """A reply that nobody reads is given up, and the service's clean-up runs."""
    closed = Event()

    def endless(request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        try:
            while True:
                yield bytes(70_000)
        finally:
            closed.set()

    async def leaving() -> AsyncIterator[dict[str, object]]:
        yield message(encode_request(asking()), more=False)
        await asyncio.sleep(0)
        yield {"type": "http.disconnect"}

    sent = asyncio.run(exchange(SyncEndpoint({"r": endless}), leaving()))
    assert closed.is_set()
    assert all(one.get("more_body", True) for one in sent)


def test_a_body_past_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes past the limit on a body never reach the service; at the limit they do."""
    request = encode_request(asking())
    monkeypatch.setattr(request_body, "BODY_BYTES_MAX", len(request) + 5)
    codes: list[str] = []

    def listening(request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        try:
            codes.append(str(len(b"".join(body))))
        except Exception as error:
            codes.append(getattr(error, "code", "?"))
        yield b"said"

    async def sending(*sizes: int) -> AsyncIterator[dict[str, object]]:
        yield message(request, more=True)
        for size in sizes:
            yield message(bytes(size), more=True)
        yield message(b"", more=False)
        await asyncio.Event().wait()

    for sizes in ((4, 1), (4, 2)):
        asyncio.run(exchange(SyncEndpoint({"r": listening}), sending(*sizes)))
    assert codes == ["5", "body-too-large"]


def test_a_fault_of_the_service_cuts_the_reply(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A reply that cannot be ended has no end, and the fault is not swallowed."""

    async def asked() -> AsyncIterator[dict[str, object]]:
        yield message(encode_request(asking(breaks=True)), more=False)
        await asyncio.Event().wait()

    sent: list[dict[str, object]] = []
    with caplog.at_level(logging.CRITICAL), pytest.raises(BaseExceptionGroup) as raised:
        sent = asyncio.run(exchange(SyncEndpoint({"r": echo}), asked()))
    assert raised.group_contains(ArithmeticError)
    assert all(one.get("more_body", True) for one in sent)
