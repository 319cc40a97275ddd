"""A cache for one pass over a tree: leaves go as they come, all else stays with others.

An edit of many leaves replaces each leaf that it reads. Kept, they would drive out what
is in use, and every new one would come from memory that the process never touched,
which costs as much as hashing it.
"""

from __future__ import annotations

from prolly.codec.stored_leaf import StoredLeaf

from .reader import Held, Look, NodeCache

# An edit comes back to a leaf at most a few leaves later, when cuts moved. So many are
# the young ones; when they are as many, they become the old ones, and the old ones go.
PASSING_LEAVES = 96


class PassingCache(NodeCache):
    """Reads through a cache that others use, and keeps few leaves of its own."""

    def __init__(self, behind: NodeCache) -> None:
        super().__init__(0)
        self._behind = behind
        self._young: dict[bytes, StoredLeaf] = {}
        self._old: dict[bytes, StoredLeaf] = {}

    @property
    def look(self) -> Look:
        """The look-up in all of its places."""
        return self.get

    def get(self, address: bytes) -> Held | None:
        leaf = self._young.get(address)
        if leaf is None:
            leaf = self._old.get(address)
        return self._behind.get(address) if leaf is None else leaf

    def kept(self, chunk: bytes) -> Held:
        return self._behind.kept(chunk)

    def add(self, address: bytes, node: Held) -> None:
        if not isinstance(node, StoredLeaf):
            self._behind.add(address, node)
            return
        self._young[address] = node
        if len(self._young) >= PASSING_LEAVES:
            self._young, self._old = {}, self._young
