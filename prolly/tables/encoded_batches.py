"""Records that were encoded elsewhere, in another process say, to be loaded as such.

``encode_batches`` does there what loading rows does here, and needs no table: the
spelling of a record is a function of its cells and the schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from prolly.chunks import ChunkWriter

from .record_codec import RecordCodec
from .row_batches import ColumnBatches, RowSource, encode_records
from .schema import Schema


class EncodedRecords(NamedTuple):
    """Keys and stored values of some records, and the chunks that they refer to."""

    keys: list[bytes]
    values: list[bytes]
    chunks: list[bytes]


@dataclass(frozen=True, slots=True)
class EncodedBatches:
    """Input of a table of just this schema. The caller vouches for every byte."""

    schema: Schema
    batches: Iterable[EncodedRecords]

    def records(
        self, writer: ChunkWriter
    ) -> Iterator[tuple[int, tuple[list[bytes], list[bytes]]]]:
        """Yield (records before, keys and values); what they refer to is written."""
        before = 0
        for keys, values, chunks in self.batches:
            for chunk in chunks:
                writer.put(chunk)
            if keys:
                yield before, (keys, values)
            before += len(keys)


def encode_batches(
    schema: Schema, source: ColumnBatches, writer: ChunkWriter
) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """Yield (keys, stored values) of checked rows; long cells go into ``writer``.

    A column that the source lacks takes its default. Raises as ``MutableTable.load``
    does for the rows by themselves.
    """
    codec = RecordCodec(schema)
    for before, columns in RowSource(source).checked(schema):
        yield encode_records(codec, columns, writer, before)
