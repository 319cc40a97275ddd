"""The body of a push: commits and edits as for a fetch, then what else is lacking.

Trees that are not sent as edits, and blobs that are too large to come along, are walked
here level by level, and the other side says which chunks it lacks; below one that it
has, it has all. The body is made once and kept in a temporary file, but for those
chunks, which are read again from the store: it can be sent again from any place on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from blake3 import blake3

from prolly.chunks import SpillFile
from prolly.codec import ChunkType, Referring, decode_referring, links_of
from prolly.codec.node import Leaf, decode_node
from prolly.codec.stored_leaf import StoredLeaf
from prolly.codec.wire import END_FRAME, FrameType
from prolly.codec.wire_messages import encode_chunk_frames
from prolly.datasets import changed_datasets
from prolly.repo import Storage
from prolly.tree import AddressSet

from .delivery import Delivery, moved_roots
from .kept_answers import AskAbsent
from .node_walk import WALK_ADDRESSES_MAX

# A push of so much may have been begun before; a smaller one is sent at once.
ASKED_BYTES = 128 * 1024

_READ_BYTES = 256 * 1024
# About what a node has.
_CHUNK_BYTES = 8 * 1024
_NODES = (ChunkType.LEAF, ChunkType.INNER)


class Outgoing:
    """What is pushed of some commits, children first. Close it."""

    def __init__(
        self,
        storage: Storage,
        commit_ids: Sequence[bytes],
        ask_absent: AskAbsent,
        *,
        as_edits: bool,
    ) -> None:
        self._storage = storage
        self._read = storage.reader.read_chunk
        self._commit_ids = commit_ids
        self._ask_absent = ask_absent
        self._seen = AddressSet()
        self._head = SpillFile()
        self._hasher = blake3()
        self.chunks: list[bytes] = []
        self.records = 0
        # Records of leaves among the chunks, and of all that was given out so far.
        self.leaf_records = 0
        self.sent_records = 0
        try:
            self._make(Delivery(storage, commit_ids, as_edits=as_edits))
        except BaseException:
            self.close()
            raise

    def _make(self, delivery: Delivery) -> None:
        for frame in delivery.frames():
            self._head.append(frame)
            self._hasher.update(frame)
        self.records = delivery.records
        self._find_absent(delivery)
        for address in self.chunks:
            self._hasher.update(address)

    @property
    def digest(self) -> bytes:
        """A hash that tells this body from others."""
        return self._hasher.digest()

    @property
    def is_large(self) -> bool:
        """Tell whether it is worth a round trip to ask what is over there already."""
        size = self._head.size + len(self.chunks) * _CHUNK_BYTES
        return size > ASKED_BYTES

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes of the body, the same each time."""
        self.sent_records = 0
        for at in range(0, self._head.size, _READ_BYTES):
            size = min(_READ_BYTES, self._head.size - at)
            self.sent_records = self.records * (at + size) // self._head.size
            yield self._head.read(at, size)
        chunks = map(self._read_counted, self.chunks)
        yield from encode_chunk_frames(FrameType.CHUNKS, chunks)
        yield END_FRAME

    def _read_counted(self, address: bytes) -> bytes:
        chunk = self._read(address)
        self.sent_records += _records_in(chunk)
        return chunk

    def close(self) -> None:
        """Give the temporary file back."""
        self._head.close()

    def _find_absent(self, delivery: Delivery) -> None:
        """Walk what is not sent as edits: manifests, then datasets, then blobs.

        In this order each chunk comes behind one that refers to it.
        """
        manifests: list[bytes] = []
        trees: list[bytes] = []
        for commit_id in reversed(self._commit_ids):
            commit = self._storage.commits.read(commit_id)
            if not commit.parents:
                continue
            base = self._storage.commits.read(commit.parents[0]).root
            manifests.append(commit.root)
            changed = changed_datasets(self._storage.reader, base, commit.root)
            for _, after in changed.values():
                if after is not None:
                    trees += [one.address for one in moved_roots(after)]
        self._walk([one for one in manifests if one not in delivery.targets], _nodes)
        self._walk([one for one in trees if one not in delivery.targets], _links)
        self._walk(list(delivery.blobs), _links)

    def _walk(self, roots: list[bytes], below: Callable[[bytes], list[bytes]]) -> None:
        front = roots
        while front:
            batch = []
            for address in front[-WALK_ADDRESSES_MAX:]:
                if address not in self._seen:
                    self._seen.add(address)
                    batch.append(address)
            del front[-WALK_ADDRESSES_MAX:]
            if not batch:
                continue
            absent = self._ask_absent(batch)
            for address, is_absent in zip(batch, absent, strict=True):
                if is_absent:
                    self.chunks.append(address)
                    chunk = self._read(address)
                    self.leaf_records += _records_in(chunk)
                    front += below(chunk)


def _records_in(chunk: bytes) -> int:
    """Return the number of records of a leaf, and none of anything else."""
    is_leaf = chunk[0] == ChunkType.LEAF
    return StoredLeaf(chunk).entries_claimed() if is_leaf else 0


def _links(chunk: bytes) -> list[bytes]:
    return [link.address for link in links_of(chunk)]


def _nodes(chunk: bytes) -> list[bytes]:
    """Return the links of a node of a manifest, but for those to datasets."""
    if chunk[0] not in _NODES:
        return []
    node = decode_node(chunk)
    if not isinstance(node, Leaf):
        return [link.address for link in links_of(chunk)]
    found: list[bytes] = []
    for value in node.values:
        if type(value) is Referring:
            references, payload = decode_referring(value)
            found += [] if payload else [references[-1].address]
    return found
