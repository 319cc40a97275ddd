"""Read Parquet and Arrow IPC, as a stream of record batches.

Both say the types of their columns, so nothing is inferred. A file that ``prolly
export`` wrote also says the table's key and which columns may be null. What stands
first in an Arrow file tells the random-access form from the streamed one.

Bytes come from outside: a cut or damaged file is refused. Of a stream that means that
it must end with the mark that says so, since a stream cut between two batches looks
like a shorter one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from prolly.errors import Error, Invalid
from prolly.maps import storage_error
from prolly.tables import (
    COLUMN_TYPES,
    ArrowColumns,
    InferredColumn,
    Schema,
    adapted,
    arrow_slices,
    require_pyarrow,
)

from .byte_source import ByteSource
from .format_names import refuse_compression
from .table_source import BATCH_ROWS, Batch, Reader, TableSource, check_header

# Rows that Parquet decodes at once: a few pages of each column.
DECODE_ROWS = 16_384
# Bytes of a column chunk that are read ahead; without it a whole row group is.
READ_AHEAD_BYTES = 1024 * 1024

_FILE_MAGIC = b"ARROW1"
# The last bytes of a stream: no message follows. Before Arrow 0.15 the zeros alone.
_STREAM_END = b"\0\0\0\0"


class ArrowSource(TableSource):
    """Rows of Python values from Parquet (``parquet``) or Arrow IPC (``arrow``) files.

    Several files must have the same columns, in any order.
    """

    text_cells = False
    typed_cells = True
    place_word = "row"

    def __init__(self, files: Sequence[ByteSource], format_name: str) -> None:
        super().__init__(files)
        self.format_name = format_name
        self._columns: list[ArrowColumns] = []
        self._rows = 0
        self._rows_taken = 0
        for file in files:
            if file.compression:
                raise refuse_compression(file.name)

    @property
    def _of_files(self) -> list[ArrowColumns]:
        """The columns of each file."""
        while len(self._columns) < len(self.files):
            self._columns.append(self._columns_of(self.files[len(self._columns)]))
        return self._columns

    def _columns_of(self, file: ByteSource) -> ArrowColumns:
        with _Opened(file, self.format_name) as opened:
            try:
                found = opened.columns()
            except Invalid as error:
                raise _of_file(file, error) from error
            self._rows += opened.rows
        check_header(found.names, file.name, 1)
        if self._columns:
            _check_same(self._columns[0].names, found.names, file.name)
        return found

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of the first file."""
        return self._of_files[0].names

    @property
    def key(self) -> tuple[str, ...]:
        """The key of the table that was exported; none of any other file."""
        stored = self._of_files[0].stored_schema()
        return () if stored is None else stored.key

    def infer(self) -> list[InferredColumn]:
        """Return the columns as the files say; Invalid ``naive-timestamp``."""
        try:
            first, *others = [found.inferred() for found in self._of_files]
        except Invalid as error:
            raise _of_file(self.files[0], error) from error
        merged = {one.name: one for one in first}
        for columns in others:
            for one in columns:
                merged[one.name] = _merged(merged[one.name], one)
        return list(merged.values())

    def first_schema(self, key: tuple[str, ...]) -> Schema:
        """Return the exported schema if it is by this key, else the inferred one."""
        stored = self._of_files[0].stored_schema()
        if stored is not None and stored.key == key:
            return stored
        return super().first_schema(key)

    def cell_reader(self, column: InferredColumn) -> Reader:
        """Return what turns values into those of the column's type."""
        types = {found.type_of(column.name) for found in self._of_files}
        kind = COLUMN_TYPES[column.type_name]
        return partial(adapted, kind, is_text=types == {"text"})

    def iter_batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows of all files in order, ``size`` at a time."""
        wanted = self.columns
        self._rows_taken = 0
        for file, columns in zip(self.iter_files(), self._of_files, strict=True):
            places = [columns.names.index(name) for name in wanted]
            before = 0
            for values in self._iter_columns(file, columns, size):
                cells = zip(*[values[one] for one in places], strict=True)
                rows = list(map(list, cells))
                numbers = range(before + 1, before + 1 + len(rows))
                before += len(rows)
                self._rows_taken += len(rows)
                if rows:
                    yield Batch(file.name, numbers, rows)

    def _iter_columns(
        self, file: ByteSource, columns: ArrowColumns, size: int
    ) -> Iterator[list[Sequence[Any]]]:
        before = 0
        with _Opened(file, self.format_name) as opened:
            for batch in arrow_slices(opened.batches(), size):
                try:
                    yield columns.columns(batch, before)
                except Invalid as error:
                    raise _of_file(file, error) from error
                before += batch.num_rows

    @property
    def position(self) -> int:
        """How many bytes of ``size`` the running iteration has read, about."""
        if not self._rows:
            return super().position
        return min(self.size, self.size * self._rows_taken // self._rows)


def _merged(first: InferredColumn, second: InferredColumn) -> InferredColumn:
    """Return the column that holds what both files hold."""
    nullable = first.nullable or second.nullable
    names = {first.type_name, second.type_name}
    if len(names) == 1:
        return first._replace(nullable=nullable)
    # Whole numbers in one file and others in the next; anything else has no order.
    wider = names - {"int"}
    type_name = wider.pop() if wider in ({"float"}, {"decimal"}) else "json"
    return InferredColumn(first.name, type_name, nullable)


def _check_same(first: Sequence[str], other: Sequence[str], name: str) -> None:
    if set(first) != set(other):
        missing = [one for one in first if one not in other]
        more = [one for one in other if one not in first]
        raise Invalid(
            f"{name}: its columns are not those of the first file",
            code="columns-differ",
            hint=f"Missing: {', '.join(missing)}; not there before: {', '.join(more)}.",
            source=name,
            missing=missing,
            more=more,
        )


def _of_file(file: ByteSource, error: Invalid) -> Invalid:
    """Return the error with the file, and the row as its line."""
    facts = {name: fact for name, fact in error.facts.items() if name != "row"}
    if "row" in error.facts:
        facts["line"] = error.facts["row"]
    message = (
        f"{file.name} {error.message}"
        if "row" in error.facts
        else (f"{file.name}: {error.message}")
    )
    return Invalid(
        message, code=error.code, hint=error.hint, **{**facts, "source": file.name}
    )


class _Bounded:
    """Reads a file, and never tries to make room for more bytes than it has.

    A damaged length asks for any number of them.
    """

    def __init__(self, file: ByteSource) -> None:
        self._raw = file.open_raw()
        self._size = file.size
        self.seek, self.tell = self._raw.seek, self._raw.tell

    @property
    def closed(self) -> bool:
        """Tell whether the file was closed."""
        return bool(self._raw.closed)

    def read(self, count: int = -1) -> bytes:
        """Return the next bytes, ``count`` at most."""
        left = max(0, self._size - self._raw.tell())
        found: bytes = self._raw.read(left if count < 0 else min(count, left))
        return found

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be sought."""
        return True

    def close(self) -> None:
        """Close the file; twice is fine."""
        self._raw.close()


class _Opened:
    """One open file: its Arrow schema, the number of rows if it says, its batches."""

    def __init__(self, file: ByteSource, format_name: str) -> None:
        self._file = file
        self._format_name = format_name
        self._raw = _Bounded(file)
        self.rows = 0
        try:
            self._reader = self._guarded(self._open)
        except BaseException:
            self._raw.close()
            raise

    def __enter__(self) -> _Opened:
        return self

    def __exit__(self, *error: object) -> None:
        self._raw.close()

    def columns(self) -> ArrowColumns:
        """Return the columns; Invalid as :class:`ArrowColumns`."""
        reader = self._reader
        is_parquet = self._format_name == "parquet"
        schema = reader.schema_arrow if is_parquet else reader.schema
        found: ArrowColumns = self._guarded(lambda: ArrowColumns(schema))
        return found

    def _open(self) -> Any:
        pyarrow = require_pyarrow()
        if self._format_name == "parquet":
            from pyarrow import parquet

            opened = parquet.ParquetFile(
                self._raw,
                buffer_size=READ_AHEAD_BYTES,
                pre_buffer=False,
                page_checksum_verification=True,
            )
            self.rows = opened.metadata.num_rows
            return opened
        if self._file.head.startswith(_FILE_MAGIC):
            return pyarrow.ipc.open_file(self._raw)
        self._raw.seek(max(0, self._file.size - len(_STREAM_END)))
        if self._raw.read(len(_STREAM_END)) != _STREAM_END:
            raise self._damaged("it does not end as a stream does")
        self._raw.seek(0)
        return pyarrow.ipc.open_stream(self._raw)

    def batches(self) -> Iterator[Any]:
        """Yield the record batches; Invalid ``bad-parquet`` or ``bad-arrow``."""
        if self._format_name == "parquet":
            found = self._reader.iter_batches(DECODE_ROWS, use_threads=False)
        elif hasattr(self._reader, "get_batch"):
            count = self._guarded(lambda: self._reader.num_record_batches)
            found = map(self._reader.get_batch, range(count))
        else:
            found = iter(self._reader)
        while (batch := self._guarded(lambda: next(found, None))) is not None:
            if self._format_name == "arrow":
                # Offsets and text of IPC are taken as they stand, unless asked.
                self._guarded(partial(batch.validate, full=True))
            yield batch

    def _guarded(self, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except Error:
            raise
        except (require_pyarrow().ArrowException, OSError, ValueError) as error:
            # An error of the operating system has a number, pyarrow's have none.
            if isinstance(error, OSError) and error.errno:
                raise storage_error(error, self._file.name) from error
            raise self._damaged(str(error).partition("\n")[0]) from error

    def _damaged(self, reason: str) -> Invalid:
        is_parquet = self._format_name == "parquet"
        name = "Parquet" if is_parquet else "Arrow"
        return Invalid(
            f"{self._file.name} is no whole {name} file: {reason}",
            code="bad-parquet" if is_parquet else "bad-arrow",
            hint="Copy or download it again; it is cut, damaged or of another format.",
            source=self._file.name,
        )
