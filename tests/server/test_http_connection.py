"""Connections: a head that does not come soon frees its place."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from prolly.server import Server, http_connection, request_body, serve
from prolly.sync import HttpRemote, fetch
from prolly.testing.repositories import memory_repository, write_on

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = GET[:-2] + b"Connection: close\r\n\r\n"
POST = (
    b"POST /repository/sync HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
    b"Connection: close\r\n"
    b"Content-Type: application/vnd.prolly.sync\r\n\r\n"
)
# No test waits for so long; one that would hang fails.
PATIENCE_SECONDS = 20.0


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that waits a moment for heads."""
    monkeypatch.setattr(http_connection, "HEAD_SECONDS", 0.3)
    repo = memory_repository()
    write_on(repo, "main", lambda tx: tx.map("m").update(a=1))
    with serve(repo) as running:
        yield running


def opened(server: Server, sent: bytes = b"") -> socket.socket:
    """Return a connection over which something was sent."""
    place = server.host, server.port
    connection = socket.create_connection(place, PATIENCE_SECONDS)
    connection.sendall(sent)
    return connection


def heard(connection: socket.socket) -> bytes:
    """Return all that comes until the other side closes."""
    with connection:
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("sent", [b"", b"G", GET[:-2], GET + GET[:9]])
def test_half_a_head_is_not_waited_for(server: Server, sent: bytes) -> None:
    """Neither the first of a connection nor a later one."""
    assert heard(opened(server, sent)).count(b"HTTP/1.1 200") == (len(sent) > len(GET))


def test_who_says_nothing_keeps_nobody_out(server: Server) -> None:
    """As many connections as there are places, and the next client is served."""
    silent = [opened(server, b"POST / HTTP/1.1\r\nX: ") for _ in range(70)]
    for one in silent:
        heard(one)
    ours = memory_repository()
    ours.remotes["origin"] = server.url
    line = HttpRemote(server.url)
    assert fetch(ours, remote=line).updated
    line.close()


def test_a_request_that_drips_is_not_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has time of its own, longer than a head, and is told that it is up."""
    monkeypatch.setattr(request_body, "REQUEST_SECONDS", 0.3)
    told = heard(opened(server, POST + b"\x50\0\0\0drip"))
    assert told.startswith(b"HTTP/1.1 503") and b"line-timeout" in told


def test_a_path_with_a_slash_is_another_one(server: Server) -> None:
    """No redirect: replicas follow none."""
    told = heard(opened(server, POST.replace(b"sync HTTP", b"sync/ HTTP")))
    assert told.startswith(b"HTTP/1.1 404")


def test_a_long_path_is_told_in_short(server: Server) -> None:
    """What was refused is named, and not sent back whole."""
    asked = LAST.replace(b"/ ", b"/" + b"a" * 30_000 + b" ")
    told = heard(opened(server, asked))
    assert told.startswith(b"HTTP/1.1 404") and len(told) < 1_000
