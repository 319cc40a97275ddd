"""The cells of a row of one version, under the schema that its table has by now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prolly.errors import Error, Invalid
from prolly.tables import Column, Schema, converted

Row = dict[str, Any]


def columns_now(old: Schema, schema: Schema) -> list[tuple[Column, Column]]:
    """Return the columns of two schemas that are the same, old and new.

    Those of the key are left out: whoever writes the row knows it, and a part of it as
    one version has it may have no form in another.
    """
    before = {one.id: one for one in old.columns}
    return [(before[one.id], one) for one in schema.cell_columns if one.id in before]


def cells_now(pairs: Sequence[tuple[Column, Column]], row: Row) -> Row:
    """Return the cells of a row under the names and types that columns have now."""
    cells = {}
    for old, new in pairs:
        value = row[old.name]
        if old.type != new.type and value is not None:
            value = _converted(old, new, value)
        cells[new.name] = value
    return cells


def _converted(old: Column, new: Column, value: Any) -> Any:
    try:
        return converted(old, new, [value])[0]
    except Error as error:
        raise Invalid(
            f"column {new.name!r} is of type {new.type} now, and the value is not: "
            f"{error.message}",
            code="settle-type",
            hint="Give a value of your own.",
            column=new.name,
            value=value,
        ) from error


def key_parts(key: Any, schema: Schema) -> tuple[Any, ...]:
    """Return the parts of a key as people give it."""
    return key if len(schema.key) > 1 else (key,)
