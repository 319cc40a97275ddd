"""A diff for people: an aligned table, in key order, as fast as changes are found.

A modified record has a line for each field that changed, with old and new beside each
other, or below each other where they are long; on a terminal they are folded so that
what changed stays visible, and behind them stand cells that did not change, to know the
record by. Several records in a row that were added or removed are a table of their own.

Widths come from the first records, so a diff of millions begins at once; a later cell
that is longer pushes what follows, as far as the line allows. Where the output has no
width nothing is cut.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import NamedTuple

from prolly import Change, Comparison

from .diff_view import SIGNS, ChangeView, ColumnView, DiffView, FieldView
from .display_width import cut, padded, width
from .folded_cell import folded
from .output import Output, number, visible
from .rows_table import (
    GAP,
    KEY_COLUMNS,
    VALUE_COLUMNS,
    VALUE_COLUMNS_LEAST,
    RowsTable,
)
from .styled_line import Styled, marked, painted
from .word_difference import Span, word_differences

# Enough records to guess good widths from, few enough to begin at once.
BATCH_RECORDS = 100
# So many records in a row that were added or removed get a table of their own.
BLOCK_RECORDS_LEAST = 4

# The names of fields take no more of a line than this.
FIELD_COLUMNS = 20
# Fewer columns show nothing of cells that did not change.
REST_COLUMNS_LEAST = 16
# A line that nothing cuts is no longer than this, for the sums' sake.
ENDLESS = 1 << 40

SIDE_KINDS = ("removed", "added")


class Widths(NamedTuple):
    """The columns of the table of changes."""

    key: int
    field: int
    old: int
    new: int

    @property
    def lead(self) -> int:
        """How many columns stand before the old value."""
        return 2 + self.key + 2 + (self.field + 2 if self.field else 0)


class DiffTable:
    """Prints the changes of one dataset. ``fields``: every line names its record."""

    def __init__(self, output: Output, view: DiffView, *, fields: bool) -> None:
        self._output = output
        self._view = view
        self._fields = fields
        self._color = output.color
        limit = output.line_limit
        self._has_limit = limit is not None
        self._limit = limit or ENDLESS
        self._widths: Widths | None = None
        self._key_columns = 0
        self._has_titles = False
        # The table that the lines above belong to, if they are whole records.
        self._rows: RowsTable | None = None

    def print(self, dataset: str, changes: Iterable[Change]) -> Counter[str]:
        """Print the changes of a dataset; return how many of each kind there were."""
        tally: Counter[str] = Counter()
        title = self._view.key_title(dataset)
        views = map(self._view.of, changes)
        while batch := list(islice(views, BATCH_RECORDS)):
            tally.update(view.kind for view in batch)
            self._widths = self._widths or self._fitted(batch, title)
            if not self._key_columns:
                self._key_columns = self._key_width(batch)
            for is_whole, run in groupby(batch, key=lambda view: view.is_whole):
                self._print_run(dataset, list(run), is_whole)
        return tally

    def _print_run(self, dataset: str, run: list[ChangeView], is_whole: bool) -> None:
        is_block = is_whole and self._view.is_table(dataset)
        if is_block and (self._rows or len(run) >= BLOCK_RECORDS_LEAST):
            if self._rows is None:
                titles = self._view.row_titles(dataset)
                self._rows = RowsTable(titles, run, self._output.line_limit)
                self._line([(self._rows.head, "faint")])
            for view in run:
                self._line([(self._rows.line(view), view.kind)])
            return
        if self._widths is not None and (self._rows or not self._has_titles):
            self._has_titles = True
            self._rows = None
            for parts in self._titles(dataset):
                self._line(parts)
        for view in run:
            for parts in self._whole(view) if is_whole else self._changed(view):
                self._line(parts)

    def _line(self, parts: list[Styled]) -> None:
        self._output.line(painted(self._output, parts, color=self._color))

    # The table of changes.

    def _fitted(self, batch: list[ChangeView], title: str = "") -> Widths | None:
        """Return the widths that suit the first records; None if all are whole."""
        fields = [field for view in batch for field in view.fields]
        if not fields:
            return None
        key = self._key_width(batch, title)
        name = max(width(field.name) for field in fields)
        name = min(max(name, len("field")) if name else 0, FIELD_COLUMNS)
        old, new = (
            min(_usual([width(one) for one in values]), VALUE_COLUMNS)
            for values in ([f.old for f in fields], [f.new for f in fields])
        )
        widths = Widths(key, name, max(old, 3), max(new, 3))
        room = self._limit - widths.lead - len(GAP)
        if widths.old + widths.new > room:
            widths = widths._replace(old=min(widths.old, max(room // 2, 1)))
            widths = widths._replace(new=max(room - widths.old, 1))
        return widths

    def _key_width(self, batch: list[ChangeView], title: str = "") -> int:
        wanted = max(width(one) for one in (title, *(view.key for view in batch)))
        return min(wanted, KEY_COLUMNS, self._limit // 3)

    def _titles(self, dataset: str) -> Iterator[list[Styled]]:
        """Yield the line of titles, if the lines below have columns."""
        widths = self._widths
        if widths is None or self._is_narrow(widths):
            return
        title = padded(cut(self._view.key_title(dataset), widths.key), widths.key)
        text = f"  {title}{GAP}"
        if widths.field:
            text += f"{'field':{widths.field}}{GAP}"
        text += f"{'old':{widths.old}}{GAP}{'new':{widths.new}}"
        if self._has_limit and self._rest_room(widths.old + 2 + widths.new) > 0:
            text += f"{GAP}unchanged"
        yield [(cut(text.rstrip(), self._limit), "faint")]

    def _is_narrow(self, widths: Widths) -> bool:
        return self._limit - widths.lead < VALUE_COLUMNS_LEAST

    def _lead(self, view: ChangeView, name: str, *, again: bool) -> list[Styled]:
        """Return what stands before the values of a line."""
        assert self._widths is not None
        widths = self._widths
        head = f"{SIGNS[view.kind]} {padded(view.key, widths.key)}"
        lead = [(head if not again else " " * width(head), view.kind)]
        if widths.field:
            shown = cut(name, widths.field) if self._has_limit else name
            lead.append((GAP + padded(shown, widths.field), ""))
        return lead

    def _changed(self, view: ChangeView) -> Iterator[list[Styled]]:
        """Yield the lines of a modified record."""
        widths = self._widths = self._widths or self._fitted([view])
        assert widths is not None
        if self._is_narrow(widths):
            yield from self._tall(view)
            return
        is_long = self._has_limit and width(view.key) > widths.key
        if is_long and not self._fields:
            yield [(cut(f"{SIGNS[view.kind]} {view.key}", self._limit), view.kind)]
        if is_long:
            # The lines below stand under the key, or begin with what fits of it.
            view = view._replace(key=cut(view.key, widths.key))
        for place, field in enumerate(view.fields):
            again = (place > 0 or is_long) and not self._fields
            rest = view if place == 0 and not self._fields else None
            lead = self._lead(view, field.name, again=again)
            for values in self._values(field, lead, rest):
                yield [*lead, *values]
                blank = " " * sum(width(text) for text, _ in lead)
                lead = [(blank, "")]

    def _values(
        self, field: FieldView, lead: list[Styled], rest: ChangeView | None
    ) -> Iterator[list[Styled]]:
        """Yield what stands behind the lead: old and new beside or below each other."""
        assert self._widths is not None
        room = self._limit - sum(width(text) for text, _ in lead) - len(GAP)
        needed = len(field.old) + len(field.new) + len(GAP)
        # Of what is far too long nothing is measured.
        if not self._has_limit or needed <= 8 * room:
            old, new = width(field.old), width(field.new)
            if old + new + len(GAP) <= room:
                yield self._beside(field, (old, new), room, rest)
                return
        for sign, spans, kind in zip(
            "-+", word_differences(field.old, field.new), SIDE_KINDS, strict=True
        ):
            shown = folded(spans, max(room - 2, 1))
            yield [(f"{GAP}{sign} ", kind), *marked(shown, kind)]

    def _beside(
        self,
        field: FieldView,
        needs: tuple[int, int],
        room: int,
        rest: ChangeView | None,
    ) -> list[Styled]:
        assert self._widths is not None
        fill = max(self._widths.old - needs[0], 0)
        fill = min(fill, room - len(GAP) - needs[0] - needs[1])
        if self._color:
            old, new = word_differences(field.old, field.new)
        else:
            old, new = [Span(field.old, True)], [Span(field.new, True)]
        parts = [(GAP, ""), *marked(old, "removed"), (" " * fill + GAP, "")]
        parts += marked(new, "added")
        used = needs[0] + fill + len(GAP) + needs[1]
        if rest is not None and rest.cells and self._has_limit:
            more = max(self._widths.new - needs[1], 0)
            left = room - used - more - len(GAP)
            if left >= REST_COLUMNS_LEAST:
                text = cut(", ".join(one for _, one in rest.cells), left)
                parts.append((" " * more + GAP + text, "faint"))
        return parts

    def _rest_room(self, used: int) -> int:
        """Return how much room cells that did not change find behind old and new."""
        assert self._widths is not None
        left = self._limit - self._widths.lead - used - len(GAP)
        return left if left >= REST_COLUMNS_LEAST else 0

    def _tall(self, view: ChangeView) -> Iterator[list[Styled]]:
        """Yield a modified record for a terminal that is too narrow for a table."""
        yield [(cut(f"{SIGNS[view.kind]} {view.key}", self._limit), view.kind)]
        for field in view.fields:
            if field.name:
                yield [(cut(f"{GAP}{field.name}", self._limit), "")]
            sides = word_differences(field.old, field.new)
            for sign, spans, kind in zip("-+", sides, SIDE_KINDS, strict=True):
                shown = folded(spans, self._limit - 6)
                yield [(f"{GAP}{GAP}{sign} ", kind), *marked(shown, kind)]

    def _whole(self, view: ChangeView) -> Iterator[list[Styled]]:
        """Yield the line of a record that was added or removed, among changes."""
        columns = self._key_columns if self._widths is None else self._widths.key
        head = f"{SIGNS[view.kind]} {padded(view.key, columns)}"
        text = cells_text(view.cells)
        if self._has_limit:
            head = cut(head, self._limit)
            text = cut(text, max(self._limit - width(head) - len(GAP), 0))
        yield [(f"{head}{GAP}{text}".rstrip() if text else head.rstrip(), view.kind)]


def _usual(numbers: list[int]) -> int:
    """Return what nine of ten numbers do not exceed."""
    return sorted(numbers)[-(-9 * (len(numbers) - 1) // 10)]


def cells_text(cells: list[tuple[str, str]]) -> str:
    """Return cells on a line: ``name: Ada, height: 1.6``."""
    return ", ".join(f"{name}: {text}" if name else text for name, text in cells)


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
        tally = DiffTable(output, view, fields=fields).print(dataset, some)
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
