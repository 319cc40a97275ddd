"""Conflicts as a CSV sheet, to be settled in a spreadsheet and read back.

    dataset, kind, key, field, base, ours, theirs, take, value

One line for each field that clashes, or for a whole record (``field`` empty then). Who
settles writes ``ours``, ``theirs``, ``base`` or ``value`` into ``take``, and for the
last what is to stand into ``value``; a line without ``take`` stays open.

Cells are spelt as exports spell them where a spreadsheet leaves that alone; a text that
it might take for a number, a date or a formula stands in quotes, as in JSON. A key is a
JSON array, a record JSON, null is ``null``, and what is not there is an empty cell. The
base, ours and theirs must come back as they are, or nothing is settled: the sheet may
be of another merge, or harmed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from prolly.codec import FileEntry, json_form
from prolly.errors import Error, Invalid
from prolly.maps import ABSENT
from prolly.repo import SIDES, Conflict, Conflicts, Kind, Side, Take
from prolly.tables import ColumnType, Schema, Table, column_type

from .byte_source import Place
from .output_file import write_chunks
from .plain_files import open_table
from .record_text import csv_chunks

COLUMNS = (
    "dataset",
    "kind",
    "key",
    "field",
    "base",
    "ours",
    "theirs",
    "take",
    "value",
)
KINDS: dict[str, Kind] = {
    "record": "record",
    "schema": "schema",
    "constraint": "constraint",
}
TAKES = ("ours", "theirs", "base", "value")
# A spreadsheet keeps numbers as floats, so of longer ones it changes the last digits.
DIGITS_SAFE = 15

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?")
# Begins with a letter, holds no digit (MARCH1 is a date) and no mark of a formula.
_WORDS = re.compile(r"[^\W\d_][^\d\t=@]*")
_NOT_WORDS = {"true", "false", "null", "nan", "inf", "infinity"}

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode


def export_conflicts(conflicts: Conflicts, place: Place) -> int:
    """Write the open conflicts to a CSV file or stream; return the number of lines.

    A file appears whole or not at all. Raises as ``write_chunks``.
    """
    text = column_type("text")
    rows = _Counted(_rows(conflicts))
    columns = [(name, text) for name in COLUMNS]
    write_chunks(_stream(place), csv_chunks(columns, rows))
    return rows.number


def _stream(place: Place) -> Place:
    if isinstance(place, str) and place == "-":
        import sys

        return sys.stdout.buffer
    return place


class _Counted:
    def __init__(self, rows: Iterator[tuple[str, ...]]) -> None:
        self._rows = rows
        self.number = 0

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        for row in self._rows:
            self.number += 1
            yield row


def _rows(conflicts: Conflicts) -> Iterator[tuple[str, ...]]:
    spellers: dict[str, _Speller] = {}
    for conflict in conflicts.of():
        speller = spellers.get(conflict.dataset)
        if speller is None:
            speller = spellers[conflict.dataset] = _Speller(conflicts, conflict.dataset)
        for field in _fields(conflict):
            yield (
                *speller.name(conflict, field),
                *speller.cells(conflict, field),
                "",
                "",
            )


def _fields(conflict: Conflict) -> tuple[str, ...]:
    """Return the fields that have lines of their own; one empty for the whole.

    What broke a constraint was withheld as a whole, and is taken so.
    """
    return (conflict.kind == "record" and conflict.fields) or ("",)


class _Line(NamedTuple):
    """What identifies a line of the sheet."""

    dataset: str
    kind: str
    key: str
    field: str


class _Speller:
    """Spells the conflicts of one dataset, and reads what was spelt."""

    def __init__(self, conflicts: Conflicts, dataset: str) -> None:
        self._schemas: dict[Side, Schema | None] = {
            side: conflicts.schema(dataset, side) for side in SIDES
        }
        self._now: Schema | None = None
        if any(self._schemas.values()):
            records = conflicts.records(dataset)
            self._now = records.schema if isinstance(records, Table) else None
        self._columns = {side: conflicts.columns(dataset, side) for side in SIDES}

    def name(self, conflict: Conflict, field: str) -> _Line:
        """Return what identifies the line of a field, or of the whole."""
        is_typed = self._now is not None and conflict.kind != "schema"
        parts = json_form.key_to_json(conflict.key, exact=not is_typed)
        return _Line(conflict.dataset, conflict.kind, _dumps(parts), field)

    def key(self, conflict_kind: str, text: str) -> Any:
        """Return the key that a cell spells. Raises Invalid."""
        parts = json_form.STRICT_DECODER.decode(text)
        if parts == []:
            return ()
        if conflict_kind == "schema":
            return parts[0] if len(parts) == 1 else parts
        if self._now is None:
            return json_form.key_from_json(parts)
        columns = self._now.key_columns
        if type(parts) is not list or len(parts) != len(columns):
            raise ValueError("it has another number of parts")
        key = tuple(
            None if part is None else column_type(column.type).from_json(part)
            for column, part in zip(columns, parts, strict=True)
        )
        return key if len(key) > 1 else key[0]

    def cells(self, conflict: Conflict, field: str) -> tuple[str, ...]:
        """Return base, ours and theirs as cells."""
        return tuple([self._cell(conflict, side, field) for side in SIDES])

    def _cell(self, conflict: Conflict, side: Side, field: str) -> str:
        value = getattr(conflict, side)
        schema = self._schemas[side]
        column = self._columns[side].get(field)
        if value is ABSENT or (field and column is None):
            return ""
        if column is not None:
            kind, cell = column_type(column.type), value[column.name]
            return "null" if cell is None else safe_text(kind, cell)
        if isinstance(value, FileEntry):
            return _dumps(json_form.to_json(value.summary()))
        if schema is None or conflict.kind == "schema":
            return _dumps(json_form.to_json(value, exact=True))
        types = {one.name: column_type(one.type) for one in schema.columns}
        cells = [
            f"{_dumps(name)}: {'null' if one is None else types[name].json_text(one)}"
            for name, one in value.items()
        ]
        return "{" + ", ".join(cells) + "}"

    def value(self, text: str, field: str) -> Any:
        """Return what a cell under ``value`` spells. Raises Invalid, ValueError."""
        if field:
            assert self._now is not None
            kind = column_type(self._now.column(field).type)
            return {field: read_text(kind, text)}
        if not text:
            return ABSENT
        form = json_form.STRICT_DECODER.decode(text)
        if self._now is None:
            return json_form.from_json(form)
        if type(form) is not dict:
            raise ValueError("a row is a JSON object")
        return {
            name: None
            if cell is None
            else column_type(self._now.column(name).type).from_json(cell)
            for name, cell in form.items()
        }


def safe_text(kind: ColumnType, value: Any) -> str:
    """Return a cell's text, in quotes where a spreadsheet might change it."""
    text = kind.format_text(value)
    return text if _is_safe(text) else _dumps(text)


def _is_safe(text: str) -> bool:
    if _NUMBER.fullmatch(text):
        return sum(map(str.isdigit, text)) <= DIGITS_SAFE
    if text[:1] in ("{", "["):
        return text.isprintable()
    is_words = _WORDS.fullmatch(text) is not None and text.isprintable()
    return is_words and text == text.strip() and text.lower() not in _NOT_WORDS


def read_text(kind: ColumnType, text: str) -> Any:
    """Return the value that a cell spells, in quotes or without.

    ``null`` and an empty cell are null; empty text is two quotes. Raises Invalid
    ``value-type``, ValueError for open quotes.
    """
    if text in ("", "null"):
        return None
    if text.startswith('"'):
        form = json_form.STRICT_DECODER.decode(text)
        assert type(form) is str
        return kind.parse_text(form)
    if kind.name == "bool":
        # A spreadsheet writes TRUE and FALSE.
        text = text.lower()
    return kind.parse_text(text)


def import_conflicts(
    conflicts: Conflicts,
    place: Place,
    *,
    before_writing: Callable[[], object] = lambda: None,
) -> int:
    """Settle what a sheet says; return how many of its lines took something.

    All of it or nothing. Raises Invalid ``conflict-sheet`` (``line``) for a line that
    is doubled, names no conflict, holds a base, ours or theirs that is not that of the
    conflict, an unknown take or a value that does not fit, and for an open conflict
    without a line; Invalid ``no-merge``; as reading a CSV file does, and as settling
    does, then with the line in front.
    """
    sheet = _Sheet(conflicts, place)
    takes = list(sheet.takes())
    sheet.require_whole()
    before_writing()
    if takes:
        try:
            conflicts.settle_each(sheet.told(takes))
        except Error as error:
            raise sheet.placed(error) from error
    return len(takes)


class _Sheet:
    """A sheet as it is read, line by line."""

    def __init__(self, conflicts: Conflicts, place: Place) -> None:
        self._conflicts = conflicts
        self._place = place
        self._spellers: dict[str, _Speller] = {}
        self._lines: dict[_Line, int] = {}
        self._line = 0

    def takes(self) -> Iterator[tuple[int, Take]]:
        """Yield (line, what is to stand) for the lines that say it."""
        self._conflicts.require_merge()
        with open_table(self._place, "csv") as source:
            if set(source.columns) != set(COLUMNS):
                raise Invalid(
                    f"{source.files[0].name}: the columns of a sheet of conflicts are "
                    f"{', '.join(COLUMNS)}",
                    code="conflict-sheet",
                    hint="Export the conflicts once more, fill in that sheet, and "
                    "save it with commas between its cells.",
                    line=1,
                )
            for batch in source.iter_batches():
                for line, cells in zip(batch.lines, batch.rows, strict=True):
                    self._line = line
                    row = dict(zip(source.columns, cells, strict=True))
                    take = self._take(row)
                    if take is not None:
                        yield line, take

    def _take(self, row: dict[str, str]) -> Take | None:
        name, conflict = self._found(row)
        speller = self._spellers[name.dataset]
        if name in self._lines:
            raise self._fault(f"it stands on line {self._lines[name]} already")
        self._lines[name] = self._line
        expected = speller.cells(conflict, name.field)
        for side, cell in zip(SIDES, expected, strict=True):
            if row[side] != cell:
                raise self._fault(
                    f"{side} is {row[side]!r} here and {cell!r} in the merge",
                    hint="The merge may be another one than the sheet was exported "
                    "from, or a program changed the cell: export it once more.",
                )
        return self._wanted(row, conflict, name.field)

    def _found(self, row: dict[str, str]) -> tuple[_Line, Conflict]:
        dataset, kind, field = row["dataset"], row["kind"], row["field"]
        if dataset not in self._spellers:
            if dataset not in self._conflicts.dataset_names():
                raise self._fault(f"nothing of {dataset!r} is in conflict")
            self._spellers[dataset] = _Speller(self._conflicts, dataset)
        speller = self._spellers[dataset]
        known = KINDS.get(kind)
        if known is None:
            raise self._fault(f"there is no kind {kind!r} of conflict")
        try:
            key = speller.key(kind, row["key"])
            found = self._conflicts.find(dataset, key, known)
        except (Error, ValueError, RecursionError) as error:
            problem = error.message if isinstance(error, Error) else str(error)
            raise self._fault(f"{row['key']} is no key: {problem}") from error
        if not found:
            raise self._fault(f"{row['key']} of {dataset!r} is not in conflict")
        conflict = found[0]
        if field not in (*_fields(conflict), *conflict.settled_fields):
            raise self._fault(
                f"the field {field!r} of {row['key']} of {dataset!r} is not in conflict"
            )
        return speller.name(conflict, field), conflict

    def _wanted(
        self, row: dict[str, str], conflict: Conflict, field: str
    ) -> Take | None:
        take = row["take"].strip()
        if not take:
            if row["value"]:
                raise self._fault(
                    "a value and no take", hint="Write value under take, too."
                )
            return None
        if take not in TAKES:
            raise self._fault(f"there is nothing to take that is called {take!r}")
        if take != "value" and row["value"]:
            raise self._fault(f"a value beside {take}", hint="Leave one of them out.")
        fields = (field,) if field else ()
        name = conflict.dataset, conflict.key
        if take != "value":
            return Take(*name, SIDES[SIDES.index(take)], fields, kind=conflict.kind)
        if conflict.kind == "schema":
            raise self._fault("a part of a description takes no value")
        try:
            value = self._spellers[conflict.dataset].value(row["value"], field)
        except (Error, ValueError, RecursionError) as error:
            problem = error.message if isinstance(error, Error) else str(error)
            raise self._fault(f"the value: {problem}") from error
        return Take(*name, None, fields, value, conflict.kind)

    def require_whole(self) -> None:
        """Refuse a sheet that lacks a line for something that is open."""
        for conflict in self._conflicts.of():
            speller = self._spellers.get(conflict.dataset)
            if speller is None:
                speller = _Speller(self._conflicts, conflict.dataset)
                self._spellers[conflict.dataset] = speller
            for field in _fields(conflict):
                name = speller.name(conflict, field)
                if name not in self._lines:
                    where = f"{field} of " if field else ""
                    raise Invalid(
                        f"the sheet has no line for {where}{name.key} of "
                        f"{name.dataset!r}, which is in conflict",
                        code="conflict-sheet",
                        hint="Keep all lines: without a take they stay open.",
                        dataset=name.dataset,
                    )

    def told(self, takes: list[tuple[int, Take]]) -> Iterator[Take]:
        """Yield the takes, remembering on which line each stands."""
        for line, take in takes:
            self._line = line
            yield take
        self._line = 0

    def placed(self, error: Error) -> Error:
        """Return an error of settling with the line that it came of, if one did."""
        if not self._line:
            return error
        facts = {**error.facts, "line": self._line}
        message = f"line {self._line}: {error.message}"
        return type(error)(message, code=error.code, hint=error.hint, **facts)

    def _fault(
        self, problem: str, hint: str = "Correct the line; nothing was settled."
    ) -> Invalid:
        return Invalid(
            f"line {self._line}: {problem}",
            code="conflict-sheet",
            hint=hint,
            line=self._line,
        )
