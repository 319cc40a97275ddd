"""An open run of entries on one level, cut node by node, that knows old ends."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from prolly.codec import TreeParameters

from .operations import Keys, Payload, weigh
from .splitter import priorities_of, window

# Entries already cut are dropped once they are this many: one slice for many nodes.
DROP_ENTRIES = 8192


class OpenRun:
    """Entries from a node's start on, extended by whole old nodes, cut from the left.

    The place of the last cut and the ends of old nodes are kept as indexes into the
    entries, so that meeting an old end is one comparison.
    """

    def __init__(self, level: int, seed: int, parameters: TreeParameters) -> None:
        self._level = level
        self._seed = seed
        self._parameters = parameters
        self._keys: Keys = []
        self._payloads: list[Payload] = []
        self._sums: list[int] = []
        self._priorities: list[int] = []
        self._start = 0
        self._old_ends: list[int] = []
        self._ends_dropped = 0

    def extend(self, keys: Sequence[bytes], payloads: Sequence[Payload]) -> None:
        """Append the entries of one old node, edits applied."""
        weights = weigh(self._level, keys, payloads)
        base = self._sums[-1] if self._sums else 0
        self._sums += list(accumulate(weights, initial=base))[1:]
        self._priorities += priorities_of(keys, self._seed)
        self._keys += keys
        self._payloads += payloads
        self._old_ends.append(len(self._keys))

    def _before(self) -> int:
        return self._sums[self._start - 1] if self._start else 0

    @property
    def is_settled(self) -> bool:
        """Tell whether the next cut is decided by the entries that are here."""
        total = self._sums[-1] if self._sums else 0
        return total - self._before() > self._parameters.weight_max

    @property
    def old_ends_passed(self) -> int:
        """Return how many old nodes end at or before the last cut."""
        return self._ends_dropped + bisect_right(self._old_ends, self._start)

    def old_ends_met(self) -> int:
        """Return how many old nodes end at or before the last cut, if one ends there.

        0 when no old node ends at the last cut.
        """
        met = bisect_right(self._old_ends, self._start)
        if met and self._old_ends[met - 1] == self._start:
            return self._ends_dropped + met
        return 0

    def cut(self) -> tuple[Keys, list[Payload], int]:
        """Take the next node's (keys, payloads, weight).

        When the run is not settled, what is left must be the end of the level.
        """
        start, before = self._start, self._before()
        end = len(self._keys)
        if self.is_settled:
            limits = self._parameters.weight_min, self._parameters.weight_max
            low, high = window(self._sums, start, *limits)
            choices = self._priorities[low:high]
            end = low + choices.index(min(choices)) + 1
        node = self._keys[start:end], self._payloads[start:end]
        weight = self._sums[end - 1] - before
        self._start = end
        if end > DROP_ENTRIES:
            self._drop()
        return (*node, weight)

    def _drop(self) -> None:
        """Forget entries that were cut, all but the last, whose sum still counts."""
        gone = self._start - 1
        del self._keys[:gone], self._payloads[:gone]
        del self._sums[:gone], self._priorities[:gone]
        self._start = 1
        ends = bisect_right(self._old_ends, gone)
        self._old_ends = [end - gone for end in self._old_ends[ends:]]
        self._ends_dropped += ends
