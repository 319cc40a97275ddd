"""Let a table's columns grow to hold what comes in: ``import --widen``.

A column that takes every incoming value keeps its type. One that does not gets the type
that inference finds for the stored and the incoming values together, so whatever the
table held before comes back as it was written. A column that is new is added, nullable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from prolly.errors import Error
from prolly.tables import (
    Column,
    ColumnType,
    InferredColumn,
    JsonInference,
    RowInference,
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
            type_name = found[column.name].type_name
            nullable = nullable or found[column.name].nullable
        if (type_name, nullable) != (column.type, column.nullable):
            changed.append(column.name)
        fill = column.fill if type_name == column.type else None
        columns.append((column.name, type_name, nullable, fill))
    columns += [(name, found[name].type_name) for name in new]
    if not changed and not new:
        return schema, ()
    wider = Schema.create(
        columns,
        schema.key,
        indexes=schema.indexes,
        checks=schema.checks,
        references=schema.references,
        base=schema,
    )
    return wider, (*changed, *new)


def _misfits(
    source: TableSource, columns: Sequence[Column], places: dict[str, int]
) -> tuple[list[str], set[str]]:
    """Return columns whose type refuses a cell, and those that meet a null too many."""
    misfits: dict[str, None] = {}
    nulls: set[str] = set()
    for batch in source.iter_batches():
        cells = list(zip(*batch.rows, strict=True))
        for column in columns:
            read = source.cell_reader(InferredColumn(column.name, column.type, True))
            try:
                values = read(cells[places[column.name]])
            except Error:
                misfits[column.name] = None
                continue
            if None in values and not column.nullable:
                place = places[column.name]
                gaps = sum(one == place for _, one in batch.gaps)
                if list(values).count(None) > gaps:
                    nulls.add(column.name)
    return list(misfits), nulls


def _infer(
    table: Table, source: TableSource, misfits: list[str], new: list[str]
) -> dict[str, InferredColumn]:
    """Infer these columns from the stored and the incoming values together."""
    names = [*misfits, *new]
    if not names:
        return {}
    if source.typed_cells:
        return _infer_typed(table, source, misfits, new)
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


def _infer_typed(
    table: Table, source: TableSource, misfits: list[str], new: list[str]
) -> dict[str, InferredColumn]:
    """Infer columns from Python values; new ones are as the file itself says."""
    found = {one.name: one for one in source.infer() if one.name in new} if new else {}
    inference = RowInference()
    inexact: set[str] = set()
    places = [source.columns.index(name) for name in misfits]
    incoming = (
        [[row[place] for row in batch.rows] for place in places]
        for batch in source.iter_batches()
    )
    batches: Iterator[Sequence[Sequence[Any]]] = chain(
        table.iter_columns(misfits), incoming
    )
    for columns in batches if misfits else ():
        inference.add_columns(misfits, columns)
        inexact |= {
            name
            for name, values in zip(misfits, columns, strict=True)
            if not _equals_floats(values)
        }
    for one in inference.result():
        is_inexact = one.type_name == "float" and one.name in inexact
        found[one.name] = one._replace(type_name="json") if is_inexact else one
    return found


def _equals_floats(values: Sequence[Any]) -> bool:
    """Tell whether each whole number equals a float, and so may become one."""
    try:
        return all(float(one) == one for one in values if type(one) is int)
    except OverflowError:
        return False


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
