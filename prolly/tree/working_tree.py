"""A tree with edits that are not stored yet, and reads that see them.

A read of one key looks into the edits first. Reads that need order or numbers (ranges,
reverse, nth, rank, length) run on the *settled* root: the edits so far, applied with
their new nodes in scratch memory. Nothing of that reaches the store: ``write`` applies
the edits to the base. While they fit into memory, or the base is empty, that is one
pass, and no node is written that the final tree does not hold. What was spilled comes
in sorted batches, each a pass of its own: where one ends and the next begins, the nodes
on that path are written once for each of the two, and gc removes the earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, repeat
from operator import lt

from prolly.chunks import ChunkWriter, ScratchWriter
from prolly.codec import TreeParameters
from prolly.codec.stored_leaf import StoredLeaf

from .builder import LevelBuilder, build
from .edit import apply
from .edit_buffer import EditBuffer
from .passing_cache import PassingCache
from .reader import NodeReader
from .scan import get
from .sorted_run import Edits

# Past this, applying all edits again costs no more than keeping so many twice.
FRESH_EDITS_MAX = 10_000


def apply_batches(
    reader: NodeReader,
    writer: ChunkWriter,
    root: bytes | None,
    batches: Iterator[Edits],
    parameters: TreeParameters,
) -> bytes:
    """Apply sorted batches of edits one after the other; return the last root.

    An empty tree (``None`` or an empty leaf) is built in one pass. Else each batch but
    the last leaves nodes behind that the next one replaces: those on the path between
    the two, O(depth) of them. ``reader`` must see what ``writer`` wrote.
    """
    if root is None or is_empty(reader, root):
        return build(writer, map(_puts, batches), parameters)
    for edits in batches:
        root = apply(reader, writer, root, edits, parameters)
    return root


def is_empty(reader: NodeReader, root: bytes) -> bool:
    """Tell whether a tree holds nothing: then its root is a leaf without records."""
    held = reader.hold(root)
    return isinstance(held, StoredLeaf) and not held.entries_claimed()


def _puts(edits: Edits) -> tuple[list[bytes], list[bytes]]:
    """Keep the edits that write a value: on an empty tree a delete does nothing."""
    keys, values = edits
    kept = [value for value in values if value is not None]
    if len(kept) < len(values):
        pairs = zip(keys, values, strict=True)
        keys = [key for key, value in pairs if value is not None]
    return keys, kept


class WorkingTree:
    """One tree under edit. Not thread-safe.

    ``root`` is ``None`` for a tree that begins empty. ``reader`` must see the chunks of
    the writer that ``write`` and ``replace_all`` get.
    """

    def __init__(
        self,
        reader: NodeReader,
        root: bytes | None,
        parameters: TreeParameters,
        buffer: EditBuffer | None = None,
    ) -> None:
        self.base = root
        self.parameters = parameters
        self._reader = reader
        self._buffer = EditBuffer() if buffer is None else buffer
        self._scratch: ScratchWriter | None = None
        self._replaced = False
        self._settled = root
        self._settled_reader = reader
        # Edits since the last settling; None when there are too many to list.
        self._fresh: dict[bytes, bytes | None] | None = {} if root else None
        # The tree being built from records that came in order, and the last of them.
        self._load: LevelBuilder | None = None
        self._loaded_until = b""

    @property
    def is_changed(self) -> bool:
        """Tell whether any edit was made, even one that writes what stood there."""
        return self._replaced or bool(self._buffer) or self._load is not None

    def get(self, key: bytes) -> bytes | None:
        """Return the stored value under ``key``, edits included, or ``None``."""
        self._end_load()
        if self._buffer:
            found, value = self._buffer.find(key)
            if found:
                return value
        return get(self._reader, self.base, key) if self.base else None

    def put(self, key: bytes, value: bytes | None) -> None:
        """Write one record; ``None`` deletes it."""
        self._end_load()
        self._buffer.put(key, value)
        self._remember(((key, value),))

    def put_many(
        self,
        keys: Sequence[bytes],
        values: Sequence[bytes],
        writer: ChunkWriter | None = None,
    ) -> None:
        """Write many records, in order.

        Given the writer that ``write`` will get, keys that ascend into an empty tree
        are built into nodes as they come, once they are many; they spill no runs.
        """
        if writer is not None and self._loads(keys, values, writer):
            return
        self._end_load()
        self._buffer.put_many(keys, values)
        self._remember(zip(keys, values, strict=True))

    def _loads(
        self, keys: Sequence[bytes], values: Sequence[bytes], writer: ChunkWriter
    ) -> bool:
        """Append records to a tree that is being built; tell whether that is so."""
        if self._load is None and not self._begin_load(writer):
            return False
        assert self._load is not None
        if keys:
            ascend = all(map(lt, keys, islice(keys, 1, None)))
            if keys[0] <= self._loaded_until or not ascend:
                return False
            self._load.extend(keys, values)
            self._loaded_until = keys[-1]
        return True

    def _begin_load(self, writer: ChunkWriter) -> bool:
        """Turn the buffer into a tree being built, if it is half full and in order."""
        if not self._buffer.is_half_full or not self._is_empty():
            return False
        ordered = self._buffer.take_ordered()
        if ordered is None:
            return False
        self._load = LevelBuilder(writer, self.parameters, 0)
        self._load.extend(*_puts(ordered))
        self._loaded_until = ordered[0][-1]
        return True

    def _is_empty(self) -> bool:
        return self.base is None or is_empty(self._reader, self.base)

    def _end_load(self) -> None:
        """Finish the tree that is being built: it is the base of what follows."""
        if self._load is not None:
            root = self._load.finish()
            self._load = None
            self._stand_on(root)

    def _stand_on(self, root: bytes) -> None:
        """Let a whole new tree be the base, without any edits."""
        self.base = self._settled = root
        self._settled_reader = self._reader
        self._scratch = None
        self._fresh = {}
        self._replaced = True

    def delete_many(self, keys: Sequence[bytes]) -> None:
        """Delete many records; absent ones are no error."""
        self._end_load()
        self._buffer.delete_many(keys)
        self._remember(zip(keys, repeat(None)))

    def _remember(self, edits: Iterable[tuple[bytes, bytes | None]]) -> None:
        if self._fresh is not None:
            self._fresh.update(edits)
            if len(self._fresh) > FRESH_EDITS_MAX:
                self._fresh = None

    def settled(
        self, start: bytes | None = None, stop: bytes | None = None
    ) -> tuple[NodeReader, bytes]:
        """Return a reader and the root of the tree with all edits applied.

        The caller tells what it is going to read, start <= key < stop, all by default.
        Here that makes no difference; a tree that records reads takes it at its word.
        """
        self._end_load()
        if self._fresh == {} and self._settled is not None:
            return self._settled_reader, self._settled
        if self._scratch is None:
            self._scratch = ScratchWriter(self._reader.get_chunk)
            self._settled_reader = NodeReader(self._scratch.get, self._reader.cache)
        if self._fresh is None:
            start, batches = self.base, self._buffer.batches()
        else:
            keys = sorted(self._fresh)
            values = [self._fresh[key] for key in keys]
            start, batches = self._settled, iter([(keys, values)])
        reader = self._settled_reader
        root = apply_batches(reader, self._scratch, start, batches, self.parameters)
        self._settled = root
        self._fresh = {}
        return reader, root

    def replace_all(self, writer: ChunkWriter, buffer: EditBuffer) -> None:
        """Replace all records by those of ``buffer``, built into ``writer`` at once.

        Nodes that stood there before are not written again. Raises Invalid
        ``duplicate-key`` when the buffer wants each key once; then nothing changes.
        """
        root = build(writer, map(_puts, buffer.batches()), self.parameters)
        self._load = None
        self._buffer.close()
        self._stand_on(root)

    def write(self, writer: ChunkWriter, *, keep_read: bool = True) -> bytes:
        """Apply all edits to the base, its new nodes into ``writer``; return the root.

        ``keep_read``: the caller reads the old leaves again, to compare the trees.
        Raises Invalid ``duplicate-key`` when the buffer wants each key once.
        """
        self._end_load()
        if not self._buffer and self.base is not None:
            return self.base
        cache = self._reader.cache
        if not keep_read and not self._buffer.is_small:
            cache = PassingCache(cache)
        reader = NodeReader(writer.get, cache, writer.get_many)
        batches = self._buffer.batches()
        return apply_batches(reader, writer, self.base, batches, self.parameters)

    def close(self) -> None:
        """Give temporary files back; twice is fine."""
        self._buffer.close()
        if self._scratch is not None:
            self._scratch.abort()
