"""The end of a bundle: what it says of itself, in one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec.bundle import (
    BUNDLE_FOOTER_BYTES,
    BUNDLE_HEAD_BYTES_MAX,
    BundleHead,
    decode_bundle_footer,
    decode_bundle_head,
    encode_bundle_end,
)
from prolly.errors import Corrupt

addresses = st.binary(min_size=32, max_size=32)
heads = st.builds(
    BundleHead,
    packs=st.lists(st.integers(1, 2**40), max_size=3).map(tuple),
    prerequisites=st.sets(addresses, max_size=3).map(lambda one: tuple(sorted(one))),
    refs=st.dictionaries(st.text(max_size=10), addresses, max_size=3),
)


def decode(end: bytes) -> BundleHead:
    """Decode head and footer as a reader does."""
    length, digest = decode_bundle_footer(end[-BUNDLE_FOOTER_BYTES:])
    assert length == len(end) - BUNDLE_FOOTER_BYTES
    return decode_bundle_head(end[:-BUNDLE_FOOTER_BYTES], digest)


@given(heads)
def test_decoding_undoes_encoding(head: BundleHead) -> None:
    """What was said is read."""
    assert decode(encode_bundle_end(head)) == head


@given(heads, st.data())
def test_a_changed_byte_is_refused(head: BundleHead, data: st.DataObject) -> None:
    """Whatever byte of the end is changed, it is Corrupt or tells another length."""
    end = bytearray(encode_bundle_end(head))
    place = data.draw(st.integers(0, len(end) - 1))
    end[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises((Corrupt, AssertionError)):
        decode(bytes(end))


@given(st.binary(max_size=100))
def test_other_bytes_are_corrupt(data: bytes) -> None:
    """Bytes that are no end of a bundle raise Corrupt, and nothing else."""
    with pytest.raises(Corrupt):
        decode_bundle_footer(data[-BUNDLE_FOOTER_BYTES:])


def test_heads_of_another_form_are_refused() -> None:
    """Fields of another type, out of order or unknown are Corrupt."""
    from blake3 import blake3

    from prolly.codec import cbor

    one, other = bytes(32), bytes([1]) * 32
    right = {"packs": [1], "prerequisites": [one, other], "refs": {"tags/x": one}}
    wrong = [
        [],
        {**right, "more": 1},
        {**right, "packs": [0]},
        {**right, "packs": [True]},
        {**right, "packs": 1},
        {**right, "prerequisites": [other, one]},
        {**right, "prerequisites": [one, one]},
        {**right, "prerequisites": [b"short"]},
        {**right, "refs": {"x": "y"}},
        {**right, "refs": []},
    ]
    assert decode_bundle_head(cbor.encode(right), blake3(cbor.encode(right)).digest())
    for told in wrong:
        encoded = cbor.encode(told)
        with pytest.raises(Corrupt) as raised:
            decode_bundle_head(encoded, blake3(encoded).digest())
        assert raised.value.code == "bundle-form"


def test_a_head_of_the_largest_length_is_read() -> None:
    """The limit holds at the limit, and one past it is refused before it is read."""
    head = encode_bundle_end(BundleHead((), (), {}))
    footer = bytearray(head[-BUNDLE_FOOTER_BYTES:])
    footer[:4] = BUNDLE_HEAD_BYTES_MAX.to_bytes(4, "little")
    assert decode_bundle_footer(bytes(footer))[0] == BUNDLE_HEAD_BYTES_MAX
    footer[:4] = (BUNDLE_HEAD_BYTES_MAX + 1).to_bytes(4, "little")
    with pytest.raises(Corrupt):
        decode_bundle_footer(bytes(footer))
