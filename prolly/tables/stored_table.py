"""A table as a version has it: its schema, and where its trees stand."""

from __future__ import annotations

from typing import NamedTuple

from .schema import Schema


class StoredTable(NamedTuple):
    """The trees of a table: records (None if there are none yet), then indexes."""

    schema: Schema
    records: bytes | None
    indexes: tuple[bytes, ...]
