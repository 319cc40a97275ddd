"""The records of the result behind a key, piece by piece, as far as a window looks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from prolly.codec.node import Child

from .level_cursor import LevelCursor
from .merge_clusters import PatchQueue
from .merge_patches import AGREED, MERGED, Patch
from .operations import weigh
from .reader import NodeReader


class Piece:
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


class PiecesAhead:
    """The pieces behind ``at``, taken one by one; no key stands for the start.

    ``met`` is told of each patch before its pieces come.
    """

    def __init__(
        self,
        host: Host,
        patches: PatchQueue,
        reach: int,
        met: Callable[[Patch], object],
        at: bytes | None,
    ) -> None:
        self._reader, self._root, self._host = host
        self._queue = patches
        self._reach = reach
        self._met = met
        self._ahead: deque[Piece] = deque()
        self._coming = self._pieces(at)

    def look(self) -> Piece | None:
        """Return the next piece, with those of its window at hand; None at the end.

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
        return self._ahead[0] if self._ahead else None

    def take(self) -> Piece | None:
        """Take the next piece; ``None`` at the end of the level."""
        return self._ahead.popleft() if self._ahead else next(self._coming, None)

    def put_back(self, taken: Sequence[Piece]) -> None:
        """Let pieces that were taken last be the next ones again, in their order."""
        self._ahead.extendleft(reversed(taken))

    def are_agreed(self) -> bool:
        """Tell whether all that was looked at stands on both sides."""
        return all(piece.side == AGREED for piece in self._ahead)

    def stands(self) -> bool:
        """Tell whether the piece that was looked at is a leaf of the result."""
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

    def _pieces(self, at: bytes | None) -> Iterator[Piece]:
        cursor: LevelCursor | None = None
        while True:
            patch = self._queue.take_behind(at)
            if patch is not None:
                self._met(patch)
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
            yield Piece(AGREED, at, cursor.child, is_even=True)

    def _pieces_of(self, patch: Patch) -> Iterable[Piece]:
        if patch.side == MERGED:
            for records in self._queue.take_merged(patch):
                keys, values = records.columns()
                is_even = records.chunk is not None
                last = keys[-1] if keys else None
                piece = Piece(MERGED, last, None, is_even=is_even)
                piece.keys, piece.values = keys, values
                piece.weight = sum(weigh(0, piece.keys, piece.values))
                yield piece
            return
        is_even = patch.is_even
        for key, child in patch.of(patch.side):
            yield Piece(patch.side, key, child, is_even=is_even)
        if not patch.of(patch.side):
            yield Piece(patch.side, None, None, is_even=False)
