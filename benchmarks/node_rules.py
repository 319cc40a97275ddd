"""Rules for where leaves end, over keys and weights alone: the one in use and others.

For measuring only. The window is the library's own function under other bounds; the
hazard rule, which the design holds in reserve, stands here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from prolly.tree import cut_ends

PRIORITY_RANGE = 1 << 64


class Rule(Protocol):
    """A rule that cuts a sequence of entries into nodes."""

    @property
    def name(self) -> str:
        """What the rule is called in tables."""

    @property
    def nodes_back(self) -> int:
        """How many nodes before a change may end elsewhere because of it."""

    def ends(
        self, weights: Sequence[int], priorities: Sequence[int], *, final: bool
    ) -> list[int]:
        """Return the exclusive ends of nodes that nothing behind can move.

        When ``final``, of all nodes.
        """


@dataclass(frozen=True)
class Window:
    """The windowed minimum between two bounds."""

    weight_min: int
    weight_max: int

    @property
    def name(self) -> str:
        """The bounds."""
        return f"{self.weight_min:,} to {self.weight_max:,}"

    @property
    def nodes_back(self) -> int:
        """A cut depends on what lies up to the upper bound behind a node's start."""
        return self.weight_max // self.weight_min

    def ends(
        self, weights: Sequence[int], priorities: Sequence[int], *, final: bool
    ) -> list[int]:
        """Cut as the library does."""
        bounds = self.weight_min, self.weight_max
        return cut_ends(weights, priorities, *bounds, final=final)


@dataclass(frozen=True)
class Hazard:
    """Cut at an entry whose priority is below a hazard for each byte of its weight.

    The hazard is ``rate`` per ``target`` bytes up to the target, and 16 times that past
    it. No node ends before ``weight_min``; one that would pass ``weight_max`` ends.
    """

    weight_min: int
    target: int
    weight_max: int
    rate: float
    steepness: int = 16

    nodes_back: int = 0

    @property
    def name(self) -> str:
        """The bounds and the target between."""
        return f"hazard {self.weight_min:,}, {self.target:,}, {self.weight_max:,}"

    def ends(
        self, weights: Sequence[int], priorities: Sequence[int], *, final: bool
    ) -> list[int]:
        """Cut entry by entry: nothing behind an entry is looked at."""
        low = int(PRIORITY_RANGE * self.rate / self.target)
        high = low * self.steepness
        ends: list[int] = []
        total = 0
        for at, (weight, priority) in enumerate(zip(weights, priorities, strict=True)):
            if total + weight > self.weight_max:
                ends.append(at)
                total = 0
            total += weight
            if total < self.weight_min:
                continue
            hazard = low if total < self.target else high
            if priority < hazard * weight:
                ends.append(at + 1)
                total = 0
        if final and weights and (not ends or ends[-1] < len(weights)):
            ends.append(len(weights))
        return ends
