"""The contract of a table that is read from plain files, and its typed form.

A source gives batches of rows, each row a list of cells in the order of the columns,
and knows for every row the file and the line, or the number of the row, it came from.
It can be read any number
of times: once to infer the types, once to load. It never holds more than a batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from prolly.errors import Error, Invalid, LimitExceeded
from prolly.tables import COLUMN_TYPES, COLUMNS_MAX, InferredColumn, Schema

from .byte_source import ByteSource
from .conflict_lines import MARKERS, unsettled
from .worker_pool import Workers, shared_out

if TYPE_CHECKING:
    from concurrent.futures import Executor

# Enough rows to spread the cost of a batch thin, few enough to stay in a few MB.
BATCH_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows and where they stand: ``rows[i]`` begins on line ``lines[i]``.

    Where a file has no lines they are the numbers of the rows, from 1. ``gaps`` are the
    (row, column) places of cells that a record left out, which hold ``None``.
    """

    source: str
    lines: Sequence[int]
    rows: list[list[Any]]
    gaps: Sequence[tuple[int, int]] = ()


# Takes the cells of one column and returns values of its type, or raises.
Reader = Callable[[Sequence[Any]], Sequence[Any]]


class TableSource(AbstractContextManager["TableSource"], ABC):
    """Rows from one or more files of one format, taken as one table.

    ``format_name`` is one of ``FORMATS``. Cells are text in ``csv`` and ``tsv``
    (``text_cells``), JSON values in ``jsonl`` and ``json``, and Python values in the
    others (``typed_cells``). A source ``has_header`` unless a record may leave columns
    out. Errors are ``Invalid`` and name the file and the line, or as ``place_word``
    says, the row; Stale ``file-changed`` when another program writes to a file.
    """

    format_name: str
    text_cells: bool
    typed_cells = False
    has_header = True
    place_word = "line"

    def __init__(self, files: Sequence[ByteSource]) -> None:
        assert files
        self.files = tuple(files)
        # Who else reads, while ``sharing``; a format may have no use for them.
        self.workers: Workers | None = None
        self._current = 0

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The names of the columns: of the header, or in order of appearance."""

    @abstractmethod
    def infer(self) -> list[InferredColumn]:
        """Read everything once and return the type of every column."""

    @property
    def key(self) -> tuple[str, ...]:
        """The key columns that the file itself tells; none where it does not."""
        return ()

    def first_schema(self, key: tuple[str, ...]) -> Schema:
        """Return the schema of a new table of this key: by default, inferred.

        Text and JSON declare no column as always filled, and one file without a gap
        promises nothing for the next: all columns but the key's may be null.
        """
        columns = [
            one._replace(nullable=one.nullable or not self.typed_cells)
            for one in self.infer()
        ]
        return Schema.create(columns, key)

    def cell_reader(self, column: InferredColumn) -> Reader:
        """Return what turns cells of a column into values of its type."""
        kind = COLUMN_TYPES[column.type_name]
        return kind.parse_many if self.text_cells else kind.from_json_many

    @abstractmethod
    def iter_batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield all rows in order, ``size`` at a time."""

    def __iter__(self) -> Iterator[tuple[int, list[Any]]]:
        """Yield (line number, cells)."""
        for batch in self.iter_batches():
            yield from zip(batch.lines, batch.rows, strict=True)

    @contextmanager
    def sharing(self, jobs: int | Executor) -> Iterator[None]:
        """Let other processes help to read; a small input is not worth their start.

        Raises Invalid ``jobs``.
        """
        with shared_out(jobs, self.size) as self.workers:
            try:
                yield
            finally:
                self.workers = None

    @property
    def size(self) -> int:
        """The bytes of all files as stored."""
        return sum(file.size for file in self.files)

    @property
    def position(self) -> int:
        """How many bytes of ``size`` the running iteration has read."""
        done: int = sum(file.size for file in self.files[: self._current])
        return done + self.files[self._current].position

    def iter_files(self) -> Iterator[ByteSource]:
        """Yield the files in order, keeping ``position`` true.

        Raises Stale ``file-changed`` after one that another program wrote to.
        """
        for place, file in enumerate(self.files):
            self._current = place
            yield file
            file.check_unchanged()

    def close(self) -> None:
        """Let go of the files."""
        for file in self.files:
            file.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def check_header(names: Sequence[str], source: str, line: int) -> tuple[str, ...]:
    """Return the names, or raise Invalid for an empty one or one that comes twice.

    LimitExceeded ``too-many-columns`` before any time is spent on what cannot be kept.
    """
    if len(names) > COLUMNS_MAX:
        raise LimitExceeded(
            f"{source} line {line}: {len(names)} columns, the limit is {COLUMNS_MAX}",
            code="too-many-columns",
            hint="Nest some of them in one json column, or import fewer.",
            source=source,
            line=line,
            limit=COLUMNS_MAX,
        )
    if not MARKERS.isdisjoint(names):
        raise unsettled(source, line)
    seen: set[str] = set()
    for place, name in enumerate(names, 1):
        if not name:
            raise Invalid(
                f"{source} line {line}: column {place} has no name",
                code="column-name",
                hint="The first line names every column.",
                source=source,
                line=line,
            )
        if name in seen:
            raise Invalid(
                f"{source} line {line}: two columns are named {name!r}",
                code="duplicate-column",
                hint="Give every column its own name.",
                source=source,
                line=line,
                column=name,
            )
        seen.add(name)
    return tuple(names)


def iter_typed(
    source: TableSource,
    columns: Sequence[InferredColumn],
    size: int = BATCH_ROWS,
) -> Iterator[Batch]:
    """Yield the batches of ``source``, cells converted, in the order of ``columns``.

    ``columns`` may come from a stored schema. A name that only the source has raises
    Invalid ``unknown-column``; one that only ``columns`` has raises ``missing-column``,
    but in JSON it was left out and is null. A cell that does not fit raises Invalid
    ``value-type``, a null where none is allowed ``value-null``, with the facts
    ``source``, ``line`` and ``column``. A column that every record leaves out, and
    cells that some do, are nulls and ``gaps``, and never refused.
    """
    places = _places(source, columns)
    readers = [source.cell_reader(column) for column in columns]
    for batch in source.iter_batches(size):
        found = list(zip(*batch.rows, strict=True))
        absent = (None,) * len(batch.rows)
        typed = []
        for column, place, read in zip(columns, places, readers, strict=True):
            cells = absent if place is None else found[place]
            try:
                values = read(cells)
            except Error:
                raise _first_misfit(source, batch, (cells, read), column) from None
            if not column.nullable and None in values:
                _refuse_nulls(source, batch, values, (column, place))
            typed.append(values)
        rows = list(map(list, zip(*typed, strict=True)))
        yield Batch(batch.source, batch.lines, rows, _gaps(batch, places))


def _gaps(batch: Batch, places: Sequence[int | None]) -> list[tuple[int, int]]:
    """Return the gaps of a batch whose columns come from these places."""
    if not batch.gaps and None not in places:
        return []
    to = {place: at for at, place in enumerate(places) if place is not None}
    gaps = [(row, to[place]) for row, place in batch.gaps if place in to]
    absent = [at for at, place in enumerate(places) if place is None]
    return [*gaps, *((row, at) for at in absent for row in range(len(batch.rows)))]


def _places(source: TableSource, columns: Sequence[InferredColumn]) -> list[int | None]:
    """Return where each column stands in the source; None where it was left out."""
    names = {column.name for column in columns}
    places = {name: place for place, name in enumerate(source.columns)}
    for name in places:
        if name not in names:
            raise Invalid(
                f"{source.files[0].name}: the table has no column {name!r}",
                code="unknown-column",
                hint="Remove the column, or let the table grow by it (--widen).",
                source=source.files[0].name,
                column=name,
            )
    for column in columns:
        if source.has_header and column.name not in places:
            raise Invalid(
                f"{source.files[0].name}: the column {column.name!r} is missing",
                code="missing-column",
                hint="Every column of the table stands in the header.",
                source=source.files[0].name,
                column=column.name,
            )
    return [places.get(column.name) for column in columns]


def _first_misfit(
    source: TableSource,
    batch: Batch,
    reading: tuple[Sequence[Any], Reader],
    column: InferredColumn,
) -> Error:
    """Return the error for the first of the cells that their reader refuses."""
    cells, read = reading
    for line, cell in zip(batch.lines, cells, strict=True):
        try:
            read([cell])
        except Error as error:
            return type(error)(
                f"{batch.source} {source.place_word} {line}, column {column.name}: "
                f"{error.message}",
                code=error.code,
                hint=error.hint
                or "Correct the cell, or widen the column's type (--widen).",
                **error.facts,
                source=batch.source,
                line=line,
                column=column.name,
            )
    raise AssertionError("a column was refused, and each of its cells is fine")


def _refuse_nulls(
    source: TableSource,
    batch: Batch,
    values: Sequence[Any],
    at: tuple[InferredColumn, int | None],
) -> None:
    """Raise Invalid ``value-null`` for the first null that was not left out."""
    column, place = at
    left_out = {row for row, gap in batch.gaps if gap == place}
    nulls = [
        row
        for row, value in enumerate(values)
        if value is None and place is not None and row not in left_out
    ]
    if not nulls:
        return
    line = batch.lines[nulls[0]]
    raise Invalid(
        f"{batch.source} {source.place_word} {line}, column {column.name}: "
        "a value is missing",
        code="value-null",
        hint="Fill the cell, or make the column nullable (--widen).",
        source=batch.source,
        line=line,
        column=column.name,
    )
