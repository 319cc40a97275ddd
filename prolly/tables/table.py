"""A stored table: rows as dictionaries, by primary key, read lazily."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prolly.maps import SortedMapping, SortedValues, StoredRecords, Stretch
from prolly.tree import NodeReader

from .record_codec import RecordCodec, Row
from .schema import Schema, missing_column

# Leaves hold some 60 records; exporters format whole columns, and each call on a column
# costs the more the shorter it is.
SCAN_RECORDS_MIN = 1024


class Table(SortedMapping):
    """The records of one stored tree as rows under their keys. Thread-safe.

    A mapping from key to row: with one key column a key is its value, with several a
    tuple in key order (``t["US", "X"]``). Rows are dictionaries with every column, in
    schema order, fresh each time; key columns of type datetime come back in UTC.
    ``values`` are the rows. Bounds may be the leading parts of a key. Looking up an
    absent key raises KeyNotFound, something that cannot be a key Invalid.
    """

    def __init__(self, reader: NodeReader, root: bytes, schema: Schema) -> None:
        super().__init__(StoredRecords(reader, root))
        self._codec = RecordCodec(schema)

    @property
    def schema(self) -> Schema:
        """The columns and the key."""
        return self._codec.schema

    def encode_key(self, key: Any) -> bytes:
        return self._codec.encode_key(key)

    def encode_bound(self, key: Any) -> bytes:
        return self._codec.encode_bound(key)

    def encode_prefix(self, prefix: Any) -> tuple[bytes, bytes | None]:
        return self._codec.encode_prefix(prefix)

    def decode_keys(self, keys: list[bytes]) -> list[Any]:
        return self._codec.decode_keys(keys)

    def decode_records(self, keys: list[bytes], values: list[bytes]) -> list[Any]:
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

    def rows(
        self,
        *,
        start: Any = None,
        stop: Any = None,
        prefix: Any = None,
        reverse: bool = False,
        columns: Sequence[str] | None = None,
    ) -> SortedValues:
        """Return a lazy view of rows within the bounds, in key order.

        ``columns`` names what a row shall hold, in that order; every column by default.
        Raises Invalid ``unknown-column``.
        """
        stretch = self._stretch(start, stop, prefix, reverse)
        if columns is None:
            return SortedValues(self, stretch)
        return _PartialRows(self, stretch, self._picking(columns))

    def iter_columns(
        self, columns: Sequence[str] | None = None, **bounds: Any
    ) -> Iterator[list[Sequence[Any]]]:
        """Iterate batches of records as columns, for exporters.

        A batch is one sequence a column, all of equal length: the named columns, or all
        in schema order. ``bounds`` as of ``rows``. No batch is empty.
        """
        places = self._places(self.schema.names if columns is None else columns)
        decode, read = self._codec.decode_columns, self._records.read_chunk
        gathered = _gather(self.raw_batches(**bounds))
        batches = ((keys, decode(keys, values, read)) for keys, values in gathered)
        return ([every[place] for place in places] for _, every in batches)

    def iter_rows_as_lists(
        self, columns: Sequence[str] | None = None, **bounds: Any
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Iterate batches of rows as tuples of the columns that iter_columns gives."""
        batches = self.iter_columns(columns, **bounds)
        return (list(zip(*batch, strict=True)) for batch in batches)

    def _places(self, columns: Sequence[str]) -> list[int]:
        return [
            self.schema.names.index(self.schema.column(one).name) for one in columns
        ]

    def _picking(
        self, columns: Sequence[str]
    ) -> Callable[[list[bytes], list[bytes]], list[Row]]:
        """Return a decoder of rows with some columns."""
        places = self._places(columns)
        decode, read = self._codec.decode_columns, self._records.read_chunk

        def pick(keys: list[bytes], values: list[bytes]) -> list[Row]:
            every = decode(keys, values, read)
            if not places:
                return [{} for _ in keys]
            cells = zip(*[every[place] for place in places], strict=True)
            return [dict(zip(columns, one, strict=True)) for one in cells]

        return pick

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
        decode: Callable[[list[bytes], list[bytes]], list[Row]],
    ) -> None:
        super().__init__(table, stretch)
        self._decode = decode

    def __iter__(self) -> Iterator[Row]:
        return self._stretch.each(self._decode)

    def __reversed__(self) -> Iterator[Row]:
        assert isinstance(self._sorted, Table)
        turned = _PartialRows(self._sorted, self._stretch.turned(), self._decode)
        return iter(turned)


def _gather(
    batches: Iterator[tuple[list[bytes], list[bytes]]],
) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """Join batches until each holds ``SCAN_RECORDS_MIN`` records or is the last."""
    keys: list[bytes] = []
    values: list[bytes] = []
    for more_keys, more_values in batches:
        keys += more_keys
        values += more_values
        if len(keys) >= SCAN_RECORDS_MIN:
            yield keys, values
            keys, values = [], []
    if keys:
        yield keys, values
