"""The records of one version of a table, and rows of the base found by their key."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from prolly.codec import Descriptor, TreeParameters
from prolly.datasets import stored_table
from prolly.tables import RecordCodec, Schema
from prolly.tree import NodeReader, get


class Records(NamedTuple):
    """The records of one version of a table: schema, root, how the tree is cut."""

    schema: Schema
    root: bytes
    parameters: TreeParameters


def table_records(entry: Descriptor | None) -> Records | None:
    """Return the records of a table; None for what is none, or has no records yet."""
    if entry is None or entry.kind != "table":
        return None
    table = stored_table(entry)
    if table.records is None:
        return None
    return Records(table.schema, table.records, entry.parameters)


class BaseRows:
    """The rows of the base, if there is one, as it has them."""

    def __init__(self, reader: NodeReader, base: Records | None) -> None:
        self._reader = reader
        self.records = base
        self.columns = {one.id: one for one in base.schema.columns} if base else {}

    @cached_property
    def _codec(self) -> RecordCodec:
        assert self.records is not None
        return RecordCodec(self.records.schema)

    def row(self, key: bytes | None) -> dict[int, Any] | None:
        """Return the cells of a record by column id, or ``None``."""
        if key is None or self.records is None:
            return None
        stored = get(self._reader, self.records.root, key)
        if stored is None:
            return None
        row = self._codec.decode_row(key, stored, self._reader.get_chunk)
        return {number: row[one.name] for number, one in self.columns.items()}
