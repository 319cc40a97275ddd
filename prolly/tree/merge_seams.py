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
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice

from prolly.chunks import ChunkWriter
from prolly.codec import TreeParameters
from prolly.codec.node import Child

from .level_cursor import LevelCursor
from .merge_clusters import MERGED_HELD, PatchQueue
from .merge_patches import AGREED, MERGED, OURS, THEIRS, Patch
from .merge_pieces import Host, Piece, PiecesAhead
from .merge_strips import Strip
from .operations import encode
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
        host = Host(self._reader, self._root, self._host)
        ahead = PiecesAhead(host, self._queue, self._reach, self._met, at)
        while (piece := ahead.look()) is not None:
            if self._queue.next >= upto and ahead.are_agreed():
                break
            if piece.key is None:
                ahead.take()
            elif ahead.stands():
                ahead.take()
                self._take(piece)
                at = piece.key
            else:
                at = self._cut_anew(ahead)
        self._final = at

    def _met(self, patch: Patch) -> None:
        """Leave out the host's leaves of a patch, until one of them stands."""
        for key, _ in patch.of(self._host):
            self.changes[key] = None
        if patch.side == MERGED:
            self.counts.merged += 1

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

    def _take(self, piece: Piece) -> None:
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

    def _cut_anew(self, ahead: PiecesAhead) -> bytes:
        """Cut what is ahead until a cut meets the end of a piece; return its key."""
        run = OpenRun(0, self._seed, self._parameters)
        taken: deque[Piece] = deque()
        passed = 0
        key = b""
        while True:
            while not run.is_settled and (piece := ahead.take()) is not None:
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
        ahead.put_back(taken)
        return key

    def _read(self, piece: Piece) -> None:
        """Have the records of a piece at hand."""
        if piece.child is not None and not piece.keys:
            leaf = self._reader.read_leaf(piece.child.address)
            piece.keys, piece.values = leaf.keys(), leaf.values


def leaves_changed(patches: Sequence[Patch | Strip], side: int) -> int:
    """Return how many leaves one side alone changed."""
    return sum(patch.leaves_changed(side) for patch in patches)
