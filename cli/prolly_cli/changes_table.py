"""The table of changes of records: a line for each field, with old and new.

They stand beside each other, or below each other where they are long; on a terminal
they are folded so that what changed stays visible, and behind them stand cells that did
not change, to know the record by. A record that was added or removed is one line.

Widths come from the first records; a later cell that is longer pushes what follows, as
far as the line allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .diff_view import SIGNS, ChangeView, FieldView
from .display_width import GAP, cut, padded, width
from .folded_cell import folded
from .output import Output
from .rows_table import KEY_COLUMNS, VALUE_COLUMNS, VALUE_COLUMNS_LEAST
from .styled_line import Styled, marked
from .word_difference import Span, word_differences

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


class ChangesTable:
    """The lines of changed records, told as styled parts; ``title`` is of the key.

    ``fields``: every line names its record.
    """

    def __init__(self, output: Output, title: str, *, fields: bool) -> None:
        self._title = title
        self._fields = fields
        self._color = output.color
        limit = output.line_limit
        self._has_limit = limit is not None
        self._limit = limit or ENDLESS
        self._widths: Widths | None = None
        self._key_columns = 0

    def measure(self, batch: list[ChangeView]) -> None:
        """Take widths from these records, unless others gave some."""
        self._widths = self._widths or self._fitted(batch)
        if not self._key_columns:
            self._key_columns = self._key_width([view.key for view in batch])

    def _fitted(self, batch: list[ChangeView]) -> Widths | None:
        """Return the widths that suit the first records; None if all are whole."""
        fields = [field for view in batch for field in view.fields]
        if not fields:
            return None
        key = self._key_width([self._title, *(view.key for view in batch)])
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

    def _key_width(self, texts: list[str]) -> int:
        return min(max(map(width, texts)), KEY_COLUMNS, self._limit // 3)

    def titles(self) -> Iterator[list[Styled]]:
        """Yield the line of titles, if the lines below have columns."""
        widths = self._widths
        if widths is None or self._is_narrow(widths):
            return
        title = padded(cut(self._title, widths.key), widths.key)
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

    def lines(self, view: ChangeView) -> Iterator[list[Styled]]:
        """Yield the lines of a record, which must have been measured."""
        if view.is_whole:
            yield self._whole(view)
        else:
            yield from self._changed(view)

    def _changed(self, view: ChangeView) -> Iterator[list[Styled]]:
        """Yield the lines of a modified record."""
        widths = self._widths
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

    def _whole(self, view: ChangeView) -> list[Styled]:
        """Return the line of a record that was added or removed, among changes."""
        columns = self._key_columns if self._widths is None else self._widths.key
        head = f"{SIGNS[view.kind]} {padded(view.key, columns)}"
        text = cells_text(view.cells)
        if self._has_limit:
            head = cut(head, self._limit)
            text = cut(text, max(self._limit - width(head) - len(GAP), 0))
        return [(f"{head}{GAP}{text}".rstrip() if text else head.rstrip(), view.kind)]


def _usual(numbers: list[int]) -> int:
    """Return what nine of ten numbers do not exceed."""
    return sorted(numbers)[-(-9 * (len(numbers) - 1) // 10)]


def cells_text(cells: list[tuple[str, str]]) -> str:
    """Return cells on a line: ``name: Ada, height: 1.6``."""
    return ", ".join(f"{name}: {text}" if name else text for name, text in cells)
