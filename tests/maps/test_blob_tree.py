"""The units of a stored blob: found by offset on each level, and checked."""

from __future__ import annotations

import random

import pytest

from prolly.chunks import CountingStore, MemoryStore
from prolly.codec import Reference, encode_blob_node
from prolly.errors import Corrupt
from prolly.maps import write_blob
from prolly.maps.blob_tree import BlobTree

VALUE = random.Random(7).randbytes(40_000_000)


@pytest.fixture(scope="module")
def tree() -> BlobTree:
    """A blob of two levels of nodes."""
    writer = MemoryStore().writer()
    return BlobTree(writer.get, write_blob(writer, VALUE))


def test_units_tile_every_level(tree: BlobTree) -> None:
    """On each level units follow each other and cover the value."""
    assert (tree.height, tree.length) == (2, len(VALUE))
    for level in range(tree.height + 1):
        at = 0
        while at < tree.length:
            unit = tree.unit(level, at)
            assert unit == tree.unit(level, unit.end - 1)
            assert unit.start == at < unit.end
            at = unit.end
        assert at == tree.length


def test_children_of_a_node_are_the_units_below(tree: BlobTree) -> None:
    """The children within a stretch are counted and listed as the level below has."""
    unit = tree.unit(1, tree.length // 2)
    children = tree.children(1, unit.start, unit.end)
    assert tree.count_children(1, unit.start, unit.end) == len(children)
    first = tree.unit(0, unit.start)
    assert children[0] == (first.address, first.end - first.start)
    rest = tree.children(1, first.end, unit.end)
    assert rest == children[1:]
    assert tree.count_children(1, unit.start, first.end) == 1
    assert tree.count_children(1, unit.start, unit.start) == 0


def test_ranges_equal_slices(tree: BlobTree) -> None:
    """Any range, also an empty one, is the slice of the value."""
    generator = random.Random(1)
    for _ in range(50):
        start, stop = sorted(generator.randrange(len(VALUE) + 1) for _ in range(2))
        assert b"".join(tree.iter_range(start, stop)) == VALUE[start:stop]


def test_reading_in_order_reads_each_chunk_once() -> None:
    """Small reads in a row touch each piece and node once."""
    store = CountingStore(MemoryStore())
    with store.writer() as writer:
        reference = write_blob(writer, VALUE[:3_000_000])
        writer.commit()
    tree = BlobTree(store.get, reference)
    for at in range(0, tree.length, 1000):
        assert b"".join(tree.iter_range(at, at + 1000)) == VALUE[at : at + 1000]
    pieces = tree.count_children(1, 0, tree.length)
    assert store.costs.gets == pieces + 1


def test_nothing_and_a_single_piece_have_no_height() -> None:
    """A blob that was never written, and one of a single piece."""
    writer = MemoryStore().writer()
    assert (
        BlobTree(writer.get, None).length,
        list(BlobTree(writer.get, None).iter_range(0, 0)),
    ) == (0, [])
    small = BlobTree(writer.get, write_blob(writer, b"abc"))
    assert (small.height, small.length, small.unit(0, 2).end) == (0, 3, 3)
    assert list(small.iter_range(1, 3)) == [b"bc"]


def test_a_child_that_is_not_as_told_is_corrupt() -> None:
    """A node below of another level or length, found when it is needed."""
    writer = MemoryStore().writer()
    piece = writer.put(b"\x03" + bytes(70_000))
    node = writer.put(encode_blob_node(1, [piece], [70_000]))
    for level, length in ((2, 70_001), (3, 70_000)):
        root = writer.put(encode_blob_node(level, [node], [length]))
        with pytest.raises(Corrupt) as caught:
            BlobTree(writer.get, Reference(root, 4)).unit(0, 5)
        assert caught.value.code == "blob-form"
