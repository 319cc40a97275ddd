"""The door to tables in plain files, of every format that there is.

``open_table`` reads one or more files or streams as one table; ``write_table`` writes
records. The format is the one named, else what the name of the file says. Both know of
columns and values only, never of repositories.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from prolly.errors import Invalid
from prolly.tables import ColumnType, Schema

from .byte_source import ByteSource, Place
from .compressed_stream import compression_of_name
from .csv_source import CsvSource
from .format_names import Format, refuse_compression, require_format
from .json_source import JsonSource
from .output_file import write_chunks
from .record_text import csv_chunks, json_array_chunks, json_line_chunks
from .table_source import TableSource


def open_table(
    places: Place | Sequence[Place], format_name: str | None = None
) -> TableSource:
    """Open files, taken as one table; ``-`` is standard input. Close it when done.

    ``format_name`` is one of ``FORMATS``, or ``sqlite:TABLE``. Nothing but the first
    bytes is read. Raises Invalid ``format-unknown``, ``format-compressed`` or
    ``not-a-file``, NotFound ``no-file``, Denied ``file-denied``.
    """
    if isinstance(places, (str, os.PathLike)) or not isinstance(places, Sequence):
        places = [places]
    formats = {require_format(place, format_name) for place in places}
    if len(formats) != 1:
        names = sorted(one.name for one in formats)
        raise Invalid(
            f"the files are of several formats: {', '.join(names)}",
            code="mixed-formats",
            hint="Import files of one format at a time.",
        )
    files: list[ByteSource] = []
    try:
        for place in places:
            files.append(byte_source(place))
        return _table_source(files, formats.pop())
    except BaseException:
        for file in files:
            file.close()
        raise


def byte_source(place: Place) -> ByteSource:
    """Open one file, ``-`` too; raises as ``open_table``."""
    if isinstance(place, str) and place == "-":
        return ByteSource(sys.stdin.buffer, "standard input")
    source = ByteSource(place)
    promised = compression_of_name(source.name)
    is_gzip = promised == "gzip"
    if promised and source.size and source.compression != promised:
        source.close()
        raise Invalid(
            f"{source.name} is no {promised} file",
            code="bad-gzip" if is_gzip else "bad-zst",
            hint="Rename it if it is not compressed so.",
            source=source.name,
        )
    return source


def _table_source(files: Sequence[ByteSource], form: Format) -> TableSource:
    if form.name == "csv":
        return CsvSource(files)
    if form.name == "tsv":
        return CsvSource(files, "\t")
    if form.name == "sqlite":
        from .sqlite_source import SqliteSource

        return SqliteSource(files, form.table)
    if not form.is_text:
        from .arrow_source import ArrowSource

        return ArrowSource(files, form.name)
    return JsonSource(files, lines=form.name == "jsonl")


def write_table(
    place: Place,
    columns: Sequence[tuple[str, ColumnType]],
    rows: Iterable[Sequence[Any]],
    format_name: str | None = None,
    *,
    schema: Schema | None = None,
) -> None:
    """Write rows (values in the order of ``columns``) to a file or stream.

    ``-`` is standard output. A file appears whole or not at all; of an SQLite file that
    is there, only the table named in ``format_name`` (``sqlite:TABLE``) changes. A text
    format under a name that ends in ``.gz`` or ``.zst`` is compressed. ``schema`` tells
    formats that want to know the key and what may be null. Parquet and Arrow read
    ``rows`` twice: give something that can be iterated again. Raises as
    ``write_chunks`` does, Invalid ``format-unknown`` and ``nul-character``; errors of
    ``rows`` pass.
    """
    form = require_format(place, format_name)
    name = os.fspath(place) if isinstance(place, (str, os.PathLike)) else ""
    compression = compression_of_name(name)
    if compression and not form.is_text:
        raise refuse_compression(name)
    if form.is_text:
        write_text(place, _text_chunks(columns, rows, form.name))
        return
    if isinstance(place, str) and place == "-":
        place = sys.stdout.buffer
    if form.name == "sqlite":
        from .sqlite_output import write_sqlite

        write_sqlite(place, form.table, columns, rows, schema)
    else:
        from .arrow_output import write_arrow, write_parquet

        write = write_parquet if form.name == "parquet" else write_arrow
        write(place, columns, rows, schema)


def write_text(place: Place, chunks: Iterable[bytes]) -> None:
    """Write the bytes of a text format to a file or stream; as ``write_table``."""
    name = os.fspath(place) if isinstance(place, (str, os.PathLike)) else ""
    if isinstance(place, str) and place == "-":
        place = sys.stdout.buffer
    write_chunks(place, chunks, compression=compression_of_name(name))


def _text_chunks(
    columns: Sequence[tuple[str, ColumnType]],
    rows: Iterable[Sequence[Any]],
    format_name: str,
) -> Iterable[bytes]:
    if format_name == "jsonl":
        return json_line_chunks(columns, rows)
    if format_name == "json":
        return json_array_chunks(columns, rows)
    return csv_chunks(columns, rows, "\t" if format_name == "tsv" else ",")
