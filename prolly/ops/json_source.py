"""Read JSON lines (one object a line) and JSON (one array of objects).

Both are read as a stream: a line, or an object of the array, is all that is in memory.
An object is a record; its names are columns, in order of first appearance over the
whole input; a name left out is null, and a gap in its batch. Numbers keep what was
written: a number with a point is a float if the float is written just so or has the
same value, else a Decimal.

JSON's own looseness is refused: a name twice in an object, ``NaN``, anything after the
end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from prolly.codec import json_form
from prolly.errors import Error, Invalid, LimitExceeded
from prolly.tables import InferredColumn, JsonInference

from .byte_source import ByteSource
from .conflict_lines import is_git_marker, unsettled
from .input_copy import LINE_BYTES_MAX
from .table_source import BATCH_ROWS, Batch, TableSource, check_header

# An object is held in memory whole, as a line is.
RECORD_CHARS_MAX = LINE_BYTES_MAX

# The window over an array: some thousand objects, refilled when one does not fit.
WINDOW_CHARS = 1024 * 1024

# An error this near to the end of the window may only mean that the rest is missing:
# no token but a string is cut by more (``\\uD83D\\uDE00`` has twelve characters).
CUT_CHARS = 16

_SPACE = re.compile(r"[ \t\r\n]*")

Located = tuple[int, dict[str, Any]]


class JsonSource(TableSource):
    """Rows of JSON cells from JSON lines, or from arrays of objects."""

    text_cells = False
    has_header = False

    def __init__(self, files: Sequence[ByteSource], *, lines: bool) -> None:
        super().__init__(files)
        self.format_name = "jsonl" if lines else "json"
        self._records = iter_line_records if lines else iter_array_records
        self._inferred: list[InferredColumn] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """All names in order of appearance; the first call reads the whole input."""
        return tuple(column.name for column in self.infer())

    def infer(self) -> list[InferredColumn]:
        """Read everything once and return the type of every column."""
        if self._inferred is None:
            inference = JsonInference()
            for file, _, records in self._iter_records(BATCH_ROWS):
                names = check_header(_names(records), file.name, 1)
                inference.add(names, _cells(records, names))
            self._inferred = inference.result()
        return self._inferred

    def iter_batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows of all files in order, ``size`` at a time."""
        columns = self.columns
        for file, lines, records in self._iter_records(size):
            yield Batch(
                file.name, lines, _cells(records, columns), _gaps(records, columns)
            )

    def _iter_records(
        self, size: int
    ) -> Iterator[tuple[ByteSource, list[int], list[dict[str, Any]]]]:
        for file in self.iter_files():
            located = self._records(file)
            while batch := self._take(file, located, size):
                yield file, [line for line, _ in batch], [one for _, one in batch]

    def _take(
        self, file: ByteSource, located: Iterator[Located], size: int
    ) -> list[Located]:
        try:
            return list(islice(located, size))
        except UnicodeDecodeError:
            raise file.encoding_error() from None


def _names(records: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """Return the names of all records in order of appearance."""
    shapes = dict.fromkeys(map(tuple, records))
    return tuple(dict.fromkeys(name for shape in shapes for name in shape))


def _cells(records: list[dict[str, Any]], names: Sequence[str]) -> list[list[Any]]:
    if set(map(tuple, records)) == {tuple(names)}:
        return [list(record.values()) for record in records]
    return [list(map(record.get, names)) for record in records]


def _gaps(records: list[dict[str, Any]], names: Sequence[str]) -> list[tuple[int, int]]:
    """Return the (row, column) places of what records leave out."""
    if set(map(len, records)) == {len(names)}:
        return []
    return [
        (row, place)
        for row, record in enumerate(records)
        if len(record) < len(names)
        for place, name in enumerate(names)
        if name not in record
    ]


def iter_line_records(file: ByteSource) -> Iterator[Located]:
    """Yield (line, object) for every line that is not blank."""
    decode = json_form.STRICT_DECODER.raw_decode
    with file.open_text() as text:
        for line, written in enumerate(text, 1):
            trimmed = written.strip(" \t\r\n")
            if not trimmed:
                continue
            try:
                record, end = decode(trimmed)
            except (ValueError, RecursionError, LimitExceeded) as error:
                if is_git_marker(trimmed):
                    raise unsettled(file.name, line) from None
                raise _syntax_error(file.name, line, error) from None
            if end != len(trimmed):
                raise _refusal(file.name, line, "something follows the object")
            yield line, _record(record, file.name, line)


def iter_array_records(file: ByteSource) -> Iterator[Located]:
    """Yield (line, object) for every element of the array that the file holds."""
    with file.open_text(line_bytes_max=None) as text:
        window = _Window(file, text)
        if window.skip("[") != "[":
            raise _refusal(file.name, window.line, "the file is not an array")
        if window.skip("]") != "]":
            while True:
                line, value = window.value()
                yield line, _record(value, file.name, line)
                mark = window.skip(",]")
                if mark == "]":
                    break
                if mark != ",":
                    reason = "a comma or the end of the array is missing"
                    raise _refusal(file.name, window.line, reason)
        if window.skip("") != "":
            raise _refusal(file.name, window.line, "something follows the array")


class _Window:
    """A window that slides over the text of one JSON array."""

    def __init__(self, file: ByteSource, text: Any) -> None:
        self._file = file
        self._text = text
        self._decode = json_form.STRICT_DECODER.raw_decode
        self._window = ""
        self._position = 0
        self._ended = False
        self.line = 1

    def _fill(self, chars: int) -> None:
        """Drop what was taken and read ``chars`` more."""
        more = self._text.read(chars)
        self._ended = not more
        self._window = self._window[self._position :] + more
        self._position = 0

    def _advance(self, end: int) -> None:
        self.line += self._window.count("\n", self._position, end)
        self._position = end

    def skip(self, marks: str) -> str:
        """Pass blanks and return the next character, taking it if it is of ``marks``.

        An empty answer is the end of the file.
        """
        while True:
            found = _SPACE.match(self._window, self._position)
            self._advance(found.end() if found else self._position)
            if self._position < len(self._window):
                mark = self._window[self._position]
                if mark in marks:
                    self._position += 1
                return mark
            if self._ended:
                return ""
            self._fill(WINDOW_CHARS)

    def value(self) -> tuple[int, Any]:
        """Take one value and return (its line, value)."""
        self.skip("")
        line = self.line
        while True:
            try:
                value, end = self._decode(self._window, self._position)
            except json.JSONDecodeError as error:
                if self._ended or not self._cut(error):
                    line += self._window.count("\n", self._position, error.pos)
                    raise _syntax_error(self._file.name, line, error) from None
            except (ValueError, RecursionError, LimitExceeded) as error:
                raise _syntax_error(self._file.name, line, error) from None
            else:
                self._advance(end)
                return line, value
            self._grow(line)

    def _cut(self, error: json.JSONDecodeError) -> bool:
        """Tell whether the window's end may be the cause of the error."""
        if error.msg.startswith("Unterminated string"):
            return True
        return error.pos >= len(self._window) - CUT_CHARS

    def _grow(self, line: int) -> None:
        held = len(self._window) - self._position
        if held > RECORD_CHARS_MAX:
            raise LimitExceeded(
                f"{self._file.name} line {line}: over {RECORD_CHARS_MAX:,} characters",
                code="line-too-long",
                hint="A quote may be missing; keep large values in a blob.",
                source=self._file.name,
                line=line,
                limit=RECORD_CHARS_MAX,
            )
        # Twice as much each time, so that a long record is not parsed many times over.
        self._fill(max(WINDOW_CHARS, held))


def _record(value: Any, source: str, line: int) -> dict[str, Any]:
    if type(value) is not dict:
        raise _refusal(source, line, "a record is an object, {...}")
    return value


def _syntax_error(source: str, line: int, error: Exception) -> Error:
    if isinstance(error, json.JSONDecodeError):
        return _refusal(source, line, f"{error.msg} (column {error.colno})")
    if isinstance(error, RecursionError):
        return _refusal(source, line, "it is nested too deeply")
    if isinstance(error, LimitExceeded):
        message, code, hint = error.message, error.code, error.hint
        place = {"source": source, "line": line}
        told = f"{source} line {line}: {message}"
        return LimitExceeded(told, code=code, hint=hint, **place)
    return _refusal(source, line, str(error))


def _refusal(source: str, line: int, reason: str) -> Invalid:
    return Invalid(
        f"{source} line {line}: {reason}",
        code="bad-json",
        hint="`jsonl` is one object a line, `json` one array of objects.",
        source=source,
        line=line,
    )
