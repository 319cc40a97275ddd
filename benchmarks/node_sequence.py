"""Leaves in a row under any rule: what one insertion rewrites, cut by cut.

A plain model of one level, with nothing of the library's edit in it, so that a rule can
be measured before anything is written for it. Its answer is that of cutting the whole
sequence anew.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

from prolly.codec.node import encode_leaf
from prolly.tree import priorities_of

from .node_rules import Rule

ENTRY_OVERHEAD = 8


@dataclass(frozen=True)
class Change:
    """What an insertion wrote: leaves that were not there before, and their bytes."""

    leaves: int
    bytes: int


class LeafRow:
    """All leaves of a sequence of records that have values of one length."""

    def __init__(self, rule: Rule, keys: list[bytes], value: bytes) -> None:
        self._rule = rule
        self._value = value
        ends = self._ends(keys, final=True)
        self.leaves = [keys[low:high] for low, high in pairwise([0, *ends])]
        self._last_keys = [leaf[-1] for leaf in self.leaves]

    def _ends(self, keys: list[bytes], *, final: bool) -> list[int]:
        each = len(self._value) + ENTRY_OVERHEAD
        weights = [len(key) + each for key in keys]
        return self._rule.ends(weights, priorities_of(keys, 0), final=final)

    def sizes(self) -> list[int]:
        """Return the encoded size of each leaf but the last, which is what is left."""
        return [self._size(leaf) for leaf in self.leaves[:-1]]

    def _size(self, leaf: list[bytes]) -> int:
        return len(encode_leaf(leaf, [self._value] * len(leaf)))

    def insert(self, key: bytes) -> Change:
        """Insert one key that is not there; return what had to be written."""
        place = min(bisect_left(self._last_keys, key), len(self.leaves) - 1)
        start = max(0, place - self._rule.nodes_back)
        gathered: list[bytes] = []
        for leaf in self.leaves[start:place]:
            gathered += leaf
        own = list(self.leaves[place])
        own.insert(bisect_left(own, key), key)
        gathered += own
        end = place + 1
        while True:
            final = end == len(self.leaves)
            found = self._ends(gathered, final=final)
            cuts = self._until_met(gathered, found, (key, start, end))
            if cuts is not None:
                spans = pairwise([0, *cuts])
                return self._replace(start, [gathered[low:high] for low, high in spans])
            # Twice as many each time: cuts that never meet cost no more than a few
            # looks at the whole sequence.
            more = min(len(self.leaves), 2 * end - start)
            for leaf in self.leaves[end:more]:
                gathered += leaf
            end = more

    def _until_met(
        self, gathered: list[bytes], found: list[int], where: tuple[bytes, int, int]
    ) -> list[int] | None:
        """Return the new ends up to the first at which an old leaf ended too.

        ``None`` when more has to be gathered.
        """
        key, start, end = where
        old = set(self._last_keys[start:end])
        for index, cut in enumerate(found):
            last = gathered[cut - 1]
            if last >= key and last in old:
                return found[: index + 1]
        if end == len(self.leaves):
            return found
        return None

    def _replace(self, start: int, leaves: list[list[bytes]]) -> Change:
        last = leaves[-1][-1]
        stop = bisect_left(self._last_keys, last) + 1
        before = {leaf[0]: leaf for leaf in self.leaves[start:stop]}
        written = [leaf for leaf in leaves if before.get(leaf[0]) != leaf]
        self.leaves[start:stop] = leaves
        self._last_keys[start:stop] = [leaf[-1] for leaf in leaves]
        return Change(len(written), sum(map(self._size, written)))

    def is_as_cut_anew(self) -> bool:
        """Tell whether all leaves are those of cutting the whole sequence."""
        keys = [key for leaf in self.leaves for key in leaf]
        ends = self._ends(keys, final=True)
        return self.leaves == [keys[low:high] for low, high in pairwise([0, *ends])]
