"""Entries of an index: what stands in its tree for each record.

    index          key  cells | primary key     value  nothing
    unique index   key  cells                   value  primary key

``cells`` and the primary key are encoded keys, one behind the other. Equal numbers have
one spelling here: decimals lose the zeros at their end, -0.0 becomes 0.0; of text and
bytes there is the declared prefix. A row with a null in a cell is in no unique index.
Page: docs/spec/tables.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NoReturn

from prolly.codec import KEY_BYTES_MAX
from prolly.codec import key as key_codec
from prolly.errors import Corrupt, Error, Invalid, LimitExceeded

from .column import Column
from .constraints import Index
from .record_codec import RecordCodec
from .schema import Schema

# Keys and values in the tree of an index.
Entries = tuple[list[bytes], list[bytes]]
Normalise = Callable[[Any], Any]


class IndexCodec:
    """The spelling of one index of one schema. Stateless; thread-safe."""

    def __init__(self, schema: Schema, index: Index) -> None:
        self.index = index
        self.schema = schema
        self.columns = [schema.column(name) for name in index.columns]
        self._places = [schema.names.index(name) for name in index.columns]
        self._normalise = [_normaliser(one, index.prefix) for one in self.columns]

    def form(self) -> tuple[Any, ...]:
        """Return what decides the entries: indexes of equal forms have equal trees."""
        columns = [*self.columns, *self.schema.key_columns]
        kinds = tuple([(one.id, one.type) for one in columns])
        return kinds, len(self.columns), self.index.unique, self.index.prefix

    def entries(
        self, keys: Sequence[bytes], columns: Sequence[Sequence[Any]]
    ) -> Entries:
        """Return the entries of records given by key and as columns in schema order.

        Raises Invalid ``index-key-too-long`` or ``index-value``, with the record's
        ``key`` and the ``column``.
        """
        cells = [columns[place] for place in self._places]
        if self.index.unique and any(None in column for column in cells):
            keys, cells = _without_nulls(keys, cells)
        try:
            spelt = self._spell(cells)
            if self.index.unique:
                entries = spelt, list(keys)
            else:
                entries = list(map(bytes.__add__, spelt, keys)), [b""] * len(keys)
            fits = max(map(len, entries[0]), default=0) <= KEY_BYTES_MAX
        except (Invalid, LimitExceeded):
            fits = False
        if not fits:
            self._blame(keys, cells)
        return entries

    def _spell(self, cells: Sequence[Sequence[Any]]) -> list[bytes]:
        spelt = [
            key_codec.encode_keys(list(map(normalise, column)) if normalise else column)
            for normalise, column in zip(self._normalise, cells, strict=True)
        ]
        if len(spelt) == 1:
            return spelt[0]
        return list(map(b"".join, zip(*spelt, strict=True)))

    def encode_cells(self, cells: Sequence[Any]) -> bytes:
        """Return the bytes of the first cells of entries; raises as the key codec."""
        parts = [
            normalise(cell) if normalise else cell
            for normalise, cell in zip(self._normalise, cells, strict=False)
        ]
        return key_codec.encode(tuple(parts))

    def primary_keys(
        self, keys: Sequence[bytes], values: Sequence[bytes]
    ) -> list[bytes]:
        """Return the encoded primary keys of entries; Corrupt where there is none."""
        if self.index.unique:
            return list(values)
        count = len(self.columns)
        return [key[key_codec.end_of_parts(key, count) :] for key in keys]

    def _blame(self, keys: Sequence[bytes], cells: Sequence[Sequence[Any]]) -> NoReturn:
        """Raise for the first record that has no entry, now that one is known to."""
        for index, key in enumerate(keys):
            single = [column[index] for column in cells]
            size = 0 if self.index.unique else len(key)
            sizes = []
            for place, cell in enumerate(single):
                try:
                    sizes.append(len(self._spell_one(place, cell)))
                except Error as error:
                    raise self._refuse(key, place, error) from error
            if size + sum(sizes) > KEY_BYTES_MAX:
                raise self._refuse(key, sizes.index(max(sizes)), None)
        raise AssertionError("an entry was refused, and each of them is fine")

    def _spell_one(self, place: int, cell: Any) -> bytes:
        normalise = self._normalise[place]
        return key_codec.encode((normalise(cell) if normalise else cell,))

    def _refuse(self, encoded: bytes, place: int, error: Error | None) -> Invalid:
        key = RecordCodec(self.schema).decode_keys([encoded])[0]
        column, name = self.columns[place], self.index.name
        where = f"row {key!r}, column {column.name!r}"
        facts = {"key": key, "column": column.name, "index": name}
        if error is not None and error.code != "key-too-long":
            return Invalid(
                f"{where}: {error.message} (index {name!r})",
                code="index-value",
                hint="Change the value, or drop the index.",
                **facts,
            )
        return Invalid(
            f"{where}: too long for index {name!r}",
            code="index-key-too-long",
            hint=f"Declare a prefix; all cells and the key have {KEY_BYTES_MAX} bytes.",
            **facts,
        )


def _without_nulls(
    keys: Sequence[bytes], cells: Sequence[Sequence[Any]]
) -> tuple[list[bytes], list[Sequence[Any]]]:
    rows = [
        (key, one)
        for key, one in zip(keys, zip(*cells, strict=True), strict=True)
        if None not in one
    ]
    if not rows:
        return [], [[] for _ in cells]
    kept, whole = zip(*rows, strict=True)
    return list(kept), list(zip(*whole, strict=True))


def _normaliser(column: Column, prefix: int | None) -> Normalise | None:
    """Return what makes equal values of a column one, or None where they are."""
    if column.type == "float":
        # Of all floats this changes -0.0 alone.
        return lambda cell: None if cell is None else cell + 0.0
    if column.type == "decimal":
        return lambda cell: None if cell is None else plain_decimal(cell)
    if prefix is not None and column.type in ("text", "bytes"):
        return lambda cell: None if cell is None else cell[:prefix]
    return None


def plain_decimal(value: Decimal) -> Decimal:
    """Return the equal decimal without zeros at its end.

    ``Decimal.normalize`` would round to the precision of the context.
    """
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if not value:
        return Decimal(0)
    zeros = len(digits) - len(bytes(digits).rstrip(b"\0"))
    if not zeros:
        return value
    return Decimal((sign, digits[:-zeros], exponent + zeros))


def missing_record(index: Index) -> Corrupt:
    """Return (not raise) the error for an entry that leads to no record."""
    return Corrupt(
        f"index {index.name!r} names a record that is not there",
        code="index-entry",
        hint="Drop the index and add it again; run `prolly fsck --full`.",
        index=index.name,
    )
