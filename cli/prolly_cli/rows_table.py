"""Records that were added or removed, as a table: a line for each, in columns.

Columns and their widths come from the first records. Where a line has a width, columns
in which none of these holds anything are left out, and so are the last ones if they do
not fit: an ellipsis stands for them.
"""

from __future__ import annotations

from .diff_view import SIGNS, ChangeView, RowTitles
from .display_width import ELLIPSIS, GAP, cut, padded, width

# No column takes more of a line than this if others want it too.
KEY_COLUMNS = 24
VALUE_COLUMNS = 32
# What is narrower shows nothing of most texts.
VALUE_COLUMNS_LEAST = 12


class RowsTable:
    """The columns of a table of records; ``limit``: how long a line may be."""

    def __init__(
        self, titles: RowTitles, first: list[ChangeView], limit: int | None
    ) -> None:
        self._numbers = titles.numbers
        self._has_limit = limit is not None
        wanted = max(width(one) for one in (titles.key, *(view.key for view in first)))
        self._key = wanted if limit is None else min(wanted, KEY_COLUMNS, limit // 3)
        self._columns = self._chosen(titles.names, [dict(one.cells) for one in first])
        if limit is not None:
            self._columns = self._fitting(limit - 2 - self._key)
        shown = [self._cell(name, name, columns) for name, columns in self._columns]
        title = self._cell("", titles.key, self._key)
        self.head = f"  {GAP.join([title, *shown])}".rstrip()

    def _chosen(
        self, names: list[str], rows: list[dict[str, str]]
    ) -> list[tuple[str, int]]:
        """Return the columns to show, with the widths that they want."""
        found = []
        for name in names:
            texts = [row[name] for row in rows if name in row]
            if texts or not self._has_limit:
                wanted = max(width(one) for one in (name, *texts))
                found.append((name, min(wanted, VALUE_COLUMNS)))
        return found

    def _fitting(self, left: int) -> list[tuple[str, int]]:
        """Return the columns that fit, and one for the ellipsis if any does not."""
        found = []
        for place, (name, wanted) in enumerate(self._columns):
            is_last = place == len(self._columns) - 1
            more = 0 if is_last else len(GAP) + 1
            if len(GAP) + wanted + more > left:
                wanted = left - 2 * len(GAP) - 1
                # Half a number would be another number.
                if wanted >= VALUE_COLUMNS_LEAST and name not in self._numbers:
                    found.append((name, wanted))
                    left -= wanted + len(GAP)
                return [*found, (ELLIPSIS, 1)] if left > len(GAP) else found
            found.append((name, wanted))
            left -= wanted + len(GAP)
        return found

    def line(self, view: ChangeView) -> str:
        """Return the line of one record."""
        cells = dict(view.cells)
        shown = [self._cell("", view.key, self._key)]
        for name, columns in self._columns:
            shown.append(self._cell(name, cells.get(name, ""), columns))
        return f"{SIGNS[view.kind]} {GAP.join(shown)}".rstrip()

    def _cell(self, name: str, text: str, columns: int) -> str:
        if self._has_limit:
            text = cut(text, columns)
        return padded(text, columns, right=name in self._numbers)
