"""Export a dataset of a version to a plain file or a stream.

A table that is exported and imported again has the same root, but for what CSV cannot
tell apart: see ``CsvLosses``. A map becomes two columns, ``key`` and ``value``, both
JSON with the exact type of everything in it; a null is ``null`` there, in CSV too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from prolly.errors import Invalid
from prolly.maps import Files, OrderedMap
from prolly.repo import Snapshot
from prolly.tables import ColumnType, Table, Where, column_type

from .byte_source import Place
from .csv_losses import CsvLosses
from .export_apart import FORMATS_APART, frozen, text_apart
from .format_names import Format, require_format
from .plain_files import write_table, write_text
from .worker_pool import check_jobs, shared_out

if TYPE_CHECKING:
    from concurrent.futures import Executor

# Of a table nobody knows the bytes before they are read.
ROW_BYTES_ABOUT = 100


def export_table(
    snapshot: Snapshot,
    dataset: str,
    place: Place,
    format_name: str | None = None,
    *,
    losses: CsvLosses | None = None,
    where: Where | None = None,
    jobs: int | Executor = 1,
) -> int:
    """Write the records of a dataset in key order; return how many.

    ``place`` and ``format_name`` as of ``write_table``: a file appears whole or not at
    all. The table in an SQLite file is named as the dataset by default. ``losses``
    counts what an export of a table to CSV or TSV does not keep. ``where``: only rows
    of which this predicate is true. ``jobs``: so many processes, or those of an
    executor, spell the rows of a large table of a commit on disk in CSV, TSV or JSON
    lines, all of them; the file is the same. Raises NotFound ``no-such-dataset``,
    Invalid ``wrong-kind`` for blobs or files, or with a predicate for anything but a
    table, ``predicate``, ``jobs``, and as ``write_table``; StorageFailed
    ``worker-lost``.
    """
    opened = snapshot.dataset(dataset)
    selected = None if where is None else _selected(opened, dataset, where)
    schema = None
    form = require_format(place, format_name)
    is_csv = form.name in ("csv", "tsv")
    if isinstance(opened, Table):
        schema = opened.schema
        columns = [(one.name, column_type(one.type)) for one in schema.columns]
        # Before its first row a table may know no column but those of its key.
        columns = columns or [(name, column_type("text")) for name in schema.key]
        rows = _Records(lambda: _rows(opened, losses if is_csv else None, where))
    elif isinstance(opened, Files):
        raise Invalid(
            f"dataset {dataset!r} holds files, not records",
            code="wrong-kind",
            hint="`prolly files checkout` writes them into a directory.",
            dataset=dataset,
        )
    else:
        # In a column of type json an empty CSV cell is null: here null is a value, so
        # its text is written.
        kind = column_type("text") if is_csv else _JSON
        columns = [("key", kind), ("value", kind)]
        rows = _Records(lambda: _texts(opened) if is_csv else _pairs(opened))
    if form == Format("sqlite"):
        format_name = f"sqlite:{dataset}"
    if isinstance(opened, Table) and where is None and form.name in FORMATS_APART:
        text = _Text(snapshot, dataset, opened, form.name, losses if is_csv else None)
        if text.write(place, jobs):
            return len(opened)
    known = None if schema is None or schema.is_unknown else schema
    write_table(place, columns, rows, format_name, schema=known)
    return len(opened) if selected is None else selected


def _selected(opened: Any, dataset: str, where: Where) -> int:
    """Return how many rows a predicate selects; Invalid unless it fits a table."""
    if not isinstance(opened, Table):
        raise Invalid(
            f"dataset {dataset!r} is no table: it has no columns to ask about",
            code="wrong-kind",
            hint="Leave the predicate out.",
            dataset=dataset,
        )
    return len(opened.rows(where=where))


class _Text(NamedTuple):
    """A table to be written as text by several processes."""

    snapshot: Snapshot
    dataset: str
    table: Table
    format_name: str
    losses: CsvLosses | None

    def write(self, place: Place, jobs: int | Executor) -> bool:
        """Write it, or return False: it is for this process alone."""
        check_jobs(jobs)
        if jobs == 1:
            return False
        snapshot = frozen(self.snapshot)
        with shared_out(jobs, len(self.table) * ROW_BYTES_ABOUT) as workers:
            if workers is None or snapshot is None:
                return False
            what = self.dataset, self.table, self.format_name
            write_text(place, text_apart(workers, snapshot, *what, losses=self.losses))
            return True


class _Records:
    """Rows that can be read again and again."""

    def __init__(self, read: Callable[[], Iterator[Any]]) -> None:
        self._read = read

    def __iter__(self) -> Iterator[Any]:
        return self._read()


_JSON: ColumnType = column_type("json")


def _rows(
    opened: Table, losses: CsvLosses | None, where: Where | None
) -> Iterator[Any]:
    batches: Iterable[Any] = opened.iter_columns(where=where)
    if losses is not None:
        batches = losses.watch(opened.schema, batches)
    return chain.from_iterable(zip(*columns, strict=True) for columns in batches)


def _texts(records: OrderedMap) -> Iterator[tuple[str, str]]:
    spell = _JSON.format_text
    for key, value in _pairs(records):
        yield spell(key), spell(value)


def _pairs(records: OrderedMap) -> Iterator[tuple[Any, Any]]:
    for key, value in records.items():
        # The parts of a key as an array; a nested tuple is a nested array.
        yield _listed(key if isinstance(key, tuple) else (key,)), value


def _listed(parts: tuple[Any, ...]) -> list[Any]:
    return [_listed(part) if isinstance(part, tuple) else part for part in parts]
