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
are put in as they are, those of one side as addresses, without a read. Elsewhere the
leaves are gone through from the first whose window meets the patch, as *pieces*: each
is taken when one of the two rules holds for it, else the records from there on are cut
anew until a cut meets the end of a piece. Why this is exact:
``docs/design/0008-merge-walk.md``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import TreeParameters
from prolly.codec.node import Child

from .level_cursor import LevelCursor
from .merge_records import MergedRecords, PatchMerge
from .merge_walk import AGREED, MERGED, OURS, THEIRS, Patch
from .operations import encode, weigh
from .reader import NodeReader
from .run import OpenRun
from .splitter import level_seed

# Leaves merged ahead of their turn, to see whether a cluster fits as it is: half a
# megabyte. A longer cluster is gone through leaf by leaf, which holds a few.
MERGED_HELD = 64


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
    where none of the host ends any more: the edits of the level above.
    """

    def __init__(
        self,
        writer: ChunkWriter,
        parameters: TreeParameters,
        records: PatchMerge,
        host: Host,
    ) -> None:
        self._writer = writer
        self._parameters = parameters
        self._reach = parameters.weight_max
        self._seed = level_seed(parameters.seed, 0)
        self._records = records
        self._reader, self._root, self._host = host
        self._patches: list[Patch] = []
        # Merged records of patches that are looked at before their turn.
        self._merged: dict[int, list[MergedRecords]] = {}
        self._next = 0
        # The key up to which all leaves of the result are final.
        self._final: bytes | None = None
        self._ahead: deque[_Piece] = deque()
        self._coming: Iterator[_Piece] = iter(())
        self.changes: dict[bytes, Child | None] = {}
        self.counts = SeamCounts()

    def run(self, patches: list[Patch]) -> None:
        """Put all patches in."""
        self._patches = patches
        while self._next < len(patches):
            if self._is_alone():
                self._splice(self._next)
                self._next += 1
                continue
            upto, is_clean = self._cluster()
            if is_clean:
                for at in range(self._next, upto):
                    self._splice(at)
                self._next = upto
            else:
                self._stitch(upto)

    def _is_alone(self) -> bool:
        """Tell, of most patches at once, that one side changed here and none near."""
        at = self._next + 1
        if self._patches[at - 1].side == MERGED:
            return False
        return at == len(self._patches) or self._patches[at].gap > self._reach

    def _cluster(self) -> tuple[int, bool]:
        """Return (end, True) of patches that are near each other and fit as they are.

        (end, False) when they do not: the patch before ``end`` is what spoils it.
        """
        sides: set[int] = set()
        all_even = True
        last_weight = self._reach
        for at in range(self._next, len(self._patches)):
            patch = self._patches[at]
            if sides and last_weight + patch.gap > self._reach:
                return at, True
            sides.add(patch.side)
            all_even = all_even and self._is_even(at)
            if not all_even and (len(sides) > 1 or patch.side == MERGED):
                return at + 1, False
            leaves = patch.of(patch.side)
            last_weight = leaves[-1][1].weight if leaves else 0
        return len(self._patches), True

    def _is_even(self, at: int) -> bool:
        """Tell whether a patch is even; one of both sides is merged to see it."""
        patch = self._patches[at]
        if patch.side != MERGED or not patch.is_even:
            return patch.is_even
        if at not in self._merged:
            if len(self._merged) >= MERGED_HELD or not patch.is_leaf:
                return False
            self._merged[at] = list(self._records.of(patch))
        return self._merged[at][0].leaf is not None

    def _splice(self, at: int) -> None:
        """Put the leaves of a patch in as they are."""
        patch = self._patches[at]
        if patch.side == MERGED:
            self.counts.merged += 1
            [(_, values, leaf)] = self._merged.pop(at)
            assert leaf is not None, "it was found even"
            address = self._writer.put(leaf.encode_with(values))
            weight = patch.ours[0][1].weight
            self.changes[patch.upto] = Child(address, len(values), weight)
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
            if self._next >= upto and all(one.side == AGREED for one in self._ahead):
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
        patch = self._patches[self._next]
        at = patch.after
        left = self._final
        if self._next:
            behind = self._patches[self._next - 1].upto
            left = behind if left is None else max(left, behind)
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
            if self._next < len(self._patches):
                patch = self._patches[self._next]
                if patch.after is None or (at is not None and patch.after <= at):
                    merged = self._merged.pop(self._next, None)
                    self._next += 1
                    yield from self._pieces_of(patch, merged)
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

    def _pieces_of(
        self, patch: Patch, merged: list[MergedRecords] | None
    ) -> Iterator[_Piece]:
        for key, _ in patch.of(self._host):
            self.changes[key] = None
        if patch.side == MERGED:
            self.counts.merged += 1
            for records in merged or self._records.of(patch):
                keys = records.keys
                is_even = records.leaf is not None
                last = keys[-1] if keys else None
                piece = _Piece(MERGED, last, None, is_even=is_even)
                piece.keys, piece.values = keys, records.values
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


def leaves_changed(patches: Sequence[Patch], side: int) -> int:
    """Return how many leaves one side alone changed."""
    return sum(
        max(len(patch.base), len(patch.of(side)))
        for patch in patches
        if patch.side == side
    )
