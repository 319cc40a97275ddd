"""What answers a request: the service of a repository, as a line sees it.

A body whose line broke ends early. What it says has an end of its own, by which the
service knows what is whole, so that it keeps the part that came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

# Small frames go together: a hand-over between threads costs some 100 microseconds, a
# system call some.
PIECE_BYTES = 256 * 1024

Answer = Callable[[bytes, Iterable[bytes]], Iterator[bytes]]


def together(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in pieces of ``PIECE_BYTES`` and more, but for the last."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
