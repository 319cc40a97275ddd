"""Records of any schema: rows come back, keys keep the order, one row has one form."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import MemoryStore
from prolly.codec import cbor
from prolly.codec import key as key_codec
from prolly.tables import COLUMN_TYPES, RecordCodec, Schema
from prolly.testing import strategies

CELLS: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int": st.integers(),
    "float": st.floats(),
    "decimal": st.decimals(-1000, 1000, places=2).map(
        lambda one: one if one else abs(one)
    ),
    "text": strategies.texts() | st.integers(400, 1200).map(lambda size: "é" * size),
    "bytes": strategies.byte_strings(),
    "date": st.dates(),
    "datetime": strategies.datetimes(),
    "uuid": st.uuids(),
    "json": strategies.values(4),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[Schema, list[list[Any]]]:
    """A schema of all types, its key first, and columns of some rows under it."""
    types = draw(
        st.lists(st.sampled_from(sorted(COLUMN_TYPES)), min_size=1, max_size=8)
    )
    ordered = [name for name in COLUMN_TYPES if name != "json"]
    keys = draw(st.lists(st.sampled_from(ordered), min_size=1, max_size=3))
    names = [f"k{place}" for place in range(len(keys))]
    columns = [
        (name, kind, False, None) for name, kind in zip(names, keys, strict=True)
    ]
    for place, kind in enumerate(types):
        scalar = kind != "json"
        fill = draw(st.none() | CELLS[kind]) if scalar else None
        if len(cbor.encode(fill)) > 1000:
            fill = None
        columns.append((f"c{place}", kind, True, fill))
    schema = Schema.create(columns, names)
    size = draw(st.integers(1, 6))
    cells: list[list[Any]] = []
    for one in schema.columns:
        kinds = CELLS[one.type]
        if one.name in names:
            kinds = kinds.filter(lambda cell: cell == cell and len(repr(cell)) < 200)
        else:
            kinds = st.none() | st.just(one.fill) | kinds
        cells.append(draw(st.lists(kinds, min_size=size, max_size=size)))
    return schema, cells


def same(left: Any, right: Any) -> bool:
    """Tell whether two values of the format are the same, in type too."""
    return cbor.encode(left) == cbor.encode(right)


def shown(schema: Schema, name: str, cell: Any) -> Any:
    """Return a cell as it comes back: a datetime of the key is in UTC."""
    if name in schema.key and schema.column(name).type == "datetime":
        return cell.astimezone(UTC)
    return cell


@given(tables())
def test_rows_come_back(table: tuple[Schema, list[list[Any]]]) -> None:
    """In bulk, as columns and one by one, cells are those that were encoded."""
    schema, columns = table
    codec, writer = RecordCodec(schema), MemoryStore().writer()
    keys = codec.encode_keys(columns)
    values = codec.encode_rows(columns, writer)
    expected = [
        [shown(schema, one.name, cell) for cell in column]
        for one, column in zip(schema.columns, columns, strict=True)
    ]
    found = codec.decode_columns(keys, values, writer.get)
    assert same([list(column) for column in found], expected)
    rows = codec.decode_rows(keys, values, writer.get)
    assert [tuple(row) for row in rows] == [schema.names] * len(keys)
    back = [[row[name] for row in rows] for name in schema.names]
    assert same(back, expected)
    for key, value, row in zip(keys, values, rows, strict=True):
        assert same(codec.decode_row(key, value, writer.get), row)
        assert codec.encode_key(codec.key_of(row)) == key


@given(tables())
def test_a_row_has_one_form(table: tuple[Schema, list[list[Any]]]) -> None:
    """Encoding what was decoded gives the same bytes, alone as in a batch."""
    schema, columns = table
    codec, writer = RecordCodec(schema), MemoryStore().writer()
    keys = codec.encode_keys(columns)
    values = codec.encode_rows(columns, writer)
    for index, (key, value) in enumerate(zip(keys, values, strict=True)):
        row = codec.decode_row(key, value, writer.get)
        single = [[row[name]] for name in schema.names]
        assert codec.encode_keys(single) == [key]
        assert codec.encode_rows(single, writer) == [value]
        assert type(codec.encode_rows(single, writer)[0]) is type(value), index


@given(tables())
def test_the_key_is_the_tuple_of_its_columns(
    table: tuple[Schema, list[list[Any]]],
) -> None:
    """A key is what the tuple layer writes for the key columns, in key order."""
    schema, columns = table
    keys = RecordCodec(schema).encode_keys(columns)
    parts = zip(
        *(columns[schema.names.index(name)] for name in schema.key), strict=True
    )
    assert keys == [key_codec.encode(one) for one in parts]
