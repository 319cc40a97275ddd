"""Values as a leaf stores them: the inverse law, and where inline ends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import (
    INLINE_BYTES_MAX,
    ChunkType,
    Reference,
    Referring,
    cbor,
    decode_referring,
    encode_referring,
)
from prolly.errors import Corrupt, Invalid, LimitExceeded
from prolly.maps import (
    decode_value,
    decode_values,
    encode_value,
    encode_values,
    write_blob,
)
from prolly.testing import strategies

LONG = st.one_of(
    st.integers(980, 1020).map(lambda size: b"x" * size),
    st.integers(900, 1100).map(lambda size: ["é" * size]),
)


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are the same value of the format."""
    return cbor.encode(left) == cbor.encode(right)


@given(st.lists(st.one_of(strategies.values(), LONG), max_size=20))
def test_decoding_undoes_encoding(values: list[Any]) -> None:
    """One by one and in bulk, values come back, and both ways store the same."""
    writer = MemoryStore().writer()
    stored = encode_values(values, writer)
    assert stored == [encode_value(value, writer) for value in values]
    back = decode_values(stored, writer.get)
    assert same(back, values)
    for one, value in zip(stored, values, strict=True):
        assert same(decode_value(one, writer.get), value)


def test_inline_ends_at_its_limit() -> None:
    """1,000 encoded bytes stay inline; one more, and the value is a reference."""
    writer = MemoryStore().writer()
    inline = encode_value(b"x" * (INLINE_BYTES_MAX - 3), writer)
    assert len(inline) == INLINE_BYTES_MAX and type(inline) is bytes
    [outside] = encode_values([b"x" * (INLINE_BYTES_MAX - 2)], writer)
    assert type(outside) is Referring
    references, payload = decode_referring(outside)
    assert len(references) == 1 and payload == b""


@pytest.mark.parametrize("bad", ["\ud800", [object()], {1: 2}])
def test_bulk_refuses_what_single_refuses(bad: Any) -> None:
    """A value that is none raises Invalid ``value-type`` both ways."""
    writer = MemoryStore().writer()
    for encode in (
        lambda: encode_value(bad, writer),
        lambda: encode_values([bad], writer),
    ):
        with pytest.raises(Invalid) as caught:
            encode()
        assert caught.value.code == "value-type"


def test_bulk_refuses_an_integer_past_the_limit() -> None:
    """The fast path for plain types does not let a huge integer through."""
    writer = MemoryStore().writer()
    with pytest.raises(LimitExceeded) as caught:
        encode_values([1, 1 << 9000], writer)
    assert caught.value.code == "integer-too-long"


def test_a_missing_blob_is_corrupt() -> None:
    """A value whose blob is gone raises Corrupt."""
    writer = MemoryStore().writer()
    stored = encode_value(b"x" * 5000, writer)
    with pytest.raises(Corrupt):
        decode_value(stored, MemoryStore().get)


def test_a_short_value_out_of_line_is_corrupt() -> None:
    """What fits inline has one spelling, inline."""
    writer = MemoryStore().writer()
    stored = encode_referring([write_blob(writer, cbor.encode(b"short"))])
    with pytest.raises(Corrupt) as caught:
        decode_value(stored, writer.get)
    assert caught.value.code == "map-value"


def test_a_reference_with_a_payload_is_corrupt() -> None:
    """A map's reference stands alone."""
    writer = MemoryStore().writer()
    stored = encode_referring([Reference(b"a" * 32, ChunkType.BLOB_PIECE)], b"more")
    with pytest.raises(Corrupt):
        decode_value(stored, writer.get)


@pytest.mark.parametrize("bad", [b"", b"\xff", b"\x82\x01", b"\x62\xff\xff"])
def test_bytes_that_are_no_value_are_corrupt(bad: bytes) -> None:
    """Bytes that do not decode raise Corrupt, alone and in a batch."""
    for decode in (
        lambda: decode_value(bad, MemoryStore().get),
        lambda: decode_values([bad], MemoryStore().get),
    ):
        with pytest.raises(Corrupt):
            decode()
