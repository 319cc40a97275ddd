"""Rows that an index cannot hold: all of them, for whoever settles them one by one.

Given the records that an index stands over and those that it is to stand over, only
what differs is looked at. A row that shares a unique entry with a row that did not
change is found in the index. Memory is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple

from prolly.codec import key as key_codec
from prolly.errors import Error
from prolly.tree import EditBuffer, NodeReader, diff, get

from .constraints import Index
from .index_codec import Entries, IndexCodec
from .index_upkeep import BATCH_RECORDS
from .record_codec import RecordCodec
from .schema import Schema


class IndexViolation(NamedTuple):
    """Rows, by encoded key, that have one entry in a unique index, in key order.

    One row alone has no entry at all: ``reason`` says why, else it is empty.
    """

    index_name: str
    keys: tuple[bytes, ...]
    reason: str = ""


class Vetted(NamedTuple):
    """Records that an index holds, and its tree."""

    records: bytes
    tree: bytes


def index_violations(
    reader: NodeReader,
    schema: Schema,
    index: Index,
    records: bytes,
    vetted: Vetted | None = None,
) -> Iterator[IndexViolation]:
    """Yield what keeps an index from standing over ``records``.

    ``vetted`` are records under the same schema that it does stand over; without them
    all records are looked at.
    """
    with_index = EntriesThatFit(reader, schema, index)
    removed, added = EditBuffer(), EditBuffer()
    try:
        start = None if vetted is None else vetted.records
        differences = diff(reader, start, records)
        while batch := list(islice(differences, BATCH_RECORDS)):
            old = [(key, value) for key, value, _ in batch if value is not None]
            new = [(key, value) for key, _, value in batch if value is not None]
            if index.unique and old:
                removed.put_many(*with_index.entries(old))
            yield from with_index.unfit(new)
            if index.unique and new:
                spelt, primary = with_index.entries(new)
                joined = list(map(bytes.__add__, spelt, primary))
                added.put_many(joined, [b""] * len(joined))
        for cells, keys in _groups(added, len(index.columns)):
            if vetted is not None and not removed.find(cells)[0]:
                holder = get(reader, vetted.tree, cells)
                keys = sorted({*keys, *([] if holder is None else [holder])})
            if len(keys) > 1:
                yield IndexViolation(index.name, tuple(keys))
    finally:
        removed.close()
        added.close()


def _groups(added: EditBuffer, parts: int) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield the primary keys of the entries of equal cells."""
    pairs = (
        (joined, key_codec.end_of_parts(joined, parts))
        for keys, _ in added.batches()
        for joined in keys
    )
    for cells, group in groupby(pairs, lambda pair: pair[0][: pair[1]]):
        yield cells, [joined[end:] for joined, end in group]


class EntriesThatFit:
    """The entries of records in one index; those that have none are told apart."""

    def __init__(self, reader: NodeReader, schema: Schema, index: Index) -> None:
        self._read = reader.get_chunk
        self._records = RecordCodec(schema)
        self._codec = IndexCodec(schema, index)

    def entries(self, records: Sequence[tuple[bytes, bytes]]) -> Entries:
        """Return the entries of all records that fit."""
        try:
            return self._entries(records)
        except Error:
            fit = [one for one in records if not self._fault(one)]
            return self._entries(fit) if fit else ([], [])

    def unfit(self, records: Sequence[tuple[bytes, bytes]]) -> Iterator[IndexViolation]:
        """Yield the records that have no entry."""
        if not records:
            return
        try:
            self._entries(records)
        except Error:
            for record in records:
                fault = self._fault(record)
                if fault:
                    yield IndexViolation(self._codec.index.name, (record[0],), fault)

    def _entries(self, records: Sequence[tuple[bytes, bytes]]) -> Entries:
        keys, values = map(list, zip(*records, strict=True))
        columns = self._records.decode_columns(keys, values, self._read)
        return self._codec.entries(keys, columns)

    def _fault(self, record: tuple[bytes, bytes]) -> str:
        try:
            self._entries([record])
        except Error as error:
            return error.message
        return ""
