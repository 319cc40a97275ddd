"""CSV and TSV as lines of text whose cells can be exchanged one by one.

A cell's text is what stands between two delimiters, with its quotes. A row that changes
keeps the texts of all cells that do not. A cell of another file is quoted as this one
quotes: everything, if each cell of its first rows is, else only what has to be.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any

from .byte_source import ByteSource
from .conflict_lines import MARKERS, is_marker_row, marker_cells
from .csv_source import CsvSource
from .import_faults import Found, null_key
from .line_file import Key, LineFile, divided
from .opened_file import require_key

# So many rows show whether a file quotes every cell.
_ROWS_LOOKED_AT = 100


class CsvLines(LineFile):
    """The rows of a CSV (``delimiter`` a comma) or TSV (a tab) file."""

    has_header = True

    def __init__(
        self, file: ByteSource, key: Sequence[str], delimiter: str = ","
    ) -> None:
        self.delimiter = delimiter
        self._needs_quotes = frozenset(f'{delimiter}"\r\n')
        self._header = ""
        self._front = ""
        self._quotes_all: bool | None = None
        super().__init__(file, key)

    def _read(self) -> None:
        source = CsvSource([self.file], self.delimiter)
        # The limit of a cell is raised by making a source.
        require_key(source, self.key)
        self.columns = source.columns
        key = _key_of([self.columns.index(name) for name in self.key])
        try:
            with self.file.open_text() as text:
                self._take(text, key)
        except (csv.Error, UnicodeDecodeError, _IrregularError):
            # What reads tables says best what is wrong, and where.
            for _ in source.iter_batches():
                pass
            raise AssertionError("a file was refused, and each row is fine") from None

    def _take(self, text: Iterator[str], key: Callable[[list[str]], Key]) -> None:
        pending: list[str] = []
        reader = csv.reader(_kept(text, pending), delimiter=self.delimiter, strict=True)
        width = len(self.columns)
        line = 1
        for row in reader:
            written = "".join(pending)
            pending.clear()
            if not row:
                if self._header:
                    self.add_blank(written)
                else:
                    self._front += written
            elif not self._header:
                self._header = written
            elif len(row) != width or (
                (width == 1 or row[0] in MARKERS) and is_marker_row(row, width)
            ):
                raise _IrregularError
            else:
                parts = key(row)
                if not any(parts):
                    raise null_key(Found(self.name, line, ()), self.key[0])
                self.add(parts, written, line)
            line = reader.line_num + 1

    def cells(self, row: int) -> Mapping[str, Any]:
        """Return the cells of a row by column."""
        return dict(zip(self.columns, self._parsed(self.bodies[row]), strict=True))

    def _parsed(self, text: str) -> list[str]:
        lines = io.StringIO(text, newline="")
        found: list[str] = next(
            csv.reader(lines, delimiter=self.delimiter, strict=True)
        )
        return found

    def spelt(self, row: int) -> Mapping[str, str]:
        """Return the texts of a row's cells, quotes and all, by column."""
        texts = cell_texts(self.bodies[row], self.delimiter)
        return dict(zip(self.columns, texts, strict=True))

    def spell(self, value: str, name: str) -> str:
        """Return a cell's text as this file quotes."""
        if self.quotes_all or not self._needs_quotes.isdisjoint(value):
            return '"' + value.replace('"', '""') + '"'
        return value

    def adopted(self, text: str, other: LineFile) -> str:
        """Return a cell's text as this file quotes."""
        assert isinstance(other, CsvLines)
        if other is self or (
            self.delimiter == other.delimiter and self.quotes_all == other.quotes_all
        ):
            return text
        [cell] = other._parsed(text) if text else [""]
        return self.spell(cell, "")

    def compose(
        self, texts: Mapping[str, str], columns: Sequence[str], like: str
    ) -> str:
        """Return the text of a row; a cell that is not there is empty."""
        empty = self.spell("", "") if len(columns) > 1 else '""'
        return self.delimiter.join([texts.get(name, empty) for name in columns])

    def marker(self, text: str, columns: Sequence[str], fields: Sequence[str]) -> str:
        """Return the text of a row that marks a conflict."""
        cells = marker_cells(text, columns, fields)
        return self.delimiter.join(cells)

    def header(self, columns: Sequence[str], sides: Sequence[LineFile]) -> str | None:
        """Return the text of the header, blank lines before it and its end with it."""
        body, end = divided(self._header)
        if tuple(columns) != self.columns:
            texts: dict[str, str] = {}
            for side in reversed([self, *sides]):
                assert isinstance(side, CsvLines)
                found = cell_texts(divided(side._header)[0], side.delimiter)
                for name, text in zip(side.columns, found, strict=True):
                    texts[name] = self.adopted(text, side)
            body = self.compose(texts, columns, "")
        return self._front + body + end

    @property
    def is_open(self) -> bool:
        """Tell whether the last row, or the header without any, has no line end."""
        return not (self.ends[-1] if self.ends else divided(self._header)[1])

    @property
    def line_end(self) -> str:
        """How lines end here: as the header does."""
        return divided(self._header)[1] or "\n"

    @property
    def quotes_all(self) -> bool:
        """Tell whether every cell of the first rows is quoted."""
        if self._quotes_all is None:
            rows = [divided(self._header)[0], *islice(self.bodies, _ROWS_LOOKED_AT)]
            self._quotes_all = all(
                text.startswith('"')
                for body in rows
                for text in cell_texts(body, self.delimiter)
            )
        return self._quotes_all

    def is_alike(self, other: LineFile) -> bool:
        """Tell whether equal texts are equal rows in both files."""
        assert isinstance(other, CsvLines)
        return self.columns == other.columns and self.delimiter == other.delimiter


class _IrregularError(Exception):
    """A row has other cells than the header, or marks a conflict."""


def _kept(lines: Iterator[str], taken: list[str]) -> Iterator[str]:
    """Pass lines on and note them."""
    for line in lines:
        taken.append(line)
        yield line


def _key_of(places: Sequence[int]) -> Callable[[list[str]], Key]:
    if len(places) == 1:
        place = places[0]
        return lambda row: (row[place],)
    return itemgetter(*places)


def cell_texts(body: str, delimiter: str) -> list[str]:
    """Return the texts of a row's cells, quotes and all. The row must be valid CSV."""
    if '"' not in body:
        return body.split(delimiter)
    texts: list[str] = []
    start = 0
    while True:
        place = start
        if body[start : start + 1] == '"':
            place = body.index('"', start + 1) + 1
            while body[place : place + 1] == '"':
                place = body.index('"', place + 1) + 1
        end = body.find(delimiter, place)
        if end < 0:
            texts.append(body[start:])
            return texts
        texts.append(body[start:end])
        start = end + 1
