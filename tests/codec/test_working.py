"""Working states."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import (
    COMMIT_PARENTS_MAX,
    WorkingState,
    cbor,
    decode_working,
    encode_working,
)
from prolly.errors import Corrupt
from prolly.testing.strategies import addresses

BASE, MANIFEST, OTHER = (bytes([n]) * 32 for n in (1, 2, 3))


@given(
    st.lists(addresses(), min_size=1, max_size=4, unique=True),
    addresses(),
    st.one_of(st.none(), addresses()),
)
def test_decode_undoes_encode(
    commits: list[bytes], manifest: bytes, conflicts: bytes | None
) -> None:
    """Every state comes back."""
    state = WorkingState(commits[0], manifest, tuple(commits[1:]), conflicts)
    assert decode_working(encode_working(state)) == state


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        [BASE, MANIFEST, []],
        [BASE, MANIFEST, None, None],
        [BASE, None, [], None],
        [BASE[:-1], MANIFEST, [], None],
        [BASE, MANIFEST, [BASE], None],
        [BASE, MANIFEST, [OTHER, OTHER], None],
        [BASE, MANIFEST, [5], None],
        [BASE, MANIFEST, [], b""],
        [BASE, MANIFEST, [], "x" * 32],
        [BASE, MANIFEST, [n.to_bytes(32, "big") for n in range(64)], None],
    ],
)
def test_a_state_of_another_shape_is_corrupt(value: Any) -> None:
    """Shape, addresses, repeated and too many parents are checked when read."""
    with pytest.raises(Corrupt):
        decode_working(b"\x06" + cbor.encode(value))


def test_a_merge_has_as_many_parents_as_a_commit() -> None:
    """With the base, 64 in all."""
    parents = tuple(n.to_bytes(32, "big") for n in range(COMMIT_PARENTS_MAX - 1))
    state = WorkingState(BASE, MANIFEST, parents)
    assert decode_working(encode_working(state)) == state


def test_a_chunk_of_another_kind_is_no_state() -> None:
    """The type byte is checked first."""
    with pytest.raises(Corrupt) as caught:
        decode_working(b"\x05" + cbor.encode([BASE, MANIFEST, [], None]))
    assert caught.value.code == "chunk-type"
