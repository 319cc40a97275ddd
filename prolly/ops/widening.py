"""Let a table's columns grow to hold what comes in: ``import --widen``.

A column that takes every incoming value keeps its type. One that does not gets the type
that inference finds for the stored and the incoming values together, so whatever the
table held before comes back as it was written. A column that is new is added, nullable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from prolly.errors import Error
from prolly.tables import (
    Column,
    ColumnBatches,
    ColumnType,
    InferredColumn,
    JsonInference,
    MutableTable,
    Schema,
    Table,
    TextInference,
    column_type,
)

from .table_source import TableSource


def widened_schema(table: Table, source: TableSource) -> tuple[Schema, tuple[str, ...]]:
    """Return the schema that holds the table and the source, and what it changes."""
    schema = table.schema
    places = {name: place for place, name in enumerate(source.columns)}
    shared = [one for one in schema.columns if one.name in places]
    misfits, nulls = _misfits(source, shared, places)
    new = [name for name in source.columns if name not in schema.names]
    found = _infer(table, source, misfits, new)
    columns: list[tuple[Any, ...]] = []
    changed = []
    for column in schema.columns:
        type_name, nullable = column.type, column.nullable or column.name in nulls
        if column.name in found:
            type_name, nullable = found[column.name][1:]
        if (type_name, nullable) != (column.type, column.nullable):
            changed.append(column.name)
        fill = column.fill if type_name == column.type else None
        columns.append((column.name, type_name, nullable, fill))
    columns += [(name, *_new_form(found[name], source.text_cells)) for name in new]
    if not changed and not new:
        return schema, ()
    return Schema.create(columns, schema.key, base=schema), (*changed, *new)


def _new_form(found: InferredColumn, text_cells: bool) -> tuple[str, bool]:
    """Return type and nullability of a column that stored rows do not have."""
    return found.type_name, not (text_cells and found.type_name == "text")


def _misfits(
    source: TableSource, columns: Sequence[Column], places: dict[str, int]
) -> tuple[list[str], set[str]]:
    """Return columns whose type refuses a cell, and those that meet a null too many."""
    misfits: dict[str, None] = {}
    nulls: set[str] = set()
    for batch in source.iter_batches():
        cells = list(zip(*batch.rows, strict=True))
        for column in columns:
            kind = column_type(column.type)
            read: Callable[[Sequence[Any]], Sequence[Any]]
            read = kind.parse_many if source.text_cells else kind.from_json_many
            try:
                values = read(cells[places[column.name]])
            except Error:
                misfits[column.name] = None
                continue
            if None in values and not column.nullable:
                nulls.add(column.name)
    return list(misfits), nulls


def _infer(
    table: Table, source: TableSource, misfits: list[str], new: list[str]
) -> dict[str, InferredColumn]:
    """Infer these columns from the stored and the incoming values together."""
    names = [*misfits, *new]
    if not names:
        return {}
    places = [source.columns.index(name) for name in names]
    kinds = [column_type(table.schema.column(name).type) for name in misfits]
    stored = _stored_forms(table, misfits, kinds, source.text_cells) if misfits else ()
    incoming = (
        [[row[place] for place in places] for row in batch.rows]
        for batch in source.iter_batches()
    )
    old = ([[*row, *[""] * len(new)] for row in rows] for rows in stored)
    if source.text_cells:
        texts = TextInference(names)
        for rows in chain(old, incoming):
            texts.add(rows)
        return {one.name: one for one in texts.result()}
    values = JsonInference()
    for rows in stored:
        values.add(misfits, rows)
    for rows in incoming:
        values.add(names, rows)
    return {one.name: one for one in values.result()}


def _stored_forms(
    table: Table, names: list[str], kinds: list[ColumnType], as_text: bool
) -> Iterator[list[list[Any]]]:
    """Yield the stored cells of columns as a file of the source's format has them."""
    for columns in table.iter_columns(names):
        if as_text:
            cells = [
                kind.format_many(one) for kind, one in zip(kinds, columns, strict=True)
            ]
        else:
            cells = [
                [None if value is None else kind.to_json(value) for value in one]
                for kind, one in zip(kinds, columns, strict=True)
            ]
        yield list(map(list, zip(*cells, strict=True)))


def rewrite(old: Table, table: MutableTable, *, empty_text: bool) -> None:
    """Load the rows of ``old`` into ``table``, whose schema holds them.

    ``empty_text``: where a column became text, or is new and text, null becomes empty
    text, as the empty cell would have been read.
    """

    def absent(column: Column) -> str | None:
        return "" if empty_text and column.type == "text" else None

    wider = [
        _converter(column, table.schema.column(column.name), absent)
        for column in old.schema.columns
    ]
    new = [one for one in table.schema.columns if one.name not in old.schema.names]

    def converted() -> Iterator[list[Sequence[Any]]]:
        for columns in old.iter_columns():
            size = len(columns[0])
            yield [
                *(turn(one) for turn, one in zip(wider, columns, strict=True)),
                *([absent(column)] * size for column in new),
            ]

    names = [*old.schema.names, *(column.name for column in new)]
    table.load(ColumnBatches(names, converted()), mode="append")


def _converter(
    old: Column, new: Column, absent: Callable[[Column], str | None]
) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Return what turns a column's values into those of its wider type."""
    if new.type in (old.type, "json"):
        return lambda values: values
    before, after = column_type(old.type), column_type(new.type)
    null = absent(new)

    def convert(values: Sequence[Any]) -> list[Any]:
        return [
            null if one is None else after.parse_text(before.format_text(one))
            for one in values
        ]

    return convert
