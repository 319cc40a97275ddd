"""Keys that a table makes itself: the last key column, when it is of type uuid.

A row that leaves that column out gets a new id, so that devices which never met make
rows that never collide. Ids of version 7 sort by when they were made, so new rows stand
together at the end of the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any
from uuid import UUID

from .row_batches import ColumnBatches, Source, is_table_of_lists
from .schema import Schema


def automatic_column(schema: Schema) -> str | None:
    """Return the column that a table fills itself, if it has one."""
    if schema.is_unknown:
        return None
    last = schema.key_columns[-1]
    return last.name if last.type == "uuid" else None


class AutomaticKeys:
    """Gives rows of one table the keys that they leave out."""

    def __init__(self, new_id: Callable[[], UUID]) -> None:
        self._new_id = new_id

    def row(self, schema: Schema, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the row, with a new id where it has none."""
        name = automatic_column(schema)
        if name is None or not isinstance(row, Mapping) or name in row:
            return row
        return {name: self._new_id(), **row}

    def source(self, schema: Schema, source: Source) -> Source:
        """Return rows of any form, each with an id; lazily."""
        name = automatic_column(schema)
        if name is None:
            return source
        if isinstance(source, ColumnBatches):
            if name in source.names:
                return source
            return ColumnBatches((*source.names, name), self._filled(source.batches))
        if is_table_of_lists(source):
            names, rows = source
            if name in names:
                return source
            return (*names, name), ([*row, self._new_id()] for row in rows)
        return (self.row(schema, row) for row in source)

    def _filled(
        self, batches: Iterable[Sequence[Sequence[Any]]]
    ) -> Iterator[Sequence[Sequence[Any]]]:
        for columns in batches:
            size = len(columns[0]) if columns else 0
            yield [*columns, [make() for make in repeat(self._new_id, size)]]
