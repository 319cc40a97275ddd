"""One index of a table, for reading: rows and keys by other columns than the key.

Order is that of the indexed cells (nulls first), then of the primary key. An index that
declares a prefix orders by the beginnings; what it answers is exact all the same, as
the rows themselves are tested. A query reads O(depth) nodes of the index, one leaf of
it at a time, and O(depth) nodes for each row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, starmap
from typing import TYPE_CHECKING, Any, NamedTuple

from prolly.codec import key as key_codec
from prolly.codec import shown
from prolly.errors import Error, Invalid, LimitExceeded
from prolly.maps import StoredRecords, Stretch

from .constraints import Index
from .index_codec import IndexCodec
from .record_codec import violation
from .row_maker import Row
from .type_registry import column_type

if TYPE_CHECKING:
    from .table import Table

Accept = Callable[[Row], bool]


class IndexEntries(NamedTuple):
    """A stretch of the entries of an index, of one state."""

    codec: IndexCodec
    stretch: Stretch

    def primary_keys(self, *, reverse: bool = False) -> Iterator[bytes]:
        """Return the encoded primary keys in the order of the index, lazily."""
        batches = self.stretch._replace(reverse=reverse).batches()
        return chain.from_iterable(starmap(self.codec.primary_keys, batches))


class _Query(NamedTuple):
    """Bounds of encoded entries, and a test of rows where those hold too much."""

    low: bytes | None
    high: bytes | None
    accept: Accept | None


_NOTHING = _Query(b"", b"", None)


class TableIndex:
    """An index of one table; reads see what the table sees.

    ``len`` is the number of entries: rows, or in a unique index rows without a null in
    its columns. After the index was dropped or altered, reads raise NotFound
    ``no-such-constraint``.
    """

    def __init__(self, table: Table, index: Index) -> None:
        self._table = table
        self._index = index
        self._codec = IndexCodec(table.schema, index)

    @property
    def name(self) -> str:
        """The name of the index."""
        return self._index.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns, in its order."""
        return self._index.columns

    @property
    def is_unique(self) -> bool:
        """Tell whether no two rows have the same cells in it."""
        return self._index.unique

    def __len__(self) -> int:
        return self.entries(_Query(None, None, None)).stretch.size()

    def rows(
        self,
        *values: Any,
        start: Any = None,
        stop: Any = None,
        prefix: Any = None,
        reverse: bool = False,
    ) -> IndexRows:
        """Return a lazy view of rows, in the order of the index.

        ``values`` are what the first columns equal; None is null. ``start`` (included)
        and ``stop`` (excluded) bound the columns that follow: one value, or a tuple of
        several; ``prefix`` is what text or bytes of the next column begin with. Raises
        Invalid ``index-parts`` for more values than columns, ``schema-violation`` for a
        value that is not of its column's type, LimitExceeded ``key-too-long`` for a
        bound.
        """
        query = self._query(values, (start, stop, prefix))
        return IndexRows(self._table, self, query, reverse)

    def keys(
        self,
        *values: Any,
        start: Any = None,
        stop: Any = None,
        prefix: Any = None,
        reverse: bool = False,
    ) -> IndexKeys:
        """Return a lazy view of primary keys in the order of the index; as ``rows``."""
        query = self._query(values, (start, stop, prefix))
        return IndexKeys(self._table, self, query, reverse)

    def get(self, *values: Any) -> Row | None:
        """Return the one row with these cells, or ``None``: of a unique index.

        Raises Invalid ``index-not-unique`` of another, ``index-parts`` unless there is
        a value for each column.
        """
        if not self.is_unique:
            raise Invalid(
                f"index {self.name!r} is not unique",
                code="index-not-unique",
                hint="Take its rows(...): there may be several.",
                index=self.name,
            )
        cells = self._checked(values)
        if len(cells) != len(self.columns):
            raise self._wrong_parts(values)
        if None in cells:
            return None
        try:
            spelt = self._codec.encode_cells(cells)
        except (Invalid, LimitExceeded):
            # What no key can hold stands in no index.
            return None
        entries = self.entries(_Query(spelt, spelt + b"\0", None))
        found = entries.stretch.records.get(spelt)
        if found is None:
            return None
        return next(self.fetch_rows(iter([found])))

    def entries(self, query: _Query) -> IndexEntries:
        """Return the entries of a query in the tree as it stands now."""
        low, high = query.low, query.high
        tree = self._table.index_tree(self._index, low, high)
        return IndexEntries(self._codec, Stretch(StoredRecords(*tree), low, high))

    def fetch_rows(self, keys: Iterator[bytes]) -> Iterator[Row]:
        """Return the rows under encoded keys that this index gave, lazily."""
        batches = self._table.fetch(keys, self._index)
        return chain.from_iterable(starmap(self._table.decode_records, batches))

    def _query(self, values: Sequence[Any], bounds: tuple[Any, Any, Any]) -> _Query:
        start, stop, prefix = bounds
        if type(prefix) is tuple:
            values, prefix = (*values, *prefix), None
        cells = self._checked(values)
        starts, stops = self._bound(cells, start), self._bound(cells, stop)
        begins = self._checked((*cells, prefix)) if prefix is not None else cells
        encode = self._codec.encode_cells
        try:
            lead = encode(cells)
        except (Invalid, LimitExceeded):
            # What no key can hold stands in no index.
            return _NOTHING
        low, high = lead or None, lead + b"\xff" if lead else None
        if prefix is not None:
            low, high = self._prefix_range(lead, begins)
        if starts is not None:
            low = max(low or b"", encode(starts))
        if stops is not None:
            end = encode(stops) + (b"\xff" if self._index.prefix else b"")
            high = end if high is None else min(high, end)
        if self._index.prefix is None:
            return _Query(low, high, None)
        return _Query(low, high, self._tester((cells, starts, stops), prefix))

    def _prefix_range(
        self, lead: bytes, begins: tuple[Any, ...]
    ) -> tuple[bytes, bytes | None]:
        prefix = begins[-1]
        if type(prefix) not in (str, bytes):
            raise Invalid(
                f"a prefix cannot be {shown(prefix)}",
                code="key-prefix",
                hint="Give text, bytes, or a tuple of the leading cells.",
            )
        if self._index.prefix is not None:
            prefix = prefix[: self._index.prefix]
        low, high = key_codec.prefix_range(prefix)
        return lead + low, None if high is None else lead + high

    def _bound(self, cells: tuple[Any, ...], bound: Any) -> tuple[Any, ...] | None:
        if bound is None:
            return None
        return self._checked((*cells, *(bound if type(bound) is tuple else (bound,))))

    def _checked(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """Return the values as their columns hold them."""
        if len(values) > len(self.columns):
            raise self._wrong_parts(values)
        cells = []
        for column, value in zip(self._codec.columns, values, strict=False):
            try:
                kind = column_type(column.type)
                cells.append(None if value is None else kind.check(value))
            except Error as error:
                raise violation(column, value, error) from error
        return tuple(cells)

    def _wrong_parts(self, values: Sequence[Any]) -> Invalid:
        return Invalid(
            f"index {self.name!r} has {len(self.columns)} columns; given are "
            f"{len(values)} values",
            code="index-parts",
            hint=f"Its columns are {', '.join(self.columns)}.",
            index=self.name,
        )

    def _tester(
        self, bounds: tuple[tuple[Any, ...] | None, ...], prefix: Any
    ) -> Accept:
        """Return the test of rows of an index that knows beginnings alone."""
        cells, starts, stops = (
            None if one is None else _ordered(one) for one in bounds
        )
        size = len(cells or ())

        def accept(row: Row) -> bool:
            every = [row[name] for name in self.columns]
            ordered = _ordered(every)
            if prefix is not None:
                begun = every[size]
                if begun is None or not begun.startswith(prefix):
                    return False
            return (
                ordered[:size] == cells
                and (starts is None or ordered >= starts)
                and (stops is None or ordered < stops)
            )

        return accept


def _ordered(cells: Sequence[Any]) -> tuple[Any, ...]:
    """Return cells in a form that compares, null first."""
    return tuple([(cell is not None, cell) for cell in cells])


class IndexRows:
    """Rows found through an index. Lazy; each iterator sees the state at its creation.

    ``len`` reads O(depth) nodes, but of an index with a prefix every row.
    """

    def __init__(
        self, table: Table, index: TableIndex, query: _Query, reverse: bool
    ) -> None:
        self._table = table
        self._index = index
        self._query = query
        self._reverse = reverse

    def __len__(self) -> int:
        if self._query.accept is None:
            return self._index.entries(self._query).stretch.size()
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Any]:
        return self._table.guard(self._found(self._reverse))

    def __reversed__(self) -> Iterator[Any]:
        return self._table.guard(self._found(not self._reverse))

    def _found(self, reverse: bool) -> Iterator[Any]:
        return self._rows(reverse)

    def _rows(self, reverse: bool) -> Iterator[Row]:
        keys = self._index.entries(self._query).primary_keys(reverse=reverse)
        rows = self._index.fetch_rows(keys)
        accept = self._query.accept
        return rows if accept is None else filter(accept, rows)


class IndexKeys(IndexRows):
    """Primary keys found through an index; as ``IndexRows``."""

    def _found(self, reverse: bool) -> Iterator[Any]:
        if self._query.accept is not None:
            return map(self._table.row_key, self._rows(reverse))
        keys = self._index.entries(self._query).primary_keys(reverse=reverse)
        decode = self._table.decode_keys
        return (decode([key])[0] for key in keys)
