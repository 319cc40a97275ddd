"""Put the patches of one side, the guest, into the leaves of the other, the host.

The result is the level of leaves that a rebuild of the merged records would give. A
leaf ends where the smallest priority of its window lies, and the window reaches
``weight_max`` from its start; so a leaf of one side may stand in the result

- when it begins where a leaf of the result begins, and
- when, over its window, the result holds the records of that very side; or when every
  patch that the window meets is *even*: both sides have leaves there that end at the
  same keys and weigh the same. Then every record of the window lies at the same
  distance from the leaf's start in the result and on the side it comes from, where a
  leaf ends at the same key; and so it was found there not to have a lower priority.

Patches of one side with none of the other side near, and near ones that are all even,
are put in as they are, those of one side as addresses, without a read; strips of even
ones as whole nodes of level 1. Elsewhere the
leaves are gone through from the first whose window meets the patch, as *pieces*: each
is taken when one of the two rules holds for it, else the records from there on are cut
anew until a cut meets the end of a piece. Why this is exact:
``docs/design/0008-merge-walk.md``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import TreeParameters
from prolly.codec.node import Child

from .level_cursor import LevelCursor
from .merge_clusters import MERGED_HELD, PatchQueue
from .merge_patches import AGREED, MERGED, OURS, THEIRS, Patch
from .merge_strips import Strip
from .operations import encode, weigh
from .reader import NodeReader
from .renewal import Renewal
from .run import OpenRun
from .splitter import level_seed


@dataclass
class SeamCounts:
    """How the leaves of the result came about."""

    from_ours: int = 0
    from_theirs: int = 0
    merged: int = 0
    cut: int = 0

    def take(self, side: int, leaves: int) -> None:
        """Count leaves that stand as one side has them."""
        if side == OURS:
            self.from_ours += leaves
        elif side == THEIRS:
            self.from_theirs += leaves


class _Piece:
    """The next records of the result: one leaf of a side, or merged records.

    A piece without a key holds no record: it stands for a side's lack of leaves.
    """

    __slots__ = ("child", "is_even", "key", "keys", "side", "values", "weight")

    def __init__(
        self, side: int, key: bytes | None, child: Child | None, *, is_even: bool
    ) -> None:
        self.side = side
        self.key = key
        self.child = child
        self.is_even = is_even
        self.weight = child.weight if child else 0
        self.keys: Sequence[bytes] = ()
        self.values: Sequence[bytes] = ()


class Host(NamedTuple):
    """The tree into which patches are put: its reader, its root, and whose it is."""

    reader: NodeReader
    root: bytes
    side: int


class Seams:
    """The splice of one level of leaves.

    ``changes`` maps the last key of a leaf to its new :class:`Child`, or to ``None``
    where none of the host ends any more: the edits of the level above. ``renewals``
    are nodes of that level all of whose leaves are known; ``changes`` leaves them out.
    """

    def __init__(
        self,
        writer: ChunkWriter,
        parameters: TreeParameters,
        patches: PatchQueue,
        host: Host,
    ) -> None:
        self._writer = writer
        self._parameters = parameters
        self._reach = parameters.weight_max
        self._seed = level_seed(parameters.seed, 0)
        self._reader, self._root, self._host = host
        self._queue = patches
        # The key up to which all leaves of the result are final.
        self._final: bytes | None = None
        self._ahead: deque[_Piece] = deque()
        self._coming: Iterator[_Piece] = iter(())
        self.changes: dict[bytes, Child | None] = {}
        self.renewals: list[Renewal] = []
        # Strips that stand, and whose merged leaves are not written yet.
        self._unwritten: list[Strip] = []
        self._unwritten_leaves = 0
        self.counts = SeamCounts()

    def run(self) -> None:
        """Put all patches in."""
        queue = self._queue
        while (patch := queue.head()) is not None:
            if isinstance(patch, Strip) and queue.strip_stands(patch):
                self._renew(patch)
                queue.next += 1
            elif queue.is_alone():
                self._splice(queue.patch(queue.next))
                queue.next += 1
            else:
                upto, is_clean = queue.cluster()
                if is_clean:
                    for at in range(queue.next, upto):
                        self._splice(queue.patch(at))
                    queue.next = upto
                else:
                    self._stitch(upto)
        self._write_strips()

    def _renew(self, strip: Strip) -> None:
        """Put in a strip as it is."""
        counts = self.counts
        counts.from_ours += strip.leaves_changed(OURS)
        counts.from_theirs += strip.leaves_changed(THEIRS)
        if merged := strip.leaves_changed(MERGED):
            counts.merged += merged
            counts.cut += merged
            self._unwritten.append(strip)
            self._unwritten_leaves += merged
            if self._unwritten_leaves >= MERGED_HELD:
                self._write_strips()
        renewal = strip.renewal(self._reader, self._host)
        if renewal is not None:
            self.renewals.append(renewal)

    def _write_strips(self) -> None:
        """Write the merged leaves of strips, many at once."""
        leaves = [strip.merged_leaves() for strip in self._unwritten]
        addresses = iter(self._writer.put_many(chain.from_iterable(leaves)))
        for strip, chunks in zip(self._unwritten, leaves, strict=True):
            strip.stored(list(islice(addresses, len(chunks))))
        self._unwritten = []
        self._unwritten_leaves = 0

    def _splice(self, patch: Patch) -> None:
        """Put the leaves of a patch in as they are."""
        if patch.side == MERGED:
            self.counts.merged += 1
            [records] = self._queue.take_merged(patch)
            assert records.chunk is not None, "it was found even"
            address = self._writer.put(records.chunk)
            [(_, ours)] = patch.ours
            self.changes[patch.upto] = ours._replace(address=address)
            self.counts.cut += 1
            return
        leaves = patch.of(patch.side)
        self.counts.take(patch.side, len(leaves))
        if patch.side != self._host:
            gone = patch.of(self._host)
            if not patch.is_even:
                self.changes.update(dict.fromkeys([key for key, _ in gone]))
            self.changes.update(leaves)

    def _stitch(self, upto: int) -> None:
        """Go through the leaves around patches, at least up to that patch's end."""
        at = self._start()
        self._ahead.clear()
        self._coming = self._pieces(at)
        while self._look_ahead():
            piece = self._ahead[0]
            if self._queue.next >= upto and all(
                one.side == AGREED for one in self._ahead
            ):
                break
            if piece.key is None:
                self._ahead.popleft()
            elif self._stands():
                self._take(self._ahead.popleft())
                at = piece.key
            else:
                at = self._cut_anew()
        self._final = at

    def _start(self) -> bytes | None:
        """Return the key behind which the first leaf that meets the patch begins."""
        at = self._queue.patch(self._queue.next).after
        left, behind = self._final, self._queue.behind()
        if left is None or (behind is not None and left < behind):
            left = behind
        if at is None or at == left:
            return at
        cursor = LevelCursor(self._reader, self._root, 0)
        cursor.seek(at)
        assert cursor.last_key == at, "an agreed leaf ends where the patch begins"
        weight = cursor.weight
        while weight <= self._reach:
            if not cursor.retreat():
                return None
            at = cursor.last_key
            if left is not None and at <= left:
                return left
            weight += cursor.weight
        return at

    def _pieces(self, at: bytes | None) -> Iterator[_Piece]:
        """Yield the pieces of the result behind a key."""
        cursor: LevelCursor | None = None
        while True:
            patch = self._queue.take_behind(at)
            if patch is not None:
                yield from self._pieces_of(patch)
                at, cursor = patch.upto, None
                continue
            if cursor is None:
                cursor = LevelCursor(self._reader, self._root, 0)
                cursor.seek(b"" if at is None else at + b"\0")
                is_there = at is None or cursor.last_key > at
            else:
                is_there = cursor.advance()
            if not is_there:
                return
            at = cursor.last_key
            yield _Piece(AGREED, at, cursor.child, is_even=True)

    def _pieces_of(self, patch: Patch) -> Iterator[_Piece]:
        for key, _ in patch.of(self._host):
            self.changes[key] = None
        if patch.side == MERGED:
            self.counts.merged += 1
            for records in self._queue.take_merged(patch):
                keys, values = records.columns()
                is_even = records.chunk is not None
                last = keys[-1] if keys else None
                piece = _Piece(MERGED, last, None, is_even=is_even)
                piece.keys, piece.values = keys, values
                piece.weight = sum(weigh(0, piece.keys, piece.values))
                yield piece
            return
        is_even = patch.is_even
        for key, child in patch.of(patch.side):
            yield _Piece(patch.side, key, child, is_even=is_even)
        if not patch.of(patch.side):
            yield _Piece(patch.side, None, None, is_even=False)

    def _look_ahead(self) -> bool:
        """Have pieces ahead past the window, or to the end; False when there are none.

        A window of ``weight_max`` is passed by more than that: whether anything follows
        counts, too.
        """
        weight = sum(piece.weight for piece in self._ahead)
        while weight <= self._reach:
            piece = next(self._coming, None)
            if piece is None:
                break
            self._ahead.append(piece)
            weight += piece.weight
        return bool(self._ahead)

    def _pull(self) -> _Piece | None:
        """Take the next piece; ``None`` at the end of the level."""
        return self._ahead.popleft() if self._ahead else next(self._coming, None)

    def _stands(self) -> bool:
        """Tell whether the piece ahead is a leaf of the result."""
        offset = 0
        sides: set[int] = set()
        all_even = True
        for piece in self._ahead:
            if offset > self._reach:
                break
            offset += piece.weight
            if piece.side != AGREED:
                sides.add(piece.side)
                all_even = all_even and piece.is_even
        return all_even or (len(sides) == 1 and MERGED not in sides)

    def _take(self, piece: _Piece) -> None:
        """Let a piece stand as a leaf."""
        assert piece.key is not None
        if piece.side == MERGED:
            self._write(piece.keys, piece.values, piece.weight)
            return
        if piece.side == AGREED:
            return
        self.counts.take(piece.side, 1)
        if piece.side == self._host:
            self.changes.pop(piece.key)
        else:
            self.changes[piece.key] = piece.child

    def _write(
        self, keys: Sequence[bytes], values: Sequence[bytes], weight: int
    ) -> None:
        address = self._writer.put(encode(0, keys, values))
        self.changes[keys[-1]] = Child(address, len(keys), weight)
        self.counts.cut += 1

    def _cut_anew(self) -> bytes:
        """Cut what is ahead until a cut meets the end of a piece; return its key."""
        run = OpenRun(0, self._seed, self._parameters)
        taken: deque[_Piece] = deque()
        passed = 0
        key = b""
        while True:
            while not run.is_settled and (piece := self._pull()) is not None:
                taken.append(piece)
                self._read(piece)
                run.extend(piece.keys, piece.values)
            keys, values, weight = run.cut()
            self._write(keys, values, weight)
            key = keys[-1]
            for _ in range(run.old_ends_passed - passed):
                piece = taken.popleft()
                if piece.side == AGREED and piece.key is not None:
                    self.changes.setdefault(piece.key, None)
            passed = run.old_ends_passed
            if run.old_ends_met():
                break
        self._ahead.extendleft(reversed(taken))
        return key

    def _read(self, piece: _Piece) -> None:
        """Have the records of a piece at hand."""
        if piece.child is not None and not piece.keys:
            leaf = self._reader.read_leaf(piece.child.address)
            piece.keys, piece.values = leaf.keys(), leaf.values


def leaves_changed(patches: Sequence[Patch | Strip], side: int) -> int:
    """Return how many leaves one side alone changed."""
    return sum(patch.leaves_changed(side) for patch in patches)
