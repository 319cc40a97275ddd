"""Rows that a predicate selects, found on the cheapest way, in the order of their keys.

Whatever the way, the rows and their order are the same: an index changes the cost
alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from prolly.maps import NOTHING, SortedValues, StoredRecords, Stretch
from prolly.tree import Batch

from .access_path import (
    FETCH_COST,
    SORTED_KEYS_MAX,
    AccessPath,
    Span,
    index_span,
    key_span,
    limits_of,
)
from .constraints import Index
from .index_codec import IndexCodec
from .predicate import Predicate
from .predicate_filter import Filter
from .record_batches import gather
from .row_maker import row_maker
from .table_index import IndexEntries

if TYPE_CHECKING:
    from .table import Table

_EVERYTHING = Span(None, None, False)


class Selection:
    """A bound predicate over a stretch of a table's records."""

    def __init__(self, table: Table, stretch: Stretch, predicate: Predicate) -> None:
        self._table = table
        self._stretch = stretch
        self._limits = limits_of(predicate)
        self._filter = Filter(predicate, table.schema.names)

    def path(self) -> AccessPath:
        """Return the cheapest way to the records, by the numbers of records."""
        schema = self._table.schema
        best, cost = AccessPath("scan", _EVERYTHING), self._stretch.estimate()
        span = key_span(schema, self._limits)
        if span is not None:
            size = self._clipped(span).estimate()
            if size < cost:
                best, cost = AccessPath("key", span), size
        for index in schema.indexes:
            span = index_span(schema, index, self._limits)
            if span is None:
                continue
            size = self._entries(index, span, NOTHING).stretch.size()
            is_cheap = span.is_point or size <= SORTED_KEYS_MAX
            if is_cheap and FETCH_COST * size < cost:
                best, cost = AccessPath("index", span, index), FETCH_COST * size
        return best

    def columns(self, *, turned: bool = False) -> Iterator[list[list[Any]]]:
        """Return batches of the rows selected, as columns; none of them is empty."""
        stretch = self._stretch.turned() if turned else self._stretch
        return self._selected(self._batches(self.path(), stretch.reverse))

    def _selected(self, batches: Iterator[Batch]) -> Iterator[list[list[Any]]]:
        decode = self._table.decode_columns
        for keys, values in batches:
            columns = self._filter.select(decode(keys, values), len(keys))
            if columns[0]:
                yield columns

    def _batches(self, path: AccessPath, reverse: bool) -> Iterator[Batch]:
        if path.index is None:
            return gather(self._clipped(path.span)._replace(reverse=reverse).batches())
        span = path.span
        entries = self._entries(path.index, span, (span.low, span.high))
        keys = self._primary_keys(entries, span, reverse)
        return self._table.fetch(keys, path.index)

    def _primary_keys(
        self, entries: IndexEntries, span: Span, reverse: bool
    ) -> Iterator[bytes]:
        """Yield the keys of the entries within the stretch, in their own order."""
        keys = filter(self._stretch.holds, entries.primary_keys(reverse=reverse))
        if span.is_point:
            # Entries of equal cells stand in the order of their keys.
            yield from keys
        else:
            yield from sorted(keys, reverse=reverse)

    def _entries(
        self, index: Index, span: Span, depends: tuple[bytes | None, bytes | None]
    ) -> IndexEntries:
        """Return the entries of a span; the result depends on those in ``depends``."""
        codec = IndexCodec(self._table.schema, index)
        records = StoredRecords(*self._table.index_tree(index, *depends))
        return IndexEntries(codec, Stretch(records, span.low, span.high))

    def _clipped(self, span: Span) -> Stretch:
        start, stop = self._stretch.start, self._stretch.stop
        if span.low is not None:
            start = span.low if start is None else max(start, span.low)
        if span.high is not None:
            stop = span.high if stop is None else min(stop, span.high)
        return self._stretch._replace(start=start, stop=stop)


class FilteredRows(SortedValues):
    """Rows of which a predicate is true. ``len`` counts them, by finding them all.

    ``path`` says how they would be found now: ``scan``, ``key`` (a range of the primary
    key) or ``index NAME``.
    """

    def __init__(
        self,
        table: Table,
        stretch: Stretch,
        predicate: Predicate,
        columns: Sequence[str],
    ) -> None:
        super().__init__(table, stretch)
        self._selection = Selection(table, stretch, predicate)
        self._names = tuple(columns)
        self._places = table.places(columns)

    @property
    def path(self) -> str:
        """How the rows would be found now."""
        return str(self._selection.path())

    def __len__(self) -> int:
        return sum(len(columns[0]) for columns in self._selection.columns())

    def __iter__(self) -> Iterator[Any]:
        return self._stretch.records.guard(self._rows(turned=False))

    def __reversed__(self) -> Iterator[Any]:
        return self._stretch.records.guard(self._rows(turned=True))

    def _rows(self, *, turned: bool) -> Iterator[Any]:
        batches = self._selection.columns(turned=turned)
        return chain.from_iterable(map(self._shown, batches))

    def _shown(self, columns: list[list[Any]]) -> list[dict[str, Any]]:
        if not self._places:
            return [{} for _ in columns[0]]
        cells = zip(*[columns[place] for place in self._places], strict=True)
        return row_maker(self._names)(cells)
