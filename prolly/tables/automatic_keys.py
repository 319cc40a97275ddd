"""Keys that a table makes itself: the last key column, when it is of type uuid.

A row that leaves that column out gets a new id, so that devices which never met make
rows that never collide. Ids of version 7 sort by when they were made, so new rows stand
together at the end of the tree. A uuid further in front says whose the row is, which
nobody but the caller knows.
"""

from __future__ import annotations

from .schema import Schema


def automatic_column(schema: Schema) -> str | None:
    """Return the column that a table fills itself, if it has one."""
    if schema.is_unknown:
        return None
    last = schema.key_columns[-1]
    return last.name if last.type == "uuid" else None
