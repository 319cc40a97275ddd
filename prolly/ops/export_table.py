"""Export a dataset of a version to a plain file or a stream.

A table that is exported and imported again has the same root. A map becomes two
columns, ``key`` and ``value``, both JSON with the exact type of everything in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from prolly.errors import Invalid
from prolly.maps import Files, OrderedMap
from prolly.repo import Snapshot
from prolly.tables import ColumnType, Table, column_type

from .byte_source import Place
from .format_names import Format, require_format
from .plain_files import write_table


def export_table(
    snapshot: Snapshot, dataset: str, place: Place, format_name: str | None = None
) -> int:
    """Write all records of a dataset in key order; return how many.

    ``place`` and ``format_name`` as of ``write_table``: a file appears whole or not at
    all. The table in an SQLite file is named as the dataset by default. Raises NotFound
    ``no-such-dataset``, Invalid ``wrong-kind`` for blobs or files, and as
    ``write_table``.
    """
    opened = snapshot.dataset(dataset)
    schema = None
    if isinstance(opened, Table):
        schema = opened.schema
        columns = [(one.name, column_type(one.type)) for one in schema.columns]
        # Before its first row a table may know no column but those of its key.
        columns = columns or [(name, column_type("text")) for name in schema.key]
        rows = _Records(lambda: chain.from_iterable(opened.iter_rows_as_lists()))
    elif not isinstance(opened, OrderedMap):
        raise Invalid(
            f"dataset {dataset!r} holds files, not records",
            code="wrong-kind",
            hint="take its files out one by one",
            dataset=dataset,
        )
    elif isinstance(opened, Files):
        raise Invalid(
            f"dataset {dataset!r} holds files, not records",
            code="wrong-kind",
            hint="`prolly files checkout` writes them into a directory",
            dataset=dataset,
        )
    else:
        columns = [("key", _JSON), ("value", _JSON)]
        rows = _Records(lambda: _pairs(opened))
    if require_format(place, format_name) == Format("sqlite"):
        format_name = f"sqlite:{dataset}"
    known = None if schema is None or schema.is_unknown else schema
    write_table(place, columns, rows, format_name, schema=known)
    return len(opened)


class _Records:
    """Rows that can be read again and again."""

    def __init__(self, read: Callable[[], Iterator[Any]]) -> None:
        self._read = read

    def __iter__(self) -> Iterator[Any]:
        return self._read()


_JSON: ColumnType = column_type("json")


def _pairs(records: OrderedMap) -> Iterator[tuple[Any, Any]]:
    for key, value in records.items():
        # The parts of a key as an array; a nested tuple is a nested array.
        yield _listed(key if isinstance(key, tuple) else (key,)), value


def _listed(parts: tuple[Any, ...]) -> list[Any]:
    return [_listed(part) if isinstance(part, tuple) else part for part in parts]
