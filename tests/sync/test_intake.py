"""Lies of another replica, and streams of anything, are refused while they come."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator

import pytest

from prolly.chunks import RefNote
from prolly.codec import (
    Commit,
    cbor,
    encode_commit,
)
from prolly.codec.wire import (
    END_FRAME,
    WIRE_HEADER,
    FrameType,
    WireFrame,
    encode_wire_frame,
)
from prolly.codec.wire_edits import decode_edits, encode_edits
from prolly.codec.wire_messages import decode_chunks, encode_chunk_frames
from prolly.errors import Corrupt, Denied, Error, LimitExceeded, NotFound, RemoteFailed
from prolly.repo import Repository
from prolly.sync import Fetch, Service, SyncReport, fetch, intake, push
from prolly.sync.conversation import ask_for
from prolly.testing.repositories import memory_repository, write_on
from prolly.testing.sync_forgery import (
    KEYS,
    Forger,
    contents,
    refused,
    rewrite,
    victim,
)
from prolly.testing.sync_lines import LyingLine, ServiceRemote, line_to


def filled() -> Repository:
    """Return a repository that is right."""
    repo = memory_repository()
    write_on(repo, "main", lambda tx: tx.map("m").update(zip(KEYS, KEYS, strict=True)))
    return repo


Frames = Iterable[tuple[int, bytes]]


def flip_chunk(frame: WireFrame) -> Frames:
    if frame.kind != FrameType.CHUNKS:
        return [frame[:2]]
    return [(frame.kind, frame.payload[:-1] + bytes([frame.payload[-1] ^ 1]))]


def omit_chunk(frame: WireFrame) -> Frames:
    if frame.kind != FrameType.CHUNKS:
        return [frame[:2]]
    return payloads(decode_chunks(frame.payload)[1:])


def add_chunk(frame: WireFrame) -> Frames:
    if frame.kind != FrameType.CHUNKS:
        return [frame[:2]]
    return payloads([*decode_chunks(frame.payload), b"\x03junk"])


def swap_chunks(frame: WireFrame) -> Frames:
    if frame.kind != FrameType.CHUNKS:
        return [frame[:2]]
    return payloads(decode_chunks(frame.payload)[::-1] * 2)


def payloads(chunks: list[bytes]) -> Frames:
    """Return the frames of chunks as pairs."""
    if not chunks:
        return []
    (frame,) = encode_chunk_frames(FrameType.CHUNKS, chunks)
    return payloads_of(frame)


def omit_commits(frame: WireFrame) -> Frames:
    return [] if frame.kind == FrameType.COMMITS else [frame[:2]]


def other_commits(frame: WireFrame) -> Frames:
    made = encode_commit(Commit((), bytes(32), "mallory", 0, ""))
    if frame.kind != FrameType.COMMITS:
        return [frame[:2]]
    return [(frame.kind, payload) for _, payload in payloads([made])]


def edits_of_nothing(frame: WireFrame) -> Frames:
    return [] if frame.kind == FrameType.TREE else [frame[:2]]


def refs_outside(frame: WireFrame) -> Frames:
    if frame.kind != FrameType.REPLY:
        return [frame[:2]]
    return [(frame.kind, cbor.encode({"refs": {"working/main": bytes(32)}}))]


def refs_with_marks(frame: WireFrame) -> Frames:
    if frame.kind != FrameType.REPLY:
        return [frame[:2]]
    return [(frame.kind, cbor.encode({"refs": {"branches/a\x1b[2J": bytes(32)}}))]


def a_ref_to_nothing(frame: WireFrame) -> Frames:
    if frame.kind != FrameType.REPLY or b"refs" not in frame.payload:
        return [frame[:2]]
    told = {"head": "main", "refs": {"branches/main": b"?" * 32}}
    return [(frame.kind, cbor.encode(told))]


LIES: list[tuple[Callable[[WireFrame], Frames], str]] = [
    (flip_chunk, "hash-mismatch"),
    (omit_chunk, "chunk-missing"),
    (add_chunk, "unasked"),
    (swap_chunks, "unasked"),
    (omit_commits, "commits-missing"),
    (other_commits, "unasked"),
    (edits_of_nothing, "wire-frame"),
    (refs_outside, "remote-ref"),
    (refs_with_marks, "remote-ref"),
    (a_ref_to_nothing, "no-such-commit"),
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie[0].__name__)
def test_a_lie_is_refused(lie: tuple[Callable[[WireFrame], Frames], str]) -> None:
    """What was not asked for, is missing or is another thing: all of it is told."""
    change, code = lie
    error = refused(
        LyingLine(line_to(filled()), lambda _, reply: rewrite(change, reply))
    )
    assert error.code == code


def raw(pieces: Iterable[bytes]) -> LyingLine:
    """Return a line that answers everything with these bytes."""

    def answer(request: bytes, reply: Iterator[bytes]) -> Iterator[bytes]:
        yield from pieces

    return LyingLine(line_to(filled()), answer)


def bomb() -> Iterator[bytes]:
    """Yield a frame that inflates to more than it says."""
    stored = zlib.compress(bytes(4_000_000))
    yield WIRE_HEADER.pack(FrameType.REPLY, 1, len(stored), len(stored) + 1) + stored


def endless() -> Iterator[bytes]:
    """Yield messages without end."""
    while True:
        yield encode_wire_frame(FrameType.REPLY, cbor.encode({"refs": {}}))


STREAMS: list[tuple[str, Callable[[], Iterable[bytes]], str]] = [
    ("nothing", list, "wire-truncated"),
    ("half", lambda: [b"\x02\x00\x09"], "wire-truncated"),
    ("html", lambda: [b"<!doctype html><title>Welcome</title>"], "wire-frame"),
    ("huge", lambda: [WIRE_HEADER.pack(2, 0, 2**31, 2**31)], "wire-frame"),
    ("flags", lambda: [WIRE_HEADER.pack(2, 4, 0, 0)], "wire-frame"),
    ("lengths", lambda: [WIRE_HEADER.pack(2, 0, 1, 2)], "wire-frame"),
    ("bomb", bomb, "wire-frame"),
    ("endless", endless, "wire-frame"),
    ("behind", lambda: [encode_wire_frame(FrameType.END) + b"x"], "wire-frame"),
    ("wrong kind", lambda: [encode_wire_frame(FrameType.EDITS, b"x")], "wire-frame"),
    ("no map", lambda: [encode_wire_frame(FrameType.REPLY, b"\x01")], "wire-frame"),
]


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream[0])
def test_a_stream_of_anything_is_refused(
    stream: tuple[str, Callable[[], Iterable[bytes]], str],
) -> None:
    """Lengths are checked before anything is waited for or inflated."""
    assert refused(raw(stream[1]())).code == stream[2]


def test_a_replayed_answer_is_refused() -> None:
    """An old answer to another question brings nothing."""
    theirs, ours = filled(), victim()
    answers: list[bytes] = []

    def replay(request: bytes, reply: Iterator[bytes]) -> Iterator[bytes]:
        if "fetch" not in str(request):
            yield from reply
            return
        answers.append(b"".join(reply))
        yield answers[0]

    line = LyingLine(line_to(theirs), replay)
    fetch(ours, remote=line)
    write_on(theirs, "main", lambda tx: tx.map("m").update(new=1))
    assert refused(line, ours).code == "commits-missing"


def test_edits_that_lead_elsewhere_are_replaced_by_nodes() -> None:
    """The tree is fetched anew as nodes, and the report says so."""
    theirs, ours = filled(), victim()
    fetch(ours, remote=line_to(theirs))
    write_on(theirs, "main", lambda tx: tx.map("m").update(new="right"))

    def change(frame: WireFrame) -> Frames:
        if frame.kind != FrameType.EDITS or b"right" not in frame.payload:
            return [frame[:2]]
        keys, values = decode_edits(frame.payload)
        forged = encode_edits(keys, [cbor.encode("wrong")] * len(values))
        return payloads_of(forged)

    line = LyingLine(line_to(theirs), lambda _, reply: rewrite(change, reply))
    report = fetch(ours, remote=line)
    assert (report.fallbacks, report.mode) == (1, "ops+nodes")
    assert ours.tracking["origin/main"] == theirs.resolve("main")
    assert ours.at("origin/main").map("m")["new"] == "right"


def payloads_of(frame: bytes) -> Frames:
    """Return a frame as a pair."""
    kind, flags, _, _ = WIRE_HEADER.unpack_from(frame)
    payload = frame[WIRE_HEADER.size :]
    return [(kind, zlib.decompress(payload) if flags else payload)]


def test_a_reply_has_a_limit() -> None:
    """Commits and edits past it are refused while they come."""
    theirs, ours = filled(), victim()
    before = contents(ours)
    limited = Fetch(
        ours.storage, line_to(theirs), SyncReport(), print, reply_bytes_max=100
    )
    with pytest.raises(LimitExceeded) as caught:
        limited.run([bytes(theirs.resolve("main"))], [], lambda _: [], RefNote())
    assert caught.value.code == "reply-too-long"
    assert contents(ours) == before


def test_commits_have_a_limit_by_what_they_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A byte of metadata may be an item, which takes many bytes in memory."""
    monkeypatch.setattr(intake, "RECEIVED_COMMIT_BYTES_MAX", 100_000)
    forger = Forger()
    for count in (100, 2_000):
        tip = bytes(forger.repo.resolve("main"))
        known = forger.repo.commit_of(tip)
        metadata = {"x": [[] for _ in range(count)]}
        made = Commit((tip,), known.root, "", 0, "", metadata, known.generation + 1)
        forger.point(encode_commit(made))
        if count == 100:
            fetch(victim(), remote=line_to(forger.repo))
    error = refused(line_to(forger.repo))
    assert (type(error), error.code) == (LimitExceeded, "too-many-commits")


def test_an_upload_has_a_limit() -> None:
    """A push past it is refused, and nothing of it is kept."""
    theirs = memory_repository()
    line = ServiceRemote(Service(theirs, upload_bytes_max=100))
    with pytest.raises(LimitExceeded) as caught:
        push(filled(), remote=line)
    assert caught.value.code == "upload-too-long"


@pytest.mark.parametrize("name", ["working/main", "remotes/a/b", "stash/1", "x"])
def test_only_branches_and_tags_are_pushed(name: str) -> None:
    """Other refs are nobody else's to move."""
    theirs = filled()
    fields = {"moves": [[name, None, bytes(32)]], "upload": bytes(32)}
    with pytest.raises(Denied):
        ask_for(line_to(theirs), "push", fields)


def test_a_push_of_nothing_is_refused() -> None:
    """A ref cannot be moved to what did not come."""
    theirs = filled()
    before = contents(theirs)
    fields = {"moves": [["branches/x", None, b"?" * 32]], "upload": bytes(32)}
    body = [encode_wire_frame(FrameType.END)]
    with pytest.raises(Corrupt) as caught:
        ask_for(line_to(theirs), "push", fields, body)
    assert caught.value.code == "commits-missing"
    assert contents(theirs) == before


def test_chunks_that_are_not_there_are_told() -> None:
    """So are commits, and verbs that there are not."""
    line = line_to(filled())
    with pytest.raises(NotFound):
        ask_for(line, "chunks", {"addresses": bytes(32)})
    with pytest.raises(Error) as caught:
        ask_for(line, "dance", {})
    assert caught.value.code == "wire-verb"


def test_a_line_that_ends_is_not_believed() -> None:
    """What ends without its end is broken, however much came."""

    def cut(request: bytes, reply: Iterator[bytes]) -> Iterator[bytes]:
        pieces = list(reply)
        yield from pieces[:-1]

    line = LyingLine(line_to(filled()), cut)
    error = refused(line)
    assert isinstance(error, Corrupt | RemoteFailed)


def test_a_reply_without_refs_is_no_replica() -> None:
    """Nor is a clone of nothing made of it."""

    def nothing(request: bytes, reply: Iterable[bytes]) -> Iterator[bytes]:
        yield END_FRAME

    error = refused(LyingLine(line_to(filled()), nothing))
    assert (type(error), error.code) == (Corrupt, "wire-frame")
