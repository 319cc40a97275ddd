"""The indexes of a table under edit: for reads in scratch memory, at the end for good.

Reads go on from where the last read left the indexes, so a transaction that edits and
reads in turn pays for the edits between. What is written in the end goes on from the
stored trees, so no node is written that the final trees do not hold.
"""

from __future__ import annotations

from prolly.chunks import ChunkWriter, ScratchWriter
from prolly.codec import TreeParameters
from prolly.tree import NodeReader

from .constraints import Index
from .index_codec import IndexCodec
from .index_upkeep import Trees, carry_indexes
from .schema import Schema
from .stored_table import StoredTable


class EditedIndexes:
    """Keeps the indexes of one table. Not thread-safe."""

    def __init__(self, stored: StoredTable, parameters: TreeParameters) -> None:
        self._stored = stored
        self._parameters = parameters
        self._last = stored
        # The reader that the last settling got, and what it wrote.
        self._source: NodeReader | None = None
        self._scratch: ScratchWriter | None = None
        self._reader: NodeReader | None = None

    def settled(
        self, reader: NodeReader, schema: Schema, records: bytes
    ) -> tuple[NodeReader, tuple[bytes, ...]]:
        """Return a reader and the roots of the indexes over these records."""
        if self._source is not reader or self._scratch is None or self._reader is None:
            # Another reader may not know the records that the last one knew. What was
            # written for that one stays with the iterators that read it.
            self._source = reader
            self._scratch = ScratchWriter(reader.get_chunk)
            self._reader = NodeReader(self._scratch.get, reader.cache)
            self._last = self._stored
        trees = Trees(self._reader, self._scratch, self._parameters)
        roots = carry_indexes(trees, self._last, schema, records)
        self._last = StoredTable(schema, records, roots)
        return self._reader, roots

    def stored_place(self, schema: Schema, index: Index) -> int | None:
        """Return the place of the stored tree that an index goes on from, if any."""
        form = IndexCodec(schema, index).form()
        for place, _ in enumerate(self._stored.indexes):
            stored = self._stored.schema
            if IndexCodec(stored, stored.indexes[place]).form() == form:
                return place
        return None

    def write(
        self, reader: NodeReader, writer: ChunkWriter, schema: Schema, records: bytes
    ) -> tuple[bytes, ...]:
        """Write the indexes over these records and return their roots."""
        trees = Trees(reader, writer, self._parameters)
        return carry_indexes(trees, self._stored, schema, records)

    def close(self) -> None:
        """Give scratch memory back; twice is fine."""
        if self._scratch is not None:
            self._scratch.abort()
            self._scratch = None
