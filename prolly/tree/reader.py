"""Reading nodes: decoded once, kept in a cache bounded in bytes.

Nodes are immutable and named by their content, so a cached node never goes stale and
one cache may serve any number of trees, snapshots and threads.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from prolly.codec.node import Inner, Leaf, Node, decode_node
from prolly.errors import Corrupt

# Decoded leaves take about twice their bytes; this keeps a process that scans large
# trees under 100 MB and holds all inner nodes of ten million records.
CACHE_BYTES_DEFAULT = 48 * 1024 * 1024

# What the objects of one decoded entry cost beyond their bytes (two `bytes` headers
# and two list slots), so that the bound speaks of memory and not of encoded size.
ENTRY_OVERHEAD = 84


class NodeCache:
    """Decoded nodes by address, the least recently used half dropped at the bound.

    Two generations stand for an exact order of use: a hit in the old one moves the
    node to the young one; when the young one has half the bytes, it becomes the old
    one. A hit costs one dictionary look-up and no lock.
    """

    def __init__(self, bytes_max: int = CACHE_BYTES_DEFAULT) -> None:
        self._half = bytes_max // 2
        self._young: dict[bytes, Node] = {}
        self._old: dict[bytes, Node] = {}
        self._young_bytes = 0
        self._lock = Lock()

    def get(self, address: bytes) -> Node | None:
        """Return the node, or ``None`` when it is not cached."""
        node = self._young.get(address)
        if node is None:
            node = self._old.get(address)
            if node is not None:
                self.add(address, node)
        return node

    def clear(self) -> None:
        """Forget all nodes."""
        with self._lock:
            self._young, self._old, self._young_bytes = {}, {}, 0

    def add(self, address: bytes, node: Node) -> None:
        """Remember a node."""
        size = _memory_of(node)
        with self._lock:
            if self._young_bytes + size > self._half:
                self._old = self._young
                self._young = {}
                self._young_bytes = 0
            self._young[address] = node
            self._young_bytes += size


def _memory_of(node: Node) -> int:
    overhead = ENTRY_OVERHEAD * len(node)
    if isinstance(node, Inner):
        return overhead + 64 * len(node)
    values = node.values
    # One middle value stands for all: the bound is of memory, not an account.
    return overhead + len(values) * (
        16 + len(values[len(values) // 2]) if values else 0
    )


class NodeReader:
    """Nodes by address, through a cache.

    ``get`` returns the bytes of a chunk whose address has been verified, or ``None``:
    a store behind a verifying wrapper, or a writer that also knows its own chunks.
    """

    def __init__(
        self, get: Callable[[bytes], bytes | None], cache: NodeCache | None = None
    ) -> None:
        self.get_chunk = get
        self.cache = NodeCache() if cache is None else cache

    def read(self, address: bytes) -> Node:
        """Return the node; Corrupt when it is absent or does not decode."""
        node = self.cache.get(address)
        if node is None:
            node = decode_node(self.read_chunk(address))
            self.cache.add(address, node)
        return node

    def read_chunk(self, address: bytes) -> bytes:
        """Return the bytes of a chunk that must be there; Corrupt when it is not."""
        chunk = self.get_chunk(address)
        if chunk is None:
            raise Corrupt(
                f"chunk {address.hex()} is missing",
                code="chunk-missing",
                hint="run `prolly fsck`, then restore the chunk from another replica",
                address=address,
            )
        return chunk

    def read_leaf(self, address: bytes) -> Leaf:
        """Return a node that must be a leaf; Corrupt when it is not."""
        node = self.read(address)
        if isinstance(node, Leaf):
            return node
        raise _wrong_level(address, 0, node.level)

    def read_inner(self, address: bytes, level: int) -> Inner:
        """Return a node that must be an inner one of this level; else Corrupt."""
        node = self.read(address)
        if isinstance(node, Inner) and node.level == level:
            return node
        raise _wrong_level(address, level, node.level)

    def read_below(self, parent: Inner, index: int) -> Node:
        """Return a child of an inner node; Corrupt when it is not one level lower.

        Levels that fall by one at each step bound every descent, so a hostile tree
        cannot make a reader loop.
        """
        address = parent.address(index)
        node = self.read(address)
        if node.level != parent.level - 1:
            raise _wrong_level(address, parent.level - 1, node.level)
        return node


def _wrong_level(address: bytes, expected: int, actual: int) -> Corrupt:
    return Corrupt(
        f"node {address.hex()} has level {actual} where {expected} is due",
        code="node-level",
        hint="run `prolly fsck --full`",
        address=address,
        expected=expected,
        actual=actual,
    )
