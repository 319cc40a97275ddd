"""One column of a table: what it is called, what it may hold, and how both are spelt.

A column is given as a tuple ``(name, type[, nullable[, fill]])``, or in JSON as an
object of these fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from prolly.codec import INLINE_BYTES_MAX, cbor, hidden_mark, row, shown
from prolly.errors import Error, Invalid

from .type_registry import COLUMN_TYPES, column_type

# As of a dataset's name: a column of any spreadsheet or database has a shorter one.
COLUMN_NAME_BYTES_MAX = 255
# A fill is read with the schema whenever a table is opened, so it is short.
FILL_BYTES_MAX = INLINE_BYTES_MAX
KEY_TYPES = frozenset(COLUMN_TYPES) - {"json"}

_ID_MAX = 2 ** (8 * row.COLUMN_ID_BYTES) - 1
_COLUMN_FIELDS = {"name", "type", "nullable", "fill", "was"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``type`` is the name of a column type.

    ``fill`` is what a record holds that does not store the cell, and the default of a
    row that leaves it out; it never changes. A column that is not nullable and whose
    fill is null has no default. ``slot`` is its place in rows, from 0; a key column has
    none.
    """

    id: int
    name: str
    type: str
    nullable: bool
    fill: Any = None
    slot: int | None = None

    @property
    def has_default(self) -> bool:
        """Tell whether a row may leave the column out."""
        return self.nullable or self.fill is not None


def spelt_out(given: Sequence[Any]) -> tuple[Any, ...]:
    """Return (name, type, nullable, fill) with defaults for what is left out."""
    if not isinstance(given, (tuple, list)) or not 2 <= len(given) <= 4:
        refuse_schema(
            "a column is (name, type[, nullable[, fill]])", "Give such tuples."
        )
    check_name(given[0])
    column_type(given[1])
    return (*given, True, None) if len(given) == 2 else (*given, None)[:4]


def make_column(number: int, given: Sequence[Any], is_key: bool) -> Column:
    """Return a column of an id from (name, type, nullable, fill); not checked."""
    name, type_name, nullable, fill = given
    if fill is not None:
        # What does not fit is refused with the whole column.
        with suppress(Invalid):
            fill = column_type(type_name).check(fill)
    return Column(number, name, type_name, bool(nullable) and not is_key, fill)


def check_name(name: object) -> None:
    """Raise Invalid ``column-name`` for what cannot be the name of a column."""
    problem = ""
    if type(name) is not str or not name:
        problem = "the name of a column is text of at least one character"
    elif any(mark < " " or "\x7f" <= mark <= "\x9f" for mark in name):
        problem = f"the column name {name!r} has a control character"
    elif any("\ud800" <= mark <= "\udfff" for mark in name):
        problem = f"the column name {name!r} has an unpaired surrogate"
    elif len(name.encode()) > COLUMN_NAME_BYTES_MAX:
        problem = f"the column name {name[:20]!r}... is too long"
    if problem:
        raise _bad_name(name, problem)


def check_new_name(name: object) -> None:
    """Raise Invalid ``column-name`` for what nothing may be called from now on.

    As ``check_name``, and for marks that nobody sees: with them two names look equal.
    """
    check_name(name)
    mark = hidden_mark(str(name))
    if mark:
        raise _bad_name(name, f"the name {name!r} has {mark}, which nobody sees")


def _bad_name(name: object, problem: str) -> Invalid:
    return Invalid(
        problem,
        code="column-name",
        hint=f"At most {COLUMN_NAME_BYTES_MAX} bytes without control characters and "
        "marks that nobody sees.",
        column=name,
    )


def check_column(column: Column) -> None:
    """Raise Invalid for a column that no schema may have, whatever its fields hold."""
    check_name(column.name)
    kind = column_type(column.type)
    if type(column.nullable) is not bool:
        refuse_schema("nullable is true or false", "Give a bool.")
    if type(column.id) is not int or not 0 <= column.id <= _ID_MAX:
        refuse_schema(
            f"the column id {column.id!r} is not 32 bits", "Use Schema.create."
        )
    if column.fill is None:
        return
    # Records that do not store the cell share its fill, so it must never change.
    if isinstance(column.fill, (list, tuple, dict)):
        _refuse_fill(column, "a fill cannot be a list or a map")
    try:
        data = cbor.encode(kind.check(column.fill))
        same = data == cbor.encode(column.fill)
    except Error as error:
        _refuse_fill(column, str(error))
    if not same:
        _refuse_fill(column, f"it is not spelt as a {column.type}")
    if len(data) > FILL_BYTES_MAX:
        _refuse_fill(column, f"it is longer than {FILL_BYTES_MAX} bytes")


def _refuse_fill(column: Column, problem: str) -> NoReturn:
    raise bad_fill(column.name, column.type, problem)


def bad_fill(name: str, type_name: str, problem: str) -> Invalid:
    """Return (not raise) the error for a fill that a column cannot have."""
    return Invalid(
        f"the fill of column {name!r} does not fit: {problem}",
        code="column-fill",
        hint=f"Give a short {type_name}, or null for none.",
        column=name,
    )


def column_to_json(column: Column) -> dict[str, Any]:
    """Return the JSON object of a column: without its id, and a fill only if any."""
    form = {"name": column.name, "type": column.type, "nullable": column.nullable}
    if column.fill is None:
        return form
    return {**form, "fill": column_type(column.type).to_json(column.fill)}


def column_from_json(form: object, key: Sequence[str]) -> tuple[Any, ...]:
    """Return (name, type, nullable, fill) of a JSON object.

    A field ``was``, the name that it had before, is left to the caller. Raises Invalid
    ``schema-json``, ``schema`` for a nullable key column, ``column-type``,
    ``column-fill``.
    """
    if not isinstance(form, Mapping) or not {"name", "type"} <= form.keys():
        raise bad_schema_json("a column is an object of name, type and nullable")
    if not form.keys() <= _COLUMN_FIELDS:
        extra = sorted(form.keys() - _COLUMN_FIELDS)[0]
        raise bad_schema_json(f"a column has no field {extra!r}")
    name, type_name = form["name"], form["type"]
    if not isinstance(name, str) or not isinstance(type_name, str):
        raise bad_schema_json("the name and the type of a column are text")
    nullable = form.get("nullable", name not in key)
    if type(nullable) is not bool:
        raise bad_schema_json(f"nullable of column {name!r} is not true or false")
    if nullable and name in key:
        refuse_schema(
            f"key column {name!r} cannot be nullable", "Set nullable to false."
        )
    fill = form.get("fill")
    if fill is not None:
        try:
            fill = column_type(type_name).from_json(fill)
        except Invalid as error:
            if error.code == "column-type":
                raise
            raise bad_fill(name, type_name, error.message) from error
    return name, type_name, nullable, fill


def cell_text(column: Column, value: Any) -> str:
    """Return a cell as messages show it: text in quotes, else as exports write it."""
    if value is None or isinstance(value, str):
        return "null" if value is None else shown(value)
    return column_type(column.type).format_text(value)


def refuse_schema(problem: str, hint: str) -> NoReturn:
    """Raise Invalid ``schema``."""
    raise Invalid(problem, code="schema", hint=hint)


def bad_schema_json(reason: str) -> Invalid:
    """Return (not raise) the error for JSON that describes no schema."""
    return Invalid(
        f"not a schema: {reason}",
        code="schema-json",
        hint="`prolly schema DATASET` prints the form.",
    )
