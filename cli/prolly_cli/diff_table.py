"""A diff for people: aligned tables, in key order, as fast as changes are found.

Changed records stand in a ``ChangesTable``, a line for each field; several in a row
that were added or removed are a ``RowsTable`` of their own. Widths come from the first
records, so a diff of millions begins at once. Where the output has no width nothing is
cut.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import groupby, islice

from prolly import Change, Comparison

from .changes_table import ENDLESS, ChangesTable
from .diff_view import SIGNS, ChangeView, ColumnView, DiffView
from .display_width import cut, width
from .output import Output, number, visible
from .rows_table import RowsTable
from .styled_line import Styled, painted

# Enough records to guess good widths from, few enough to begin at once.
BATCH_RECORDS = 100
# So many records in a row that were added or removed get a table of their own.
BLOCK_RECORDS_LEAST = 4


class DiffTable:
    """Prints the changes of one dataset. ``fields``: every line names its record."""

    def __init__(
        self, output: Output, view: DiffView, dataset: str, *, fields: bool
    ) -> None:
        self._output = output
        self._view = view
        self._dataset = dataset
        self._changes = ChangesTable(output, view.key_title(dataset), fields=fields)
        self._has_titles = False
        # The table that the lines above belong to, if they are whole records.
        self._rows: RowsTable | None = None

    def print(self, changes: Iterable[Change]) -> Counter[str]:
        """Print the changes; return how many of each kind there were."""
        tally: Counter[str] = Counter()
        views = map(self._view.of, changes)
        while batch := list(islice(views, BATCH_RECORDS)):
            tally.update(view.kind for view in batch)
            self._changes.measure(batch)
            for is_whole, run in groupby(batch, key=lambda view: view.is_whole):
                self._print_run(list(run), is_whole)
        return tally

    def _print_run(self, run: list[ChangeView], is_whole: bool) -> None:
        is_block = is_whole and self._view.is_table(self._dataset)
        if is_block and (self._rows or len(run) >= BLOCK_RECORDS_LEAST):
            if self._rows is None:
                titles = self._view.row_titles(self._dataset)
                self._rows = RowsTable(titles, run, self._output.line_limit)
                self._line([(self._rows.head, "faint")])
            for view in run:
                self._line([(self._rows.line(view), view.kind)])
            return
        if self._rows or not self._has_titles:
            self._rows = None
            for parts in self._changes.titles():
                self._has_titles = True
                self._line(parts)
        for view in run:
            for parts in self._changes.lines(view):
                self._line(parts)

    def _line(self, parts: list[Styled]) -> None:
        self._output.line(painted(self._output, parts))


def print_table(
    output: Output,
    comparison: Comparison,
    changes: Iterable[Change],
    events: dict[str, str],
    *,
    fields: bool,
) -> bool:
    """Print changes by dataset, and the events of those of which no record differs.

    Return whether there was anything.
    """
    view = DiffView(comparison)
    found = bool(events)
    for dataset, some in groupby(changes, key=lambda change: change.dataset):
        found = True
        _heading(output, dataset, events.pop(dataset, ""), view.columns(dataset))
        tally = DiffTable(output, view, dataset, fields=fields).print(some)
        output.line(_summary(tally, output.line_limit or ENDLESS))
    for dataset, event in events.items():
        _heading(output, dataset, event, view.columns(dataset))
    if not found:
        output.say("no differences")
    return found


def _summary(tally: Counter[str], limit: int) -> str:
    """Return how many records differ; in signs where words do not fit."""
    words = ", ".join(f"{number(tally[kind])} {kind}" for kind in SIGNS)
    if width(words) <= limit:
        return words
    return cut(" ".join(f"{sign}{tally[kind]}" for kind, sign in SIGNS.items()), limit)


def _heading(
    output: Output, dataset: str, event: str, columns: list[ColumnView]
) -> None:
    """Print the name of a dataset, what happened to it, and to its columns."""
    words = f"{visible(dataset)} ({event})" if event else visible(dataset)
    limit = output.line_limit or ENDLESS
    output.line(output.style(cut(words, limit), "name"))
    for one in columns:
        line = cut(f"{SIGNS[one.kind]} column {one.name}: {one.type}", limit)
        output.line(output.style(line, one.kind))
