"""Give records as Arrow data: a Table, or a stream of record batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from prolly.errors import Invalid

from .arrow_layout import ArrowLayout, Batches, typed_columns
from .arrow_library import require_pyarrow

if TYPE_CHECKING:
    from .table import Table


def arrow_stream(
    table: Table, columns: Sequence[str] | None, how: dict[str, Any]
) -> Any:
    """Return a RecordBatchReader over columns of a table; ``how`` as of ``rows``.

    The columns whose layout depends on their values are read once before. An error
    while reading is raised by the reader as it is.
    """
    pyarrow = require_pyarrow()
    names = list(table.schema.names if columns is None else columns)
    if not names:
        raise Invalid(
            "no column is asked for",
            code="option",
            hint="Name one or more, or leave columns out for all of them.",
        )
    typed = typed_columns(table.schema, names)

    def read(places: Sequence[int]) -> Batches:
        return table.iter_columns([names[place] for place in places], **how)

    layout = ArrowLayout.decide(typed, read, table.schema)
    batches = layout.batches(table.iter_columns(names, **how))
    return pyarrow.RecordBatchReader.from_batches(layout.schema, batches)
