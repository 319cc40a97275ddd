"""A table in memory that is written again and again, and what its indexes must be.

For tests: it plays the part that a workspace plays in a repository, and counts the
nodes that are read and written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prolly.chunks import CountingStore, MemoryStore
from prolly.codec import DEFAULT_PARAMETERS
from prolly.tables import MutableTable, Schema, StoredTable, Table, Trees, carry_indexes
from prolly.tree import NodeReader, WorkingTree

__all__ = ["TableModel"]


class TableModel:
    """One stored table. ``store.costs`` tells of chunks read and written."""

    def __init__(self, schema: Schema, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self.store = CountingStore(MemoryStore())
        self.writer = self.store.writer()
        self.stored = StoredTable(schema, None, ())
        table, tree = self.edit()
        table.load(list(rows))
        self.write(table, tree)

    @property
    def reader(self) -> NodeReader:
        """A reader with an empty cache, so that every node that it reads is counted."""
        return NodeReader(self.writer.get)

    def edit(self) -> tuple[MutableTable, WorkingTree]:
        """Open the table for writing."""
        schema, records, indexes = self.stored
        tree = WorkingTree(self.reader, records, DEFAULT_PARAMETERS)
        return MutableTable(tree, self.writer, schema, indexes), tree

    def write(self, table: MutableTable, tree: WorkingTree) -> Table:
        """Write what was edited, indexes too, and return the stored table."""
        reader = self.reader
        records = tree.write(self.writer)
        indexes = table.write_indexes(reader, records)
        self.stored = StoredTable(table.schema, records, indexes)
        table.close()
        tree.close()
        return self.table()

    def table(self) -> Table:
        """Open the table for reading, with an empty cache."""
        schema, records, indexes = self.stored
        assert records is not None
        return Table(self.reader, records, schema, indexes)

    def rebuilt_indexes(self) -> tuple[bytes, ...]:
        """Return the roots of indexes built from all records."""
        schema, records, _ = self.stored
        assert records is not None
        trees = Trees(self.reader, self.writer, DEFAULT_PARAMETERS)
        return carry_indexes(trees, StoredTable(schema, None, ()), schema, records)
