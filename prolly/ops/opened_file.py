"""A plain file named by a person: which file, what format, which table of a database.

A database holds several tables, so a place may name one: ``shop.db:prices``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from prolly.errors import Invalid

from .byte_source import Place
from .format_names import require_format
from .plain_files import open_table
from .table_source import TableSource

# Between a database and one of its tables, where a file of the whole name is not there.
_TABLE_MARK = ":"

# More names than a message can tell.
_TOLD_COLUMNS = 20


def open_file(place: Place, format_name: str | None = None) -> TableSource | None:
    """Open a plain file, ``FILE.db:TABLE`` too.

    None for a file without a byte, or of JSON without a record.
    """
    place, format_name = divided_place(place, format_name)
    if isinstance(place, (str, os.PathLike)) and _is_nothing(Path(place)):
        return None
    source = open_table(place, format_name)
    try:
        if source.files[0].size and (source.has_header or source.columns):
            return source
    except BaseException:
        source.close()
        raise
    source.close()
    return None


def divided_place(place: Place, format_name: str | None) -> tuple[Place, str | None]:
    """Return the file of a place and its format: ``shop.db:t`` is ``sqlite:t``.

    A file of the whole name goes before, as does a format that names a table.
    """
    if isinstance(place, str) and _TABLE_MARK in place and not os.path.exists(place):
        path, _, table = place.rpartition(_TABLE_MARK)
        is_meant = os.path.isfile(path) and format_name in (None, "sqlite")
        if is_meant and require_format(path, format_name).name == "sqlite":
            return path, f"sqlite:{table}"
    return place, format_name


def _is_nothing(path: Path) -> bool:
    """Tell whether a path is that of the null device, which has no format."""
    return path == Path(os.devnull)


def require_key(source: TableSource, key: Sequence[str]) -> None:
    """Raise Invalid ``missing-key`` unless the file has all columns of the key."""
    from .csv_source import delimiter_hint

    columns, name = source.columns, source.files[0].name
    if not key or len(set(key)) < len(key):
        raise Invalid(
            "a key is one column or several, each named once",
            code="missing-key",
            hint=f"Name the key columns of {name}, e.g. --key {columns[0]}.",
        )
    for one in key:
        if one not in columns:
            told = f"Its columns are: {', '.join(columns[:_TOLD_COLUMNS])}."
            raise Invalid(
                f"{name} has no column {one!r} to be the key",
                code="missing-key",
                hint=delimiter_hint(columns) or told,
                source=name,
                column=one,
            )
