"""Taking in a stream of commits and edits: what may come, and where it stands.

Commits are taken only if they were asked for, or are parents of those before; chunks
only if something that came before refers to them. Edits stay in the stream until they
are applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from prolly.codec import (
    ChunkType,
    Commit,
    Referring,
    TreeParameters,
    address_of,
    decode_blob_node,
    decode_commit,
    decode_referring,
    encode_commit,
)
from prolly.codec.cbor_items import count_items
from prolly.codec.received_node import decode_received_node
from prolly.codec.wire import FrameType, WireFrame, bad_wire
from prolly.codec.wire_edits import EditColumns, TreeEdits, decode_edits
from prolly.codec.wire_edits import decode_tree_edits as decode_tree
from prolly.codec.wire_messages import decode_chunks
from prolly.errors import Corrupt, LimitExceeded
from prolly.repo import Storage
from prolly.tree import AddressSet

from .kept_stream import KeptStream
from .quarantine import Quarantine

# More than any history has; what comes is held by its id until it is checked.
RECEIVED_COMMITS_MAX = 4_194_304
# They are held decoded; metadata takes many times its bytes.
RECEIVED_COMMIT_BYTES_MAX = 2 * 1024 * 1024 * 1024
_ITEM_BYTES = 64

_NODES = (ChunkType.LEAF, ChunkType.INNER)


class Section(NamedTuple):
    """The edits of one tree, and where their frames begin in the stream."""

    tree: TreeEdits
    starts: list[int]


class Intake:
    """What a stream brought. Not thread-safe; nothing of it is in the store.

    With ``depth`` commits that far below one that is wanted may come without parents.
    """

    def __init__(
        self,
        storage: Storage,
        quarantine: Quarantine,
        stream: KeptStream,
        wants: Iterable[bytes],
        depth: int | None = None,
    ) -> None:
        self.quarantine = quarantine
        self._storage = storage
        self._stream = stream
        self._expected = set(self._lacking(wants))
        self._depth = depth
        # How far below one that is wanted a commit stands.
        self._steps = dict.fromkeys(self._expected, 0)
        self._wanted = AddressSet()
        # Blobs that values of edits refer to, some of which may not have come along.
        self.blobs: dict[bytes, None] = {}
        self._sections: dict[bytes, Section] = {}
        self._open: Section | None = None
        self._last_key = b""
        self.records = 0
        # In the order in which they came, children before parents.
        self.commits: dict[bytes, Commit] = {}
        self._commit_bytes = 0

    def take(self, frame: WireFrame) -> None:
        """Take one frame. Raises Corrupt, LimitExceeded ``too-many-commits``."""
        if frame.kind == FrameType.COMMITS:
            for chunk in decode_chunks(frame.payload):
                self._take_commit(chunk)
        elif frame.kind == FrameType.TREE:
            self._open = Section(decode_tree(frame.payload), [])
            self._sections.setdefault(self._open.tree.target, self._open)
            self._last_key = b""
        elif frame.kind == FrameType.EDITS:
            self._take_edits(frame)
        elif frame.kind == FrameType.CHUNKS:
            for chunk in decode_chunks(frame.payload):
                self._take_chunk(chunk)
        elif frame.kind != FrameType.REPLY:
            raise bad_wire(f"{FrameType(frame.kind).name} among commits and edits")

    def require_whole(self) -> None:
        """Raise Corrupt ``commits-missing`` if a commit that was due has not come."""
        due = self._expected
        if self._depth is not None:
            due = {one for one in due if self._steps[one] < self._depth}
        if due:
            missing = min(due)
            raise Corrupt(
                f"commit {missing.hex()} was asked for and did not come",
                code="commits-missing",
                hint="The other side is damaged, or lies; nothing was changed.",
                address=missing,
            )

    def cut_commits(self) -> list[bytes]:
        """Return the commits that came without some parent."""
        if not self._expected:
            return []
        return [
            one
            for one, commit in self.commits.items()
            if not self._expected.isdisjoint(commit.parents)
        ]

    def has_edits(self, target: bytes) -> bool:
        """Tell whether there are edits that lead to this root."""
        return target in self._sections

    def edits(
        self, base: bytes, target: bytes, parameters: TreeParameters
    ) -> Iterator[EditColumns] | None:
        """Return the edits from one root to another; ``None`` if there are none."""
        section = self._sections.get(target)
        if section is None or section.tree != TreeEdits(base, target, parameters):
            return None
        return self._read_edits(section)

    def edited_values(self, target: bytes) -> Iterator[bytes]:
        """Yield the values that edits towards a root write."""
        for _, values in self._read_edits(self._sections[target]):
            yield from (value for value in values if value is not None)

    def _read_edits(self, section: Section) -> Iterator[EditColumns]:
        for start in section.starts:
            yield decode_edits(self._stream.frame(start).payload)

    def _lacking(self, ids: Iterable[bytes]) -> list[bytes]:
        asked = list(dict.fromkeys(ids))
        present = self._storage.store.contains_many(asked)
        return [one for one, here in zip(asked, present, strict=True) if not here]

    def _take_commit(self, chunk: bytes) -> None:
        commit_id = address_of(chunk)
        if commit_id not in self._expected:
            if commit_id in self.commits or not self._lacking([commit_id]):
                return
            raise _unasked(commit_id)
        commit = decode_commit(chunk)
        if encode_commit(commit) != chunk:
            raise Corrupt("a commit is spelt in a way that is not canonical")
        self._require_room(commit, chunk)
        self._expected.discard(commit_id)
        self.commits[commit_id] = commit
        unknown = [one for one in commit.parents if one not in self.commits]
        self._expected.update(self._lacking(unknown))
        if self._depth is not None:
            step = self._steps[commit_id] + 1
            for one in commit.parents:
                self._steps[one] = min(self._steps.get(one, step), step)
        self._wanted.add(commit.root)

    def _require_room(self, commit: Commit, chunk: bytes) -> None:
        self._commit_bytes += len(chunk)
        if commit.metadata:
            self._commit_bytes += _ITEM_BYTES * count_items([chunk[1:]], len(chunk))
        is_full = self._commit_bytes > RECEIVED_COMMIT_BYTES_MAX
        if is_full or len(self.commits) >= RECEIVED_COMMITS_MAX:
            raise LimitExceeded(
                f"more than {RECEIVED_COMMITS_MAX} commits in one go, or "
                f"{RECEIVED_COMMIT_BYTES_MAX} bytes of them",
                code="too-many-commits",
                hint="Fetch the history in parts: tags, or branches, first.",
            )

    def _take_edits(self, frame: WireFrame) -> None:
        if self._open is None:
            raise bad_wire("edits of no tree")
        keys, values = decode_edits(frame.payload)
        if keys[0] <= self._last_key:
            raise bad_wire("the keys of edits do not ascend")
        self._last_key = keys[-1]
        self._open.starts.append(frame.start)
        self.records += len(keys)
        if Referring in set(map(type, values)):
            for value in values:
                if type(value) is Referring:
                    for reference in decode_referring(value)[0]:
                        self._wanted.add(reference.address)
                        if reference.kind not in _NODES:
                            self.blobs[reference.address] = None

    def _take_chunk(self, chunk: bytes) -> None:
        address = address_of(chunk)
        if address not in self._wanted:
            raise _unasked(address)
        for below in links_of_received(chunk):
            self._wanted.add(below)
        self.quarantine.put(address, chunk)


def links_of_received(chunk: bytes) -> list[bytes]:
    """Return what a chunk from outside refers to, checked for its form.

    Nodes of records and of blobs, and pieces: Corrupt ``chunk-type`` for another kind.
    """
    kind = chunk[0]
    if kind in _NODES:
        node = decode_received_node(chunk)
        below = [one for value in node.referring for one in decode_referring(value)[0]]
        return [*node.children, *(one.address for one in below)]
    if kind == ChunkType.BLOB_NODE:
        return decode_blob_node(chunk).addresses
    if kind == ChunkType.BLOB_PIECE:
        return []
    raise Corrupt(
        f"a chunk of type {kind} came where nodes and pieces do",
        code="chunk-type",
        hint="The other side sent what was not asked for; nothing was kept.",
        actual=kind,
    )


def _unasked(address: bytes) -> Corrupt:
    return Corrupt(
        f"chunk {address.hex()} came, and nobody asked for it",
        code="unasked",
        hint="The other side is damaged, or lies; nothing was changed.",
        address=address,
    )
