"""The same law over every line: what was fetched is all there, and right."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Iterator
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly import sync
from prolly.ops import check_repository, create_bundle
from prolly.repo import Repository
from prolly.server import serve_pipes
from prolly.server.answering import Answer
from prolly.server.asgi_application import application_of
from prolly.server.serving import Server
from prolly.sync import BundleRemote, HttpRemote, Remote, Service
from prolly.sync.pipe_stream import PipeStream
from prolly.testing.repositories import memory_repository
from prolly.testing.small_histories import go_on, reached, small_history


class PipeRemote(Remote):
    """A line over a pair of pipes to a thread of this process."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("pipe:")
        self._down, self._up = os.pipe(), os.pipe()
        self._thread = Thread(target=self._serve, args=[answer])
        self._thread.start()
        self._stream = PipeStream(self._down[0], self._up[1], 60)
        self._stream.greet()

    def _serve(self, answer: Answer) -> None:
        source, target = os.fdopen(self._up[0], "rb"), os.fdopen(self._down[1], "wb")
        with source, target:
            serve_pipes(answer, source, target)

    def _exchange(self, request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        self._stream.send(request, body)
        yield from self._stream.receive()

    def close(self) -> None:
        os.close(self._up[1])
        self._thread.join()
        os.close(self._down[0])


class DirectRemote(Remote):
    """A line that is a call."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("direct:")
        self._answer = answer

    def _exchange(self, request: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
        return self._answer(request, body)

    def close(self) -> None:
        pass


Connect = Callable[[Repository], Remote]

# What travels is proved at length without a line; here it is that lines carry it.
few = settings(max_examples=5)


@pytest.fixture(scope="module", params=["direct", "http", "pipe", "bundle"])
def connect(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Connect]:
    """What makes a line of one kind to a repository."""
    answers: dict[str, Answer] = {}
    path = tmp_path_factory.mktemp("bundles") / "bundle"
    with Server(application_of(answers), "r", "127.0.0.1", 0) as server:

        def connect(repo: Repository) -> Remote:
            answers["r"] = Service(repo).answer
            if request.param == "http":
                return HttpRemote(server.url)
            if request.param == "pipe":
                return PipeRemote(answers["r"])
            if request.param == "bundle":
                create_bundle(repo, path, everything=True)
                return BundleRemote(path)
            return DirectRemote(answers["r"])

        yield connect


def require_all(target: Repository, source: Repository) -> None:
    """Compare what was fetched with what there is, and check every byte of it."""
    tips = {f"o/{name}": tip for name, tip in source.branches.items()}
    assert dict(target.tracking) == tips
    assert dict(target.tags) == dict(source.tags)
    ids = [bytes(tip) for tip in tips.values()]
    assert reached(target, ids) == reached(source, ids)
    assert not list(check_repository(target.store, full=True))


@few
@given(seed=st.integers(0, 2**32))
def test_what_was_fetched_is_there_and_right(connect: Connect, seed: int) -> None:
    """Fetched twice, with changes between: refs, chunks and checks are in order."""
    source, target = small_history(seed), memory_repository()
    target.remotes["o"] = "x://y"
    source.tags["t"] = source.resolve("side")
    for turn in range(2):
        line = connect(source)
        try:
            sync.fetch(target, "o", remote=line)
            require_all(target, source)
            again = sync.fetch(target, "o", remote=line)
            assert not again.updated and again.round_trips == 1
        finally:
            line.close()
        if not turn:
            go_on(source, random.Random(seed + 1))


@few
@given(seed=st.integers(0, 2**32))
def test_what_was_pushed_is_there_and_right(connect: Connect, seed: int) -> None:
    """A push over any line moves the branch with all that it reaches."""
    source, target = small_history(seed), memory_repository()
    line = connect(target)
    if isinstance(line, BundleRemote):
        line.close()
        return
    for branch in ("main", "side"):
        sync.push(source, "./x", branch, remote=line)
    line.close()
    assert dict(target.branches) == dict(source.branches)
    ids = [bytes(tip) for tip in source.branches.values()]
    assert reached(target, ids) == reached(source, ids)
    assert not list(check_repository(target.store, full=True))
