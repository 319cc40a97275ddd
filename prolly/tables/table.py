"""A stored table: rows as dictionaries, by primary key, read lazily."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from prolly.maps import (
    NOTHING,
    SortedMapping,
    SortedValues,
    StoredRecords,
    Stretch,
    key_not_found,
)
from prolly.tree import Batch, NodeReader

from .constraints import Index
from .record_batches import decoded, fetch
from .row_maker import Row, row_maker
from .schema import Schema, missing_column

if TYPE_CHECKING:
    from .predicate import Predicate
    from .predicate_text import Where
    from .table_index import TableIndex

# Keys and values as stored, to rows.
Decode = Callable[[Sequence[bytes], Sequence[bytes]], list[Row]]


class Table(SortedMapping):
    """The records of one stored tree as rows under their keys. Thread-safe.

    A mapping from key to row: with one key column a key is its value, with several a
    tuple in key order (``t["US", "X"]``). Rows are dictionaries with every column, in
    schema order, fresh each time; key columns of type datetime come back in UTC.
    ``values`` are the rows. Bounds may be the leading parts of a key. Looking up an
    absent key raises KeyNotFound, something that cannot be a key Invalid.
    ``index_roots`` are the trees of the schema's indexes, in their order.
    """

    def __init__(
        self,
        reader: NodeReader,
        root: bytes,
        schema: Schema,
        index_roots: Sequence[bytes] = (),
    ) -> None:
        super().__init__(StoredRecords(reader, root))
        self._codec = schema.codec
        self._index_roots = tuple(index_roots)

    @property
    def schema(self) -> Schema:
        """The columns and the key."""
        return self._codec.schema

    def encode_key(self, key: Any) -> bytes:
        return self._codec.encode_key(key)

    def __getitem__(self, key: Any) -> Row:
        # As of any sorted mapping, but for what calls cost: every look-up comes here.
        encoded = self._codec.encode_key(key)
        stored = self._records.get(encoded)
        if stored is None:
            raise key_not_found(key)
        read = self._records.read_chunk
        return self._codec.decode_row_under(key, encoded, stored, read)

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the row under ``key``, else ``default``."""
        encoded = self._codec.encode_key(key)
        stored = self._records.get(encoded)
        if stored is None:
            return default
        read = self._records.read_chunk
        return self._codec.decode_row_under(key, encoded, stored, read)

    def encode_bound(self, key: Any) -> bytes:
        return self._codec.encode_bound(key)

    def encode_prefix(self, prefix: Any) -> tuple[bytes, bytes | None]:
        return self._codec.encode_prefix(prefix)

    def decode_keys(self, keys: Sequence[bytes]) -> list[Any]:
        return self._codec.decode_keys(keys)

    def decode_records(
        self, keys: Sequence[bytes], values: Sequence[bytes]
    ) -> list[Any]:
        return self._codec.decode_rows(keys, values, self._records.read_chunk)

    def decode_record(self, key: bytes, stored: bytes) -> Row:
        return self._codec.decode_row(key, stored, self._records.read_chunk)

    def is_of_form(self, other: SortedMapping) -> bool:
        return isinstance(other, Table) and self.schema == other.schema

    def row_key(self, row: Row) -> Any:
        """Return the user key of a row; Invalid ``missing-column`` without one."""
        for name in self.schema.key:
            if name not in row:
                raise missing_column(name)
        return self._codec.key_of(row)

    def index(self, name: str) -> TableIndex:
        """Return an index for reading; NotFound ``no-such-constraint``."""
        from .table_index import TableIndex

        return TableIndex(self, self.schema.index(name))

    def index_tree(
        self, index: Index, low: bytes | None = None, high: bytes | None = None
    ) -> tuple[NodeReader, bytes]:
        """Return a reader and the root of an index's tree over all records now.

        The caller is going to depend on entries with low <= key < high and no others,
        by default on all. NotFound ``no-such-constraint`` for an index that the table
        does not have any more.
        """
        reader, _ = self._records.settled(*NOTHING)
        return reader, self._index_roots[self.schema.place_of(index)]

    def rows(
        self,
        *,
        start: Any = None,
        stop: Any = None,
        prefix: Any = None,
        reverse: bool = False,
        columns: Sequence[str] | None = None,
        where: Where | None = None,
    ) -> SortedValues:
        """Return a lazy view of rows within the bounds, in key order.

        ``columns`` names what a row shall hold, in that order; every column by default.
        ``where`` is a predicate, as text or as a plain value: only rows of which it is
        true; its view has a ``path``. Raises Invalid ``unknown-column``, ``predicate``.
        """
        stretch = self._stretch(start, stop, prefix, reverse)
        if where is not None:
            wanted = self.schema.names if columns is None else columns
            from .filtered_rows import FilteredRows

            return FilteredRows(self, stretch, self._predicate(where), wanted)
        if columns is None:
            return SortedValues(self, stretch)
        return _PartialRows(self, stretch, self._picking(columns))

    def _predicate(self, where: Where) -> Predicate:
        from .predicate_text import as_predicate

        return as_predicate(where).bound(self.schema.by_name)

    def iter_columns(
        self,
        columns: Sequence[str] | None = None,
        *,
        where: Where | None = None,
        **bounds: Any,
    ) -> Iterator[list[Sequence[Any]]]:
        """Iterate batches of records as columns, for exporters.

        A batch is one sequence a column, all of equal length: the named columns, or all
        in schema order. ``where`` and ``bounds`` as of ``rows``. No batch is empty.
        """
        places = self.places(self.schema.names if columns is None else columns)
        batches: Iterator[Sequence[Sequence[Any]]]
        whole = {"start": None, "stop": None, "prefix": None, "reverse": False}
        stretch = self._stretch(*{**whole, **bounds}.values())
        if where is None:
            leaves = self._records.guard(stretch.columns())
            batches = decoded(leaves, self.decode_columns)
        else:
            from .filtered_rows import Selection

            batches = Selection(self, stretch, self._predicate(where)).columns()
        return ([every[place] for place in places] for every in batches)

    def iter_rows_as_lists(
        self, columns: Sequence[str] | None = None, **bounds: Any
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Iterate batches of rows as tuples of the columns that iter_columns gives."""
        batches = self.iter_columns(columns, **bounds)
        return (list(zip(*batch, strict=True)) for batch in batches)

    def iter_arrow_batches(
        self,
        columns: Sequence[str] | None = None,
        *,
        where: Where | None = None,
        **bounds: Any,
    ) -> Any:
        """Return a ``pyarrow.RecordBatchReader``: an iterator of record batches.

        Arguments as of ``iter_columns``. Memory stays bounded; types are on the page of
        plain files. Columns whose Arrow type depends on their values (whole numbers,
        decimals, datetimes) are read once before. Raises Unsupported ``missing-extra``
        without pyarrow.
        """
        from .arrow_export import arrow_stream

        return arrow_stream(self, columns, {"where": where, **bounds})

    def to_arrow(
        self,
        columns: Sequence[str] | None = None,
        *,
        where: Where | None = None,
        **bounds: Any,
    ) -> Any:
        """Return the records as a ``pyarrow.Table``; as :meth:`iter_arrow_batches`.

        Its ``to_pandas()``, or ``polars.DataFrame(...)`` of it, are DataFrames.
        """
        return self.iter_arrow_batches(columns, where=where, **bounds).read_all()

    def places(self, columns: Sequence[str]) -> list[int]:
        """Return where columns stand in the schema; Invalid ``unknown-column``."""
        return [
            self.schema.names.index(self.schema.column(one).name) for one in columns
        ]

    def _picking(self, columns: Sequence[str]) -> Decode:
        """Return a decoder of rows with some columns."""
        places = self.places(columns)
        decode, read = self._codec.decode_columns, self._records.read_chunk
        rows = row_maker(tuple(columns))

        def pick(keys: Sequence[bytes], values: Sequence[bytes]) -> list[Row]:
            every = decode(keys, values, read)
            if not places:
                return [{} for _ in keys]
            return rows(zip(*[every[place] for place in places], strict=True))

        return pick

    def decode_columns(
        self, keys: Sequence[bytes], values: Sequence[bytes]
    ) -> list[Sequence[Any]]:
        """Return records as columns in schema order; not for no record."""
        return self._codec.decode_columns(keys, values, self._records.read_chunk)

    def columns_under(
        self, keys: Sequence[Any], values: Sequence[bytes]
    ) -> list[Sequence[Any]]:
        """Return records as columns, given their user keys; not for no record.

        Columns of the key hold the objects that were given; one alone is the same list.
        """
        return self._codec.columns_under(keys, values, self._records.read_chunk)

    def rows_of(self, columns: Sequence[Sequence[Any]]) -> list[Row]:
        """Return as rows what ``decode_columns`` gave."""
        return self._codec.rows_of(columns)

    def fetch(self, keys: Iterator[bytes], index: Index) -> Iterator[Batch]:
        """Return the records under encoded keys that an index gave, in batches.

        They are those of the state at this call; Corrupt ``index-entry`` for a key
        without one.
        """
        from .index_codec import missing_record

        tree = self._records.settled(*NOTHING)
        return fetch(*tree, keys, lambda: missing_record(index), self.note_records)

    def note_records(self, keys: Sequence[bytes]) -> None:
        """Learn that records were read by key; nothing depends on it here."""

    def guard(self, items: Iterator[Any]) -> Iterator[Any]:
        """Return an iterator of the same items that ends when the table is closed."""
        return self._records.guard(items)

    def _present(self, key: bytes, stored: bytes) -> Row:
        return self.decode_record(key, stored)

    def __repr__(self) -> str:
        key = ", ".join(self.schema.key)
        return f"<{type(self).__name__} of {len(self.schema.columns)} columns by {key}>"


class _PartialRows(SortedValues):
    """Rows with some of the columns."""

    def __init__(
        self,
        table: Table,
        stretch: Stretch,
        decode: Decode,
    ) -> None:
        super().__init__(table, stretch)
        self._decode = decode

    def __iter__(self) -> Iterator[Row]:
        return self._stretch.each(self._decode)

    def __reversed__(self) -> Iterator[Row]:
        assert isinstance(self._sorted, Table)
        turned = _PartialRows(self._sorted, self._stretch.turned(), self._decode)
        return iter(turned)
