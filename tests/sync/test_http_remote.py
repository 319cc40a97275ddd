"""The line over HTTP: addresses, statuses, broken connections, typed errors."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterable, Iterator
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec.exchange import SYNC_TYPE
from prolly.errors import Error, Invalid, LimitExceeded, NotFound, RemoteFailed
from prolly.server.asgi_application import application_of
from prolly.server.serving import Server
from prolly.sync import http_remote
from prolly.sync.http_remote import PROBLEM_BYTES_MAX, HttpRemote
from prolly.testing.echoing import asking, echo
from prolly.testing.fault_proxy import FaultProxy


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that echoes."""
    with Server(application_of({"echo": echo}), "echo", "127.0.0.1", 0) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(server: Server) -> Iterator[FaultProxy]:
    """A proxy before it."""
    with FaultProxy(server.port) as running:
        yield running


class Canned:
    """A server that gives one reply of bytes to each connection, then closes it."""

    def __init__(self, reply: bytes) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._reply = reply
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/name"
        self.heard = b""
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        with client:
            while b"\r\n\r\n" not in self.heard:
                self.heard += client.recv(65536)
            client.sendall(self._reply)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass

    def ask(self) -> Error:
        """Return what asking it raises."""
        remote = HttpRemote(self.url)
        with pytest.raises(Error) as raised:
            list(remote.ask(asking()))
        remote.close()
        self._thread.join()
        self._listener.close()
        return raised.value


def reply(status: str, body: bytes = b"", **headers: str) -> bytes:
    """Return a reply of HTTP."""
    told = "".join(f"{name.replace('_', '-')}: {headers[name]}\r\n" for name in headers)
    length = f"content-length: {len(body)}\r\n"
    return f"HTTP/1.1 {status}\r\n{told}{length}\r\n".encode() + body


def problem(status: str, **fields: object) -> bytes:
    """Return a reply that tells a problem."""
    told = json.dumps(fields).encode()
    return reply(status, told, content_type="application/problem+json")


def test_the_connection_is_kept(server: Server) -> None:
    """Exchanges follow one another over one connection."""
    with FaultProxy(server.port) as proxy:
        remote = HttpRemote(proxy.url(server.url))
        for size in (1, 100_000, 5):
            assert list(remote.ask(asking(sizes=[size])))
        remote.close()
        assert proxy.connections == 1


def test_the_head_of_a_request_is_small(server: Server) -> None:
    """What HTTP adds to an exchange without a body is less than 700 bytes."""
    with FaultProxy(server.port) as proxy:
        remote = HttpRemote(proxy.url(server.url))
        list(remote.ask(asking()))
        remote.close()
        own = remote.traffic.bytes_sent + remote.traffic.bytes_received
        assert proxy.up + proxy.down - own < 700


@given(st.integers(1, 60_000), st.sampled_from(["up", "down"]))
def test_a_cut_line_is_told_and_mended(
    proxy: FaultProxy, server: Server, after: int, direction: str
) -> None:
    """Cut after any byte, in either direction: RemoteFailed, and it works again."""
    remote = HttpRemote(proxy.url(server.url))
    request, body = asking(sizes=[70_000]), [bytes(35_000)] * 2
    proxy.cut(**{direction: after})
    cuts = proxy.cuts
    with pytest.raises(RemoteFailed) as raised:
        list(remote.ask(request, body))
    assert raised.value.code == "line-broken"
    assert raised.value.hint
    assert proxy.cuts == cuts + 1
    whole = b"".join(remote.ask(request, body))
    assert len(whole) == len(request) + 140_000
    remote.close()


def test_nobody_there_is_told() -> None:
    """A port that nobody listens on is RemoteFailed ``unreachable``."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    remote = HttpRemote(f"http://127.0.0.1:{port}/x")
    with pytest.raises(RemoteFailed) as raised:
        list(remote.ask(asking()))
    assert raised.value.code == "unreachable"
    remote.close()


def test_a_silent_server_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes a request and says nothing is left after a while."""
    monkeypatch.setattr(http_remote, "READ_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        remote = HttpRemote(f"http://127.0.0.1:{listener.getsockname()[1]}/x")
        with pytest.raises(RemoteFailed) as raised:
            list(remote.ask(asking()))
        assert raised.value.code == "line-timeout"
        remote.close()


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (reply("302 Found", location="http://evil.example/"), "redirected"),
        (reply("500 Oops", b"<html>"), "http-status"),
        (reply("200 OK", b"<html>", content_type="text/html"), "not-prolly"),
        (reply("200 OK", b"hi"), "not-prolly"),
        (problem("404 Not Found", code="no such", detail="x"), "http-status"),
        (problem("404 Not Found", code=5, detail="x"), "http-status"),
        (problem("500 Oops", **{"x" * PROBLEM_BYTES_MAX: 1}), "http-status"),
        (
            reply("404 No", b"[" * 9999, content_type="application/problem+json"),
            "http-status",
        ),
        (
            reply(
                "200 OK",
                b"bomb",
                content_type=SYNC_TYPE,
                content_encoding="gzip",
            ),
            "not-prolly",
        ),
        (b"SSH-2.0-OpenSSH\r\n", "line-broken"),
        (b"", "line-broken"),
    ],
)
def test_other_servers_are_no_repositories(told: bytes, code: str) -> None:
    """Whatever is no reply of ours is RemoteFailed, with a code and a hint."""
    error = Canned(told).ask()
    assert isinstance(error, RemoteFailed)
    assert error.code == code and error.hint
    assert error.message.isprintable() or "\n" not in error.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("404 Not Found", NotFound),
        ("413 Too Large", LimitExceeded),
        ("503 Busy", RemoteFailed),
        ("418 Teapot", RemoteFailed),
    ],
)
def test_a_problem_is_raised_as_what_it_is(status: str, kind: type[Error]) -> None:
    """The class follows the status; code, text and hint are the server's, clipped."""
    told = problem(status, code="some-code", detail="a\nb" * 500, hint="Do so.")
    error = Canned(told).ask()
    assert type(error) is kind
    assert (error.code, error.hint) == ("some-code", "Do so.")
    assert "\n" not in error.message and len(error.message) < 700


def test_no_coding_of_http_is_asked_for() -> None:
    """Frames are deflated already, and nothing of who asks is told but this."""
    canned = Canned(reply("500 Oops"))
    canned.ask()
    head = canned.heard.lower()
    assert b"accept-encoding: identity" in head
    assert b"content-length:" in head and b"transfer-encoding" not in head


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///path",
        "http://[::1/x",
        "http://host:99999/x",
        "http://host:0/x",
        "ftp://host/x",
        "http://me:secret@host/x",
        "http://host/x?y",
        "http://host/x#y",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    """A URL without a host, with a password or a query is Invalid, told without it."""
    with pytest.raises(Invalid) as raised:
        HttpRemote(url)
    assert raised.value.code == "remote-url"
    assert "secret" not in f"{raised.value} {raised.value.facts}"


def test_use_after_close_is_refused(server: Server) -> None:
    """A closed line is Invalid ``closed``."""
    remote = HttpRemote(server.url)
    remote.close()
    with pytest.raises(Invalid) as raised:
        list(remote.ask(asking()))
    assert raised.value.code == "closed"


def test_without_the_library_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A missing extra is told with the command that installs it."""
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(Error) as raised:
        HttpRemote("http://127.0.0.1:1/x")
    assert raised.value.code == "missing-extra"
    assert "prolly[sync]" in raised.value.hint


def test_a_proxy_of_the_environment_is_not_for_this_machine(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loopback is reached directly, whatever the environment says of proxies."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    remote = HttpRemote(server.url)
    assert list(remote.ask(asking()))
    remote.close()


def test_a_body_is_not_read_ahead(server: Server) -> None:
    """One piece is asked for before anything is sent, and not all of them."""
    asked = []

    def body() -> Iterable[bytes]:
        for number in range(3):
            asked.append(number)
            yield b"x"

    remote = HttpRemote(server.url)
    exchange = remote.ask(asking(), body())
    assert not asked
    assert b"".join(exchange).endswith(b"xxx")
    remote.close()
