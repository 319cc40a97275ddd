"""A cache for one pass over a tree: leaves go as they come, all else stays with others.

An edit of many leaves replaces each leaf that it reads. Kept, they would drive out what
is in use, and every new one would come from memory that the process never touched,
which costs as much as hashing it.
"""

from __future__ import annotations

from prolly.codec.stored_leaf import StoredLeaf

from .reader import Held, NodeCache

# An edit comes back to a leaf at most a few leaves later, when cuts moved: this is a
# hundred of them.
PASSING_BYTES = 1024 * 1024


class PassingCache(NodeCache):
    """Reads through a cache that others use, and keeps few leaves of its own."""

    def __init__(self, behind: NodeCache) -> None:
        super().__init__(PASSING_BYTES)
        self._behind = behind

    def get(self, address: bytes) -> Held | None:
        return super().get(address) or self._behind.get(address)

    def kept(self, chunk: bytes) -> Held:
        return self._behind.kept(chunk)

    def add(self, address: bytes, node: Held) -> None:
        if isinstance(node, StoredLeaf):
            super().add(address, node)
        else:
            self._behind.add(address, node)
