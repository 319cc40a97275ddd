"""Export a table as text on several processes: each spells the rows between two keys.

What a row is spelt as depends on the row alone, so the pieces, one after another, are
the file that one process writes. A worker opens the version again by itself.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from itertools import chain, islice, pairwise
from typing import Any, NamedTuple

from prolly.errors import Error
from prolly.repo import Snapshot
from prolly.tables import Table, column_type

from .csv_losses import CsvLosses
from .record_text import csv_chunks, json_line_chunks
from .worker_pool import Workers

# Formats in which a row's text says nothing of where it stands.
FORMATS_APART = ("csv", "tsv", "jsonl")

# A tenth of a second of work, and a megabyte or two of text.
PIECE_ROWS = 10_000


class _Task(NamedTuple):
    """A piece: the rows of a table from one key up to another; None is no bound."""

    snapshot: bytes
    dataset: str
    format_name: str
    start: Any
    stop: Any


class _Piece(NamedTuple):
    text: bytes
    losses: CsvLosses


def frozen(snapshot: Snapshot) -> bytes | None:
    """Return a snapshot for workers; ``None`` for one that only this process has."""
    try:
        return pickle.dumps(snapshot)
    except Error:
        return None


def text_apart(
    workers: Workers,
    snapshot: bytes,
    dataset: str,
    table: Table,
    format_name: str,
    *,
    losses: CsvLosses | None,
) -> Iterator[bytes]:
    """Yield the text of a table in pieces, as ``write_table`` spells it.

    ``losses`` counts. Raises as ``write_table``, StorageFailed ``worker-lost``.
    """
    tasks = (
        _Task(snapshot, dataset, format_name, *bounds)
        for bounds in pairwise(_bounds(table))
    )
    for piece in workers.map(_spell, tasks):
        yield piece.text
        if losses is not None:
            losses.add(piece.losses)


def _bounds(table: Table) -> Iterator[Any]:
    """Yield the keys at which pieces meet; no bound first and last."""
    yield None
    for number in range(PIECE_ROWS, len(table), PIECE_ROWS):
        yield table.row_key(table.nth(number))
    yield None


def _spell(task: _Task) -> _Piece:
    table = pickle.loads(task.snapshot).dataset(task.dataset)
    columns = [(one.name, column_type(one.type)) for one in table.schema.columns]
    losses = CsvLosses()
    batches = table.iter_columns(start=task.start, stop=task.stop)
    if task.format_name == "jsonl":
        rows = chain.from_iterable(zip(*batch, strict=True) for batch in batches)
        return _Piece(b"".join(json_line_chunks(columns, rows)), losses)
    batches = losses.watch(table.schema, batches)
    rows = chain.from_iterable(zip(*batch, strict=True) for batch in batches)
    delimiter = "\t" if task.format_name == "tsv" else ","
    # Only the first piece has the header.
    pieces = csv_chunks(columns, rows, delimiter)
    skipped = 0 if task.start is None else 1
    return _Piece(b"".join(islice(pieces, skipped, None)), losses)
