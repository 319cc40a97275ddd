"""Records of one schema: rows to encoded keys and stored values, and back.

The key is the tuple of the key columns; the stored value is the row of all other
columns in the order of their slots, with cells out of line when it is long. Everything
works on batches of whole columns, since calls a record are what would cost.

Cells given here for encoding were checked against their columns. Bytes given for
decoding were checked when they came in; what does not decode raises Corrupt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any

from prolly.chunks import ChunkWriter
from prolly.codec import INLINE_BYTES_MAX, Reference, Referring, outline_row, row, shown
from prolly.codec import key as key_codec
from prolly.codec.byte_strings import EvenStrings
from prolly.codec.received_row import CheckedColumn, check_rows
from prolly.errors import Corrupt, Error, Invalid
from prolly.maps import read_blob, write_blob

from .column import Column
from .row_maker import Row, SingleRows, row_maker
from .schema import Schema
from .type_registry import column_type

# Keys of other columns come back in another form: a datetime in UTC, a date that was
# given as a datetime.
_AS_STORED: dict[str, type] = {"int": int, "text": str, "bytes": bytes}

ReadChunk = Callable[[bytes], bytes | None]


class RecordCodec:
    """The spelling of keys and rows under one schema. Stateless; thread-safe."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._key_columns = schema.key_columns
        self._is_scalar = len(schema.key) == 1
        self._fills = tuple([column.fill for column in schema.cell_columns])
        stored = [*schema.key_columns, *schema.cell_columns]
        places = {column.name: place for place, column in enumerate(stored)}
        # Where each column of the schema stands behind key parts and cells, and where
        # each key part and cell stands among the columns of the schema.
        self._order = [places[name] for name in schema.names]
        self._key_places = [schema.names.index(one.name) for one in schema.key_columns]
        self._cell_places = [
            schema.names.index(one.name) for one in schema.cell_columns
        ]
        self._show = _picker(self._order)
        self._single_rows = SingleRows(schema.names)
        # Exactly these values are what their bytes say, and fit their column.
        self._as_stored = None
        if self._is_scalar and self._key_columns:
            self._as_stored = _AS_STORED.get(self._key_columns[0].type)

    def encode_key(self, key: Any) -> bytes:
        """Return the bytes of a user key.

        A scalar for one key column, a tuple of all parts for several. Raises Invalid
        ``key-parts`` for another number of parts, ``null-key``, ``schema-violation``
        for a part that is not of its column's type; and as ``prolly.codec.key``.
        """
        if type(key) is self._as_stored:
            try:
                return key_codec.encode((key,))
            except Error:
                # As a cell it may be told better.
                pass
        if self._is_scalar:
            return key_codec.encode((self._part(0, key),))
        if type(key) is not tuple or len(key) != len(self.schema.key):
            raise self._wrong_parts(key)
        return key_codec.encode(tuple(map(self._part, range(len(key)), key)))

    def encode_bound(self, key: Any) -> bytes:
        """Return the bytes of a key or, as a tuple or one scalar, its leading parts."""
        parts = key if type(key) is tuple else (key,)
        if len(parts) > len(self.schema.key):
            raise self._wrong_parts(key)
        return key_codec.encode(tuple(map(self._part, range(len(parts)), parts)))

    def encode_prefix(self, prefix: Any) -> tuple[bytes, bytes | None]:
        """Return [start, stop) of keys whose first part, or parts, begin so.

        Text and bytes match the beginning of the first part; a tuple matches whole
        parts, and so does any other scalar.
        """
        if type(prefix) is str or type(prefix) is bytes:
            self._part(0, prefix)
            return key_codec.prefix_range(prefix)
        start = self.encode_bound(prefix)
        return start, start + b"\xff" if start else None

    def _part(self, place: int, value: Any) -> Any:
        if not self._key_columns:
            return value
        column = self._key_columns[place]
        if value is None:
            raise null_key(column)
        try:
            return column_type(column.type).check(value)
        except Invalid as error:
            raise violation(column, value, error) from error

    def _wrong_parts(self, key: Any) -> Invalid:
        names = ", ".join(self.schema.key)
        return Invalid(
            f"{shown(key)} is no key of this table",
            code="key-parts",
            hint=f"A key is made of: {names}.",
            key=key,
        )

    def key_of(self, cells: Row) -> Any:
        """Return the user key of a row that has all key columns."""
        parts = tuple(cells[name] for name in self.schema.key)
        return parts[0] if self._is_scalar else parts

    def encode_keys(self, columns: Sequence[Sequence[Any]]) -> list[bytes]:
        """Return the keys of records given as checked columns in schema order."""
        parts = self.key_parts(columns)
        if self._is_scalar:
            return key_codec.encode_keys(parts[0])
        return [key_codec.encode(one) for one in zip(*parts, strict=True)]

    def key_parts(self, columns: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        """Return the key columns, in key order, of columns in schema order."""
        return [columns[place] for place in self._key_places]

    def encode_rows(
        self, columns: Sequence[Sequence[Any]], writer: ChunkWriter
    ) -> list[bytes]:
        """Return the stored values of records given as checked columns.

        Cells out of line go into ``writer``. Raises as ``prolly.codec.row.encode`` for
        a json cell that is no value of the format.
        """
        parts = [columns[place] for place in self._cell_places]
        if not parts:
            return [row.encode((), ())] * len(columns[0])
        stored = row.encode_columns(parts, self._fills)
        if max(map(len, stored), default=0) > INLINE_BYTES_MAX:
            for index, data in enumerate(stored):
                if len(data) > INLINE_BYTES_MAX:
                    cells = [part[index] for part in parts]
                    stored[index] = self._outline(cells, writer)
        return stored

    def check_cells(self, columns: Sequence[Sequence[Any]]) -> None:
        """Raise what ``encode_rows`` would for these columns; nothing is written."""
        for cells in self._rows_of_cells(columns):
            row.encode(cells, self._fills)

    def _rows_of_cells(self, columns: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        parts = [columns[place] for place in self._cell_places]
        return list(zip(*parts, strict=True)) if parts else [()] * len(columns[0])

    def _outline(self, cells: Sequence[Any], writer: ChunkWriter) -> Referring:
        return outline_row.encode_outline(
            cells, self._fills, lambda data: write_blob(writer, data)
        )

    def decode_keys(self, keys: Sequence[bytes]) -> list[Any]:
        """Return the user keys of encoded ones; Corrupt for another number of parts."""
        decoded = key_codec.decode_keys(keys)
        kinds = set(map(type, decoded))
        if self._is_scalar:
            if tuple in kinds:
                raise _wrong_key()
        elif kinds != {tuple} or set(map(len, decoded)) != {len(self.schema.key)}:
            raise _wrong_key()
        return decoded

    def decode_columns(
        self, keys: Sequence[bytes], values: Sequence[bytes], read: ReadChunk
    ) -> list[Sequence[Any]]:
        """Return records as columns in schema order, all at once. Not for no record."""
        return self.columns_under(self.decode_keys(keys), values, read)

    def columns_under(
        self, keys: Sequence[Any], values: Sequence[bytes], read: ReadChunk
    ) -> list[Sequence[Any]]:
        """Return the same of records whose user keys are decoded already."""
        parts: list[Sequence[Any]]
        parts = [keys] if self._is_scalar else list(zip(*keys, strict=True))
        parts += self._decode_cells(values, read)
        return [parts[place] for place in self._order]

    def check_records(
        self, keys: Sequence[bytes], values: Sequence[bytes]
    ) -> list[CheckedColumn]:
        """Check records from outside, of which none refers to a blob.

        Returns what is known of each column, in schema order. Raises Corrupt for any
        other spelling of a key or a row than the one that they have; whether cells are
        of their columns is not looked at. Keys ascend. Not for no record.
        """
        checked = [*self._check_keys(keys), *check_rows(values, self._fills)]
        return [checked[place] for place in self._order]

    def _check_keys(self, keys: Sequence[bytes]) -> list[CheckedColumn]:
        """Return what is known of the key columns."""
        if self._is_scalar and key_codec.are_integers(keys):
            return [CheckedColumn({int}, None)]
        decoded = self.decode_keys(keys)
        parts = [decoded] if self._is_scalar else zip(*decoded, strict=True)
        return [CheckedColumn({*map(type, part)}, part) for part in parts]

    def decode_rows(
        self, keys: Sequence[bytes], values: Sequence[bytes], read: ReadChunk
    ) -> list[Row]:
        """Return records as dictionaries with every column, in schema order."""
        return self.rows_of(self.decode_columns(keys, values, read))

    def rows_of(self, columns: Sequence[Sequence[Any]]) -> list[Row]:
        """Return columns in schema order as dictionaries."""
        return self._rows(zip(*columns, strict=True))

    @cached_property
    def _rows(self) -> Callable[[Iterable[tuple[Any, ...]]], list[Row]]:
        return row_maker(self.schema.names)

    def decode_row(self, key: bytes, stored: bytes, read: ReadChunk) -> Row:
        """Return one record as a dictionary with every column, in schema order."""
        parts = key_codec.decode(key)
        if len(parts) != len(self.schema.key):
            raise _wrong_key()
        cells = self._decode_one(stored, read)
        return self._single_rows.make(*self._show((*parts, *cells)))

    def decode_row_under(
        self, key: Any, encoded: bytes, stored: bytes, read: ReadChunk
    ) -> Row:
        """Return one record as ``decode_row``, given also the key it was asked for."""
        if type(key) is not self._as_stored or type(stored) is Referring:
            return self.decode_row(encoded, stored, read)
        cells = row.decode(stored, self._fills)
        return self._single_rows.make(*self._show((key, *cells)))

    def _decode_cells(
        self, values: Sequence[bytes], read: ReadChunk
    ) -> list[Sequence[Any]]:
        """Return the columns that are not in the key."""
        if not self._fills:
            return []
        if type(values) is EvenStrings or Referring not in set(map(type, values)):
            return row.decode_columns(values, self._fills)
        inline = [value for value in values if type(value) is not Referring]
        plain = iter(row.decode_many(inline, self._fills))
        cells = [
            self._decode_one(value, read) if type(value) is Referring else next(plain)
            for value in values
        ]
        return list(zip(*cells, strict=True))

    def _decode_one(self, stored: bytes, read: ReadChunk) -> list[Any]:
        if type(stored) is not Referring:
            return row.decode(stored, self._fills)

        def read_cell(reference: Reference) -> bytes:
            return read_blob(read, reference)

        return outline_row.decode_outline(stored, self._fills, read_cell)


def _picker(order: Sequence[int]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that picks these places of a sequence, as a tuple."""
    if len(order) > 1:
        return itemgetter(*order)
    # ``itemgetter`` of one place gives no tuple; one column stands as it is.
    return tuple


def null_key(column: Column) -> Invalid:
    """Return (not raise) the error for a null in a key column."""
    return Invalid(
        f"key column {column.name!r} is null",
        code="null-key",
        hint="Every record needs a key; leave such rows out or choose another key.",
        column=column.name,
    )


def violation(column: Column, value: Any, error: Error) -> Error:
    """Return (not raise) the error for a value that does not fit its column."""
    if not isinstance(error, Invalid):
        return type(error)(
            f"column {column.name!r}: {error}",
            code=error.code,
            hint=error.hint,
            **{**error.facts, "column": column.name, "value": value},
        )
    return Invalid(
        f"column {column.name!r}: {error}",
        code="schema-violation",
        hint=error.hint or f"The column holds {column.type}; change the value.",
        column=column.name,
        value=value,
        expected=column.type,
    )


def _wrong_key() -> Corrupt:
    return Corrupt(
        "a record's key has another number of parts than the table's key has columns",
        code="row-key",
        hint="Run `prolly fsck --full` to see what else is damaged.",
    )
