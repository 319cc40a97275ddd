"""A cache of nodes that counts what is asked of it, so that a cost can be stated.

It serves a repository that was opened to be counted; the cache of any other pays
nothing for it.
"""

from __future__ import annotations

from prolly.chunks import Costs
from prolly.codec.node import Leaf
from prolly.codec.stored_leaf import Columns, StoredLeaf

from .reader import CACHE_BYTES_DEFAULT, Held, Look, NodeCache


class CountingCache(NodeCache):
    """Counts hits, misses and decoded nodes into ``costs``."""

    def __init__(self, costs: Costs, bytes_max: int = CACHE_BYTES_DEFAULT) -> None:
        super().__init__(bytes_max)
        self.costs = costs

    @property
    def look(self) -> Look:
        """The look-up that counts, too."""
        return self.get

    def get(self, address: bytes) -> Held | None:
        node = super().get(address)
        if node is None:
            self.costs.cache_misses += 1
        else:
            self.costs.cache_hits += 1
        return node

    def kept(self, chunk: bytes) -> Held:
        held = super().kept(chunk)
        if isinstance(held, StoredLeaf):
            return _CountedLeaf(chunk, self.costs)
        self.costs.nodes_decoded += 1
        return held


class _CountedLeaf(StoredLeaf):
    """A leaf that counts when somebody takes all of it apart."""

    __slots__ = ("_costs",)

    def __init__(self, chunk: bytes, costs: Costs) -> None:
        super().__init__(chunk)
        self._costs = costs

    def decode(self) -> Leaf:
        self._costs.nodes_decoded += 1
        return super().decode()

    def columns(self) -> Columns:
        self._costs.nodes_decoded += 1
        return super().columns()

    def records(self) -> tuple[list[bytes], list[bytes]]:
        self._costs.nodes_decoded += 1
        return super().records()
