"""Whether the cuts of a level stay where they are when one leaf is edited.

A cut was the smallest priority of its window, that of the node's last key. Take a level
that is cut as a rebuild would, and let one leaf be edited. If its last key stays within
its window, and no entry that came into a window or into reach of one has a priority as
low as the one that was chosen there, then every cut stays, and the level with the
edited leaf in the place of the old one is again cut as a rebuild would. So edits are
taken leaf by leaf, from the left; in each step all to the right is as it was.

Entries come into a window when they are put in, from its left when something before
them grows, and from its right when something before them shrinks or goes. Sums of
weights tell which these are: most leaves are edited without looking at a neighbour.

Where the answer here is no, cuts may yet stay: whoever asks cuts anew and sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prolly.codec import TreeParameters
from prolly.codec.stored_leaf import StoredLeaf

from .leaf_change import LeafChange, LeafShape
from .level_cursor import LevelCursor
from .splitter import priorities_of


class CutWatch:
    """The cuts of one level under edit, from left to right."""

    def __init__(self, parameters: TreeParameters, seed: int) -> None:
        self._weight_min = parameters.weight_min
        self._weight_max = parameters.weight_max
        self._seed = seed
        # New weights of nodes whose cuts stayed, by last key.
        self._weights: dict[bytes, int] = {}
        self._barrier: bytes | None = None

    def settle(self, barrier: bytes) -> None:
        """Take note that all nodes up to the one that ends with this key are final."""
        self._barrier = barrier
        self._weights.clear()

    def weight_of(self, cursor: LevelCursor) -> int:
        """Return the weight of a node as it is now."""
        weight = self._weights.get(cursor.last_key) if self._weights else None
        return cursor.weight if weight is None else weight

    def nodes_left(
        self, cursor: LevelCursor
    ) -> Iterator[tuple[LevelCursor, bytes, int]]:
        """Yield the nodes on the left whose windows reach into the cursor's node.

        Nearest first, with its last key, and the sum of the weights from its start on
        to the node; a final node ends it. It is one cursor that moves on.
        """
        near = cursor.clone()
        before = 0
        while near.retreat():
            last_key = near.last_key
            if last_key == self._barrier:
                return
            before += self._weights.get(last_key) or near.weight
            if before >= self._weight_max:
                return
            yield near, last_key, before

    def stays(self, cursor: LevelCursor, change: LeafChange) -> bool:
        """Tell whether an edited leaf moves no cut; if so, its weight is remembered."""
        last_key, old_weight = cursor.last_key, cursor.weight
        weight = old_weight + change.grown
        if weight > self._weight_max or not change.last_key:
            return False
        if cursor.is_last:
            # It ends the level whatever stands in it, unless it leaves too little.
            own_stays = not change.lighter
        else:
            is_like = change.last_key == last_key and weight >= self._weight_min
            own_stays = is_like and self._own_cut_stays(cursor, old_weight, change)
        if not own_stays or not self._cuts_left_stay(cursor, old_weight, change):
            return False
        if change.grown:
            self._weights[last_key] = weight
        return True

    def _own_cut_stays(
        self, cursor: LevelCursor, weight: int, change: LeafChange
    ) -> bool:
        rivals = [key for key, at in change.inserted if at >= self._weight_min]
        if change.heavier:
            least = self._weight_min - 1
            rivals += change.before.keys_within(least - change.heavier, least)
        if change.grown < 0:
            most = self._weight_max - weight
            come = self._rivals_behind(cursor, cursor, (most, most - change.grown))
            if come is None:
                return False
            rivals += come
        return self._is_lowest(cursor.last_key, rivals)

    def _cuts_left_stay(
        self, cursor: LevelCursor, weight: int, change: LeafChange
    ) -> bool:
        if not change.inserted and not change.lighter:
            return True
        for left, last_key, before in self.nodes_left(cursor):
            reach = self._weight_max - before
            rivals = [key for key, at in change.inserted if at <= reach]
            if change.lighter:
                far = reach + change.lighter
                rivals += change.before.keys_within(reach, far)
                span = reach - weight, far - weight
                come = self._rivals_behind(left, cursor, span)
                if come is None:
                    return False
                rivals += come
            if not self._is_lowest(last_key, rivals):
                return False
        return True

    def _is_lowest(self, chosen: bytes, rivals: Sequence[bytes]) -> bool:
        """Tell whether no rival has a priority as low as that of the chosen key.

        Of equals the first one wins, and that may be either.
        """
        if not rivals:
            return True
        least = self._priority(chosen)
        return min(priorities_of(rivals, self._seed)) > least

    def _priority(self, key: bytes) -> int:
        return priorities_of([key], self._seed)[0]

    def _rivals_behind(
        self, chooser: LevelCursor, cursor: LevelCursor, span: tuple[int, int]
    ) -> list[bytes] | None:
        """Return keys that may rival a node's cut, of those that come into its window.

        They stood at low < sum <= high from the end of the cursor's leaf on. ``None``
        where the level ends before: then what is left may have become one node. Only
        leaves that have such keys are read, and none where a node on the way chose its
        own cut among all of these: if that one is no rival, they are none.
        """
        low, high = span
        found: list[bytes] = []
        ahead = cursor
        while high >= 0:
            ahead = ahead.clone()
            if not ahead.advance():
                return None
            if (
                self._weight_min <= low + 1
                and high <= self._weight_max
                and self._priority(ahead.last_key) > self._priority(chooser.last_key)
                and not ahead.is_last
            ):
                return found
            weight = ahead.weight
            if weight > low:
                leaf = ahead.hold()
                assert isinstance(leaf, StoredLeaf)
                found += LeafShape(leaf).keys_within(low, high)
            low, high = low - weight, high - weight
        return found
