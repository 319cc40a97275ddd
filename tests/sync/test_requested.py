"""Chunks asked for: in order, verified, and little more than once over any line."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.codec.wire import END_FRAME, FrameType
from prolly.codec.wire_messages import encode_chunk_frames, encode_wire_error
from prolly.errors import Corrupt, Error, NotFound, RemoteFailed
from prolly.repo import Repository
from prolly.sync.conversation import FRUITLESS_ATTEMPTS_MAX
from prolly.sync.requested import AFTER_BREAK_ADDRESSES, requested_chunks
from prolly.testing.repositories import memory_repository
from prolly.testing.sync_lines import BrokenLine, LyingLine, line_to


def stored(sizes: list[int], count: int) -> tuple[Repository, list[bytes], list[bytes]]:
    """Return a repository with chunks of some sizes, and their addresses."""
    repo, source = memory_repository(), random.Random(count)
    chunks = [source.randbytes(sizes[at % len(sizes)]) for at in range(count)]
    with repo.store.writer() as writer:
        addresses = writer.put_many(chunks)
        writer.commit()
    return repo, addresses, chunks


@settings(max_examples=6)
@given(
    st.integers(0, 2**32),
    st.sampled_from([[50], [8000], [50, 50, 50, 20_000]]),
    st.sampled_from([12_000, 90_000]),
)
def test_a_line_that_breaks_gives_the_same(
    seed: int, sizes: list[int], mean: int
) -> None:
    """Large chunks, and so many small ones that a frame has more than a request."""
    count = 2 * AFTER_BREAK_ADDRESSES if max(sizes) > 50 else 4000
    repo, addresses, chunks = stored(sizes, count)
    broken = BrokenLine(line_to(repo), random.Random(seed), mean)
    found: list[bytes] = []
    for _ in range(50):
        try:
            found += requested_chunks(broken, addresses[len(found) :])
            break
        except RemoteFailed:
            continue
    assert found == chunks[: len(found)] == chunks


def test_after_a_break_little_is_asked_for_again() -> None:
    """A request names the next addresses, and twice as many each time it goes well."""
    repo, addresses, chunks = stored([100], 6000)
    asked: list[int] = []

    def once(request: bytes, reply: Iterator[bytes]) -> Iterator[bytes]:
        asked.append(len(request) // 32)
        for piece in reply:
            yield piece[:100] if len(asked) == 1 else piece
            if len(asked) == 1:
                raise RemoteFailed("cut", code="line-broken", hint="Go on.")

    found = list(requested_chunks(LyingLine(line_to(repo), once), addresses))
    assert found == chunks
    # The second meets a frame of more chunks than it names, and is asked once more.
    assert asked[0] >= 6000
    assert [round(one / AFTER_BREAK_ADDRESSES) for one in asked[1:6]] == [1, 1, 2, 4, 8]


def test_a_dead_line_is_given_up() -> None:
    """After some attempts that bring nothing, with the error of the line."""
    repo, addresses, _ = stored([100], 10)
    asked = []

    def dead(request: bytes, reply: Iterator[bytes]) -> Iterator[bytes]:
        asked.append(request)
        raise RemoteFailed("dead", code="line-broken", hint="Go on.")
        yield b""

    with pytest.raises(RemoteFailed):
        list(requested_chunks(LyingLine(line_to(repo), dead), addresses))
    assert len(asked) == FRUITLESS_ATTEMPTS_MAX


@pytest.mark.parametrize(
    ("chunks", "code"),
    [
        ([b"\x03a"], "chunk-missing"),
        ([b"\x03a", b"\x03c"], "hash-mismatch"),
        ([b"\x03a", b"\x03b", b"\x03c"], "unasked"),
    ],
)
def test_what_was_not_asked_for_is_refused(chunks: list[bytes], code: str) -> None:
    """Fewer, other and more chunks than those."""
    repo = memory_repository()
    with repo.store.writer() as writer:
        addresses = writer.put_many([b"\x03a", b"\x03b"])
        writer.commit()

    def other(request: bytes, reply: Iterator[bytes]) -> Iterator[bytes]:
        yield from encode_chunk_frames(FrameType.CHUNKS, chunks)
        yield END_FRAME

    with pytest.raises(Corrupt) as caught:
        list(requested_chunks(LyingLine(line_to(repo), other), addresses))
    assert caught.value.code == code


@pytest.mark.parametrize("kind", [NotFound, RemoteFailed])
def test_what_the_other_side_raises_is_raised_at_once(kind: type[Error]) -> None:
    """Its errors are no breaks of the line."""
    repo, addresses, _ = stored([100], 10)
    asked = []

    def wrong(request: bytes, reply: Iterator[bytes]) -> Iterator[bytes]:
        asked.append(request)
        yield encode_wire_error(kind("no", code="no-such", hint="No."))

    with pytest.raises(kind) as caught:
        list(requested_chunks(LyingLine(line_to(repo), wrong), addresses))
    assert caught.value.code == "no-such"
    assert len(asked) == 1
