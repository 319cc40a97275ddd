"""Pushes that meet what they began before, and tell how far they are."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from prolly.chunks import MemoryStore
from prolly.codec.wire import END_FRAME, FrameType
from prolly.codec.wire_messages import encode_message, encode_wire_error
from prolly.errors import Invalid, RemoteFailed, Stale
from prolly.repo import Repository, begin_history
from prolly.sync import SyncProgress, clone, push
from prolly.sync.pushing import BUSY_WAITS_SECONDS
from prolly.testing.repositories import (
    memory_repository,
    ticking_environment,
    write_on,
)
from prolly.testing.sync_lines import LyingLine, line_to

BUSY = Stale("busy", code="upload-busy", hint="Wait.")


def filled(sleep: Callable[[float], object] = lambda seconds: None) -> Repository:
    """Return a repository with records, and with some way to wait."""
    environment = ticking_environment()._replace(sleep=sleep)
    store = MemoryStore()
    begin_history(store, environment)
    repo = Repository(store, None, environment=environment)
    source = random.Random(1)
    records = {number: source.randbytes(200) for number in range(4_000)}
    write_on(repo, "main", lambda tx: tx.map("m").update(records))
    return repo


@pytest.mark.parametrize("asked", [b"uploaded", b"push"])
def test_an_upload_that_is_still_held_is_waited_for(asked: bytes) -> None:
    """The other side may not have noticed yet that the line broke."""
    slept: list[float] = []
    ours, theirs = filled(slept.append), memory_repository()

    def busy(request: bytes, reply: Iterator[bytes]) -> Iterator[bytes]:
        if asked in request and len(slept) < 3 and not told(request):
            yield encode_wire_error(BUSY)
        else:
            yield from reply

    pushes = [0]

    def told(request: bytes) -> bool:
        # The push itself is refused once; then how much is kept is asked for.
        if asked == b"push":
            pushes[0] += 1
        return pushes[0] > 1

    push(ours, remote=LyingLine(line_to(theirs), busy))
    assert theirs.resolve("main") == ours.resolve("main")
    assert slept == list(BUSY_WAITS_SECONDS[: 3 if asked == b"uploaded" else 0])


def test_it_is_not_waited_for_without_end() -> None:
    """After half a minute the push is given up, with the error of the other side."""
    slept: list[float] = []
    ours = filled(slept.append)

    def busy(request: bytes, reply: Iterator[bytes]) -> Iterator[bytes]:
        if b"uploaded" in request:
            yield encode_wire_error(BUSY)
        else:
            yield from reply

    with pytest.raises(Stale) as caught:
        push(ours, remote=LyingLine(line_to(memory_repository()), busy))
    assert caught.value.code == "upload-busy"
    assert slept == list(BUSY_WAITS_SECONDS)
    assert 30 < sum(slept) < 60


def test_a_push_tells_how_far_it_is() -> None:
    """Records and bytes grow to all there are."""
    ours, told = filled(), list[SyncProgress]()
    report = push(ours, remote=line_to(memory_repository()), progress=told.append)
    assert len(told) > 5
    assert told == sorted(told)
    # The manifest has a record, too.
    assert told[-1].records == told[-1].records_total == report.records
    assert 4_000 < report.records < 4_010
    assert told[-1].bytes <= report.bytes_sent


def test_a_clone_knows_what_is_to_come(tmp_path: object) -> None:
    """The number of all records is known before the first leaf has come."""
    theirs, told = filled(), list[SyncProgress]()
    where = f"{tmp_path}/clone"
    repo, report = clone("x:y", where, remote=line_to(theirs), progress=told.append)
    repo.close()
    leaves = [one for one in told if one.records > 10]
    assert leaves
    assert {one.records_total for one in leaves} == {report.records}
    assert told[-1].records == report.records


def test_a_push_over_a_dead_line_fails() -> None:
    """Nobody waits for a line that does not answer."""
    slept: list[float] = []

    def dead(request: bytes, reply: Iterator[bytes]) -> Iterator[bytes]:
        if b"refs" in request:
            yield from reply
        raise RemoteFailed("dead", code="line-broken", hint="Go on.")

    with pytest.raises(RemoteFailed):
        push(filled(slept.append), remote=LyingLine(line_to(memory_repository()), dead))
    assert slept == []


@pytest.mark.parametrize("size", [1_000, 10**9])
def test_an_upload_that_is_damaged_over_there_begins_anew(size: int) -> None:
    """What is kept of it is not what would be sent: it is sent from its beginning."""
    ours, theirs = filled(), memory_repository()

    def damaged(request: bytes, reply: Iterator[bytes]) -> Iterator[bytes]:
        if b"uploaded" not in request:
            yield from reply
            return
        told = {"bytes": size, "digest": bytes(32)}
        yield encode_message(FrameType.REPLY, told) + END_FRAME

    push(ours, remote=LyingLine(line_to(theirs), damaged))
    assert theirs.resolve("main") == ours.resolve("main")


def test_an_upload_that_is_damaged_again_and_again_is_given_up() -> None:
    """Each time the line breaks the other side lies about what it has."""
    ours, theirs = filled(), memory_repository()

    def damaged(request: bytes, reply: Iterator[bytes]) -> Iterator[bytes]:
        if b"uploaded" in request:
            told = {"bytes": 1_000, "digest": bytes(32)}
            yield encode_message(FrameType.REPLY, told) + END_FRAME
        elif b"push" in request:
            raise RemoteFailed("the line broke", code="line-broken", hint="Go on.")
        else:
            yield from reply

    with pytest.raises((Invalid, RemoteFailed)):
        push(ours, remote=LyingLine(line_to(theirs), damaged))
