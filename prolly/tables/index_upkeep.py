"""Trees of indexes: kept up from what differs in the records, or built from all.

The tree of an index is a function of the records alone, so both ways lead to one root.
Kept up, it costs O(changes x depth) nodes: each record that differs gives the entries
that it had and those that it has, and what is in one of the two is edited. A unique
entry that is new must not stand in the tree already, unless its row gives it up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import TreeParameters
from prolly.errors import Invalid
from prolly.tree import (
    Difference,
    EditBuffer,
    NodeReader,
    WorkingTree,
    count,
    diff,
    get,
    iter_batches,
)

from .column import cell_text
from .index_codec import Entries, IndexCodec
from .record_batches import gather
from .record_codec import RecordCodec
from .schema import Schema
from .stored_table import StoredTable

# Differences decoded in one go, as columns.
BATCH_RECORDS = 2048


class Trees(NamedTuple):
    """Where trees are read and written. ``reader`` sees what ``writer`` wrote."""

    reader: NodeReader
    writer: ChunkWriter
    parameters: TreeParameters

    def working_tree(self, root: bytes | None, edits: EditBuffer) -> WorkingTree:
        """Return the tree of a root with edits that are not applied yet."""
        return WorkingTree(self.reader, root, self.parameters, edits)


def carry_indexes(
    trees: Trees, base: StoredTable, schema: Schema, records: bytes
) -> tuple[bytes, ...]:
    """Return the roots of all indexes of ``schema`` over ``records``, in name order.

    Those that ``base`` has are kept up, others are built. Raises Invalid
    ``unique-violation`` (``index``, ``columns``, and ``key`` and ``other_key`` of the
    two rows) and as ``IndexCodec.entries``.
    """
    codecs = [IndexCodec(schema, index) for index in schema.indexes]
    standing = _standing(trees.reader, base)
    if not base.schema.reads_alike(schema):
        # Equal bytes may be other cells, so what differs does not show what changed.
        standing = {}
    kept = [codec for codec in codecs if codec.form() in standing]
    new = [codec for codec in codecs if codec.form() not in standing]
    roots = {one.index.name: standing[one.form()][1] for one in kept}
    if kept and base.records != records:
        before = [standing[one.form()][0] for one in kept]
        roots.update(_kept_up(trees, base, (before, kept), records))
    if new:
        roots.update(_built(trees, new, records))
    return tuple([roots[index.name] for index in schema.indexes])


def _standing(
    reader: NodeReader, base: StoredTable
) -> dict[object, tuple[IndexCodec, bytes]]:
    """Return the indexes of a stored table with their roots, by form.

    None of a table without records: to build is cheaper than to keep up from nothing.
    """
    if base.records is None or not count(reader, base.records):
        return {}
    pairs = zip(base.schema.indexes, base.indexes, strict=True)
    codecs = [(IndexCodec(base.schema, index), root) for index, root in pairs]
    return {codec.form(): (codec, root) for codec, root in codecs}


def _built(
    trees: Trees, codecs: Sequence[IndexCodec], records: bytes
) -> dict[str, bytes]:
    """Build indexes in one scan of the records."""
    buffers = [EditBuffer(unique=codec.index.unique) for codec in codecs]
    roots: dict[str, bytes] = {}
    try:
        for entries in _entries_of_all(trees.reader, codecs, records):
            for codec, buffer, listed in zip(codecs, buffers, entries, strict=True):
                with _uniqueness(codec, trees.reader, records):
                    buffer.put_many(*listed)
        for codec, buffer in zip(codecs, buffers, strict=True):
            with _uniqueness(codec, trees.reader, records):
                tree = trees.working_tree(None, buffer)
                roots[codec.index.name] = tree.write(trees.writer)
    finally:
        for buffer in buffers:
            buffer.close()
    return roots


def _entries_of_all(
    reader: NodeReader, codecs: Sequence[IndexCodec], records: bytes
) -> Iterator[list[Entries]]:
    """Yield the entries of a batch of records, those of each index."""
    record_codec = RecordCodec(codecs[0].schema)
    for keys, values in gather(iter_batches(reader, records)):
        columns = record_codec.decode_columns(keys, values, reader.get_chunk)
        yield [codec.entries(keys, columns) for codec in codecs]


def _kept_up(
    trees: Trees,
    base: StoredTable,
    codecs: tuple[Sequence[IndexCodec], Sequence[IndexCodec]],
    records: bytes,
) -> dict[str, bytes]:
    """Carry indexes from the records of ``base`` to ``records``."""
    before, after = codecs
    standing = _standing(trees.reader, base)
    kept = [
        _IndexEdit(trees, codec, standing[codec.form()][1], records) for codec in after
    ]
    try:
        differences = diff(trees.reader, base.records, records)
        sides = _Side(trees.reader, before), _Side(trees.reader, after)
        for batch in _slices(differences):
            old = sides[0].entries([(k, v) for k, v, _ in batch if v is not None])
            new = sides[1].entries([(k, v) for k, _, v in batch if v is not None])
            for edit, was, now in zip(kept, old, new, strict=True):
                edit.add(was, now)
        return {edit.codec.index.name: edit.write() for edit in kept}
    finally:
        for edit in kept:
            edit.close()


class _Side:
    """Entries of records of one version, for several indexes."""

    def __init__(self, reader: NodeReader, codecs: Sequence[IndexCodec]) -> None:
        self._read = reader.get_chunk
        self._codecs = codecs
        self._records = RecordCodec(codecs[0].schema)

    def entries(self, records: Sequence[tuple[bytes, bytes]]) -> list[Entries]:
        """Return the entries of records, those of each index."""
        if not records:
            return [([], []) for _ in self._codecs]
        keys, values = map(list, zip(*records, strict=True))
        columns = self._records.decode_columns(keys, values, self._read)
        return [codec.entries(keys, columns) for codec in self._codecs]


class _IndexEdit:
    """The edit of one index: entries that go, and entries that come."""

    def __init__(
        self, trees: Trees, codec: IndexCodec, root: bytes, records: bytes
    ) -> None:
        self.codec = codec
        self._trees = trees
        self._root = root
        self._records = records
        self._removed = EditBuffer()
        self._added = EditBuffer(unique=codec.index.unique)

    def add(self, old: Entries, new: Entries) -> None:
        """Take the entries of some records, before and now."""
        before, now = set(zip(*old, strict=True)), set(zip(*new, strict=True))
        self._removed.delete_many([key for key, _ in before - now])
        if now - before:
            keys, values = zip(*now - before, strict=True)
            with self._unique():
                self._added.put_many(keys, values)

    def write(self) -> bytes:
        """Write the edited index and return its root."""
        edits = EditBuffer()
        tree = self._trees.working_tree(self._root, edits)
        try:
            for keys, _ in self._removed.batches():
                edits.delete_many(keys)
            # What comes stands over what goes: rows may swap their unique cells.
            with self._unique():
                for keys, values in self._added.batches():
                    if self.codec.index.unique:
                        self._refuse_taken(keys)
                    edits.put_many(keys, [one for one in values if one is not None])
            return tree.write(self._trees.writer)
        finally:
            tree.close()

    def _refuse_taken(self, keys: Sequence[bytes]) -> None:
        reader = self._trees.reader
        for key in keys:
            if self._removed.find(key)[0]:
                continue
            if get(reader, self._root, key) is not None:
                raise Invalid(
                    "a unique index has this key already",
                    code="duplicate-key",
                    hint="Give the rows other values.",
                    encoded_key=key,
                )

    def _unique(self) -> AbstractContextManager[None]:
        return _uniqueness(self.codec, self._trees.reader, self._records)

    def close(self) -> None:
        """Give temporary files back."""
        self._removed.close()
        self._added.close()


@contextmanager
def _uniqueness(
    codec: IndexCodec, reader: NodeReader, records: bytes
) -> Iterator[None]:
    """Turn the ``duplicate-key`` of a buffer into a unique violation of two rows."""
    try:
        yield
    except Invalid as error:
        if error.code != "duplicate-key":
            raise
        cells = error.facts["encoded_key"]
        raise _violation(codec, reader, records, cells) from error


def _violation(
    codec: IndexCodec, reader: NodeReader, records: bytes, cells: bytes
) -> Invalid:
    """Return the error that names both rows; they are found by a scan."""
    found: list[bytes] = []
    for [(spelt, keys)] in _entries_of_all(reader, [codec], records):
        found += [key for one, key in zip(spelt, keys, strict=True) if one == cells]
        if len(found) > 1:
            break
    index = codec.index
    record_codec = RecordCodec(codec.schema)
    first, second = record_codec.decode_keys(found[:2])
    stored = get(reader, records, found[0])
    assert stored is not None
    row = record_codec.decode_row(found[0], stored, reader.get_chunk)
    texts = [f"{one.name} = {cell_text(one, row[one.name])}" for one in codec.columns]
    shown = ", ".join(texts)
    return Invalid(
        f"rows {first!r} and {second!r} both have {shown}; index {index.name!r} is "
        "unique",
        code="unique-violation",
        hint="Change one of the two rows.",
        index=index.name,
        columns=index.columns,
        key=first,
        other_key=second,
    )


def _slices(differences: Iterable[Difference]) -> Iterator[list[Difference]]:
    iterator = iter(differences)
    return iter(lambda: list(islice(iterator, BATCH_RECORDS)), [])
