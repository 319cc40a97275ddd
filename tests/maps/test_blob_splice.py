"""Edits of blobs: the tree of the whole new value, and little touched for it."""

from __future__ import annotations

import random
from itertools import accumulate

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from prolly.chunks import ChunkWriter, CountingStore, MemoryStore, RefMove, RefNote
from prolly.codec import Reference
from prolly.maps import read_blob, write_blob
from prolly.maps.blob import SINGLE_PIECE_BYTES_MAX, write_blob_level
from prolly.maps.blob_splice import (
    Splice,
    cut_pieces,
    splice_bytes,
    splice_children,
)
from prolly.maps.blob_tree import BlobTree, Child

FILLER = random.Random(3).randbytes(4_000_000)


class Tally(ChunkWriter):
    """A writer that counts what is put into it and read from it."""

    def __init__(self, writer: ChunkWriter) -> None:
        self._writer = writer
        self.puts = self.reads = 0

    def put(self, chunk: bytes) -> bytes:
        """Pass on, and count."""
        self.puts += 1
        return self._writer.put(chunk)

    def get(self, address: bytes) -> bytes | None:
        """Pass on, and count."""
        self.reads += 1
        return self._writer.get(address)

    def commit(self, moves: object = (), note: RefNote | None = None) -> int:
        """Accept everything; there are no names here."""
        assert moves == () or isinstance(moves, RefMove)
        return 0

    def abort(self) -> None:
        """Nothing to forget."""


def random_children(generator: random.Random, count: int) -> list[Child]:
    """Return children that stand nowhere, with random addresses and lengths."""
    return [
        Child(generator.randbytes(32), generator.randrange(1, 200_000))
        for _ in range(count)
    ]


def built(writer: ChunkWriter, children: list[Child]) -> Reference:
    """Return the blob over children, its levels written whole."""
    level = 0
    while level == 0 or len(children) > 1:
        level += 1
        addresses, lengths = map(list, zip(*children, strict=True))
        made = write_blob_level(writer, level, addresses, lengths)
        children = list(map(Child, *made))
    return Reference(children[0].address, 4)


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.integers(2, 3000), st.data())
def test_nodes_equal_those_of_a_rebuild(
    seed: int, count: int, data: st.DataObject
) -> None:
    """Any replacement of children gives the nodes of a build from scratch."""
    generator = random.Random(seed)
    writer = MemoryStore().writer()
    children = random_children(generator, count)
    # A shorter value is one piece, without nodes.
    assume(sum(child.length for child in children) > SINGLE_PIECE_BYTES_MAX)
    reference = built(writer, children)
    for _ in range(2):
        places = [0, *accumulate(child.length for child in children)]
        index = st.integers(0, len(children))
        chosen = sorted(data.draw(st.lists(index, min_size=2, max_size=6, unique=True)))
        splices: list[Splice] = []
        after: list[Child] = []
        at = 0
        for low, high in zip(chosen[::2], chosen[1::2], strict=False):
            width = data.draw(st.sampled_from([0, 1, high - low]))
            size = data.draw(st.sampled_from([0, 1, 2, 60, 700]))
            content = random_children(generator, size)
            splices.append(Splice(places[low], places[low + width], content))
            after += children[at:low] + content
            at = low + width
        after += children[at:]
        if sum(child.length for child in after) <= SINGLE_PIECE_BYTES_MAX:
            return
        tree = BlobTree(writer.get, reference)
        reference = splice_children(tree, writer, splices)
        assert reference == built(writer, after)
        children = after


@settings(max_examples=60)
@given(st.integers(0, 2_000_000), st.data())
def test_bytes_equal_those_of_a_rewrite(size: int, data: st.DataObject) -> None:
    """Any replacement of bytes gives the blob of the whole new value."""
    writer = MemoryStore().writer()
    value = FILLER[:size]
    place = st.integers(0, size) | st.integers(max(size - 3, 0), size)
    chosen = sorted(data.draw(st.lists(place, min_size=2, max_size=6)))
    splices: list[Splice] = []
    after, at = b"", 0
    for low, high in zip(chosen[::2], chosen[1::2], strict=False):
        length = data.draw(st.sampled_from([0, 1, 2, 100, 20_000, 400_000]))
        content = FILLER[-length:] if length else b""
        splices.append(Splice(low, high, content))
        after += value[at:low] + content
        at = high
    after += value[at:]
    tree = BlobTree(writer.get, write_blob(writer, value))
    found = splice_bytes(tree, writer, writer, splices)
    assert found == write_blob(writer, after)
    assert read_blob(writer.get, found) == after


def test_an_edit_touches_a_path_of_nodes() -> None:
    """One of 200,000 children replaced: a few nodes a level, however many there are."""
    writer = Tally(MemoryStore().writer())
    children = random_children(random.Random(5), 200_000)
    reference = built(writer, children)
    tree = BlobTree(writer.get, reference)
    assert tree.height == 3
    writer.puts = writer.reads = 0
    start = sum(child.length for child in children[:90_000])
    end = start + children[90_000].length
    splice_children(tree, writer, [Splice(start, end, [Child(bytes(32), 5)])])
    assert writer.puts <= 10
    assert writer.reads <= 20


def test_a_byte_in_the_middle_reads_few_pieces() -> None:
    """Of some fifty pieces an insertion reads and writes those around it."""
    store = CountingStore(MemoryStore())
    with store.writer() as first:
        reference = write_blob(first, FILLER)
        first.commit()
    writer = Tally(store.writer())
    tree = BlobTree(writer.get, reference)
    pieces = tree.count_children(1, 0, tree.length)
    splice = Splice(2_000_000, 2_000_000, b"x")
    found = splice_bytes(tree, writer, MemoryStore().writer(), [splice])
    assert found == write_blob(writer, FILLER[:2_000_000] + b"x" + FILLER[2_000_000:])
    # Half a megabyte is read to cut, an eighth of this value.
    assert writer.reads < pieces / 3


def test_a_stream_is_cut_as_the_whole() -> None:
    """Pieces taken off a growing buffer are those of the whole value."""
    writer = MemoryStore().writer()
    buffer, pieces = bytearray(), []
    for at in range(0, len(FILLER), 300_001):
        buffer += FILLER[at : at + 300_001]
        pieces += cut_pieces(writer, buffer, final=False)
    pieces += cut_pieces(writer, buffer, final=True)
    assert not buffer
    empty = BlobTree(writer.get, None)
    found = splice_children(empty, writer, [Splice(0, 0, pieces)])
    assert found == write_blob(writer, FILLER)
