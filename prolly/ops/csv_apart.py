"""Import CSV on several processes: each takes stretches of the file, row by row alone.

Finding the types of columns, parsing and typing cells, and encoding records take nine
tenths of an import, and none of it needs the table. The parent cuts the bytes and gets
back what types are left, or the records as bytes, in the order of the file.

A worker that finds anything wrong only says so. Then the input is read here once more
as a whole, and that finds the same, or that the stretch was cut in the middle of a row:
so an error is the same whoever reads, and names the line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from prolly.chunks import ChunkWriter, RefMove, RefNote
from prolly.codec import address_of, cbor
from prolly.errors import Error
from prolly.tables import (
    ColumnBatches,
    EncodedBatches,
    EncodedRecords,
    InferredColumn,
    LoadMode,
    MutableTable,
    Schema,
    TextInference,
    TextState,
    encode_batches,
)
from prolly.tree import freeze_edits, thaw_edits

from .csv_source import CsvSource
from .csv_stretches import IndivisibleError, Stretch, StretchSource, iter_stretches
from .table_source import TableSource
from .typed_columns import iter_columns

Report = Callable[[int, int], object]


class _Form(NamedTuple):
    """What all stretches of an input have in common.

    ``typed`` and ``schema`` (as canonical CBOR) are of the table; when types are yet to
    be found they are empty.
    """

    delimiter: str
    columns: tuple[str, ...]
    typed: tuple[InferredColumn, ...] = ()
    schema: bytes = b""
    empty_as_null: tuple[str, ...] = ()


class _Task(NamedTuple):
    form: _Form
    stretch: Stretch

    def source(self) -> StretchSource:
        return StretchSource(self.stretch, self.form.delimiter, self.form.columns)


def infer_apart(source: CsvSource) -> list[InferredColumn] | None:
    """Return the types of the columns, or ``None``: read the input here.

    Raises StorageFailed ``worker-lost``.
    """
    assert source.workers is not None
    inference = TextInference(source.columns)
    form = _Form(source.delimiter, source.columns)
    try:
        for state in source.workers.map(_infer_stretch, _tasks(source, form)):
            if state is None:
                raise IndivisibleError
            inference.join(state)
    except IndivisibleError:
        source.workers = None
        return None
    return inference.result()


def load_apart(
    table: MutableTable,
    source: TableSource,
    typed: Sequence[InferredColumn],
    mode: LoadMode,
    empty_as_null: Sequence[str],
    *,
    progress: Report | None,
) -> int | None:
    """Load all rows and return their number, or ``None``: read the input here.

    Rows must be complete, but for columns that take their defaults. Raises as
    ``MutableTable.load`` where several rows are the matter; ``worker-lost``.
    """
    if not isinstance(source, CsvSource):
        return None
    form = _Form(
        source.delimiter,
        source.columns,
        tuple(typed),
        cbor.encode(table.schema.to_value()),
        tuple(empty_as_null),
    )
    batches = _iter_encoded(source, form, progress)
    try:
        return table.load(EncodedBatches(table.schema, batches), mode=mode)
    except IndivisibleError:
        source.workers = None
        return None


def _iter_encoded(
    source: CsvSource, form: _Form, progress: Report | None
) -> Iterator[EncodedRecords]:
    assert source.workers is not None
    for found in source.workers.map(_encode_stretch, _tasks(source, form)):
        if found is None:
            raise IndivisibleError
        frozen, chunks = found
        keys, values = thaw_edits(frozen)
        # An import deletes nothing: no value is None.
        yield EncodedRecords(keys, [one for one in values if one is not None], chunks)
        if progress is not None:
            progress(source.position, source.size)


def _tasks(source: CsvSource, form: _Form) -> Iterator[_Task]:
    """Yield the tasks of an input; what is wrong with its bytes is found again."""
    try:
        for stretch in iter_stretches(source):
            yield _Task(form, stretch)
    except Error as error:
        raise IndivisibleError from error


def _infer_stretch(task: _Task) -> list[TextState] | None:
    """Return what the columns of a stretch may be; ``None`` if anything is wrong."""
    inference = TextInference(task.form.columns)
    try:
        for batch in task.source().iter_batches():
            inference.add(batch.rows)
    except Error:
        return None
    return inference.state()


def _encode_stretch(task: _Task) -> tuple[bytes, list[bytes]] | None:
    """Return records, frozen, and their chunks; ``None`` if anything is wrong."""
    form = task.form
    outline = _Outline()
    all_keys: list[bytes] = []
    all_values: list[bytes | None] = []
    try:
        schema = Schema.from_value(cbor.decode(form.schema))
        names = [one.name for one in form.typed]
        batches = iter_columns(
            task.source(), form.typed, schema.key, form.empty_as_null
        )
        rows = ColumnBatches(names, batches)
        for keys, values in encode_batches(schema, rows, outline):
            all_keys += keys
            all_values += values
    except Error:
        return None
    return freeze_edits(all_keys, all_values), list(outline.chunks.values())


class _Outline(ChunkWriter):
    """Gathers the chunks of cells out of line."""

    def __init__(self) -> None:
        self.chunks: dict[bytes, bytes] = {}

    def put(self, chunk: bytes) -> bytes:
        address = address_of(chunk)
        self.chunks[address] = chunk
        return address

    def get(self, address: bytes) -> bytes | None:
        return self.chunks.get(address)

    def commit(self, moves: Sequence[RefMove] = (), note: RefNote | None = None) -> int:
        raise AssertionError("a worker stores nothing")

    def abort(self) -> None:
        """Nothing was stored."""
