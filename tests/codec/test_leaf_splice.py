"""Splicing a leaf's bytes against encoding its records anew."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import Referring
from prolly.codec.leaf_splice import splice_leaf
from prolly.codec.node import encode_leaf
from prolly.codec.stored_leaf import StoredLeaf

numbers = st.integers(0, 40)
VALUES = (b"\x41a", b"\x41b")


def key_of(number: int) -> bytes:
    return b"key:%02d" % number


@given(
    there=st.sets(numbers, min_size=1),
    edits=st.dictionaries(numbers, st.sampled_from((None, *VALUES)), max_size=8),
)
def test_a_splice_is_the_encoding_of_the_edited_records(
    there: set[int], edits: dict[int, bytes | None]
) -> None:
    """Where a splice is given at all, it has the bytes, the count and the steps."""
    before = {key_of(one): VALUES[0] for one in sorted(there)}
    chunk = encode_leaf(list(before), list(before.values()))
    wanted = {key_of(one): edits[one] for one in sorted(edits)}
    spliced = splice_leaf(StoredLeaf(chunk), list(wanted), list(wanted.values()))
    merged = {**before, **wanted}
    after = {key: value for key in sorted(merged) if (value := merged[key]) is not None}
    if spliced is None:
        ends = (min(before), max(before))
        assert not after or (min(after), max(after)) != ends
        return
    assert spliced.chunk == encode_leaf(list(after), list(after.values()))
    assert spliced.records == len(after)
    assert spliced.old_keys.apart() == list(before)
    assert spliced.record_bytes == len(key_of(0)) + len(VALUES[0])
    told = [
        (sorted({*before, key}).index(key), by, key) for _, by, key in spliced.steps
    ]
    assert [(place, by, key) for place, by, key in spliced.steps] == told
    changed = set(before) ^ set(after)
    assert {key for _, _, key in spliced.steps} == changed


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"key:005", VALUES[0]),
        (b"key:05", VALUES[0] + b"longer"),
        (b"key:05", Referring(VALUES[0])),
        (b"another", VALUES[0]),
    ],
)
def test_what_has_other_lengths_or_refers_is_left_to_encoding(
    key: bytes, value: bytes
) -> None:
    """Another length of key or value, a reference, or another prefix gives ``None``."""
    keys = [key_of(number) for number in (1, 4, 9)]
    chunk = encode_leaf(keys, [VALUES[0]] * 3)
    assert splice_leaf(StoredLeaf(chunk), [key], [value]) is None


def test_a_leaf_that_refers_is_left_to_encoding() -> None:
    """A leaf with a reference bit is not spliced."""
    keys = [key_of(number) for number in (1, 4, 9)]
    chunk = encode_leaf(keys, [Referring(VALUES[0])] * 3)
    assert splice_leaf(StoredLeaf(chunk), [keys[1]], [None]) is None


def test_deleting_what_is_absent_changes_nothing() -> None:
    """A deletion without a record, of whatever length, gives the same bytes."""
    keys = [key_of(number) for number in (1, 4, 9)]
    chunk = encode_leaf(keys, [VALUES[0]] * 3)
    spliced = splice_leaf(StoredLeaf(chunk), [b"a", b"key:05", b"key:055"], [None] * 3)
    assert spliced is not None
    assert (spliced.chunk, spliced.steps) == (chunk, [])


def test_what_is_no_leaf_is_not_spliced() -> None:
    """Other bytes, an empty leaf and one of uneven lengths give ``None``."""
    uneven = encode_leaf([b"a", b"bb"], VALUES)
    for chunk in (b"", b"\x02\x86", encode_leaf([], []), uneven):
        assert splice_leaf(StoredLeaf(chunk), [b"k"], [b"v"]) is None
