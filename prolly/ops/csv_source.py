"""Read CSV and TSV: UTF-8, a header line, cells quoted with ``"`` where needed.

Rows are parsed by the C reader, strictly: an open quote at the end of a file is an
error, not a cell. Lines may end in LF, CR LF or CR. Blank lines are skipped. Every row
has as many cells as the header. Several files must have the same columns; their order
may differ, that of the first file counts.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import accumulate, islice
from operator import itemgetter
from typing import Any

from prolly.errors import Error, Invalid, LimitExceeded
from prolly.tables import InferredColumn, TextInference

from .byte_source import ByteSource
from .conflict_lines import MARKERS, is_marker_row, unsettled
from .table_source import BATCH_ROWS, Batch, TableSource, check_header

# One cell is held in memory whole, and more than once while it is typed and stored.
FIELD_CHARS_MAX = 64 * 1024 * 1024

# What the reader says of a cell whose quote may have been left open.
_OPEN_ENDS = re.compile("unexpected end of data|field larger than field limit")

_LINE_END = re.compile(r"\r\n|\r|\n")


class CsvSource(TableSource):
    """Rows of text cells from CSV (``delimiter`` a comma) or TSV (a tab) files."""

    text_cells = True

    def __init__(self, files: Sequence[ByteSource], delimiter: str = ",") -> None:
        super().__init__(files)
        self.format_name = "tsv" if delimiter == "\t" else "csv"
        self.delimiter = delimiter
        self._columns: tuple[str, ...] = ()
        self._inferred: list[InferredColumn] | None = None
        # The limit belongs to the whole process: raise it, never lower it.
        if csv.field_size_limit() < FIELD_CHARS_MAX:
            csv.field_size_limit(FIELD_CHARS_MAX)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in the header of the first file."""
        if not self._columns:
            file = self.files[0]
            with file.open_text() as text:
                self._columns = self._header(file, self._reader(text))
        return self._columns

    def infer(self) -> list[InferredColumn]:
        """Read everything once and return the type of every column."""
        if self._inferred is None and self.workers is not None:
            from .csv_apart import infer_apart

            self._inferred = infer_apart(self)
        if self._inferred is None:
            inference = TextInference(self.columns)
            for batch in self.iter_batches():
                inference.add(batch.rows)
            self._inferred = inference.result()
        return self._inferred

    def iter_batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows of all files in order, ``size`` at a time."""
        columns = self.columns
        for file in self.iter_files():
            with file.open_text() as text:
                reader = self._reader(text)
                arrange = _arrangement(columns, self._header(file, reader), file.name)
                first_line = reader.line_num + 1
                while rows := self._take(file, reader, size):
                    lines = _lines(rows, first_line, reader.line_num)
                    first_line = reader.line_num + 1
                    lines, rows = _checked(file.name, lines, rows, columns)
                    if arrange is not None:
                        rows = list(map(list, map(arrange, rows)))
                    if rows:
                        yield Batch(file.name, lines, rows)

    def _reader(self, text: Any) -> Any:
        return csv.reader(text, delimiter=self.delimiter, strict=True)

    def _header(self, file: ByteSource, reader: Any) -> tuple[str, ...]:
        while row := self._take(file, reader, 1):
            if row[0]:
                return check_header(row[0], file.name, reader.line_num)
        raise Invalid(
            f"{file.name} is empty",
            code="no-header",
            hint="The first line names the columns.",
            source=file.name,
            line=1,
        )

    def _take(self, file: ByteSource, reader: Any, size: int) -> list[list[str]]:
        try:
            return list(islice(reader, size))
        except UnicodeDecodeError:
            raise file.encoding_error() from None
        except csv.Error as error:
            line, reason = reader.line_num, str(error)
            opened = self._open_quote(file) if _OPEN_ENDS.search(reason) else None
            if opened is not None:
                line, reason = opened, "the quote that opens here is never closed"
            raise _syntax_error(file.name, line, reason) from None

    def _open_quote(self, file: ByteSource) -> int | None:
        """Return the line of the quote that nothing closes; None if there is none.

        It reads the file once more, and bytes that are no text may end that early.
        """
        opened: int | None = None
        with file.open_text() as text, suppress(Error, UnicodeDecodeError):
            for number, line in enumerate(text, 1):
                if '"' in line:
                    before = opened is not None
                    ends_open, is_new = _quotes(line, before, self.delimiter)
                    opened = (number if is_new else opened) if ends_open else None
        return opened


def _arrangement(
    columns: tuple[str, ...], header: tuple[str, ...], source: str
) -> Callable[[list[str]], Any] | None:
    """Return what puts a row of this file into the order of ``columns``, if needed."""
    if header == columns:
        return None
    if set(header) != set(columns):
        missing = [name for name in columns if name not in header]
        more = [name for name in header if name not in columns]
        raise Invalid(
            f"{source}: its columns are not those of the first file",
            code="columns-differ",
            hint=f"Missing: {', '.join(missing)}; not there before: {', '.join(more)}.",
            source=source,
            missing=missing,
            more=more,
        )
    return itemgetter(*map(header.index, columns))


def _quotes(line: str, is_open: bool, delimiter: str) -> tuple[bool, bool]:
    """Return whether a quote is open at the end of a line, and whether it opened there.

    ``is_open``: one is at its beginning, else a cell begins.
    """
    is_new = False
    place = 0
    while True:
        if is_open:
            place = line.find('"', place) + 1
            if not place:
                return True, is_new
            if line[place : place + 1] == '"':
                place += 1
                continue
        elif line[place : place + 1] == '"':
            is_open = is_new = True
            place += 1
            continue
        is_open = False
        place = line.find(delimiter, place) + 1
        if not place:
            return False, False


def _syntax_error(source: str, line: int, reason: str) -> Error:
    if "field larger than field limit" in reason:
        limit = csv.field_size_limit()
        return LimitExceeded(
            f"{source} line {line}: a cell of over {limit:,} characters",
            code="field-too-long",
            hint="A quote may be missing; keep large values in a blob.",
            source=source,
            line=line,
            limit=limit,
        )
    return Invalid(
        f"{source} line {line}: {reason}",
        code="bad-csv",
        hint='Quote a cell that holds a quote, and double the quote: "a ""b""".',
        source=source,
        line=line,
    )


def delimiter_hint(columns: Sequence[str]) -> str:
    """Return what to do about a header that another delimiter seems to divide."""
    header = columns[0] if len(columns) == 1 else ""
    for name, mark in (("semicolons", ";"), ("tabs", "\t"), ("bars", "|")):
        if mark in header:
            way = "`--format tsv` reads it" if mark == "\t" else "write it with commas"
            return (
                f"The header is one column, and seems to be divided by {name}: {way}."
            )
    if "," in header:
        what = "The header is one column, and seems to be divided by commas"
        return f"{what}: `--format csv` reads it."
    return ""


def _lines(rows: list[list[str]], first: int, last: int) -> Sequence[int]:
    """Return the line on which each row begins."""
    if last - first + 1 == len(rows):
        return range(first, last + 1)
    spans = [1 + sum(len(_LINE_END.findall(cell)) for cell in row) for row in rows]
    return list(accumulate(spans[:-1], initial=first))


def _checked(
    source: str,
    lines: Sequence[int],
    rows: list[list[str]],
    columns: Sequence[str],
) -> tuple[Sequence[int], list[list[str]]]:
    """Return (lines, rows) without blank rows.

    Raises Invalid ``ragged-row``, ``conflict-markers``.
    """
    width = len(columns)
    if set(map(len, rows)) == {width}:
        # Only in a file of one column git's markers are as wide as a row.
        if width == 1 or not MARKERS.isdisjoint(map(_first_cell, rows)):
            _refuse_markers(width, source, lines, rows)
        return lines, rows
    kept = [(line, row) for line, row in zip(lines, rows, strict=True) if row]
    _refuse_markers(width, source, *zip(*kept, strict=True))
    for line, row in kept:
        if len(row) != width:
            hint = delimiter_hint(columns)
            raise Invalid(
                f"{source} line {line}: {len(row)} cells, but the header has {width}",
                code="ragged-row",
                hint=hint or "A cell with a comma, tab or line end must be quoted.",
                source=source,
                line=line,
                expected=width,
                actual=len(row),
            )
    return [line for line, _ in kept], [row for _, row in kept]


_first_cell = itemgetter(0)


def _refuse_markers(
    width: int, source: str, lines: Sequence[int] = (), rows: Sequence[list[str]] = ()
) -> None:
    for line, row in zip(lines, rows, strict=True):
        if is_marker_row(row, width):
            raise unsettled(source, line)
