"""What rows leave out: it keeps the cell of the stored row, or takes its default.

Rows come as columns in which ``ABSENT`` stands for a cell that was left out, which null
does not. Where cells are kept, the keys of the rows are looked up before anything else
is checked, so that a row is checked as it is going to be stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from prolly.errors import Error
from prolly.maps import ABSENT, Absent

from .column import Column
from .record_codec import ReadChunk, RecordCodec
from .row_batches import Columns, Fit, check_column, located
from .schema import missing_column

Look = Callable[[bytes], bytes | None]


class Gaps:
    """Fills what rows leave out, a batch at a time.

    ``look`` gives the stored value under an encoded key; without it nothing is kept and
    every gap takes its default. Raises Invalid ``missing-column`` for a gap that has
    none, and as ``check_columns`` for a key.
    """

    def __init__(
        self, codec: RecordCodec, look: Look | None, read_chunk: ReadChunk
    ) -> None:
        self._codec = codec
        self._look = look
        self._read_chunk = read_chunk

    def __call__(self, columns: Columns, before: int, fit: Fit) -> Columns:
        """Return a batch without gaps; ``before`` rows came before it."""
        schema = self._codec.schema
        gaps = [Absent in set(map(type, column)) for column in columns]
        if not any(gaps):
            return columns
        filled = list(columns)
        for name in schema.key:
            place = schema.names.index(name)
            key_column = schema.columns[place]
            filled[place] = check_column(
                schema, key_column, columns[place], before, fit
            )
        stored = self._stored(filled)
        for place, column in enumerate(schema.columns):
            if gaps[place]:
                kept = [None if row is None else row[place] for row in stored]
                filled[place] = _filled(column, columns[place], (stored, kept), before)
        return filled

    def _stored(self, columns: Columns) -> list[Sequence[Any] | None]:
        """Return the stored row of each row's key, as cells in schema order."""
        found: list[Sequence[Any] | None] = [None] * len(columns[0])
        if self._look is None:
            return found
        try:
            keys = self._codec.encode_keys(columns)
        except Error:
            # It is refused, with row and key, as soon as the records are encoded.
            return found
        values = list(map(self._look, keys))
        there = [place for place, value in enumerate(values) if value is not None]
        if there:
            decoded = self._codec.decode_columns(
                [keys[place] for place in there],
                [value for value in values if value is not None],
                self._read_chunk,
            )
            for place, row in zip(there, zip(*decoded, strict=True), strict=True):
                found[place] = row
        return found


def _filled(
    column: Column,
    values: Sequence[Any],
    stored: tuple[Sequence[Any], Sequence[Any]],
    before: int,
) -> list[Any]:
    """Return a column without gaps, from whether rows are stored and their cells."""
    filled = list(values)
    rows, cells = stored
    for index, value in enumerate(values):
        if value is not ABSENT:
            continue
        if rows[index] is not None:
            filled[index] = cells[index]
        elif column.has_default:
            filled[index] = column.fill
        else:
            raise located(missing_column(column.name), before, index)
    return filled
