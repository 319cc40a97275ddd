"""What every schema keeps: the checks that run when one is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from prolly.codec import row
from prolly.errors import LimitExceeded

from .column import KEY_TYPES, Column, check_column, check_name, refuse_schema
from .constraints import INDEXES_MAX

if TYPE_CHECKING:
    from .check import Check
    from .constraints import Index, Reference
    from .schema import Schema

COLUMNS_MAX = row.COLUMNS_MAX


def check_schema(schema: Schema) -> None:
    """Raise what ``Schema`` says that it raises; a schema that passes is whole."""
    if not schema.key:
        refuse_schema(
            "a table needs a key", "Name the columns that tell records apart."
        )
    for name in schema.key:
        check_name(name)
    check_once(schema.key, "key column")
    constraints = (*schema.indexes, *schema.checks, *schema.references)
    if schema.is_unknown:
        if constraints:
            refuse_schema("a table without columns has constraints", "Name columns.")
        return
    _check_columns(schema.columns)
    for name in schema.key:
        _check_key_column(schema, name)
    _check_slots(schema)
    _check_constraints(schema)


def _check_columns(columns: Sequence[Column]) -> None:
    if len(columns) > COLUMNS_MAX:
        raise LimitExceeded(
            f"a table of {len(columns)} columns",
            code="too-many-columns",
            hint=f"The limit is {COLUMNS_MAX}; nest some in a json column.",
            limit=COLUMNS_MAX,
        )
    for column in columns:
        check_column(column)
    check_once([column.name for column in columns], "column")
    check_once([column.id for column in columns], "column id")


def _check_key_column(schema: Schema, name: str) -> None:
    column = schema.by_name.get(name)
    if column is None:
        names = ", ".join(list(schema.by_name)[:20])
        refuse_schema(f"there is no key column {name!r}", f"The columns: {names}.")
    if column.type not in KEY_TYPES:
        refuse_schema(
            f"key column {name!r} cannot be of type {column.type}",
            "Values of this type have no order.",
        )
    if column.nullable or column.fill is not None:
        refuse_schema(
            f"key column {name!r} cannot be nullable or have a fill",
            "Every record has its own key.",
        )
    if column.slot is not None:
        refuse_schema(f"key column {name!r} has a slot", "It stands in no row.")


def _check_slots(schema: Schema) -> None:
    slots = [one.slot for one in schema.columns if one.name not in schema.key]
    numbers = sorted([slot for slot in slots if type(slot) is int])
    if numbers != list(range(len(slots))):
        refuse_schema(
            "the slots of the columns are not 0, 1, 2 ..., each once",
            "Use Schema.create.",
        )


def _check_constraints(schema: Schema) -> None:
    kinds: tuple[tuple[str, Sequence[Index | Check | Reference]], ...] = (
        ("index", schema.indexes),
        ("check", schema.checks),
        ("reference", schema.references),
    )
    for what, constraints in kinds:
        for one in constraints:
            one.check(schema.by_name)
        names = [one.name for one in constraints]
        check_once(names, what)
        if names != sorted(names):
            refuse_schema(f"each {what} stands in the order of names", "Sort them.")
    if len(schema.indexes) > INDEXES_MAX:
        raise LimitExceeded(
            f"a table with {len(schema.indexes)} indexes",
            code="too-many-indexes",
            hint=f"The limit is {INDEXES_MAX}, those of references included.",
            limit=INDEXES_MAX,
        )
    for reference in schema.references:
        if not any(map(reference.is_served_by, schema.indexes)):
            refuse_schema(
                f"reference {reference.name!r} has no index on its columns",
                "Keep that index as long as the reference.",
            )


def check_once(items: Sequence[object], what: str) -> None:
    """Raise Invalid ``schema`` for an item that is there twice."""
    seen: set[object] = set()
    for item in items:
        if item in seen:
            refuse_schema(
                f"the {what} {item!r} is there twice", "Rename or remove one."
            )
        seen.add(item)
