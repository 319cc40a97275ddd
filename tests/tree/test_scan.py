"""Reads of one record, by number, and in order, against a sorted list."""

from __future__ import annotations

import random
from bisect import bisect_left

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.codec.node import Child, Inner, encode_inner
from prolly.errors import Corrupt
from prolly.testing.tree_model import KEY_SHAPES, TreeModel, make_records
from prolly.tree import count, get, iter_batches, nth, rank

bounds = (
    st.none() | st.binary(max_size=3) | st.integers(0, 3999).map(b"key:%08d".__mod__)
)


@pytest.mark.parametrize("keys", KEY_SHAPES)
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), bounds, bounds, st.booleans())
def test_ranges_equal_those_of_a_sorted_list(
    keys: str, seed: int, start: bytes | None, stop: bytes | None, reverse: bool
) -> None:
    """A scan gives the records in [start, stop), forwards or backwards."""
    source = random.Random(seed)
    model = TreeModel()
    records = make_records(source, keys, "small", source.choice((0, 1, 40, 2000)))
    root = model.rebuild(records)
    found = [
        pair
        for batch in iter_batches(
            model.reader, root, start=start, stop=stop, reverse=reverse
        )
        for pair in zip(*batch, strict=True)
    ]
    low, high = start or b"", stop if stop is not None else b"\xff" * 2000
    wanted = [(key, records[key]) for key in sorted(records) if low <= key < high]
    assert found == (wanted[::-1] if reverse else wanted)


@pytest.mark.parametrize("keys", KEY_SHAPES)
def test_single_reads_equal_those_of_a_dictionary(keys: str) -> None:
    """get, nth, rank and count agree with a sorted list, present or absent."""
    source = random.Random(9)
    model = TreeModel()
    records = make_records(source, keys, "small", 2000)
    root = model.rebuild(records)
    ordered = sorted(records)
    assert count(model.reader, root) == len(ordered)
    for key in [*source.sample(ordered, min(200, len(ordered))), b"", b"\xff" * 9]:
        for probe in (key, key + b"\0", key[:-1]):
            place = bisect_left(ordered, probe)
            assert get(model.reader, root, probe) == records.get(probe)
            assert rank(model.reader, root, probe) == place
            if place < len(ordered):
                wanted = ordered[place], records[ordered[place]]
                assert nth(model.reader, root, place) == wanted
    assert nth(model.reader, root, len(ordered)) is None
    assert nth(model.reader, root, -1) is None


def test_a_child_of_the_wrong_level_is_refused() -> None:
    """A hostile tree whose levels do not fall by one is Corrupt, not a long walk."""
    model = TreeModel()
    leaf = model.rebuild({b"a": b"1"})
    chunk = encode_inner(3, [b"a"], [Child(leaf, 1, 10)])
    root = model.writer.put(chunk)
    assert isinstance(model.reader.read(root), Inner)
    with pytest.raises(Corrupt) as caught:
        get(model.reader, root, b"a")
    assert caught.value.code == "node-level"


def test_a_count_that_lies_is_refused() -> None:
    """A parent that counts more records than there are makes nth raise Corrupt."""
    model = TreeModel()
    leaf = model.rebuild({b"a": b"1"})
    root = model.writer.put(encode_inner(1, [b"a"], [Child(leaf, 5, 10)]))
    with pytest.raises(Corrupt) as caught:
        nth(model.reader, root, 3)
    assert caught.value.code == "node-count"


def test_a_missing_chunk_is_named() -> None:
    """Reading a tree whose node is gone raises Corrupt with the address."""
    model = TreeModel()
    root = bytes(32)
    with pytest.raises(Corrupt) as caught:
        get(model.reader, root, b"a")
    assert caught.value.code == "chunk-missing"
    assert caught.value.address == root
