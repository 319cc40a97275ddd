"""Walking trees that are not here, level by level: ask for what is lacking, no more.

Whatever is in the store has everything below it there too, so a walk ends where it
meets it: two replicas that share records without sharing a commit move what differs.
Indexes are not asked for: they follow from the records. Each chunk is verified against
the address that it was asked for under, its kind against what refers to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from prolly.codec import (
    ChunkType,
    decode_blob_node,
    decode_descriptor,
    decode_referring,
)
from prolly.codec.received_node import decode_received_node
from prolly.errors import Corrupt
from prolly.repo import Storage
from prolly.tree import AddressSet

from .delivery import EMPTY_TREE, moved_roots, require_shared
from .quarantine import Quarantine
from .received import Received

# One request names so many, half a megabyte of addresses; replies are streams.
WALK_ADDRESSES_MAX = 16_384

_NODE_KINDS = (ChunkType.LEAF, ChunkType.INNER)
_ROOT = -1


class Role(Enum):
    """What a chunk is part of, which says what may stand below it."""

    MANIFEST = 1
    RECORDS = 2
    BLOB = 3


class _Wanted(NamedTuple):
    """A chunk that something refers to; ``level`` of a node is -1 for any."""

    address: bytes
    role: Role
    level: int = _ROOT


FetchChunks = Callable[[Sequence[bytes]], Iterable[bytes]]
"""Yields the chunks of some addresses in their order, each verified."""


class NodeWalk:
    """A walk from some roots. ``is_delivered`` tells roots that come by other means.

    ``fetched`` counts chunks; ``on_records`` is told of the records of each leaf. In a
    partial replica (``is_partial``) datasets are left to others, and a blob that is
    here is looked through for what is not.
    """

    def __init__(
        self,
        storage: Storage,
        quarantine: Quarantine,
        fetch: FetchChunks,
        is_delivered: Callable[[bytes], bool],
        on_records: Callable[[int], object],
        *,
        is_partial: bool = False,
    ) -> None:
        self._store = storage.here.store
        self._is_partial = is_partial
        self._quarantine = quarantine
        self._received = Received(quarantine, self._store)
        self._fetch = fetch
        self._is_delivered = is_delivered
        self._on_records = on_records
        self._seen = AddressSet()
        self._front: list[_Wanted] = []
        # Descriptors whose payload stands out of line, and is on its way.
        self._waiting: list[bytes] = []
        self.fetched = 0
        # Records of the trees that are walked, as their roots say: for progress alone.
        self.due = 0

    def want_tree(self, root: bytes, role: Role) -> None:
        """Ask for a tree, whatever comes by other means."""
        self._want(_Wanted(root, role), by_nodes=True)

    def want_version(self, root: bytes) -> None:
        """Ask for what a manifest and its datasets have, but for what is delivered."""
        self._want(_Wanted(root, Role.MANIFEST))

    def want_descriptor(self, value: bytes) -> None:
        """Ask for the datasets that a value of the manifest describes."""
        references, payload = decode_referring(value)
        piece = references[-1]
        if not payload and self._received.get(piece.address) is None:
            self._want(_Wanted(piece.address, Role.BLOB))
            self._waiting.append(value)
            return
        entry = decode_descriptor(value, self._require)
        require_shared(entry)
        if self._is_partial:
            return
        for reference in moved_roots(entry):
            role = Role.RECORDS if reference.kind in _NODE_KINDS else Role.BLOB
            self._want(_Wanted(reference.address, role))

    def want_blob(self, address: bytes) -> None:
        """Ask for a blob."""
        self._want(_Wanted(address, Role.BLOB))

    def run(self) -> None:
        """Fetch until nothing is lacking. Raises Corrupt, and what the line raises."""
        while self._front or self._waiting:
            while self._front:
                batch = self._front[-WALK_ADDRESSES_MAX:]
                del self._front[-WALK_ADDRESSES_MAX:]
                self._follow(batch)
            waiting, self._waiting = self._waiting, []
            for value in waiting:
                self.want_descriptor(value)

    def _want(self, wanted: _Wanted, *, by_nodes: bool = False) -> None:
        if wanted.address == EMPTY_TREE and wanted.level != _ROOT:
            raise bad_shape(wanted.address, "an empty leaf below another node")
        is_root = wanted.level == _ROOT and not by_nodes
        if is_root and self._is_delivered(wanted.address):
            return
        if wanted.address not in self._seen:
            self._seen.add(wanted.address)
            self._front.append(wanted)

    def _follow(self, batch: Sequence[_Wanted]) -> None:
        here = self._store.contains_many([one.address for one in batch])
        absent = [one for one, found in zip(batch, here, strict=True) if not found]
        lacking = [one for one in absent if one.address not in self._quarantine]
        for wanted in absent:
            kept = self._quarantine.get(wanted.address)
            if kept is not None:
                self._open(wanted, kept)
        if self._is_partial:
            for wanted, found in zip(batch, here, strict=True):
                if found and wanted.role == Role.BLOB and wanted.level:
                    self._open(wanted, self._require(wanted.address))
        chunks = self._fetch([one.address for one in lacking]) if lacking else ()
        for wanted, chunk in zip(lacking, chunks, strict=True):
            self._open(wanted, chunk)
            self._quarantine.put(wanted.address, chunk)
            self.fetched += 1

    def _open(self, wanted: _Wanted, chunk: bytes) -> None:
        """Check a chunk for its form, and want what stands below it."""
        kind = chunk[0]
        if wanted.role == Role.BLOB:
            self._open_blob(wanted, chunk)
            return
        if kind not in _NODE_KINDS:
            raise bad_shape(wanted.address, f"type {kind} where a node is due")
        node = decode_received_node(chunk)
        if wanted.level not in (_ROOT, node.level):
            raise bad_shape(wanted.address, f"level {node.level}, not {wanted.level}")
        for address in node.children:
            self._want(_Wanted(address, wanted.role, node.level - 1))
        if wanted.role == Role.MANIFEST:
            for value in node.referring:
                self.want_descriptor(value)
            return
        for value in node.referring:
            for reference in decode_referring(value)[0]:
                self._want(_Wanted(reference.address, Role.BLOB))
        if wanted.level == _ROOT:
            self.due += node.records + node.below
        self._on_records(node.records)

    def _open_blob(self, wanted: _Wanted, chunk: bytes) -> None:
        if chunk[0] == ChunkType.BLOB_NODE:
            node = decode_blob_node(chunk)
            if wanted.level not in (_ROOT, node.level):
                raise bad_shape(wanted.address, f"level {node.level} of a blob")
            for address in node.addresses:
                self._want(_Wanted(address, Role.BLOB, node.level - 1))
        elif chunk[0] != ChunkType.BLOB_PIECE or wanted.level > 0:
            raise bad_shape(wanted.address, f"type {chunk[0]} in a blob")

    def _require(self, address: bytes) -> bytes:
        chunk = self._received.get(address)
        assert chunk is not None, "its descriptor waits for it"
        return chunk


def bad_shape(address: bytes, reason: str) -> Corrupt:
    """Return (not raise) the error for a node that does not belong where it stands."""
    return Corrupt(
        f"node {address.hex()[:12]}: {reason}",
        code="tree-shape",
        hint="The other side sent a damaged tree; nothing was changed.",
        address=address,
    )
