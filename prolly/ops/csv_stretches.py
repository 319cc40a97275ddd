"""A CSV file cut into stretches of whole rows, which are read apart from one another.

Where a row ends, the quotes before it tell, and to follow them one by one takes longer
than to parse. So a stretch ends at a line end before which the number of quotes is
even. That is a row's end but for files with a stray quote in a cell that is not quoted
and line ends in cells that are. There the stretch ends within quotes: strict parsing
refuses it, for just this, and whoever took it reads the file as a whole instead. So a
wrong cut costs time, and never a wrong record.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .byte_source import ByteSource
from .csv_source import CsvSource

# Some ten thousand rows: a tenth of a second of work, and little memory.
STRETCH_BYTES = 1024 * 1024

# Past this nobody finds a row's end soon: the file has no line ends, or a lone quote.
STRETCH_BYTES_MAX = 8 * STRETCH_BYTES

# Lines with quotes that are tried, from the last on: where cells are quoted, the first
# or second of them ends a row.
LINES_TRIED_MAX = 1000

# A header of the most columns with the longest names takes less.
HEADER_LINE_BYTES_MAX = 1024 * 1024


class IndivisibleError(Exception):
    """The input is to be read as a whole."""


class Stretch(NamedTuple):
    """Whole rows of a file, as bytes, and the header of that file."""

    header: tuple[str, ...]
    rows: bytes


class StretchSource(CsvSource):
    """The rows of one stretch as a source of their own. Places in it mean nothing."""

    def __init__(
        self, stretch: Stretch, delimiter: str, columns: Sequence[str]
    ) -> None:
        super().__init__([_StretchBytes(stretch, delimiter)], delimiter)
        self._columns = tuple(columns)


class _StretchBytes(ByteSource):
    """The bytes of a stretch behind a header line."""

    def __init__(self, stretch: Stretch, delimiter: str) -> None:
        text = io.StringIO(newline="")
        writer = csv.writer(
            text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL
        )
        writer.writerow(stretch.header)
        self._data = text.getvalue().encode() + stretch.rows
        self._spool = None
        self._reading = None
        self.name = "a stretch"
        self.size = len(self._data)
        self.head = b""
        self.compression = ""
        self._state = ()

    def _raw(self) -> Any:
        return io.BytesIO(self._data)

    def _file_state(self) -> tuple[int, ...]:
        return ()


def iter_stretches(source: CsvSource) -> Iterator[Stretch]:
    """Yield the rows of all files in stretches, in order.

    Raises IndivisibleError where rows are not found easily, and what reading raises.
    """
    for file in source.iter_files():
        with file.open() as reader:
            header = _read_header(reader, source.delimiter)
            for rows in _iter_rows(reader):
                yield Stretch(header, rows)


def _read_header(reader: io.BufferedReader, delimiter: str) -> tuple[str, ...]:
    """Take the header off the front of a file, and the blank lines before it."""
    try:
        for row in csv.reader(_iter_lines(reader), delimiter=delimiter, strict=True):
            if row:
                return tuple(row)
    except (csv.Error, UnicodeDecodeError) as error:
        raise IndivisibleError from error
    raise IndivisibleError


def _iter_lines(reader: io.BufferedReader) -> Iterator[str]:
    while line := reader.readline(HEADER_LINE_BYTES_MAX):
        if len(line) == HEADER_LINE_BYTES_MAX:
            raise IndivisibleError
        yield line.decode()


def _iter_rows(reader: io.BufferedReader) -> Iterator[bytes]:
    pending = b""
    while block := reader.read(STRETCH_BYTES):
        pending += block
        end = row_end(pending)
        if end:
            yield pending[:end]
            pending = pending[end:]
        elif len(pending) > STRETCH_BYTES_MAX:
            raise IndivisibleError
    if pending:
        yield pending


def row_end(data: bytes) -> int:
    """Return the end of the last line that has an even number of quotes before it.

    0 where there is none near the end.
    """
    end = data.rfind(b"\n") + 1
    quotes = data.count(b'"', 0, end)
    for _ in range(LINES_TRIED_MAX):
        if not quotes % 2:
            return end
        # Lines behind the last quote have as many before them.
        before = data.rfind(b"\n", 0, data.rfind(b'"', 0, end)) + 1
        quotes -= data.count(b'"', before, end)
        end = before
    return 0
