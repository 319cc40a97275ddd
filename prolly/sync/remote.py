"""The line to another replica: one request there, one reply back.

What travels is ``prolly.codec.wire``'s to say; a line only carries bytes. Design:
``docs/design/0012-sync.md``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from prolly.chunks import Store
from prolly.errors import NotFound


@dataclass(slots=True)
class Traffic:
    """What went over a line so far, in bytes of requests and replies."""

    bytes_sent: int = 0
    bytes_received: int = 0
    round_trips: int = 0


class Remote(ABC):
    """Another replica, as far as a line reaches. Not thread-safe."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.traffic = Traffic()

    def ask(self, request: bytes, body: Iterable[bytes] = ()) -> Iterator[bytes]:
        """Send a request and its body; yield the bytes of the reply as they come.

        One round trip. The reply comes in pieces of any size. RemoteFailed when the
        line breaks, at any time: then it is not known what the other side did.
        """
        traffic = self.traffic
        traffic.round_trips += 1
        traffic.bytes_sent += len(request)
        for piece in self._exchange(request, _counted(body, traffic)):
            traffic.bytes_received += len(piece)
            yield piece

    def prerequisites(self) -> Sequence[bytes]:
        """Return the commits without which nothing that comes could be used.

        None, where the other side has all that its commits reach.
        """
        return ()

    def require_prerequisites(self, store: Store) -> None:
        """Raise NotFound ``bundle-prerequisite`` unless a store has all of them."""
        wanted = self.prerequisites()
        for one, here in zip(wanted, store.contains_many(wanted), strict=True):
            if not here:
                raise NotFound(
                    f"the bundle builds upon commit {one.hex()[:12]}, which is not "
                    "here",
                    code="bundle-prerequisite",
                    hint="Take the bundle before this one first, or have a whole one "
                    "made.",
                    address=one,
                )

    @abstractmethod
    def _exchange(self, request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        """Carry one request and its body there, and yield the reply."""

    @abstractmethod
    def close(self) -> None:
        """Release the line. Any number of times."""


def _counted(body: Iterable[bytes], traffic: Traffic) -> Iterator[bytes]:
    for piece in body:
        traffic.bytes_sent += len(piece)
        yield piece
