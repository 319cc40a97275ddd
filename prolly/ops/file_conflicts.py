"""The conflicts of a merge of plain files, as JSON lines or CSV for a program.

    {"dataset", "key": [...], "base", "ours", "theirs", "fields": [...],
     "kind": "record", "reason"}
    dataset,key,field,base,ours,theirs,reason

A side without the row is left out in JSON; ``fields`` is empty where one side deleted
the row. In CSV there is a line for each field that clashes, cells as they are, or one
for the whole row with an empty field, where the sides are JSON. A key is a JSON array.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from prolly.maps import ABSENT
from prolly.tables import COLUMN_TYPES, column_type

from .byte_source import Place
from .file_row_merge import FileConflict
from .format_names import format_of_name
from .plain_files import write_text
from .record_text import csv_chunks

COLUMNS = ("dataset", "key", "field", "base", "ours", "theirs", "reason")
SIDES = ("base", "ours", "theirs")

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode


def write_file_conflicts(
    place: Place, conflicts: Sequence[FileConflict], name: str
) -> None:
    """Write conflicts to a file or stream: CSV if its name says so, else JSON lines.

    ``name`` is what the merged file is called. Raises as ``write_chunks``.
    """
    path = os.fspath(place) if isinstance(place, (str, os.PathLike)) else ""
    if format_of_name(path) == "csv":
        text = column_type("text")
        rows = _rows(conflicts, name)
        write_text(place, csv_chunks([(one, text) for one in COLUMNS], rows))
    else:
        write_text(place, (_line(one, name) for one in conflicts))


def _line(conflict: FileConflict, name: str) -> bytes:
    parts = [f'"dataset": {_dumps(name)}', f'"key": {_dumps(list(conflict.key))}']
    for side in SIDES:
        row = getattr(conflict, side)
        if row is not ABSENT:
            parts.append(f'"{side}": {_json(row)}')
    parts.append(f'"fields": {_dumps(list(conflict.fields))}, "kind": "record"')
    parts.append(f'"reason": {_dumps(conflict.reason)}')
    return ("{" + ", ".join(parts) + "}\n").encode()


def _rows(conflicts: Sequence[FileConflict], name: str) -> Iterator[tuple[str, ...]]:
    for conflict in conflicts:
        key = _dumps(list(conflict.key))
        rows = [getattr(conflict, side) for side in SIDES]
        for field in conflict.fields or ("",):
            cells = [_cell(row, field) for row in rows]
            yield name, key, field, *cells, conflict.reason


def _cell(row: Any, field: str) -> str:
    if row is ABSENT:
        return ""
    value = row.get(field, ABSENT) if field else row
    if value is ABSENT or type(value) is str:
        return "" if value is ABSENT else value
    return _json(value)


def _json(value: Any) -> str:
    return COLUMN_TYPES["json"].json_text(value)
