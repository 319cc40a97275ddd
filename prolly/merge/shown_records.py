"""Stored records of one dataset as people see them."""

from __future__ import annotations

from typing import Any

from prolly.codec import decode_file_entry
from prolly.maps import ABSENT, decode_value
from prolly.tables import RecordCodec, Schema
from prolly.tree import NodeReader


class ShownRecords:
    """The records of a dataset of one kind; a table's are stored under ``schema``."""

    def __init__(self, reader: NodeReader, kind: str, schema: Schema | None) -> None:
        self._reader = reader
        self._kind = kind
        # Making one takes as long as decoding a hundred rows.
        self._codec = None if schema is None else RecordCodec(schema)

    def value(self, key: bytes, stored: bytes | None) -> Any:
        """Return a record's value, row or file, ABSENT for None; raises Corrupt."""
        if stored is None:
            return ABSENT
        if self._codec is not None:
            return self._codec.decode_row(key, stored, self._reader.get_chunk)
        if self._kind == "files":
            entry = decode_file_entry(stored)
            return {
                "size": entry.size,
                "mode": entry.mode,
                "mtime_ns": entry.mtime_ns,
                "content": bytes(entry.content),
            }
        return decode_value(stored, self._reader.get_chunk)
