"""Conflicts as a CSV sheet, to be settled in a spreadsheet and read back.

    dataset, kind, key, field, base, ours, theirs, take, value, reason

One line for each field that clashes, or for a whole record (``field`` empty then). Who
settles writes ``ours``, ``theirs``, ``base``, ``keep`` or ``value`` into ``take``, and
for the last what is to stand into ``value``; a line without ``take`` stays open. What
the rule or the deletion is, ``reason`` says; it and columns of one's own are not read.

Cells are spelt as exports spell them where a spreadsheet leaves that alone; a text that
it might take for a number, a date or a formula stands in quotes, as in JSON. A key is a
JSON array, a record JSON, null is ``null``, and what is not there is an empty cell. The
base, ours and theirs must come back as they are, or nothing is settled: the sheet may
be of another merge, or harmed.
"""

from __future__ import annotations

from collections.abc import Iterator

from prolly.repo import Conflict, Conflicts, conflict_words
from prolly.tables import column_type

from .byte_source import Place
from .conflict_cells import Speller
from .output_file import write_chunks
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
# For whoever reads the sheet.
REASON = "reason"


def export_conflicts(
    conflicts: Conflicts, place: Place, *, open_only: bool = True
) -> int:
    """Write the open conflicts to a CSV file or stream; return the number of lines.

    Without ``open_only`` those that are settled, too, with what was taken: so a merge
    that is begun anew gets the same answers. A file appears whole or not at all. Raises
    as ``write_chunks``.
    """
    text = column_type("text")
    rows = _Counted(_rows(conflicts, open_only))
    columns = [(name, text) for name in (*COLUMNS, REASON)]
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


def _rows(conflicts: Conflicts, open_only: bool) -> Iterator[tuple[str, ...]]:
    spellers: dict[str, Speller] = {}
    for conflict in conflicts.of(open_only=open_only):
        speller = spellers.get(conflict.dataset)
        if speller is None:
            speller = spellers[conflict.dataset] = Speller(conflicts, conflict.dataset)
        fields = sheet_fields(conflict)
        if not open_only and fields != ("",):
            fields += conflict.settled_fields
        for field in fields:
            yield (
                *speller.name(conflict, field),
                *speller.cells(conflict, field),
                *speller.taken(conflict, field),
                conflict_words(conflict),
            )


def sheet_fields(conflict: Conflict) -> tuple[str, ...]:
    """Return the fields that have lines of their own; one empty for the whole.

    What broke a constraint was withheld as a whole, and is taken so.
    """
    return (conflict.kind == "record" and conflict.fields) or ("",)
