"""Edits as columns: they come back, and nothing but sorted edits is taken."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import DEFAULT_PARAMETERS, Reference, cbor, encode_referring
from prolly.codec.wire import FrameDecoder
from prolly.codec.wire_edits import (
    WIRE_EDITS_MAX,
    TreeEdits,
    decode_edits,
    decode_tree_edits,
    encode_edits,
    encode_tree_edits,
)
from prolly.errors import Corrupt

VALUES = st.one_of(
    st.none(),
    st.binary(max_size=60),
    st.just(encode_referring([Reference(bytes(32), 3)], b"x")),
)
EDITS = st.dictionaries(
    st.binary(min_size=1, max_size=30), VALUES, min_size=1, max_size=20
)


def payload(frame: bytes) -> bytes:
    """Return the payload of one frame."""
    (found,) = FrameDecoder().feed(frame)
    return found.payload


@given(EDITS)
def test_edits_come_back(edits: dict[bytes, bytes | None]) -> None:
    """Keys, values, deletions and references are as they were."""
    keys = sorted(edits)
    values = [edits[key] for key in keys]
    found = decode_edits(payload(encode_edits(keys, values)))
    assert found == (keys, values)
    assert list(map(type, found[1])) == list(map(type, values))


@given(EDITS, st.integers(0, 5), st.binary(max_size=9))
def test_other_columns_are_refused(
    edits: dict[bytes, bytes | None], place: int, column: bytes
) -> None:
    """Whatever a column is replaced by, it decodes to sorted edits or is Corrupt."""
    keys = sorted(edits)
    columns = cbor2.loads(payload(encode_edits(keys, [edits[key] for key in keys])))
    columns[place] = column
    try:
        found, values = decode_edits(cbor2.dumps(columns))
    except Corrupt:
        return
    assert found == sorted(set(found)) and len(found) == len(values)


def test_too_many_are_refused() -> None:
    """A frame has as many edits as the limit says, and none more."""
    keys = [number.to_bytes(4, "big") for number in range(WIRE_EDITS_MAX + 1)]
    assert len(decode_edits(payload(encode_edits(keys[1:], [b""] * WIRE_EDITS_MAX)))[0])
    sizes = (0).to_bytes(2, "little")
    count = WIRE_EDITS_MAX + 1
    columns = [b"", b"\x04\x00" * count, b"".join(keys), sizes * count, b"", b""]
    with pytest.raises(Corrupt):
        decode_edits(cbor2.dumps(columns))


def test_the_head_comes_back() -> None:
    """And another form of it is refused."""
    tree = TreeEdits(bytes(32), b"x" * 32, DEFAULT_PARAMETERS)
    assert decode_tree_edits(payload(encode_tree_edits(tree))) == tree
    right = {"base": bytes(32), "target": bytes(32), "parameters": [4080, 12240, 0]}
    for name, value in [
        ("base", b"x"),
        ("target", 1),
        ("parameters", [1, 2, 3]),
        ("x", 1),
    ]:
        with pytest.raises(Corrupt):
            decode_tree_edits(cbor.encode({**right, name: value}))
