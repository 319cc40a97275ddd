"""Nodes from outside: only their one form is followed."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import Reference, address_of, encode_referring
from prolly.codec.node import Child, Leaf, decode_node, encode_inner, encode_leaf
from prolly.codec.received_node import EMPTY_LEAF, decode_received_node
from prolly.errors import Corrupt

PLAIN = st.none() | st.integers() | st.binary(max_size=5) | st.text(max_size=3)
ANYTHING = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=4), max_leaves=9)


def test_what_a_node_refers_to_is_found() -> None:
    """Children of inner nodes, values that refer and numbers of records of leaves."""
    refers = encode_referring([Reference(bytes(32), 3)])
    leaf = encode_leaf([b"a", b"b"], [b"1", refers])
    node = decode_received_node(leaf)
    assert (node.level, node.records, node.referring) == (0, 2, [bytes(refers)])
    children = [Child(address_of(bytes([one])), 2, 9) for one in range(3)]
    inner = decode_received_node(encode_inner(2, [b"a", b"b", b"c"], children))
    assert (inner.level, inner.children) == (2, [one.address for one in children])
    assert decode_received_node(EMPTY_LEAF).records == 0


@given(st.sampled_from([1, 2, 3]), ANYTHING)
def test_any_value_is_a_node_or_corrupt(mark: int, value: object) -> None:
    """Fields of another type, number or nesting are refused, and nothing is raised
    but Corrupt."""
    chunk = bytes([mark]) + cbor2.dumps(value)
    with pytest.raises(Corrupt):
        decode_received_node(chunk)


@given(st.binary(min_size=1, max_size=60))
def test_any_bytes_are_a_node_or_corrupt(data: bytes) -> None:
    """Bytes that spell nothing are refused too."""
    for mark in (b"\x01", b"\x02"):
        try:
            decode_received_node(mark + data)
        except Corrupt:
            continue


@pytest.mark.parametrize(
    "chunk",
    [
        b"\x01" + cbor2.dumps([b"", [b"a"], [b"1"], b"\x02"]),
        b"\x01" + cbor2.dumps([b"", [b"a"], [b"1"], b"\x00"]),
        b"\x01" + cbor2.dumps([b"", [b"a"], [], b""]),
        b"\x01" + cbor2.dumps([b"", ["a"], [b"1"], b""]),
        b"\x02" + cbor2.dumps([0, b"", [b"a"], bytes(32), bytes(8), bytes(4)]),
        b"\x02" + cbor2.dumps([65, b"", [b"a"], bytes(32), bytes(8), bytes(4)]),
        b"\x02" + cbor2.dumps([1, b"", [], b"", b"", b""]),
        b"\x02" + cbor2.dumps([1, b"", [b"a"], bytes(31), bytes(8), bytes(4)]),
        b"\x02" + cbor2.dumps([1, b"", [b"a", b"b"], bytes(64), bytes(16), bytes(8)]),
        b"\x01\x98\x04\x40\x80\x80\x40",
    ],
    ids=range(10),
)
def test_other_forms_are_refused(chunk: bytes) -> None:
    """Bits that do not fit, columns of other lengths, a child twice, long headers."""
    with pytest.raises(Corrupt) as caught:
        decode_received_node(chunk)
    assert caught.value.code == "node-form"


@given(
    st.integers(1, 60),
    st.sampled_from([0, 1, 23, 24, 255, 256, 999]),
    st.sampled_from([b"", b"a", b"p" * 30]),
    st.data(),
)
def test_even_leaves_are_taken_in_one_spelling(
    count: int, size: int, prefix: bytes, data: st.DataObject
) -> None:
    """As encoded they pass; with any one byte changed they are as any leaf."""
    keys = [prefix + b"%02d" % number for number in range(count)]
    chunk = encode_leaf(keys, [bytes(size)] * count)
    assert decode_received_node(chunk) == (0, [], count, [], 0)
    at = data.draw(st.integers(0, min(len(chunk) - 1, 80)))
    changed = bytearray(chunk)
    changed[at] ^= data.draw(st.integers(1, 255))
    try:
        node = decode_received_node(bytes(changed))
    except Corrupt:
        return
    if not node.level:
        leaf = decode_node(bytes(changed))
        assert isinstance(leaf, Leaf)
        assert encode_leaf(leaf.keys(), leaf.values) == bytes(changed)


@pytest.mark.parametrize(
    ("keys", "prefix"), [([b"ab", b"ac"], b""), ([b"a"], b""), ([], b"a")]
)
def test_a_prefix_is_all_that_keys_share(keys: list[bytes], prefix: bytes) -> None:
    """A shorter one, and one of no keys, is another spelling of the same."""
    for values in ([b"1"] * len(keys), [b"%d" % 9**one for one in range(len(keys))]):
        fields = [prefix, keys, values, b""]
        with pytest.raises(Corrupt) as caught:
            decode_received_node(b"\x01" + cbor2.dumps(fields))
        assert caught.value.code == "node-form"


def test_records_below_an_inner_node_are_told() -> None:
    """As many as it says."""
    children = [Child(address_of(bytes([one])), one + 1, 9) for one in range(3)]
    assert (
        decode_received_node(encode_inner(1, [b"a", b"b", b"c"], children)).below == 6
    )
