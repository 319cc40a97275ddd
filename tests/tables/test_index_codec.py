"""Entries of indexes: their order is that of the cells, and they lead back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import key
from prolly.errors import Corrupt
from prolly.tables import COLUMN_TYPES, Index, RecordCodec, Schema
from prolly.tables.index_codec import IndexCodec, plain_decimal
from prolly.testing.predicate_model import CELLS, rows

ORDERED = [name for name in COLUMN_TYPES if name != "json"]
COLUMNS = [("id", "int", False), *((name, name) for name in ORDERED)]


def schema_of(*columns: str, unique: bool = False, prefix: int | None = None) -> Schema:
    """A table of all types with one index."""
    return Schema.create(COLUMNS, "id", indexes=[Index("i", columns, unique, prefix)])


def entries_of(
    schema: Schema, listed: list[dict[str, Any]]
) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Return the keys of records, and keys and values of their entries."""
    columns = [[row[name] for row in listed] for name in schema.names]
    keys = RecordCodec(schema).encode_keys(columns)
    return keys, *IndexCodec(schema, schema.indexes[0]).entries(keys, columns)


@given(
    st.lists(st.sampled_from(ORDERED), min_size=1, max_size=3, unique=True), st.data()
)
def test_the_order_of_entries_is_that_of_cells_and_key(
    names: list[str], data: st.DataObject
) -> None:
    """Nulls first, equal values together however they are spelt, then the key."""
    schema = schema_of(*names)
    listed = data.draw(rows(schema, 12))
    _, spelt, _ = entries_of(schema, listed)

    def order(row: dict[str, Any]) -> Any:
        cells = [row[name] for name in names]
        return [(cell is not None, cell) for cell in cells], row["id"]

    by_bytes = [
        row for _, row in sorted(zip(spelt, listed, strict=True), key=lambda p: p[0])
    ]
    assert by_bytes == sorted(listed, key=order)


@given(
    st.lists(st.sampled_from(ORDERED), min_size=1, max_size=3, unique=True), st.data()
)
def test_entries_lead_back_to_their_records(
    names: list[str], data: st.DataObject
) -> None:
    """primary_keys undoes entries; a null keeps a row out of a unique index."""
    for unique in (False, True):
        schema = schema_of(*names, unique=unique)
        listed = data.draw(rows(schema, 8))
        keys, spelt, values = entries_of(schema, listed)
        codec = IndexCodec(schema, schema.indexes[0])
        kept = [
            encoded
            for encoded, row in zip(keys, listed, strict=True)
            if not unique or None not in [row[name] for name in names]
        ]
        assert codec.primary_keys(spelt, values) == kept


def test_beginnings_alone_stand_in_an_index_with_a_prefix() -> None:
    """Characters of text, bytes of bytes; other columns are whole."""
    schema = schema_of("text", "bytes", "int", prefix=2)
    row = {**dict.fromkeys(schema.names), "id": 1}
    row |= {"text": "äöü", "bytes": b"\0\1\2", "int": 123456}
    _, [spelt], [value] = entries_of(schema, [row])
    assert key.decode(spelt) == ("äö", b"\0\1", 123456, 1) and value == b""


@given(
    st.sampled_from(CELLS["decimal"])
    | st.decimals(allow_nan=False, allow_infinity=False)
)
def test_a_plain_decimal_is_equal_and_one_for_all(value: Decimal) -> None:
    """Without rounding, whatever its number of digits."""
    plain = plain_decimal(value)
    assert plain == value
    if value:
        assert plain.as_tuple().digits[-1] != 0
    longer = (
        value * 1
        if not value
        else Decimal(
            (
                value.as_tuple().sign,
                (*value.as_tuple().digits, 0),
                int(value.as_tuple().exponent) - 1,
            )
        )
    )
    assert plain_decimal(longer).as_tuple() == plain.as_tuple()


def test_an_entry_that_is_too_short_is_corrupt() -> None:
    """Bytes that have not the parts of an entry are refused."""
    schema = schema_of("int", "text")
    codec = IndexCodec(schema, schema.indexes[0])
    with pytest.raises(Corrupt):
        codec.primary_keys([key.encode((5,))], [b""])
