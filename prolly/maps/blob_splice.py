"""Edits of a stored blob: only what lies around them is read, cut and written anew.

An edit replaces stretches of the old value by new content. On each level, from the
pieces upwards, it is carried out so:

1. Go left from the stretch to the first unit (piece or node) whose end may depend on
   what is replaced. A piece that ends two bytes before it cannot: its cut looks at one
   byte behind it, and the last byte of the value may count as not there (spec, pieces).
   A node that begins 256 children before it cannot: its window ends before.
2. Cut anew from there, new content in place of the old, until a new cut meets an old
   one behind the stretch. From there on all old cuts stand, since a cut depends on
   nothing in front of the unit it ends.
3. The units replaced, and those in their place, are the edit of the level above.

The result is the tree that writing the whole new value gives. Pieces go to one writer
and nodes to another, because the nodes of an edit that is not the last are not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import (
    FORMAT_PARAMETERS,
    ChunkType,
    Reference,
    encode_blob_node,
)
from prolly.tree import cut_ends, level_seed, priorities_of

from .blob import CHILD_WEIGHT, PIECE_HEAD, SINGLE_PIECE_BYTES_MAX
from .blob_tree import BlobTree, Child
from .content_cut import PIECE_BYTES_MAX, cuts

# A piece's end depends on the byte behind it, and an odd last byte of the value is not
# looked at: so on one byte more.
PIECE_LOOKAHEAD = 2
# The window of a node, and one child more: that there is one makes it not the last.
NODE_LOOKAHEAD = FORMAT_PARAMETERS.weight_max // CHILD_WEIGHT + 1

# What is gathered before cutting a stream. The rest of a block that is not cut yet is
# looked at again, which is a small part of it.
CUT_BLOCK_BYTES = 1024 * 1024
# The same around an edit: the less, the less is read in vain behind it, but the
# greatest piece, or node, must fit with room to spare.
EDIT_BLOCK_BYTES = 2 * PIECE_BYTES_MAX
EDIT_BLOCK_CHILDREN = 3 * NODE_LOOKAHEAD


class Splice(NamedTuple):
    """Replace [start, end) of the old value; content is bytes, or children in order."""

    start: int
    end: int
    content: Any


def cut_pieces(writer: ChunkWriter, buffer: bytearray, *, final: bool) -> list[Child]:
    """Take the pieces whose ends are certain off the buffer, and write them.

    Unless ``final``, more bytes may follow, and the last piece stays.
    """
    ends = _piece_ends(buffer, final)
    pieces = _write_pieces(writer, buffer, ends)
    if ends:
        del buffer[: ends[-1]]
    return pieces


def splice_bytes(
    tree: BlobTree, pieces: ChunkWriter, nodes: ChunkWriter, splices: Sequence[Splice]
) -> Reference:
    """Return the blob with stretches of it replaced by bytes.

    ``splices`` ascend and do not overlap. Raises as read_blob and as the writers.
    """
    length = tree.length + sum(
        len(one.content) - (one.end - one.start) for one in splices
    )
    if length <= SINGLE_PIECE_BYTES_MAX:
        value = b"".join(_new_bytes(tree, splices))
        address = pieces.put(PIECE_HEAD + value)
        return Reference(address, int(ChunkType.BLOB_PIECE))
    level = _Level(
        0,
        bytearray,
        EDIT_BLOCK_BYTES,
        _piece_ends,
        lambda buffer, ends: _write_pieces(pieces, buffer, ends),
    )
    return splice_children(tree, nodes, _cut_level(tree, level, splices))


def splice_children(
    tree: BlobTree, nodes: ChunkWriter, splices: Sequence[Splice]
) -> Reference:
    """Return the blob with stretches of whole pieces replaced by pieces.

    The new value must be longer than a single piece may be. A blob of one piece or
    none is replaced whole.
    """
    old = tree
    level = 0
    while True:
        if level >= old.height:
            assert len(splices) <= 1
            if not splices and tree.reference is not None:
                return tree.reference
            # Nothing of the old tree is left at this height: build upwards.
            splices = [Splice(0, 0, splices[0].content)]
            old = BlobTree(lambda _: None, None)
        level += 1
        splices = _cut_level(old, _node_level(nodes, level), splices)
        if _is_root(old, splices):
            return Reference(splices[0].content[0].address, int(ChunkType.BLOB_NODE))


def _is_root(old: BlobTree, splices: Sequence[Splice]) -> bool:
    """Tell whether one unit covers all: lower levels never have one node alone."""
    if len(splices) != 1:
        return False
    start, end, content = splices[0]
    return (start, end, len(content)) == (0, old.length, 1)


@dataclass(frozen=True)
class _Level:
    """How units of one level are cut: from a buffer of bytes, or of children."""

    number: int
    empty: Callable[[], Any]
    block: int
    ends: Callable[[Any, bool], list[int]]
    write: Callable[[Any, list[int]], list[Child]]


def _node_level(writer: ChunkWriter, number: int) -> _Level:
    seed = level_seed(FORMAT_PARAMETERS.seed, number)

    def ends(children: list[Child], final: bool) -> list[int]:
        return cut_ends(
            [CHILD_WEIGHT] * len(children),
            priorities_of([child.address for child in children], seed),
            FORMAT_PARAMETERS.weight_min,
            FORMAT_PARAMETERS.weight_max,
            final=final,
        )

    def write(children: list[Child], ends: list[int]) -> list[Child]:
        groups = [children[low:high] for low, high in pairwise([0, *ends])]
        chunks = [
            encode_blob_node(number, *map(list, zip(*group, strict=True)))
            for group in groups
        ]
        sizes = [sum(child.length for child in group) for group in groups]
        return list(map(Child, writer.put_many(chunks), sizes))

    return _Level(number, list, EDIT_BLOCK_CHILDREN, ends, write)


def _piece_ends(buffer: bytearray, final: bool) -> list[int]:
    ends = [end for _, end in cuts(buffer)]
    if ends and not final:
        ends.pop()
    return ends


def _write_pieces(
    writer: ChunkWriter, buffer: bytearray, ends: list[int]
) -> list[Child]:
    with memoryview(buffer) as view:
        chunks = [
            b"".join((PIECE_HEAD, view[start:end]))
            for start, end in pairwise([0, *ends])
        ]
    sizes = [len(chunk) - 1 for chunk in chunks]
    return list(map(Child, writer.put_many(chunks), sizes))


def _cut_level(
    tree: BlobTree, level: _Level, splices: Sequence[Splice]
) -> list[Splice]:
    """Carry an edit out on one level; return that of the level above."""
    above: list[Splice] = []
    done = barrier = 0
    while done < len(splices):
        start = _first_affected(tree, level.number, splices[done].start, barrier)
        run = _Run(tree, level.number, splices, start, done)
        content = _cut_run(run, level)
        done, barrier = run.next_splice, run.at
        above.append(Splice(start, barrier, content))
    return above


def _first_affected(tree: BlobTree, level: int, offset: int, barrier: int) -> int:
    """Return where the first unit begins whose end may depend on ``offset``.

    What lies before ``barrier`` is final.
    """
    if not tree.height:
        return 0
    if level == 0:
        unit = tree.unit(0, max(offset - PIECE_LOOKAHEAD, 0))
        return max(unit.start, barrier)
    unit = tree.unit(level, min(offset, tree.length - 1))
    start = max(unit.start, barrier)
    between = tree.count_children(level, start, offset) if start < offset else 0
    while start > barrier:
        left = tree.unit(level, start - 1)
        between += tree.count_children(level, left.start, left.end)
        if between >= NODE_LOOKAHEAD:
            break
        start = left.start
    return max(start, barrier)


@dataclass
class _Run:
    """New content from one place of the old value on, with its edits in place.

    ``pulled`` counts what was handed out, in bytes or children. ``marks`` tells where,
    counted so, an old unit begins behind which nothing was edited yet: its place in the
    old value, and the first edit from there on.
    """

    tree: BlobTree
    level: int
    splices: Sequence[Splice]
    at: int
    next_splice: int
    pulled: int = 0
    marks: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Tell whether all is handed out."""
        return self.at == self.tree.length and self.next_splice == len(self.splices)

    def pull(self) -> Any:
        """Hand out the next content: an edit's, or the rest of an old unit."""
        stop = self.tree.length
        if self.next_splice < len(self.splices):
            splice = self.splices[self.next_splice]
            stop = splice.start
            if self.at == stop:
                self.next_splice += 1
                self._advance(splice.end, len(splice.content))
                return splice.content
        unit = self.tree.unit(self.level, self.at)
        stop = min(stop, unit.end)
        content: Any
        if self.level:
            content = self.tree.children(self.level, self.at, stop)
        else:
            piece = self.tree.piece(unit)
            content = piece[self.at - unit.start : stop - unit.start]
        self._advance(stop, len(content))
        return content

    def _advance(self, at: int, count: int) -> None:
        self.at = at
        self.pulled += count
        if not self.tree.height or at == self.tree.length:
            return
        following = self.splices[self.next_splice : self.next_splice + 1]
        if following and following[0].start == at:
            return
        if self.tree.unit(self.level, at).start == at:
            self.marks[self.pulled] = (at, self.next_splice)


def _cut_run(run: _Run, level: _Level) -> list[Child]:
    """Cut until an old unit begins where a new one does; the run ends there."""
    buffer = level.empty()
    units: list[Child] = []
    before = 0
    while True:
        while not run.is_over and len(buffer) < level.block:
            buffer += run.pull()
        ends = level.ends(buffer, run.is_over)
        for index, end in enumerate(ends):
            mark = run.marks.get(before + end)
            if mark is not None:
                units += level.write(buffer, ends[: index + 1])
                run.at, run.next_splice = mark
                return units
        units += level.write(buffer, ends)
        if run.is_over:
            return units
        if ends:
            before += ends[-1]
            del buffer[: ends[-1]]


def _new_bytes(tree: BlobTree, splices: Sequence[Splice]) -> Iterator[bytes]:
    at = 0
    for start, end, content in splices:
        yield from tree.iter_range(at, start)
        yield content
        at = end
    yield from tree.iter_range(at, tree.length)
