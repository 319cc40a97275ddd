"""The rows of a source as batches of typed columns, as a table takes them.

A cell that its record left out is ABSENT; an empty CSV cell is no key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from prolly.errors import Invalid
from prolly.maps import ABSENT
from prolly.tables import InferredColumn

from .import_faults import Found, null_key
from .table_source import Batch, TableSource, iter_typed

# In place of names: every column of text.
ALL_TEXT = "*"


def iter_columns(
    source: TableSource,
    columns: Sequence[InferredColumn],
    key: Sequence[str],
    empty_as_null: Sequence[str],
) -> Iterator[list[Sequence[Any]]]:
    """Yield batches as columns in the order of ``columns``.

    ``key`` names the key columns; ``empty_as_null`` those of text, or ``*`` for all,
    whose empty cells are null. Raises as ``iter_typed``, Invalid ``null-key``,
    ``unknown-column``, and ``option`` where an empty cell is no text.
    """
    names = [one.name for one in columns]
    key = [name for name in key if name in names]
    places = [names.index(name) for name in key] if source.text_cells else []
    emptied = _emptied(source, columns, empty_as_null)
    for batch in iter_typed(source, columns):
        typed: list[Sequence[Any]] = list(zip(*batch.rows, strict=True))
        if places and all("" in typed[place] for place in places):
            _refuse_empty_keys(batch, places, key)
        for place in emptied:
            typed[place] = [None if cell == "" else cell for cell in typed[place]]
        yield _with_gaps(typed, batch, [name in key for name in names])


def _with_gaps(
    typed: list[Sequence[Any]], batch: Batch, in_key: Sequence[bool]
) -> list[Sequence[Any]]:
    """Return columns with ABSENT where a record left a cell out of its row.

    A key that is left out stays null, and is refused as such.
    """
    cells = {place: list(typed[place]) for place in {one for _, one in batch.gaps}}
    for row, place in batch.gaps:
        if not in_key[place]:
            cells[place][row] = ABSENT
    return [cells.get(place, column) for place, column in enumerate(typed)]


def _emptied(
    source: TableSource, columns: Sequence[InferredColumn], wanted: Sequence[str]
) -> list[int]:
    """Return the places of the columns whose empty cells are null.

    Raises Invalid ``unknown-column``, or ``option`` where an empty cell is no text.
    """
    if not wanted:
        return []
    if not source.text_cells:
        raise Invalid(
            f"{source.files[0].name}: only in CSV and TSV is null an empty cell",
            code="option",
            hint="Leave `--empty-as-null` out: the format tells null from empty text.",
        )
    names = [one.name for one in columns]
    for name in wanted:
        if name not in (ALL_TEXT, *names):
            raise Invalid(
                f"{source.files[0].name} has no column {name!r}",
                code="unknown-column",
                hint=f"Its columns are {', '.join(names[:20])}.",
                column=name,
            )
    return [
        place
        for place, one in enumerate(columns)
        if one.type_name == "text" and (ALL_TEXT in wanted or one.name in wanted)
    ]


def _refuse_empty_keys(batch: Batch, places: list[int], key: Sequence[str]) -> None:
    for line, row in zip(batch.lines, batch.rows, strict=True):
        if not any(row[place] for place in places):
            raise null_key(Found(batch.source, line, ()), key[0])
