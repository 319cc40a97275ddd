"""Give a table another schema: columns added, dropped, reordered, of other types.

The key's columns stay the key, and every stored value must fit: a value of another type
is taken by its text, as an export would write it and an import read it. The rows are
rewritten, so the table is the same as one that had this schema from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prolly.codec import json_form
from prolly.errors import Error, Invalid
from prolly.repo import Workspace
from prolly.tables import Column, ColumnBatches, Schema, Table, column_type

Converter = Callable[[Sequence[Any]], Sequence[Any]]


def alter_table(workspace: Workspace, dataset: str, schema: Schema) -> bool:
    """Change the schema of a table; return whether it was another one before.

    Raises Invalid ``key-change`` when the key's columns differ, ``missing-column`` when
    a new column may not be null and has no fill, ``schema-violation`` when a value does
    not fit (fields ``key``, ``column``, ``value``), NotFound ``no-such-dataset``.
    """
    workspace.require(dataset)
    before = workspace.table(dataset).schema
    if before == schema:
        return False
    if before.key != schema.key:
        raise Invalid(
            f"the key of {dataset!r} is {', '.join(before.key)}",
            code="key-change",
            hint="the key stays; import into a new table to choose another",
            dataset=dataset,
        )
    old, table = workspace.rebuild_table(dataset, schema)
    shared = [one for one in schema.columns if one.name in before.names]
    names = [one.name for one in shared]
    converters = [_converter(before.column(one.name), one) for one in shared]
    table.load(ColumnBatches(names, _converted(old, shared, converters)), mode="append")
    return True


def _converted(
    old: Table, columns: Sequence[Column], converters: Sequence[Converter]
) -> Iterator[list[Sequence[Any]]]:
    """Yield the shared columns of the old rows, converted."""
    places = [old.schema.names.index(one.name) for one in columns]
    for batch in old.iter_columns():
        turned = []
        for column, place, convert in zip(columns, places, converters, strict=True):
            values = batch[place]
            try:
                turned.append(convert(values))
            except Error:
                raise _misfit(old, batch, column, place, convert) from None
        yield turned


def _converter(old: Column, new: Column) -> Converter:
    """Return what turns values of one column into those of the other."""
    before, after = column_type(old.type), column_type(new.type)

    def convert(values: Sequence[Any]) -> Sequence[Any]:
        if old.type != new.type and new.type != "json":
            values = [
                None if one is None else after.parse_text(before.format_text(one))
                for one in values
            ]
        if not new.nullable and None in values:
            raise after.refuse(None, "the column may not be null")
        return values

    return convert


def _misfit(
    old: Table,
    batch: Sequence[Sequence[Any]],
    column: Column,
    place: int,
    convert: Converter,
) -> Invalid:
    """Return the error for the first value of a batch that does not convert."""
    key_places = [old.schema.names.index(name) for name in old.schema.key]
    for row, value in enumerate(batch[place]):
        try:
            convert([value])
        except Error as error:
            parts = tuple(batch[key_place][row] for key_place in key_places)
            key = json_form.key_to_json(parts)
            return Invalid(
                f"row {key}, column {column.name!r}: {error.message}",
                code="schema-violation",
                hint="change the value first, or choose a wider type",
                key=key,
                column=column.name,
                value=value,
            )
    raise AssertionError("a column was refused, and each of its values is fine")
