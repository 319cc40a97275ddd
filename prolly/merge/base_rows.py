"""The records of one version of a table, and rows of the base found by their key."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

from prolly.codec import TreeParameters
from prolly.tables import RecordCodec, Schema
from prolly.tree import NodeReader, get

from .key_spelling import KeySpelling


class Records(NamedTuple):
    """The records of one version of a table: schema, root, how the tree is cut."""

    schema: Schema
    root: bytes
    parameters: TreeParameters


class BaseRows:
    """The rows of the base, if there is one, as it has them."""

    def __init__(self, reader: NodeReader, base: Records | None) -> None:
        self._reader = reader
        self._base = base
        self.columns = {one.id: one for one in base.schema.columns} if base else {}

    @cached_property
    def _codec(self) -> RecordCodec:
        assert self._base is not None
        return RecordCodec(self._base.schema)

    @property
    def schema(self) -> Schema | None:
        """The schema of the base, None without one."""
        return None if self._base is None else self._base.schema

    def spelling(self, version: Schema) -> KeySpelling:
        """Return how the keys of the base are spelt in another version."""
        return KeySpelling(self.schema, version)

    def row(self, spelt: Iterable[bytes]) -> dict[int, Any] | None:
        """Return the cells of a record by column id, or ``None``.

        ``spelt`` are keys that the base may have it under.
        """
        for key in spelt if self._base is not None else ():
            assert self._base is not None
            stored = get(self._reader, self._base.root, key)
            if stored is not None:
                row = self._codec.decode_row(key, stored, self._reader.get_chunk)
                return {number: row[one.name] for number, one in self.columns.items()}
        return None
