"""Working states."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import (
    COMMIT_MESSAGE_BYTES_MAX,
    COMMIT_METADATA_BYTES_MAX,
    COMMIT_PARENTS_MAX,
    WorkingState,
    cbor,
    decode_working,
    encode_working,
)
from prolly.errors import Corrupt, LimitExceeded
from prolly.testing.strategies import addresses

BASE, MANIFEST, OTHER = (bytes([n]) * 32 for n in (1, 2, 3))


@given(
    st.lists(addresses(), min_size=1, max_size=4, unique=True),
    addresses(),
    st.one_of(st.none(), addresses()),
    st.text(max_size=20),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)
def test_decode_undoes_encode(
    commits: list[bytes],
    manifest: bytes,
    conflicts: bytes | None,
    message: str,
    metadata: dict[str, int],
) -> None:
    """Every state comes back."""
    parents = tuple(commits[1:])
    told = (message, metadata) if parents else ("", {})
    state = WorkingState(commits[0], manifest, parents, conflicts, *told)
    assert decode_working(encode_working(state)) == state


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        [BASE, MANIFEST, [], None, ""],
        [BASE, MANIFEST, None, None, "", {}],
        [BASE, None, [], None, "", {}],
        [BASE[:-1], MANIFEST, [], None, "", {}],
        [BASE, MANIFEST, [BASE], None, "", {}],
        [BASE, MANIFEST, [OTHER, OTHER], None, "", {}],
        [BASE, MANIFEST, [5], None, "", {}],
        [BASE, MANIFEST, [], b"", "", {}],
        [BASE, MANIFEST, [], "x" * 32, "", {}],
        [BASE, MANIFEST, [n.to_bytes(32, "big") for n in range(64)], None, "", {}],
        [BASE, MANIFEST, [OTHER], None, b"text", {}],
        [BASE, MANIFEST, [OTHER], None, "x" * (COMMIT_MESSAGE_BYTES_MAX + 1), {}],
        [BASE, MANIFEST, [], None, "no merge", {}],
        [BASE, MANIFEST, [], None, "", {"no": "merge"}],
        [BASE, MANIFEST, [OTHER], None, "", []],
        [BASE, MANIFEST, [OTHER], None, "", None],
        [BASE, MANIFEST, [OTHER], None, "", {"x": "y" * COMMIT_METADATA_BYTES_MAX}],
    ],
)
def test_a_state_of_another_shape_is_corrupt(value: Any) -> None:
    """Shape, addresses, repeated and too many parents, sizes are checked when read."""
    with pytest.raises(Corrupt):
        decode_working(b"\x06" + cbor.encode(value))


def test_a_merge_has_as_many_parents_as_a_commit() -> None:
    """With the base, 64 in all."""
    parents = tuple(n.to_bytes(32, "big") for n in range(COMMIT_PARENTS_MAX - 1))
    text = "x" * COMMIT_MESSAGE_BYTES_MAX
    state = WorkingState(BASE, MANIFEST, parents, message=text)
    assert decode_working(encode_working(state)) == state


def test_a_message_is_as_long_as_one_of_a_commit() -> None:
    """One byte more is refused when it is written."""
    text = "x" * (COMMIT_MESSAGE_BYTES_MAX + 1)
    with pytest.raises(LimitExceeded) as caught:
        encode_working(WorkingState(BASE, MANIFEST, (OTHER,), message=text))
    assert caught.value.code == "commit-too-long"


def test_metadata_is_as_long_as_that_of_a_commit() -> None:
    """At the limit it is written; one byte more is refused."""
    around = len(cbor.encode({"x": "y" * COMMIT_METADATA_BYTES_MAX}))
    size = COMMIT_METADATA_BYTES_MAX - (around - COMMIT_METADATA_BYTES_MAX) + 2
    assert len(cbor.encode({"x": "y" * size})) == COMMIT_METADATA_BYTES_MAX
    state = WorkingState(BASE, MANIFEST, (OTHER,), metadata={"x": "y" * size})
    assert decode_working(encode_working(state)) == state
    longer = WorkingState(BASE, MANIFEST, (OTHER,), metadata={"x": "y" * (size + 1)})
    with pytest.raises(LimitExceeded) as caught:
        encode_working(longer)
    assert caught.value.code == "commit-too-long"


def test_a_chunk_of_another_kind_is_no_state() -> None:
    """The type byte is checked first."""
    with pytest.raises(Corrupt) as caught:
        decode_working(b"\x05" + cbor.encode([BASE, MANIFEST, [], None, "", {}]))
    assert caught.value.code == "chunk-type"
