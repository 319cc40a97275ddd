"""What answers on a line in tests of lines: it says what it heard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from prolly.codec import cbor


def echo(request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
    """Answer as a request of ``asking`` wants it."""
    told = cbor.decode(request)
    if told["deaf"]:
        yield b"deaf"
        return
    heard = b"".join(body)
    yield request
    yield heard
    for size in told["sizes"]:
        yield bytes(size)
    if told["breaks"]:
        raise ArithmeticError("a fault of the service")


def asking(**how: Any) -> bytes:
    """Return a request for pieces of ``sizes``; ``deaf`` to the body; ``breaks``."""
    return cbor.encode({"sizes": [], "deaf": False, "breaks": False, **how})
