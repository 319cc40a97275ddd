"""Serving pipes: the worked bytes, and what ends it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

import pytest

from prolly.codec.exchange import BROKEN, END, HELLO, encode_request, iter_pieces
from prolly.errors import Corrupt, RemoteFailed
from prolly.server import serve_pipes


def pong(request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
    """Answer ``pong``, or with the body."""
    heard = b"".join(body)
    yield {b"ping": b"pong"}.get(request, heard)


def served(heard: bytes, answer: object = pong) -> bytes:
    """Return what is said to what was heard."""
    target = io.BytesIO()
    serve_pipes(answer, io.BytesIO(heard), target)
    return target.getvalue()


def test_the_worked_bytes() -> None:
    """What the page on lines shows is what happens."""
    there = bytes.fromhex("04000000 70696e67 02000000 6162 01000000 63 00000000")
    back = bytes.fromhex("70726f6c6c790a01 04000000 706f6e67 00000000")
    assert served(there) == back


def test_many_exchanges_follow_one_another() -> None:
    """After the hello each request has its reply, until the input ends."""
    one = encode_request(b"x") + b"".join(iter_pieces(b"body")) + END
    reply = b"".join(iter_pieces(b"body")) + END
    assert served(b"") == HELLO
    assert served(one * 3) == HELLO + reply * 3


def test_what_nobody_heard_is_passed_over() -> None:
    """A body that the service did not want does not become the next request."""

    def deaf(request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        yield request

    one = b"".join([*iter_pieces(b"first"), *iter_pieces(b"second")])
    heard = (encode_request(b"a") + one + END) + (encode_request(b"b") + one + BROKEN)
    said = [*iter_pieces(b"a"), END, *iter_pieces(b"b"), END]
    assert served(heard, deaf) == HELLO + b"".join(said)


def test_a_body_that_was_given_up_ends_early() -> None:
    """The mark ``broken`` ends the body, and the line goes on."""
    heard = encode_request(b"x") + b"".join(iter_pieces(b"half")) + BROKEN
    reply = b"".join(iter_pieces(b"half")) + END
    assert served(heard * 2) == HELLO + reply * 2


@pytest.mark.parametrize("size", [1, 4, 6, 8, 9, 14])
def test_an_input_that_ends_in_the_middle_is_a_broken_line(size: int) -> None:
    """Cut anywhere, the exchange is not ended as if it were whole."""
    heard = encode_request(b"xyz") + b"".join(iter_pieces(b"body")) + END

    def reading(request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        yield b"".join(body)

    with pytest.raises(RemoteFailed) as raised:
        served(heard[:size], reading)
    assert raised.value.code == "line-broken"


def test_other_input_is_corrupt() -> None:
    """Input that is no exchange ends the serving."""
    with pytest.raises(Corrupt) as raised:
        served(b"GET / HTTP/1.1\r\n")
    assert raised.value.code == "line-form"


def test_a_fault_is_marked_and_raised() -> None:
    """When the service fails, the reply is marked as broken, and nothing is hidden."""

    def faulty(request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        yield b"x"
        raise ArithmeticError

    target = io.BytesIO()
    with pytest.raises(ArithmeticError):
        serve_pipes(faulty, io.BytesIO(encode_request(b"a") + END), target)
    assert target.getvalue().startswith(HELLO)
    assert target.getvalue().endswith(BROKEN)
