"""The door to tables in plain files: CSV, TSV, JSON lines, JSON, each plain or gzip.

``open_table`` reads one or more files or streams as one table; ``write_table`` writes
records. The format is the one named, else what the name of the file says. Both know of
columns and values only, never of repositories.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any

from prolly.errors import Invalid
from prolly.tables import ColumnType

from .byte_source import ByteSource, Place
from .csv_source import CsvSource
from .json_source import JsonSource
from .output_file import write_chunks
from .record_text import csv_chunks, json_array_chunks, json_line_chunks
from .table_source import TableSource

FORMATS = ("csv", "tsv", "jsonl", "json")

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
}
_COMPRESSED = ".gz"


def format_of_name(name: str) -> str | None:
    """Return the format that a file's name says, ``.gz`` aside, or ``None``."""
    path = PurePath(name)
    if path.suffix.lower() == _COMPRESSED:
        path = path.with_suffix("")
    return _SUFFIXES.get(path.suffix.lower())


def _require_format(place: Place, format_name: str | None) -> str:
    name = os.fspath(place) if isinstance(place, (str, os.PathLike)) else ""
    found = format_name or format_of_name(name)
    if found is None:
        raise Invalid(
            f"the format of {name or 'the stream'} is not clear from its name",
            code="format-unknown",
            hint=f"say which: --format {'|'.join(FORMATS)}",
            source=name,
        )
    if found not in FORMATS:
        raise Invalid(
            f"there is no format {found!r}",
            code="format-unknown",
            hint=f"the formats are {', '.join(FORMATS)}",
            format=found,
        )
    return found


def open_table(
    places: Place | Sequence[Place], format_name: str | None = None
) -> TableSource:
    """Open files, taken as one table; ``-`` is standard input. Close it when done.

    Nothing but the first bytes is read. Raises Invalid ``format-unknown`` or
    ``not-a-file``, NotFound ``no-file``, Denied ``file-denied``.
    """
    if isinstance(places, (str, os.PathLike)) or not isinstance(places, Sequence):
        places = [places]
    formats = {_require_format(place, format_name) for place in places}
    if len(formats) != 1:
        raise Invalid(
            f"the files are of several formats: {', '.join(sorted(formats))}",
            code="mixed-formats",
            hint="import files of one format at a time",
        )
    files: list[ByteSource] = []
    try:
        for place in places:
            files.append(_byte_source(place))
    except BaseException:
        for file in files:
            file.close()
        raise
    return _table_source(files, formats.pop())


def _byte_source(place: Place) -> ByteSource:
    if isinstance(place, str) and place == "-":
        return ByteSource(sys.stdin.buffer, "standard input")
    source = ByteSource(place)
    if source.name.lower().endswith(_COMPRESSED) and source.size and not source.is_gzip:
        source.close()
        raise Invalid(
            f"{source.name} is no gzip file",
            code="bad-gzip",
            hint="rename it if it is not compressed",
            source=source.name,
        )
    return source


def _table_source(files: Sequence[ByteSource], format_name: str) -> TableSource:
    if format_name == "csv":
        return CsvSource(files)
    if format_name == "tsv":
        return CsvSource(files, "\t")
    return JsonSource(files, lines=format_name == "jsonl")


def write_table(
    place: Place,
    columns: Sequence[tuple[str, ColumnType]],
    rows: Iterable[Sequence[Any]],
    format_name: str | None = None,
) -> None:
    """Write rows (values in the order of ``columns``) to a file or stream.

    ``-`` is standard output. A file appears whole or not at all. A name that ends in
    ``.gz`` is compressed, always to the same bytes. Raises as ``write_chunks`` does,
    Invalid ``format-unknown`` and ``nul-character``; errors of ``rows`` pass.
    """
    found = _require_format(place, format_name)
    compress = False
    if isinstance(place, (str, os.PathLike)):
        compress = os.fspath(place).lower().endswith(_COMPRESSED)
    if isinstance(place, str) and place == "-":
        place = sys.stdout.buffer
    if found == "jsonl":
        chunks = json_line_chunks(columns, rows)
    elif found == "json":
        chunks = json_array_chunks(columns, rows)
    else:
        chunks = csv_chunks(columns, rows, "\t" if found == "tsv" else ",")
    write_chunks(place, chunks, compress=compress)
