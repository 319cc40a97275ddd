"""Nodes of level 1 that are known anew before the edit of their level begins.

A renewal has the keys of an old node, over other leaves of the same weights; so it ends
where that one ended. An edit of the level reads it in the place of the old node, and
where the edit has nothing to do it is written as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec.node import Child, Inner

from .reader import Held, NodeReader

# Renewals handed to the writer together: half a megabyte.
WRITE_NODES = 64


class Renewal(NamedTuple):
    """The address of the old node; its last key and weight, old and new; the new one.

    ``renewed`` makes the node when it is asked for: kept ready it would take ten times
    the memory.
    """

    old: bytes
    last_key: bytes
    weight: int
    renewed: Callable[[], Inner]


class RenewedReader(NodeReader):
    """Reads renewals in the place of the old nodes."""

    def __init__(self, reader: NodeReader, renewals: Iterable[Renewal]) -> None:
        super().__init__(reader.get_chunk, reader.cache, reader.get_chunks)
        self._renewals = {one.old: one for one in renewals}

    def hold(self, address: bytes) -> Held:
        """Return a node as ``NodeReader``, or what renews it."""
        renewal = self._renewals.get(address)
        return super().hold(address) if renewal is None else renewal.renewed()

    def hold_at(self, address: bytes, level: int) -> Held:
        """Return a node of a level as ``NodeReader``, or what renews it."""
        renewal = self._renewals.get(address)
        if renewal is None:
            return super().hold_at(address, level)
        return renewal.renewed()

    def find(self, root: bytes, key: bytes) -> bytes | None:
        """Return the value under a key; what is renewed is on the way to it."""
        node = self.hold(root)
        while isinstance(node, Inner):
            address = node.address_for(key)
            if address is None:
                return None
            node = self.hold_at(address, node.level - 1)
        return node.find(key)

    def read_ahead(self, addresses: Sequence[bytes]) -> None:
        """Read what nothing renews."""
        super().read_ahead([one for one in addresses if one not in self._renewals])

    def hold_many(self, parent: Inner, places: Sequence[int]) -> list[Held]:
        """Return children as ``NodeReader``, or what renews them."""
        return [self.hold_below(parent, place) for place in places]


def write_renewals(
    writer: ChunkWriter,
    renewals: Iterable[Renewal],
    changes: dict[bytes, Child | None],
) -> None:
    """Add to the changes of level 1 those renewals that the edit did not touch."""
    left = [one for one in renewals if one.last_key not in changes]
    for start in range(0, len(left), WRITE_NODES):
        some = left[start : start + WRITE_NODES]
        nodes = [one.renewed() for one in some]
        addresses = writer.put_many([node.chunk for node in nodes])
        for one, node, address in zip(some, nodes, addresses, strict=True):
            changes[one.last_key] = Child(address, node.count(), one.weight)
