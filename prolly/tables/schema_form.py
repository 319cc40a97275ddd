"""The two forms of a schema: the plain value of a descriptor, and JSON.

    { "columns": [ [ id, name, type, nullable, fill, slot ], ... ],
      "key": [ name, ... ], "indexes": [ ... ], "checks": [ ... ],
      "references": [ ... ] }

JSON has the same five fields with objects in the lists, and neither ids nor slots.
Page: docs/spec/tables.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from prolly.errors import Corrupt, Error

from .column import Column, bad_schema_json, column_from_json, column_to_json
from .constraints import (
    by_name,
    index_of_json,
    index_of_value,
    reference_of_json,
    reference_of_value,
)

if TYPE_CHECKING:
    from .check import Check
    from .schema import Schema

_FIELDS = {"columns", "key", "indexes", "checks", "references"}
_COLUMN_FIELDS = 6


def schema_to_value(schema: Schema) -> dict[str, Any]:
    """Return the plain value of a schema."""
    columns = [
        [one.id, one.name, one.type, one.nullable, one.fill, one.slot]
        for one in schema.columns
    ]
    return {
        "columns": columns,
        "key": list(schema.key),
        "indexes": [one.to_value() for one in schema.indexes],
        "checks": [one.to_value() for one in schema.checks],
        "references": [one.to_value() for one in schema.references],
    }


def fields_of_value(value: object) -> dict[str, Any]:
    """Return the fields of the schema that a plain value spells.

    Raises Corrupt ``schema`` where it has not the form; what is in it is not checked.
    """
    if type(value) is not dict or value.keys() != _FIELDS:
        raise bad_schema("it is no map of its five fields")
    if not all(type(listed) is list for listed in value.values()):
        raise bad_schema("a field is no array")
    columns = value["columns"]
    if not all(type(one) is list and len(one) == _COLUMN_FIELDS for one in columns):
        raise bad_schema(f"a column has not {_COLUMN_FIELDS} fields")
    try:
        return {
            "columns": tuple([Column(*one) for one in columns]),
            "key": tuple(value["key"]),
            "indexes": tuple(map(index_of_value, value["indexes"])),
            "checks": tuple(map(_check_of_value, value["checks"])),
            "references": tuple(map(reference_of_value, value["references"])),
        }
    except (Error, ValueError, TypeError) as error:
        raise bad_schema(str(error)) from error


def bad_schema(reason: str) -> Corrupt:
    """Return (not raise) the error for a value that is no schema."""
    return Corrupt(
        f"not a schema: {reason}",
        code="schema",
        hint="Run `prolly fsck --full` to see what else is damaged.",
    )


def schema_to_json(schema: Schema) -> dict[str, Any]:
    """Return the JSON object of a schema."""
    return {
        "columns": [column_to_json(column) for column in schema.columns],
        "key": list(schema.key),
        "indexes": [one.to_json() for one in schema.indexes],
        "checks": [one.to_json() for one in schema.checks],
        "references": [one.to_json() for one in schema.references],
    }


def fields_of_json(form: object, base: Schema | None) -> dict[str, Any]:
    """Return the arguments of ``Schema.create`` that a JSON object spells.

    Raises Invalid ``schema-json`` and what its parts raise.
    """
    names_needed = {"columns", "key"}
    if not isinstance(form, Mapping) or not names_needed <= form.keys() <= _FIELDS:
        raise bad_schema_json(
            "it is an object of columns and key, and perhaps indexes, checks and "
            "references"
        )
    columns, key = form["columns"], form["key"]
    names = [key] if isinstance(key, str) else key
    if not isinstance(columns, list) or not isinstance(names, list):
        raise bad_schema_json("columns and key are arrays")
    if not all(isinstance(name, str) for name in names):
        raise bad_schema_json("the key lists names of columns")
    was = _names_before(columns, base)
    fields: dict[str, Any] = {
        "columns": [column_from_json(one, names) for one in columns],
        "key": names,
        "base": base,
        "was": was,
    }
    kinds: tuple[tuple[str, Callable[[object], Any]], ...] = (
        ("indexes", index_of_json),
        ("checks", _check_of_json),
        ("references", reference_of_json),
    )
    now = {before: after for after, before in was.items()}
    for field, read in kinds:
        if field in form:
            if not isinstance(form[field], list):
                raise bad_schema_json(f"{field} is an array")
            fields[field] = [read(one) for one in form[field]]
        elif base is not None:
            fields[field] = _kept(getattr(base, field), now)
    return fields


def _names_before(columns: list[Any], base: Schema | None) -> dict[str, str]:
    """Return the names that columns had in ``base``, by the name they are to have."""
    was: dict[str, str] = {}
    for one in columns:
        if not isinstance(one, Mapping) or "was" not in one:
            continue
        before = one["was"]
        if base is None or before not in base.names or before in was.values():
            raise bad_schema_json(f"`was` names no column of the table: {before!r}")
        was[str(one.get("name"))] = before
    return was


def _kept(constraints: tuple[Any, ...], now: Mapping[str, str]) -> tuple[Any, ...]:
    """Return constraints of the base under the new names of their columns."""
    kept = constraints
    for before, after in now.items():
        # By way of a name that no column can have, so that two may change places.
        kept = tuple([one.renamed(before, f"\n{after}") for one in kept])
    for after in now.values():
        kept = tuple([one.renamed(f"\n{after}", after) for one in kept])
    return by_name(kept)


def _check_of_value(value: Any) -> Check:
    # Most schemas have none, and predicates are felt in a start.
    from .check import check_of_value

    return check_of_value(value)


def _check_of_json(form: object) -> Check:
    from .check import check_of_json

    return check_of_json(form)
