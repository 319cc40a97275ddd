"""The rules of names, where a store is too slow a way to try them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import REF_NAME_BYTES_MAX, RefMove
from prolly.chunks.ref_rules import check_moves, encode_name, plan_moves
from prolly.codec.store_entry import LOG_MOVES_MAX
from prolly.errors import Invalid, LimitExceeded, Stale

ADDRESSES = [None, b"\1" * 32, b"\2" * 32]


@given(st.text(max_size=REF_NAME_BYTES_MAX))
def test_names_are_their_bytes_or_refused(name: str) -> None:
    """A name is its UTF-8, or Invalid, or LimitExceeded past its bytes."""
    try:
        encoded = encode_name(name)
    except Invalid:
        assert not name or not name.isprintable()
    except LimitExceeded:
        assert len(name.encode()) > REF_NAME_BYTES_MAX
    else:
        assert encoded.decode() == name
        assert 0 < len(encoded) <= REF_NAME_BYTES_MAX


def test_moves_in_one_step() -> None:
    """As many moves as a log position can number are allowed, and not one more."""
    moves = [RefMove(str(n), None, ADDRESSES[1]) for n in range(LOG_MOVES_MAX + 1)]
    check_moves(moves[1:])
    with pytest.raises(LimitExceeded) as caught:
        check_moves(moves)
    assert caught.value.limit == LOG_MOVES_MAX


@given(
    st.dictionaries(st.sampled_from("abc"), st.sampled_from(ADDRESSES)),
    st.dictionaries(
        st.sampled_from("abc"),
        st.tuples(st.sampled_from(ADDRESSES), st.sampled_from(ADDRESSES)),
    ),
)
def test_plan_is_what_changes(
    refs: dict[str, bytes | None], wanted: dict[str, tuple[bytes | None, bytes | None]]
) -> None:
    """A plan holds the moves with two different sides, when all old sides stand."""
    moves = [RefMove(name, old, new) for name, (old, new) in wanted.items()]
    holds = all(refs.get(move.name) == move.old for move in moves)
    try:
        plan = plan_moves(moves, refs.get)
    except Stale as error:
        assert not holds
        assert refs.get(error.ref) == error.actual != error.expected
    else:
        assert holds
        assert plan == [move for move in moves if move.old != move.new]
