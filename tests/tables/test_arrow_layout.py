"""Which Arrow types carry a table: natural ones where they hold every value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings

from prolly.codec import cbor
from prolly.tables import COLUMN_TYPES, ArrowColumns, ArrowLayout, Schema
from prolly.tables.arrow_layout import DECIMAL_DIGITS_MAX, Batches
from prolly.testing.strategies import typed_tables

WHEN = datetime(2026, 1, 31, tzinfo=UTC)


def type_of(type_name: str, *batches: list[Any]) -> Any:
    """Return the Arrow type that carries a column of these values."""

    def read(places: Sequence[int]) -> Batches:
        return [[batch] for batch in batches] if places else []

    layout = ArrowLayout.decide([("c", COLUMN_TYPES[type_name])], read)
    for batch in batches:
        found = layout.batch([batch])
        columns = ArrowColumns(found.schema)
        assert columns.inferred()[0].type_name == type_name
        assert repr(list(columns.columns(found, 0)[0])) == repr(batch)
    return layout.schema.field("c").type


@settings(max_examples=40)
@given(made=typed_tables())
def test_reading_undoes_the_layout(made: tuple[Schema, list[tuple[Any, ...]]]) -> None:
    """Values, types and the schema come back, whatever they are."""
    schema, rows = made
    columns = list(zip(*rows, strict=True)) or [()] * len(schema.names)
    checked = [
        COLUMN_TYPES[one.type].check_many(values)
        for one, values in zip(schema.columns, columns, strict=True)
    ]
    typed = [(one.name, COLUMN_TYPES[one.type]) for one in schema.columns]

    def read(places: Sequence[int]) -> Batches:
        return [[checked[place] for place in places]]

    layout = ArrowLayout.decide(typed, read, schema)
    batch = layout.batch(checked)
    batch.validate(full=True)
    found = ArrowColumns(batch.schema)
    assert found.stored_schema() == schema
    back = found.columns(batch, 0)
    assert [cbor.encode(list(one)) for one in back] == [
        cbor.encode(list(one)) for one in checked
    ]


@pytest.mark.parametrize(
    ("type_name", "batches", "wanted"),
    [
        ("int", [[1, None], [2**63 - 1, -(2**63)]], pa.int64()),
        ("int", [[1], [2**63]], pa.large_string()),
        ("int", [[-(2**63) - 1]], pa.large_string()),
        ("datetime", [[WHEN, None]], pa.timestamp("us", "UTC")),
        (
            "datetime",
            [[WHEN], [WHEN.astimezone(timezone(timedelta(hours=1)))]],
            pa.large_string(),
        ),
        ("datetime", [[None]], pa.timestamp("us", "UTC")),
        (
            "decimal",
            [[Decimal("1.10"), None], [Decimal("-0.05")]],
            pa.decimal128(DECIMAL_DIGITS_MAX, 2),
        ),
        ("decimal", [[Decimal("1.10")], [Decimal("1.1")]], pa.large_string()),
        ("decimal", [[Decimal("1E+3")]], pa.large_string()),
        ("decimal", [[None]], pa.large_string()),
        ("decimal", [[Decimal(10**38 - 1)]], pa.decimal128(DECIMAL_DIGITS_MAX, 0)),
        ("decimal", [[Decimal(10**38)]], pa.large_string()),
        ("decimal", [[Decimal("1E-39")]], pa.large_string()),
        ("json", [[{"a": [1, b"x"]}, "text", None]], pa.large_string()),
    ],
)
def test_a_type_that_loses_nothing(
    type_name: str, batches: list[list[Any]], wanted: Any
) -> None:
    """The natural type where it holds every value of every batch, else text."""
    assert type_of(type_name, *batches) == wanted


def test_only_columns_in_question_are_read() -> None:
    """And no further than until all of them are decided."""
    seen = []

    def read(places: Sequence[int]) -> Batches:
        for number in (2**63, 0):
            seen.append(list(places))
            yield [[number] for _ in places]

    columns = [("a", COLUMN_TYPES["text"]), ("b", COLUMN_TYPES["int"])]
    ArrowLayout.decide(columns, read)
    assert seen == [[1]]
    ArrowLayout.decide(columns[:1], read)
    assert seen == [[1]]


def test_a_part_of_a_table_tells_no_schema() -> None:
    """The schema goes along with all columns in their order, and with no fewer."""
    schema = Schema.create([("a", "text"), ("b", "text")], "a")
    kinds = [("a", COLUMN_TYPES["text"]), ("b", COLUMN_TYPES["text"])]
    for columns in (kinds, kinds[:1], kinds[::-1]):
        layout = ArrowLayout.decide(columns, lambda places: [], schema)
        told = ArrowColumns(layout.schema).stored_schema()
        assert told == (schema if columns == kinds else None)
        assert not layout.schema.field("a").nullable
