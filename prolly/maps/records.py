"""Where the records of a map or table stand: in a stored tree, or in one under edit.

Both answer the same questions, so the sorted mappings are written once. The stored kind
never changes and may be used by several threads. The edited kind sees every write as
soon as it was made, can be closed, and belongs to one thread.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from prolly.errors import Invalid
from prolly.tree import NodeReader, count

if TYPE_CHECKING:
    from prolly.chunks import ChunkWriter
    from prolly.tree import EditBuffer, WorkingTree

Item = TypeVar("Item")

# The range that holds no key.
NOTHING = (b"", b"")


class Records(ABC):
    """Encoded keys and stored values, in order."""

    @abstractmethod
    def get(self, key: bytes) -> bytes | None:
        """Return the stored value under an encoded key, or ``None``."""

    @abstractmethod
    def settled(
        self, start: bytes | None = None, stop: bytes | None = None
    ) -> tuple[NodeReader, bytes]:
        """Return a reader and the root of the tree that holds all records now.

        The caller is going to depend on records with start <= key < stop and no
        others; by default, on all. ``NOTHING`` is the range of none.
        """

    @abstractmethod
    def read_chunk(self, address: bytes) -> bytes | None:
        """Return a chunk that a value may refer to, or ``None``."""

    def guard(self, items: Iterator[Item]) -> Iterator[Item]:
        """Return an iterator of the same items that ends its service at ``close``."""
        return items


class StoredRecords(Records):
    """The records of one stored tree; they never change. Thread-safe."""

    def __init__(self, reader: NodeReader, root: bytes) -> None:
        self._reader = reader
        self._root = root

    def get(self, key: bytes) -> bytes | None:
        return self._reader.find(self._root, key)

    def settled(
        self, start: bytes | None = None, stop: bytes | None = None
    ) -> tuple[NodeReader, bytes]:
        return self._reader, self._root

    def read_chunk(self, address: bytes) -> bytes | None:
        return self._reader.get_chunk(address)


class EditedRecords(Records):
    """The records of a tree under edit, until ``close``. Not thread-safe.

    After ``close`` every use raises Invalid ``closed``, also of iterators that were
    made before. Long values go into ``writer``, which must outlive this object.
    """

    def __init__(self, tree: WorkingTree, writer: ChunkWriter) -> None:
        self._tree = tree
        self._writer = writer
        self._closed = False

    @property
    def writer(self) -> ChunkWriter:
        """Where the chunks of long values go."""
        self.require_open()
        return self._writer

    def get(self, key: bytes) -> bytes | None:
        self.require_open()
        return self._tree.get(key)

    def settled(
        self, start: bytes | None = None, stop: bytes | None = None
    ) -> tuple[NodeReader, bytes]:
        self.require_open()
        return self._tree.settled(start, stop)

    def read_chunk(self, address: bytes) -> bytes | None:
        self.require_open()
        return self._writer.get(address)

    def guard(self, items: Iterator[Item]) -> Iterator[Item]:
        self.require_open()
        return self._guarded(items)

    def _guarded(self, items: Iterator[Item]) -> Iterator[Item]:
        self.require_open()
        for item in items:
            yield item
            if self._closed:
                self.require_open()

    def is_known_empty(self) -> bool:
        """Tell, without settling edits, whether there is no record; False if unsure."""
        self.require_open()
        # Only how the writes are done depends on it, so nothing counts as read.
        return not self._tree.is_changed and count(*self._tree.settled(*NOTHING)) == 0

    def put(self, key: bytes, value: bytes | None) -> None:
        """Write one record; ``None`` deletes it."""
        self.require_open()
        self._tree.put(key, value)

    def put_many(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        """Write many records, in order."""
        self.require_open()
        self._tree.put_many(keys, values, self._writer)

    def replace_all(self, buffer: EditBuffer) -> None:
        """Replace all records by those of ``buffer``; raises as the tree does."""
        self.require_open()
        self._tree.replace_all(self._writer, buffer)

    def close(self) -> None:
        """End the service; twice is fine. Tree and writer stay the caller's."""
        self._closed = True

    def require_open(self) -> None:
        """Raise Invalid ``closed`` after ``close``."""
        if self._closed:
            raise Invalid(
                "the transaction of this dataset has ended",
                code="closed",
                hint="Read from a snapshot, or begin a new transaction.",
            )
