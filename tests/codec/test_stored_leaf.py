"""A record is found in a leaf's bytes where the decoded leaf has it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import Reference, encode_referring
from prolly.codec.node import Child, Leaf, decode_node, encode_inner, encode_leaf
from prolly.codec.reference import Referring
from prolly.codec.stored_leaf import StoredLeaf
from prolly.errors import Corrupt

REFERRING = encode_referring([Reference(bytes(range(32)), 3)])

keys = st.one_of(
    st.binary(min_size=1, max_size=3),
    st.binary(min_size=4, max_size=4),
    st.sampled_from([b"k" * size for size in (22, 23, 24, 25, 255, 256, 257, 900)]),
    st.text("ab", min_size=1, max_size=4).map(str.encode),
)
values = st.one_of(
    st.binary(max_size=4),
    st.sampled_from([bytes(size) for size in (0, 23, 24, 255, 256, 1000)]),
    st.just(REFERRING),
)
records = st.dictionaries(keys, values, max_size=40)


def stored(entries: dict[bytes, bytes]) -> StoredLeaf:
    """Return the leaf of the records."""
    order = sorted(entries)
    return StoredLeaf(encode_leaf(order, [entries[key] for key in order]))


@given(records, st.lists(keys, max_size=10))
def test_it_finds_what_the_decoded_leaf_holds(
    entries: dict[bytes, bytes], others: list[bytes]
) -> None:
    """Every key gives its value, of its kind, and every other key nothing."""
    leaf = stored(entries)
    for key in [*entries, *others, b""]:
        found = leaf.find(key)
        assert found == entries.get(key)
        assert type(found) is type(entries.get(key))
    assert leaf.decode().values == [entries[key] for key in sorted(entries)]


def test_bytes_of_a_key_across_two_entries_are_no_key() -> None:
    """What looks like an entry, but begins inside another one, is passed over."""
    entries = {b"xA\x42ab": b"1", b"xa\x42cd": b"2", b"xcd": b"3", b"xz\x41": b"4"}
    leaf = stored(entries)
    for key in [b"xab", b"x\x42cd", b"xcd", b"xA", *entries]:
        assert leaf.find(key) == entries.get(key)


def test_bytes_of_a_key_inside_the_last_entry_are_no_key() -> None:
    """What looks like an entry behind the start of the last one is passed over."""
    entries = {b"a": b"1", b"b" * 9: b"2", b"z\x42zz\x41a": b"3"}
    leaf = stored(entries)
    for key in [b"zz", b"", *entries]:
        assert leaf.find(key) == entries.get(key)


@pytest.mark.parametrize("count", [1, 23, 24, 255, 256, 1000])
def test_columns_of_every_length_are_measured(count: int) -> None:
    """Arrays with headers of one, two and three bytes, even and uneven."""
    for sizes in ((4,), (0, 1, 24, 300)):
        made = {b"%04d" % at: bytes(sizes[at % len(sizes)]) for at in range(count)}
        leaf = stored(made)
        assert all(leaf.find(key) == value for key, value in made.items())


def test_other_bytes_are_corrupt_or_searched_and_nothing_else() -> None:
    """Damage ends in Corrupt, or in an answer, never in another error."""
    source = random.Random(11)
    entries = {b"key:%03d" % at: bytes(at % 40) for at in range(60)}
    chunk = stored(entries).chunk
    for _ in range(2000):
        damaged = bytearray(chunk[: source.choice((len(chunk), source.randrange(99)))])
        for _ in range(source.randrange(1, 4)):
            if damaged:
                damaged[source.randrange(len(damaged))] = source.randrange(256)
        try:
            found = StoredLeaf(bytes(damaged)).find(b"key:%03d" % source.randrange(60))
        except Corrupt as error:
            assert error.code == "node-form"
        else:
            assert found is None or isinstance(found, bytes)


def test_an_inner_node_is_no_leaf() -> None:
    """The bytes of another kind of node are refused."""
    inner = encode_inner(1, [b"a"], [Child(bytes(32), 1, 10)])
    with pytest.raises(Corrupt):
        StoredLeaf(inner).find(b"a")


def test_a_reference_keeps_its_kind() -> None:
    """A value that refers is found as one that does."""
    leaf = stored({b"a": b"plain", b"b": REFERRING})
    assert type(leaf.find(b"b")) is Referring
    assert type(leaf.find(b"a")) is bytes
    assert isinstance(decode_node(leaf.chunk), Leaf)
