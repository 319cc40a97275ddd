"""Write records as Parquet or Arrow IPC, a record batch at a time.

The types are those of :class:`prolly.tables.ArrowLayout`; the schema of the table goes
along. Records are read twice, first to see which types hold them, so they must be given
as something that can be iterated again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from prolly.tables import ArrowLayout, ColumnType, Schema, require_pyarrow

from .byte_source import Place
from .output_file import output
from .table_source import BATCH_ROWS

# Half the size of snappy's, and as quick to read.
PARQUET_COMPRESSION = "zstd"

Rows = Iterable[Sequence[Any]]


def write_parquet(
    place: Place,
    columns: Sequence[tuple[str, ColumnType]],
    rows: Rows,
    schema: Schema | None = None,
) -> None:
    """Write a Parquet file; a file appears whole or not at all."""
    layout = _layout(columns, rows, schema)
    from pyarrow import parquet

    _write(
        place,
        lambda sink: parquet.ParquetWriter(
            sink, layout.schema, compression=PARQUET_COMPRESSION
        ),
        layout.batches(_column_batches(rows)),
    )


def write_arrow(
    place: Place,
    columns: Sequence[tuple[str, ColumnType]],
    rows: Rows,
    schema: Schema | None = None,
) -> None:
    """Write an Arrow file; a stream where ``place`` is one, or ends in ``.arrows``."""
    layout = _layout(columns, rows, schema)
    ipc = require_pyarrow().ipc
    is_path = isinstance(place, (str, os.PathLike))
    is_file = is_path and not str(place).lower().endswith(".arrows")
    begin = ipc.new_file if is_file else ipc.new_stream
    batches = layout.batches(_column_batches(rows))
    _write(place, lambda sink: begin(sink, layout.schema), batches)


def _layout(
    columns: Sequence[tuple[str, ColumnType]], rows: Rows, schema: Schema | None
) -> ArrowLayout:
    assert iter(rows) is not rows, "the rows are read twice"

    def read(places: Sequence[int]) -> Iterator[list[Sequence[Any]]]:
        for batch in _column_batches(rows):
            yield [batch[place] for place in places]

    return ArrowLayout.decide(columns, read, schema)


def _column_batches(rows: Rows) -> Iterator[list[Sequence[Any]]]:
    left = iter(rows)
    while batch := list(islice(left, BATCH_ROWS)):
        yield list(zip(*batch, strict=True))


def _write(place: Place, begin: Callable[[Any], Any], batches: Iterator[Any]) -> None:
    pyarrow = require_pyarrow()
    with output(place) as file:
        sink = _Sink(file)
        with pyarrow.PythonFile(sink, "w") as passing, begin(passing) as writer:
            try:
                for batch in batches:
                    writer.write_batch(batch)
            except BaseException:
                # The writers add their end also to what failed, as if it were whole.
                sink.cut()
                raise


class _Sink:
    """Passes bytes on to a stream that stays open, and counts them."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._written = 0
        self._is_cut = False
        self.closed = False

    def cut(self) -> None:
        """Drop whatever is written from now on."""
        self._is_cut = True

    def write(self, data: Any) -> int:
        """Write the bytes of a buffer."""
        if not self._is_cut:
            self._stream.write(data)
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self._written

    def flush(self) -> None:
        """Do nothing: the stream's owner flushes it."""

    def close(self) -> None:
        """Take no more bytes."""
        self.closed = True
