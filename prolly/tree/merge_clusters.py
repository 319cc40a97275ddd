"""What lies near what: patches in order, in clusters that fit as they are or do not.

Patches are near when the last leaf of the first and the agreed leaves between weigh
``weight_max`` or less; farther ones are not met by one window. Why a cluster of one
side, or of even patches, fits as it is: ``docs/design/0008-merge-walk.md``.
"""

from __future__ import annotations

from collections.abc import Iterable

from .merge_patches import MERGED, Patch
from .merge_records import MergedRecords, PatchMerge
from .merge_strips import Strip
from .reader import NodeReader

# Leaves merged ahead of their turn, to see whether a cluster fits as it is: half a
# megabyte. A longer cluster is gone through leaf by leaf, which holds a few.
MERGED_HELD = 64


class PatchQueue:
    """Patches and strips in key order; those before ``next`` are put in.

    A strip is taken apart, in its place, when something near it is not even.
    """

    def __init__(
        self,
        reader: NodeReader,
        records: PatchMerge,
        reach: int,
        patches: list[Patch | Strip],
    ) -> None:
        self._reader = reader
        self._records = records
        self._reach = reach
        self._patches = patches
        self.next = 0
        # Merged records of patches that are looked at before their turn, by last key.
        self._merged: dict[bytes, list[MergedRecords]] = {}

    def head(self) -> Patch | Strip | None:
        """Return the next one as it is; ``None`` at the end."""
        return self._patches[self.next] if self.next < len(self._patches) else None

    def patch(self, at: int) -> Patch:
        """Return a patch; a strip that is met here is taken apart."""
        patch = self._patches[at]
        if isinstance(patch, Strip):
            self._take_apart(at)
            return self.patch(at)
        return patch

    def take_behind(self, key: bytes | None) -> Patch | None:
        """Take the next one if it begins behind this key or before it; else ``None``.

        No key stands for the start.
        """
        patch = self.head()
        if patch is None:
            return None
        if patch.after is not None and (key is None or patch.after > key):
            return None
        if isinstance(patch, Strip):
            self._take_apart(self.next)
            return self.take_behind(key)
        self.next += 1
        return patch

    def take_merged(self, patch: Patch) -> Iterable[MergedRecords]:
        """Return the records of a patch of both sides, once."""
        merged = self._merged.pop(patch.upto, None)
        return self._records.of(patch) if merged is None else merged

    def behind(self) -> bytes | None:
        """Return the last key of what was put in last; ``None`` before the first."""
        if not self.next:
            return None
        before = self._patches[self.next - 1]
        if isinstance(before, Strip):
            return before.last_key(self._reader)
        return before.upto

    def strip_stands(self, strip: Strip) -> bool:
        """Tell whether all patches that windows from within a strip meet are even.

        The strip is the next one.
        """
        reached = strip.last_weight
        at = self.next
        while self._even_at(at):
            at += 1
            if at == len(self._patches):
                return True
            patch = self._patches[at]
            reached += patch.gap
            if reached > self._reach:
                return True
            reached += patch.weight
        return False

    def is_alone(self) -> bool:
        """Tell, of most patches at once, that one side changed here and none near."""
        at = self.next + 1
        if self.patch(at - 1).side == MERGED:
            return False
        return at == len(self._patches) or self._patches[at].gap > self._reach

    def cluster(self) -> tuple[int, bool]:
        """Return (end, True) of patches that are near each other and fit as they are.

        (end, False) when they do not: the patch before ``end`` is what spoils it.
        """
        sides: set[int] = set()
        all_even = True
        last_weight = self._reach
        at = self.next
        while at < len(self._patches):
            if sides and last_weight + self._patches[at].gap > self._reach:
                break
            patch = self.patch(at)
            at += 1
            sides.add(patch.side)
            all_even = all_even and self._is_even(patch)
            if not all_even and (len(sides) > 1 or patch.side == MERGED):
                return at, False
            last_weight = patch.last_weight
        return at, True

    def _even_at(self, at: int) -> bool:
        patch = self._patches[at]
        if isinstance(patch, Strip):
            return patch.is_even(self._reader, self._records)
        return self._is_even(patch)

    def _is_even(self, patch: Patch) -> bool:
        """Tell whether a patch is even; one of both sides is merged to see it."""
        if patch.side != MERGED or not patch.is_even:
            return patch.is_even
        merged = self._merged.get(patch.upto)
        if merged is None:
            if len(self._merged) >= MERGED_HELD or not patch.is_leaf:
                return False
            merged = self._merged[patch.upto] = list(self._records.of(patch))
        return merged[0].chunk is not None

    def _take_apart(self, at: int) -> None:
        """Replace a strip by its patches: something near is not even."""
        strip = self._patches[at]
        assert isinstance(strip, Strip), "only strips are made of patches"
        found = strip.patches(self._reader)
        self._patches[at : at + 1] = [patch for patch, _ in found]
        self._merged.update(
            (patch.upto, [records]) for patch, records in found if records is not None
        )
