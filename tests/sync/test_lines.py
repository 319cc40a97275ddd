"""What every line must do, whatever it runs over."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec.exchange import PIECE_BYTES_MAX
from prolly.errors import RemoteFailed
from prolly.server.asgi_application import application_of
from prolly.server.pipe_serving import serve_pipes
from prolly.server.serving import Server
from prolly.sync.http_remote import HttpRemote
from prolly.sync.pipe_stream import PipeStream
from prolly.sync.remote import Remote
from prolly.sync.stream_remote import StreamRemote
from prolly.testing.echoing import asking, echo

PROGRAM = """
import sys
from prolly.server import serve_pipes
from prolly.testing.echoing import echo
serve_pipes(echo, sys.stdin.buffer, sys.stdout.buffer)
"""

bodies = st.lists(st.binary(max_size=300), max_size=4)
sizes = st.lists(st.integers(0, 200_000), max_size=3)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that echoes."""
    app = application_of({"echo": echo}, loopback_only=True)
    with Server(app, "echo", "127.0.0.1", 0) as running:
        yield running


@pytest.fixture(scope="module", params=["http", "program"])
def line(request: pytest.FixtureRequest, server: Server) -> Iterator[Remote]:
    """A line to who echoes: over HTTP, or to a program."""
    place = str(Path(__file__).parents[2])
    command = ["env", f"PYTHONPATH={place}", sys.executable, "-c", PROGRAM]
    remote: Remote = (
        HttpRemote(server.url)
        if request.param == "http"
        else StreamRemote("program:", command)
    )
    yield remote
    remote.close()


@given(body=bodies, sizes=sizes)
def test_a_line_carries_every_byte(
    line: Remote, body: list[bytes], sizes: list[int]
) -> None:
    """Request, body and reply come out as they went in, however they are cut."""
    request = asking(sizes=sizes)
    reply = b"".join(line.ask(request, body))
    assert reply == request + b"".join(body) + bytes(sum(sizes))


def test_traffic_is_counted(line: Remote) -> None:
    """Bytes and round trips of an exchange are added up."""
    before = line.traffic.bytes_sent, line.traffic.round_trips
    request = asking(sizes=[10])
    reply = b"".join(line.ask(request, [b"abc", b"de"]))
    sent, trips = line.traffic.bytes_sent, line.traffic.round_trips
    assert sent - before[0] == len(request) + 5 and trips - before[1] == 1
    assert len(reply) == len(request) + 15


def test_large_pieces_pass(line: Remote) -> None:
    """Pieces of any size are passed on, larger than the line's own too."""
    body = [bytes([1]) * (PIECE_BYTES_MAX * 2 + 5), b"", b"end"]
    request = asking(sizes=[PIECE_BYTES_MAX * 2 + 7])
    reply = b"".join(line.ask(request, body))
    assert reply == request + b"".join(body) + bytes(PIECE_BYTES_MAX * 2 + 7)


def test_who_does_not_listen_is_heard(line: Remote) -> None:
    """A reply that comes before the body was read arrives, and the line goes on."""
    body = (bytes(100_000) for _ in range(60))
    assert b"".join(line.ask(asking(deaf=True), body)) == b"deaf"
    assert b"".join(line.ask(asking())) == asking()


def test_a_reply_that_is_not_ended_is_no_reply(
    line: Remote, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault in the middle of a reply is RemoteFailed; then the line is well again."""
    with caplog.at_level(logging.CRITICAL), pytest.raises(RemoteFailed) as raised:
        list(line.ask(asking(sizes=[100_000], breaks=True)))
    assert raised.value.code == "line-broken"
    assert b"".join(line.ask(asking())) == asking()


def test_a_reply_may_be_left(line: Remote) -> None:
    """Whoever has heard enough leaves, and may ask again."""
    reply = line.ask(asking(sizes=[100_000] * 50))
    next(reply)
    reply.close()
    assert b"".join(line.ask(asking())) == asking()


def test_a_body_that_fails_fails_the_exchange(line: Remote) -> None:
    """What the body raises comes out as it is, and the line is well again."""

    def body() -> Iterator[bytes]:
        yield b"some"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(line.ask(asking(), body()))
    assert b"".join(line.ask(asking())) == asking()


def test_closing_twice_is_fine(server: Server) -> None:
    """A line that was never used closes, any number of times."""
    for remote in (HttpRemote(server.url), StreamRemote("x:", ["false"])):
        remote.close()
        remote.close()


def test_two_ends_that_speak_at_once_do_not_wait() -> None:
    """An early reply and a long body pass each other in full pipes."""
    down, up = os.pipe(), os.pipe()

    def serve() -> None:
        with os.fdopen(up[0], "rb") as source, os.fdopen(down[1], "wb") as target:
            serve_pipes(echo, source, target)

    thread = Thread(target=serve)
    thread.start()
    stream = PipeStream(down[0], up[1], 60)
    stream.greet()
    for _ in range(3):
        stream.send(asking(deaf=True), [bytes(PIECE_BYTES_MAX * 3)])
        assert b"".join(stream.receive()) == b"deaf"
    os.close(up[1])
    thread.join()
    os.close(down[0])
