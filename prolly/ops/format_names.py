"""The formats of plain files by name, and what the name of a file says of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple

from prolly.errors import Invalid

from .byte_source import Place
from .compressed_stream import SUFFIXES as COMPRESSED_SUFFIXES

TEXT_FORMATS = ("csv", "tsv", "jsonl", "json")
FORMATS = (*TEXT_FORMATS, "parquet", "arrow", "sqlite")

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".db": "sqlite",
}


class Format(NamedTuple):
    """A format, and the table meant in a file that may hold several."""

    name: str
    table: str = ""

    @property
    def is_text(self) -> bool:
        """Tell whether files of this format may be compressed as a whole."""
        return self.name in TEXT_FORMATS


def format_of_name(name: str) -> str | None:
    """Return the format that a file's name says, or ``None``.

    The end of a compressed file (``.gz``, ``.zst``) is passed over.
    """
    path = PurePath(name)
    if path.suffix.lower() in COMPRESSED_SUFFIXES:
        path = path.with_suffix("")
    return _SUFFIXES.get(path.suffix.lower())


def require_format(
    place: Place, format_name: str | None, formats: Sequence[str] = FORMATS
) -> Format:
    """Return the format that is named (``sqlite:TABLE`` too), or that the place says.

    Raises Invalid ``format-unknown``, whose hint tells of ``formats``.
    """
    name = os.fspath(place) if isinstance(place, (str, os.PathLike)) else ""
    found = format_name or format_of_name(name)
    if found is None:
        raise Invalid(
            f"the format of {name or 'the stream'} is not clear from its name",
            code="format-unknown",
            hint=f"Say which: --format {'|'.join(formats)}.",
            source=name,
        )
    kind, colon, table = found.partition(":")
    if kind not in FORMATS or (colon and (kind != "sqlite" or not table)):
        raise Invalid(
            f"there is no format {found!r}",
            code="format-unknown",
            hint=f"The formats are {', '.join(formats)}; a table of a database is "
            "sqlite:TABLE.",
            format=found,
        )
    return Format(kind, table)


def refuse_compression(name: str) -> Invalid:
    """Return (not raise) the error for an archive around a format that has its own."""
    return Invalid(
        f"{name}: only text formats are compressed as a whole",
        code="format-compressed",
        hint="Leave the end .gz or .zst away, or unpack the file first.",
        source=name,
    )
