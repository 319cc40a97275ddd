"""Node layout: one spelling for one set of entries, and every other one refused."""

from __future__ import annotations

import json
from pathlib import Path

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.codec import Referring
from prolly.codec.node import (
    Child,
    Inner,
    Leaf,
    check_node,
    decode_node,
    encode_inner,
    encode_leaf,
)
from prolly.errors import Corrupt

VECTORS = Path(__file__).parents[1] / "vectors" / "node.json"

keys = st.lists(
    st.binary(min_size=1, max_size=6) | st.binary(max_size=4).map(b"prefix/".__add__),
    unique=True,
    max_size=30,
).map(sorted)
values = st.binary(max_size=40) | st.binary(max_size=40).map(Referring)
children = st.builds(
    Child,
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
)


@given(keys, st.data())
def test_leaves_round_trip(some: list[bytes], data: st.DataObject) -> None:
    """Decoding gives the entries back, which values refer included."""
    stored = data.draw(st.lists(values, min_size=len(some), max_size=len(some)))
    chunk = encode_leaf(some, stored)
    for node in (decode_node(chunk), check_node(chunk)):
        assert isinstance(node, Leaf)
        assert (node.keys(), node.values) == (some, stored)
        assert list(map(type, node.values)) == list(map(type, stored))


@given(keys.filter(bool), st.integers(1, 64), st.data())
def test_inner_nodes_round_trip(
    some: list[bytes], level: int, data: st.DataObject
) -> None:
    """Decoding gives level, keys and children back."""
    below = data.draw(st.lists(children, min_size=len(some), max_size=len(some)))
    chunk = encode_inner(level, some, below)
    for node in (decode_node(chunk), check_node(chunk)):
        assert isinstance(node, Inner)
        assert (node.level, node.keys(), node.children()) == (level, some, below)
        assert node.count() == sum(child.records for child in below)


@given(keys, st.binary(max_size=12))
def test_search_equals_that_of_a_list(some: list[bytes], probe: bytes) -> None:
    """position and find agree with the full keys, whatever prefix they share."""
    node = decode_node(encode_leaf(some, [b""] * len(some)))
    for key in (probe, *some):
        assert node.position(key) == sum(other < key for other in some)
        assert node.find(key) == (some.index(key) if key in some else -1)


@settings(max_examples=300)
@given(keys.filter(bool), st.data())
def test_changed_bytes_are_refused_or_canonical(
    some: list[bytes], data: st.DataObject
) -> None:
    """A chunk with a byte changed is Corrupt, or is the one spelling of its entries."""
    chunk = bytearray(encode_leaf(some, [b"value"] * len(some)))
    place = data.draw(st.integers(0, len(chunk) - 1))
    chunk[place] = data.draw(st.integers(0, 255))
    try:
        node = check_node(bytes(chunk))
    except Corrupt:
        return
    if isinstance(node, Leaf):
        assert encode_leaf(node.keys(), node.values) == chunk


@given(st.binary(max_size=60))
def test_any_bytes_are_a_node_or_corrupt(noise: bytes) -> None:
    """Noise behind either type byte raises Corrupt and nothing else."""
    for mark in (b"", b"\x01", b"\x02"):
        try:
            check_node(mark + noise)
        except Corrupt as error:
            assert error.code in ("node-form", "chunk-type")


BAD_FIELDS = {
    "keys not ascending": [b"", [b"b", b"a"], [b"", b""], b""],
    "a key twice": [b"", [b"a", b"a"], [b"", b""], b""],
    "prefix not stripped": [b"", [b"aa", b"ab"], [b"", b""], b""],
    "prefix too long": [b"abc", [b""], [b"", b""], b""],
    "empty key": [b"", [b""], [b""], b""],
    "key over the limit": [b"k" * 1025, [b""], [b""], b""],
    "value over the limit": [b"k", [b""], [b"v" * 1001], b""],
    "needless reference bits": [b"k", [b""], [b"v"], b"\x00"],
    "reference bits unpadded": [b"k", [b""], [b"v"], b"\x03"],
    "text for bytes": ["k", [""], [b"v"], b""],
    "a field too many": [b"k", [b""], [b"v"], b"", 0],
    "no list": [b"k", 7, [b"v"], b""],
    "deep nesting": [b"k", [[[[[[[b""]]]]]]], [b"v"], b""],
}


@pytest.mark.parametrize("fault", BAD_FIELDS)
def test_misformed_leaves_are_refused(fault: str) -> None:
    """Each way to spell a leaf wrongly raises Corrupt."""
    with pytest.raises(Corrupt):
        check_node(b"\x01" + cbor2.dumps(BAD_FIELDS[fault]))


@pytest.mark.parametrize("level", [0, 65, -1, True])
def test_levels_out_of_range_are_refused(level: int) -> None:
    """An inner node has a level from 1 to 64."""
    chunk = encode_inner(1, [b"k"], [Child(bytes(32), 1, 1)])
    fields = cbor2.loads(chunk[1:])
    with pytest.raises(Corrupt):
        check_node(b"\x02" + cbor2.dumps([level, *fields[1:]]))


def test_hostile_nesting_and_lengths_are_refused() -> None:
    """A million open arrays, or a length of 2**62, raise Corrupt at once."""
    for body in (
        b"\x81" * 1_000_000,
        b"\x84\x5b\x40" + bytes(7),
        b"\x9b\x40" + bytes(7),
    ):
        with pytest.raises(Corrupt):
            decode_node(b"\x01" + body)


@pytest.mark.parametrize(
    "vector", json.loads(VECTORS.read_text())["valid"], ids=lambda v: v["name"]
)
def test_vectors_hold(vector: dict[str, object]) -> None:
    """The frozen vectors encode and decode as they always did."""
    chunk = bytes.fromhex(str(vector["chunk"]))
    names = [bytes.fromhex(key) for key in vector["keys"]]
    if vector["level"] == 0:
        refers = vector["refers"]
        stored = [
            Referring(bytes.fromhex(value)) if mark else bytes.fromhex(value)
            for value, mark in zip(vector["values"], refers, strict=True)
        ]
        assert encode_leaf(names, stored) == chunk
    else:
        below = [
            Child(bytes.fromhex(address), count, weight)
            for address, count, weight in vector["children"]
        ]
        assert encode_inner(vector["level"], names, below) == chunk
    assert check_node(chunk).keys() == names


@pytest.mark.parametrize(
    "vector", json.loads(VECTORS.read_text())["invalid"], ids=lambda v: v["name"]
)
def test_invalid_vectors_are_refused(vector: dict[str, str]) -> None:
    """The frozen invalid vectors raise Corrupt."""
    with pytest.raises(Corrupt):
        check_node(bytes.fromhex(vector["chunk"]))
