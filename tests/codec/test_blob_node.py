"""Blob nodes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import ChunkType, cbor
from prolly.codec.blob_node import BLOB_LEVEL_MAX, decode_blob_node, encode_blob_node
from prolly.errors import Corrupt
from prolly.testing.strategies import addresses


@given(
    st.integers(1, BLOB_LEVEL_MAX),
    st.lists(st.tuples(addresses(), st.integers(1, 2**64 - 1)), min_size=1, max_size=5),
)
def test_decode_undoes_encode(level: int, children: list[tuple[bytes, int]]) -> None:
    """Level, addresses and lengths come back."""
    some, lengths = [list(column) for column in zip(*children, strict=True)]
    node = decode_blob_node(encode_blob_node(level, some, lengths))
    assert [*node] == [level, some, lengths]
    kind = ChunkType.BLOB_PIECE if level == 1 else ChunkType.BLOB_NODE
    assert node.child_type is kind


ONE, LENGTH = bytes(32), b"\x01" + bytes(7)


@pytest.mark.parametrize(
    "value",
    [
        [0, ONE, LENGTH],
        [BLOB_LEVEL_MAX + 1, ONE, LENGTH],
        [True, ONE, LENGTH],
        [1, b"", b""],
        [1, ONE[1:], LENGTH],
        [1, ONE, LENGTH * 2],
        [1, ONE, LENGTH[1:]],
        [1, ONE, bytes(8)],
        [1, ONE],
        [1, ONE, None],
        {},
    ],
)
def test_a_node_of_another_shape_is_corrupt(value: Any) -> None:
    """Levels, columns and empty children are checked when read."""
    assert decode_blob_node(b"\x04" + cbor.encode([1, ONE, LENGTH])).lengths == [1]
    with pytest.raises(Corrupt):
        decode_blob_node(b"\x04" + cbor.encode(value))
