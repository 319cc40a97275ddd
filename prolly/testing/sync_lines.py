"""Lines for tests of sync: within one process, broken on purpose, and lying."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator

from prolly.codec import cbor
from prolly.codec.wire import FrameDecoder, FrameType
from prolly.codec.wire_messages import encode_message
from prolly.errors import RemoteFailed
from prolly.repo import Repository
from prolly.sync import Remote, Service

Rewrite = Callable[[bytes, Iterator[bytes]], Iterator[bytes]]


class ServiceRemote(Remote):
    """A line to a service in this process, which counts what goes over it."""

    def __init__(self, service: Service, url: str = "test:") -> None:
        super().__init__(url)
        self._service = service

    def _exchange(self, request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        yield from self._service.answer(request, body)

    def close(self) -> None:
        """There is nothing to release."""


def line_to(repo: Repository, *, read_only: bool = False) -> ServiceRemote:
    """Return the line to a repository that is open."""
    return ServiceRemote(Service(repo, read_only=read_only), f"test:{id(repo)}")


class NodesRemote(ServiceRemote):
    """A line over which no edits come, so that all trees are fetched as nodes."""

    def _exchange(self, request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        (frame,) = FrameDecoder().feed(request)
        fields = cbor.decode(frame.payload)
        if "mode" in fields:
            fields["mode"] = "nodes"
        request = encode_message(FrameType.REQUEST, fields)
        yield from super()._exchange(request, body)


class BrokenLine(Remote):
    """A line that breaks after random numbers of bytes, there and back.

    ``bytes_mean`` of them on average, requests and replies alike; once broken, an
    exchange is over, and the next one has luck of its own. ``passed`` counts the bytes
    that came through.
    """

    def __init__(self, line: Remote, source: random.Random, bytes_mean: int) -> None:
        super().__init__(line.url)
        self._line = line
        self._source = source
        self._bytes_mean = bytes_mean
        self.breaks = 0
        self.passed = 0

    def _exchange(self, request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        self.passed += len(request)
        yield from self._cut(self._line.ask(request, self._cut(body)))

    def _cut(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        left = int(self._source.expovariate(1 / self._bytes_mean))
        for piece in pieces:
            at = 0
            while at < len(piece):
                # In parts of odd sizes, as lines give them.
                part = piece[at : at + self._source.randrange(1, 4_000)]
                at += len(part)
                left -= len(part)
                if left < 0:
                    self.breaks += 1
                    raise RemoteFailed(
                        "the line broke on cue", code="line-broken", hint="Go on."
                    )
                self.passed += len(part)
                yield part

    def close(self) -> None:
        """Release the line behind."""
        self._line.close()


class LyingLine(Remote):
    """A line whose replies are rewritten on their way."""

    def __init__(self, line: Remote, rewrite: Rewrite) -> None:
        super().__init__(line.url)
        self._line = line
        self._rewrite = rewrite

    def _exchange(self, request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        yield from self._rewrite(request, self._line.ask(request, body))

    def close(self) -> None:
        """Release the line behind."""
        self._line.close()
