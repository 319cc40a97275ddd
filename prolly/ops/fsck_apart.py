"""Look at the leaves of large trees on several processes, ahead of the full check.

A worker looks at what stands below one node of the lowest inner level: the bytes of the
leaves, their records, their places in the tree. It says only whether all of that is
right, and then the check passes over it. Where it is not, the check comes to it as if
nobody had looked: so faults are the same, in the same order, whoever looks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import NamedTuple

from prolly.chunks import LocalStore
from prolly.codec import ChunkType, TreeParameters, address_of, links_of
from prolly.codec.node import Inner, Node, decode_node
from prolly.errors import Corrupt, Error
from prolly.tree import Place, TreeCheck

from .fsck_chunks import iter_chunk_faults
from .fsck_records import REPORTED_ELSEWHERE, LeafRecords, leaf_check
from .worker_pool import Workers

# Takes the address and the length of a leaf that is right and refers to nothing.
NoteLeaf = Callable[[bytes, int], None]


class _Task(NamedTuple):
    path: str
    place: Place
    parameters: TreeParameters
    records: LeafRecords | None


class _Right(NamedTuple):
    """What a worker found right: tokens of ``TreeCheck``, and leaves in themselves."""

    looked_at: bytes
    leaves: list[tuple[bytes, int]]


class LeavesAhead:
    """Shares the leaves of trees out to workers."""

    def __init__(self, workers: Workers, path: str, note_leaf: NoteLeaf) -> None:
        self._workers = workers
        self._path = path
        self._note_leaf = note_leaf

    def look(
        self,
        trees: TreeCheck,
        root: bytes,
        parameters: TreeParameters,
        records: LeafRecords | None,
    ) -> None:
        """Look at what ``trees`` does not know yet, and say what of it is right.

        Raises StorageFailed ``worker-lost``.
        """
        context = b"" if records is None else records.context
        places = trees.iter_places(root, parameters, context)
        tasks = (_Task(self._path, place, parameters, records) for place in places)
        for found in self._workers.map(_look, tasks):
            if found is not None:
                trees.take(found.looked_at)
                for address, size in found.leaves:
                    self._note_leaf(address, size)


def _look(task: _Task) -> _Right | None:
    """Check what stands below a place; ``None`` if anything is wrong."""
    try:
        with closing(LocalStore.open(task.path, writable=False)) as store:
            return _Look(store, task).found()
    except Error:
        return None


class _Look:
    """One task at work."""

    def __init__(self, store: LocalStore, task: _Task) -> None:
        self._store = store
        self._task = task
        # As many as an inner node has children, and a few beside: a megabyte or two.
        self._chunks: dict[bytes, bytes] = {}

    def found(self) -> _Right | None:
        place, parameters, records = self._task[1:]
        context, check = b"", None
        decode = None if records is None else records.decoder(self._require)
        if records is not None and decode is not None:
            context = records.context
            check = leaf_check(decode, "")
        looked_at: set[bytes] = set()
        trees = TreeCheck(self._read_node, looked_at)
        if any(trees.faults_at(place, parameters, check, context)):
            return None
        above = self._read_node(place.address)
        if not isinstance(above, Inner):
            return None
        leaves = list(self._leaves(above))
        return _Right(b"".join(looked_at), leaves)

    def _leaves(self, above: Inner) -> Iterator[tuple[bytes, int]]:
        """Yield the leaves that are right and refer to nothing. Raises Corrupt."""
        for address in above.child_addresses():
            chunk = self._require(address)
            if chunk[0] != ChunkType.LEAF:
                raise Corrupt("no leaf below the lowest inner node", code="node-level")
            for error in iter_chunk_faults(chunk, self._read):
                raise error
            if not links_of(chunk):
                yield address, len(chunk)

    def _read(self, address: bytes) -> bytes | None:
        chunk = self._chunks.get(address)
        if chunk is None:
            chunk = self._store.get(address)
            if not chunk or address_of(chunk) != address:
                return None
            self._chunks[address] = chunk
        return chunk

    def _require(self, address: bytes) -> bytes:
        chunk = self._read(address)
        if chunk is None:
            raise Corrupt("a chunk is missing", code=REPORTED_ELSEWHERE)
        return chunk

    def _read_node(self, address: bytes) -> Node | None:
        chunk = self._read(address)
        if chunk is None or chunk[0] not in (ChunkType.LEAF, ChunkType.INNER):
            return None
        try:
            return decode_node(chunk)
        except Corrupt:
            return None


def stored_bytes(path: str) -> int:
    """Return the size of the files of a store, about."""
    total = 0
    for directory, _, names in os.walk(path):
        for name in names:
            try:
                total += os.stat(os.path.join(directory, name)).st_size
            except FileNotFoundError:
                # Removed meanwhile, as temporary files are.
                continue
    return total
