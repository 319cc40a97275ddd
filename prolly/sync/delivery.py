"""What one side sends of commits that the other lacks: commits, then trees as edits.

A function of the commits alone, byte for byte, so that a broken stream can be made
again from any place on. Commits come children first, then, parents first, what each
changes against its first parent: the manifest, then the trees of datasets. A tree is
sent as edits where those are few beside its records; of others nothing is sent, and the
receiver asks for their nodes. Design: ``docs/design/0012-sync.md``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

from prolly.codec import (
    FORMAT_PARAMETERS,
    ChunkType,
    Descriptor,
    Reference,
    Referring,
    TreeParameters,
    address_of,
    decode_blob_node,
    decode_referring,
)
from prolly.codec.received_node import EMPTY_LEAF
from prolly.codec.wire import WIRE_FRAME_BYTES_TARGET, FrameType
from prolly.codec.wire_edits import (
    WIRE_EDITS_MAX,
    TreeEdits,
    encode_edits,
    encode_tree_edits,
)
from prolly.codec.wire_messages import encode_chunk_frames
from prolly.datasets import changed_datasets
from prolly.errors import Corrupt, Invalid
from prolly.repo import Storage, read_coverage
from prolly.tree import Difference, count, diff

# Edits of more than half of a tree take about the bytes of its nodes, and more work.
EDITED_SHARE = 2
# Below this a tree is a leaf or two, and its edits never cost more than those.
FEW_RECORDS = 64
# Differences held to find out whether they are few; more are counted, then found again.
HELD_DIFFERENCES = 65_536
# Blobs that come along with the edits that refer to them; what is past this is asked
# for by the receiver, who then need not have it made again when the line breaks.
DELIVERED_BLOB_BYTES_MAX = 8 * 1024 * 1024

# The root of a tree without records, whatever its parameters.
EMPTY_TREE = address_of(EMPTY_LEAF)

_BLOB_KINDS = (int(ChunkType.BLOB_PIECE), int(ChunkType.BLOB_NODE))


class Delivery:
    """The frames for commits that the receiver lacks, given children first.

    Without ``as_edits`` only commits are sent; of ``cut`` ones the receiver may lack a
    parent, and of those whose trees are not all here nothing else is sent, either.
    Raises Invalid ``local-dataset`` for a version that holds a dataset which must not
    leave.
    """

    def __init__(
        self,
        storage: Storage,
        commit_ids: Sequence[bytes],
        *,
        as_edits: bool = True,
        cut: Collection[bytes] = (),
    ) -> None:
        self._storage = storage
        self._reader = storage.reader
        self._coverage = read_coverage(storage.store)
        self._commit_ids = commit_ids
        self._as_edits = as_edits
        self._cut = cut
        self._sent: set[bytes] = set()
        self._blob_room = DELIVERED_BLOB_BYTES_MAX
        self.records = 0
        # The roots of trees that are sent as edits, and what the values of such edits
        # refer to.
        self.targets: set[bytes] = set()
        self.blobs: dict[bytes, None] = {}

    def frames(self) -> Iterator[bytes]:
        """Yield all frames but the last, END."""
        chunks = map(self._reader.read_chunk, self._commit_ids)
        yield from encode_chunk_frames(FrameType.COMMITS, chunks)
        for commit_id in reversed(self._commit_ids):
            yield from self._version(commit_id)

    def _version(self, commit_id: bytes) -> Iterator[bytes]:
        commits = self._storage.commits
        commit = commits.read(commit_id)
        if not commit.parents:
            return
        is_cut = commit_id in self._cut or commits.is_cut(commit_id)
        base = None if is_cut else commits.read(commit.parents[0]).root
        if base == commit.root:
            return
        changed = changed_datasets(self._reader, base, commit.root)
        for _, after in changed.values():
            require_shared(after)
        if not self._as_edits or base is None:
            return
        yield from self._tree(base, commit.root, FORMAT_PARAMETERS)
        for before, after in changed.values():
            if after is not None:
                yield from self._dataset(before, after)

    def _dataset(self, before: Descriptor | None, after: Descriptor) -> Iterator[bytes]:
        old = base_of(before, after)
        if after.kind != "blob":
            yield from self._tree(old, after.roots[0].address, after.parameters)
        if after.stamps is not None:
            old = stamps_base_of(before, after)
            yield from self._tree(old, after.stamps.address, FORMAT_PARAMETERS)

    def _tree(
        self, old: bytes, new: bytes, parameters: TreeParameters
    ) -> Iterator[bytes]:
        if old == new or new in self.targets:
            return
        try:
            differences = self._few_differences(old, new)
        except Corrupt as error:
            if error.code != "chunk-missing" or self._coverage is None:
                raise
            # A partial replica lacks what differs: it is for the receiver to ask for.
            return
        if differences is None:
            return
        self.targets.add(new)
        yield encode_tree_edits(TreeEdits(old, new, parameters))
        for batch in _batches(differences):
            self.records += len(batch)
            yield encode_edits([one[0] for one in batch], [one[2] for one in batch])
            yield from self._blobs(batch)

    def _few_differences(self, old: bytes, new: bytes) -> Iterable[Difference] | None:
        """Return how two trees differ, ``None`` when it is cheaper to send nodes."""
        records = count(self._reader, new)
        few = max(records // EDITED_SHARE, FEW_RECORDS)
        before = None if old == EMPTY_TREE else old
        known = 0 if before is None else count(self._reader, before)
        if abs(records - known) > few:
            # So many differ at least; nothing needs to be compared.
            return None
        differences = diff(self._reader, before, new)
        held = list(islice(differences, min(few + 1, HELD_DIFFERENCES)))
        if len(held) > few:
            return None
        if len(held) < HELD_DIFFERENCES:
            return held
        more = sum(1 for _ in islice(differences, few + 1 - len(held)))
        return None if len(held) + more > few else diff(self._reader, before, new)

    def _blobs(self, batch: Sequence[Difference]) -> Iterator[bytes]:
        """Yield the frames of blobs that values refer to, and old values did not."""
        chunks: list[bytes] = []
        for _, old, new in batch:
            fresh = blob_references(new)
            self.blobs.update(dict.fromkeys([one.address for one in fresh]))
            if fresh and self._blob_room > 0:
                chunks += self._new_chunks(blob_references(old), fresh)
        yield from encode_chunk_frames(FrameType.CHUNKS, chunks)

    def _new_chunks(
        self, old: Sequence[Reference], new: Sequence[Reference]
    ) -> Iterator[bytes]:
        fresh = [one for one in new if one not in old and one.address not in self._sent]
        if not fresh:
            return
        known = set(self._sent)
        if any(one.kind == ChunkType.BLOB_NODE for one in fresh):
            known.update(self._nodes_of(old))
        front = fresh
        while front and self._blob_room > 0:
            reference = front.pop()
            if reference.address in known:
                continue
            known.add(reference.address)
            self._sent.add(reference.address)
            is_partial = self._coverage is not None
            if is_partial and self._reader.get_chunk(reference.address) is None:
                # It came from elsewhere; whoever lacks it asks for it.
                continue
            chunk = self._reader.read_chunk(reference.address)
            self._blob_room -= len(chunk)
            yield chunk
            front += reversed(blob_children(reference, chunk))

    def _nodes_of(self, references: Iterable[Reference]) -> Iterator[bytes]:
        """Yield the addresses of the nodes and pieces of blobs."""
        front = list(references)
        while front:
            reference = front.pop()
            yield reference.address
            if reference.kind == ChunkType.BLOB_NODE:
                chunk = self._reader.read_chunk(reference.address)
                front += blob_children(reference, chunk)


def base_of(before: Descriptor | None, after: Descriptor) -> bytes:
    """Return the root of the records that edits of a dataset begin with.

    That is the empty tree where the version before has none that is cut alike.
    """
    if before is None or before.kind != after.kind or after.kind == "blob":
        return EMPTY_TREE
    alike = before.parameters == after.parameters
    return before.roots[0].address if alike else EMPTY_TREE


def stamps_base_of(before: Descriptor | None, after: Descriptor) -> bytes:
    """Return the root of the stamps that edits begin with."""
    if before is None or before.kind != after.kind or before.stamps is None:
        return EMPTY_TREE
    return before.stamps.address


def moved_roots(entry: Descriptor) -> list[Reference]:
    """Return the roots of a dataset that are moved: its records or blob, its stamps.

    Indexes are made from the records by whoever gets them.
    """
    stamps = [] if entry.stamps is None else [entry.stamps]
    return [entry.roots[0], *stamps]


def blob_references(value: bytes | None) -> list[Reference]:
    """Return the references of a stored value to blobs, or to parts of them."""
    if type(value) is not Referring:
        return []
    return [one for one in decode_referring(value)[0] if one.kind in _BLOB_KINDS]


def blob_children(reference: Reference, chunk: bytes) -> list[Reference]:
    """Return what a chunk of a blob refers to."""
    if reference.kind != ChunkType.BLOB_NODE:
        return []
    node = decode_blob_node(chunk)
    return [Reference(address, int(node.child_type)) for address in node.addresses]


def require_shared(entry: Descriptor | None) -> None:
    """Raise Invalid ``local-dataset`` for a dataset that must not leave its replica."""
    if entry is not None and entry.local:
        raise Invalid(
            f"dataset {entry.name!r} is local, and stands in a commit",
            code="local-dataset",
            hint="Drop it, or make it anew without `local`, and commit that.",
            dataset=entry.name,
        )


def _batches(differences: Iterable[Difference]) -> Iterator[list[Difference]]:
    """Cut differences into batches of bounded count and bytes."""
    batch: list[Difference] = []
    size = 0
    for one in differences:
        batch.append(one)
        size += len(one[0]) + len(one[2] or b"")
        if size >= WIRE_FRAME_BYTES_TARGET or len(batch) == WIRE_EDITS_MAX:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
