"""Shape and size of a tree: what ``stats`` prints and benchmarks report."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from prolly.codec.node import Inner

from .reader import NodeReader


@dataclass(slots=True)
class LevelStatistics:
    """One level: nodes, their entries, and their encoded bytes.

    ``bytes_spread`` is the coefficient of variation of the node sizes.
    """

    level: int
    nodes: int = 0
    entries: int = 0
    bytes: int = 0
    bytes_min: int = 0
    bytes_max: int = 0
    bytes_squared: int = field(default=0, repr=False)

    def add(self, entries: int, size: int) -> None:
        """Count one node."""
        self.bytes_min = min(self.bytes_min, size) if self.nodes else size
        self.bytes_max = max(self.bytes_max, size)
        self.nodes += 1
        self.entries += entries
        self.bytes += size
        self.bytes_squared += size * size

    @property
    def bytes_mean(self) -> float:
        """Mean encoded bytes a node."""
        return self.bytes / self.nodes if self.nodes else 0.0

    @property
    def bytes_spread(self) -> float:
        """Standard deviation of the node sizes over their mean."""
        if not self.nodes:
            return 0.0
        variance = self.bytes_squared / self.nodes - self.bytes_mean**2
        return math.sqrt(max(variance, 0.0)) / self.bytes_mean


def tree_statistics(reader: NodeReader, root: bytes) -> list[LevelStatistics]:
    """Return one entry a level, the root's first. Reads every node: O(n)."""
    levels: list[LevelStatistics] = []
    front = [root]
    while front:
        below: list[bytes] = []
        for address in front:
            chunk = reader.read_chunk(address)
            node = reader.read(address)
            if not levels or levels[-1].level != node.level:
                levels.append(LevelStatistics(node.level))
            levels[-1].add(len(node), len(chunk))
            if isinstance(node, Inner):
                below += node.child_addresses()
        front = below
    return levels
