"""What a working state knows of commits that are being made again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import (
    REPLAY_COMMITS_MAX,
    REPLAY_VERBS,
    ChunkType,
    Reference,
    Replay,
    WorkingState,
    cbor,
    decode_working,
    encode_working,
    links_of,
)
from prolly.codec.replay import replay_value
from prolly.errors import Corrupt
from prolly.testing.strategies import addresses

ONE, TWO, THREE, FOUR = (bytes([n]) * 32 for n in range(1, 5))
REPLAY = Replay("rebase", ONE, TWO, THREE, "Ada", 7, (ONE, TWO))


@given(
    st.sampled_from(REPLAY_VERBS),
    st.lists(addresses(), min_size=3, max_size=6),
    st.one_of(st.none(), st.text(max_size=9)),
    st.one_of(st.none(), st.integers(-(2**63), 2**63)),
    st.one_of(st.none(), addresses()),
)
def test_decode_undoes_encode(
    verb: str,
    named: list[bytes],
    author: str | None,
    time_us: int | None,
    picked: bytes | None,
) -> None:
    """Every replay comes back in its working state."""
    theirs, began, *todo = named
    replay = Replay(verb, theirs, picked, began, author, time_us, tuple(todo))
    state = WorkingState(ONE, TWO, message="again", replay=replay)
    assert decode_working(encode_working(state)) == state
    assert (state.is_merging, state.verb) == (True, verb)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        [*replay_value(REPLAY), 1],
        ["merge", *replay_value(REPLAY)[1:]],
        [None, *replay_value(REPLAY)[1:]],
        ["rebase", b"short", *replay_value(REPLAY)[2:]],
        [*replay_value(REPLAY)[:2], "text", *replay_value(REPLAY)[3:]],
        [*replay_value(REPLAY)[:3], None, *replay_value(REPLAY)[4:]],
        [*replay_value(REPLAY)[:4], b"Ada", 7, b""],
        [*replay_value(REPLAY)[:4], "Ada", "now", b""],
        [*replay_value(REPLAY)[:4], "Ada", True, b""],
        [*replay_value(REPLAY)[:6], b"x" * 33],
        [*replay_value(REPLAY)[:6], [ONE]],
        [*replay_value(REPLAY)[:6], ONE * (REPLAY_COMMITS_MAX + 1)],
    ],
)
def test_a_replay_of_another_shape_is_corrupt(wrong: Any) -> None:
    """Verb, addresses, author, time and the commits to come are checked when read."""
    value = [ONE, TWO, [], None, "", {}, wrong]
    with pytest.raises(Corrupt):
        decode_working(b"\x06" + cbor.encode(value))


def test_a_replay_and_a_merge_exclude_each_other() -> None:
    """A state has other parents or commits to be made again, not both."""
    value = [ONE, TWO, [THREE], None, "", {}, replay_value(REPLAY)]
    with pytest.raises(Corrupt):
        decode_working(b"\x06" + cbor.encode(value))


def test_as_many_commits_as_the_limit_says_are_to_come() -> None:
    """At the limit a state is written and read."""
    replay = replace(REPLAY, todo=(ONE,) * REPLAY_COMMITS_MAX)
    state = WorkingState(ONE, TWO, replay=replay)
    assert decode_working(encode_working(state)) == state


def test_all_that_a_replay_names_is_linked() -> None:
    """A collection keeps the commits to come, and the manifest that is merged."""
    replay = replace(REPLAY, todo=(FOUR,))
    links = links_of(encode_working(WorkingState(ONE, TWO, replay=replay)))
    for commit_id in (ONE, TWO, THREE, FOUR):
        assert Reference(commit_id, ChunkType.COMMIT) in links
    assert Reference(replay.theirs, 0) in links
