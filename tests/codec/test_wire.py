"""Frames: cut anywhere they are the same, and nothing but their one form is taken."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec.node import encode_leaf
from prolly.codec.wire import (
    END_FRAME,
    WIRE_FRAME_BYTES_MAX,
    WIRE_HEADER,
    FrameDecoder,
    FrameType,
    encode_wire_frame,
    take_wire_frame,
)
from prolly.errors import Corrupt

PAYLOADS = st.one_of(
    st.binary(max_size=300), st.binary(max_size=9).map(lambda b: b * 900)
)
KINDS = st.sampled_from([FrameType.REPLY, FrameType.CHUNKS, FrameType.EDITS])


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """Return data in pieces of these sizes, again and again."""
    pieces, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        pieces.append(data[at : at + size])
        at, turn = at + size, turn + 1
    return pieces


@given(
    st.lists(st.tuples(KINDS, PAYLOADS), max_size=6),
    st.lists(st.integers(1, 70), min_size=1),
)
def test_frames_survive_any_cut(
    frames: list[tuple[FrameType, bytes]], sizes: list[int]
) -> None:
    """A decoder fed with pieces of any size gives the frames that were encoded."""
    encoded = [encode_wire_frame(*frame) for frame in frames]
    data = b"".join(encoded) + END_FRAME
    decoder = FrameDecoder()
    found = [frame for piece in cut(data, sizes) for frame in decoder.feed(piece)]
    decoder.finish()
    assert [(frame.kind, frame.payload) for frame in found[:-1]] == frames
    starts = [frame.start for frame in found]
    assert starts == [sum(map(len, encoded[:number])) for number in range(len(found))]


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_corrupt(data: bytes) -> None:
    """A decoder of outside bytes raises Corrupt and nothing else."""
    decoder = FrameDecoder()
    try:
        list(decoder.feed(data))
        decoder.finish()
    except Corrupt as error:
        assert error.code in ("wire-frame", "wire-truncated")


def test_the_limit_is_the_limit() -> None:
    """The largest frame is taken; one byte more is refused before it has come."""
    whole = encode_wire_frame(FrameType.CHUNKS, bytes(WIRE_FRAME_BYTES_MAX))
    (frame,) = FrameDecoder().feed(whole)
    assert len(frame.payload) == WIRE_FRAME_BYTES_MAX
    size = WIRE_FRAME_BYTES_MAX + 1
    for flags, stored in ((0, size), (1, 9)):
        head = WIRE_HEADER.pack(FrameType.CHUNKS, flags, stored, size)
        with pytest.raises(Corrupt):
            list(FrameDecoder().feed(head))


def test_what_saves_nothing_is_not_deflated() -> None:
    """A frame that claims to be deflated is smaller than what it holds."""
    with pytest.raises(Corrupt):
        list(FrameDecoder().feed(WIRE_HEADER.pack(FrameType.REPLY, 1, 9, 9) + bytes(9)))
    text = encode_wire_frame(FrameType.REPLY, b"again " * 500)
    assert len(text) < 300


@given(KINDS, PAYLOADS, st.binary(max_size=20))
def test_the_first_frame_is_taken_apart(
    kind: FrameType, payload: bytes, rest: bytes
) -> None:
    """Once it is whole, with what follows it left as it is."""
    data = encode_wire_frame(kind, payload)
    assert take_wire_frame(data[:-1]) is None or not payload
    taken = take_wire_frame(data + rest)
    assert taken is not None
    assert (taken[0].kind, taken[0].payload, taken[1]) == (kind, payload, rest)


@given(st.integers(0, 2**32), st.integers(40, 90))
def test_leaves_of_random_values_are_sent_as_they_are(seed: int, size: int) -> None:
    """Wherever in a leaf the keys stand, which alone would deflate."""
    source = random.Random(seed)
    leaves = [
        encode_leaf(
            [b"key:%08d" % number for number in range(first, first + 70)],
            [source.randbytes(size) for _ in range(70)],
        )
        for first in range(0, 560, 70)
    ]
    payload = b"".join(leaves)
    assert encode_wire_frame(FrameType.CHUNKS, payload)[WIRE_HEADER.size :] == payload
