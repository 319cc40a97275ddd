"""Schemas: the columns of a table, their types, and which of them are the key.

A column has an id that never changes, so a rename is no new column. Columns are listed
in the order in which they are shown; key columns, in the order of the key. Key columns
stand in the record's key and are never null; the others form its row, in the order of
their ids. In a descriptor a schema is the plain value::

    {"columns": [[id, name, type, nullable, fill], ...], "key": [name, ...]}

Page: docs/spec/tables.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

from prolly.codec import INLINE_BYTES_MAX, cbor, row
from prolly.errors import Corrupt, Error, Invalid, LimitExceeded

from .row_inference import RowInference
from .type_registry import COLUMN_TYPES, column_type

COLUMNS_MAX = row.COLUMNS_MAX
# As of a dataset's name: a column of any spreadsheet or database has a shorter one.
COLUMN_NAME_BYTES_MAX = 255
# A fill is read with the schema whenever a table is opened, so it is short.
FILL_BYTES_MAX = INLINE_BYTES_MAX
KEY_TYPES = frozenset(COLUMN_TYPES) - {"json"}

_ID_MAX = 2 ** (8 * row.COLUMN_ID_BYTES) - 1
_SCHEMA_FIELDS = {"columns", "key"}
_COLUMN_FIELDS = {"name", "type", "nullable", "fill"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``type`` is the name of a column type.

    ``fill`` is what a record holds that does not store the cell, and the default of a
    row that leaves it out; it never changes. A column that is not nullable and whose
    fill is null has no default.
    """

    id: int
    name: str
    type: str
    nullable: bool
    fill: Any = None

    @property
    def has_default(self) -> bool:
        """Tell whether a row may leave the column out."""
        return self.nullable or self.fill is not None


@dataclass(frozen=True)
class Schema:
    """The columns of a table in display order, and the names of its key columns.

    Raises Invalid on creation: ``schema`` for no key, a key column that is missing,
    named twice, nullable, filled or of type json, and for ids or names that repeat;
    ``column-type``, ``column-name``, ``column-fill`` for one column. LimitExceeded
    ``too-many-columns``. Equal schemas are equal in names, types, ids and order.
    """

    columns: tuple[Column, ...]
    key: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_unique(self.key, "key column")
        if not self.key:
            _refuse("a table needs a key", "Name the columns that tell records apart.")
        for name in self.key:
            _check_name(name)
        if not self.is_unknown:
            self._check_columns()

    def _check_columns(self) -> None:
        if len(self.columns) > COLUMNS_MAX:
            raise LimitExceeded(
                f"a table of {len(self.columns)} columns",
                code="too-many-columns",
                hint=f"The limit is {COLUMNS_MAX}; nest some in a json column.",
                limit=COLUMNS_MAX,
            )
        _check_unique([column.name for column in self.columns], "column")
        _check_unique([column.id for column in self.columns], "column id")
        for column in self.columns:
            _check_column(column)
        for name in self.key:
            if name not in self._by_name:
                names = ", ".join(list(self._by_name)[:20])
                _refuse(f"there is no key column {name!r}", f"The columns: {names}.")
            column = self._by_name[name]
            if column.type not in KEY_TYPES:
                _refuse(
                    f"key column {name!r} cannot be of type {column.type}",
                    "Values of this type have no order.",
                )
            if column.nullable or column.fill is not None:
                _refuse(
                    f"key column {name!r} cannot be nullable or have a fill",
                    "Every record has its own key.",
                )

    @classmethod
    def create(
        cls,
        columns: Iterable[Sequence[Any]],
        key: str | Sequence[str],
        *,
        base: Schema | None = None,
    ) -> Schema:
        """Make a schema from tuples (name, type[, nullable[, fill]]).

        Ids follow from names and types alone, whatever the order, so replicas agree;
        columns of ``base`` with the same name and type keep their ids. ``nullable`` is
        true if left out; a key column never is, whatever is given. Raises as the class.
        """
        names = (key,) if isinstance(key, str) else tuple(key)
        listed = [_spelt_out(one) for one in columns]
        ids = _assign_ids({one[0]: one[1] for one in listed}, base)
        made = [_make_column(ids[one[0]], one, one[0] in names) for one in listed]
        return cls(tuple(made), names)

    @classmethod
    def of_rows(
        cls, rows: Iterable[Mapping[str, Any]], key: str | Sequence[str]
    ) -> Schema:
        """Return the schema that fits all these rows, which are read once.

        Columns stand in the order in which they are first seen; one is nullable if a
        null was seen or a row left it out. Raises Invalid ``not-a-row``, and as the
        class.
        """
        inference = RowInference()
        inference.add_rows(rows)
        return cls.create(inference.result(), key)

    @classmethod
    def unknown(cls, key: str | Sequence[str]) -> Schema:
        """Return the schema of a table whose columns the first rows will decide."""
        return cls((), (key,) if isinstance(key, str) else tuple(key))

    @property
    def is_unknown(self) -> bool:
        """Tell whether only the key is decided yet. Such a table is empty."""
        return not self.columns

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in display order."""
        return tuple(self._by_name)

    @cached_property
    def key_columns(self) -> tuple[Column, ...]:
        """The key columns, in key order; none while the schema is unknown."""
        return tuple(self._by_name[name] for name in self.key if not self.is_unknown)

    @cached_property
    def cell_columns(self) -> tuple[Column, ...]:
        """The columns of the row, in the order of their ids."""
        cells = [column for column in self.columns if column.name not in self.key]
        return tuple(sorted(cells, key=lambda column: column.id))

    def column(self, name: str) -> Column:
        """Return the column of this name, or raise Invalid ``unknown-column``."""
        column = self._by_name.get(name)
        if column is None:
            raise unknown_column(name, self)
        return column

    def to_value(self) -> dict[str, Any]:
        """Return the plain value that stands in the descriptor."""
        columns = [
            [column.id, column.name, column.type, column.nullable, column.fill]
            for column in self.columns
        ]
        return {"columns": columns, "key": list(self.key)}

    @classmethod
    def from_value(cls, value: object) -> Schema:
        """Return the schema that a descriptor holds; Corrupt ``schema`` otherwise."""
        if type(value) is not dict or value.keys() != _SCHEMA_FIELDS:
            raise _bad_schema("it is no map of columns and key")
        columns, key = value["columns"], value["key"]
        if type(columns) is not list or type(key) is not list:
            raise _bad_schema("columns or key is no array")
        if not all(type(one) is list and len(one) == 5 for one in columns):
            raise _bad_schema("a column has not five fields")
        try:
            schema = cls(tuple(Column(*one) for one in columns), tuple(key))
            same = cbor.encode(schema.to_value()) == cbor.encode(value)
        except (Error, TypeError) as error:
            raise _bad_schema(str(error)) from error
        if not same:
            raise _bad_schema("a field has another type")
        return schema

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``prolly schema`` prints and ``from_json`` reads.

        A column: ``name``, ``type``, ``nullable``, and ``fill`` unless it is null.
        """
        return {
            "columns": [_column_to_json(column) for column in self.columns],
            "key": list(self.key),
        }

    @classmethod
    def from_json(cls, form: object, *, base: Schema | None = None) -> Schema:
        """Return the schema that a JSON object describes; ids as ``create``.

        ``nullable`` may be left out: a key column is not, any other is. Raises Invalid
        ``schema-json`` for another form, and as the class.
        """
        if not isinstance(form, Mapping) or form.keys() != _SCHEMA_FIELDS:
            raise _bad_json("it is an object of columns and key, and nothing else")
        columns, key = form["columns"], form["key"]
        names = [key] if isinstance(key, str) else key
        if not isinstance(columns, list) or not isinstance(names, list):
            raise _bad_json("columns and key are arrays")
        if not all(isinstance(name, str) for name in names):
            raise _bad_json("the key lists names of columns")
        listed = [_column_from_json(one, names) for one in columns]
        return cls.create(listed, names, base=base)


def unknown_column(name: object, schema: Schema) -> Invalid:
    """Return (not raise) the error for a column that the table does not have."""
    shown = ", ".join(schema.names[:20])
    return Invalid(
        f"the table has no column {name!r}",
        code="unknown-column",
        hint=f"Its columns are {shown}.",
        column=name,
    )


def missing_column(column: str) -> Invalid:
    """Return (not raise) the error for a row without a column that has no default."""
    return Invalid(
        f"column {column!r} is missing",
        code="missing-column",
        hint="Give it a value; only nullable columns and those with a fill have one.",
        column=column,
    )


def _assign_ids(types: dict[str, str], base: Schema | None) -> dict[str, int]:
    kept = {(one.name, one.type): one.id for one in base.columns} if base else {}
    taken = set(kept.values())
    ids: dict[str, int] = {}
    for name in sorted(types):
        known = kept.get((name, types[name]))
        if known is None:
            known = row.column_id(name, types[name], taken)
            taken.add(known)
        ids[name] = known
    return ids


def _spelt_out(given: Sequence[Any]) -> tuple[Any, ...]:
    """Return (name, type, nullable, fill) with defaults for what is left out."""
    if not isinstance(given, (tuple, list)) or not 2 <= len(given) <= 4:
        _refuse("a column is (name, type[, nullable[, fill]])", "Give such tuples.")
    _check_name(given[0])
    column_type(str(given[1]))
    return (*given, True, None) if len(given) == 2 else (*given, None)[:4]


def _make_column(number: int, given: Sequence[Any], is_key: bool) -> Column:
    name, type_name, nullable, fill = given
    if fill is not None:
        # What does not fit is refused with the whole column.
        with suppress(Invalid):
            fill = column_type(type_name).check(fill)
    return Column(number, name, type_name, bool(nullable) and not is_key, fill)


def _check_unique(items: Sequence[object], what: str) -> None:
    seen: set[object] = set()
    for item in items:
        if item in seen:
            _refuse(f"the {what} {item!r} is there twice", "Rename or remove one.")
        seen.add(item)


def _check_name(name: object) -> None:
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
        raise Invalid(
            problem,
            code="column-name",
            hint=f"At most {COLUMN_NAME_BYTES_MAX} bytes without control characters.",
            column=name,
        )


def _check_column(column: Column) -> None:
    _check_name(column.name)
    kind = column_type(column.type)
    if type(column.nullable) is not bool:
        _refuse("nullable is true or false", "Give a bool.")
    if type(column.id) is not int or not 0 <= column.id <= _ID_MAX:
        _refuse(f"the column id {column.id!r} is not 32 bits", "Use Schema.create.")
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
    raise Invalid(
        f"the fill of column {column.name!r} does not fit: {problem}",
        code="column-fill",
        hint=f"Give a short {column.type}, or null for none.",
        column=column.name,
    )


def _refuse(problem: str, hint: str) -> NoReturn:
    raise Invalid(problem, code="schema", hint=hint)


def _bad_schema(reason: str) -> Corrupt:
    return Corrupt(
        f"not a schema: {reason}",
        code="schema",
        hint="Run `prolly fsck --full` to see what else is damaged.",
    )


def _bad_json(reason: str) -> Invalid:
    return Invalid(
        f"not a schema: {reason}",
        code="schema-json",
        hint="`prolly schema DATASET` prints the form.",
    )


def _column_to_json(column: Column) -> dict[str, Any]:
    form = {"name": column.name, "type": column.type, "nullable": column.nullable}
    if column.fill is None:
        return form
    return {**form, "fill": column_type(column.type).to_json(column.fill)}


def _column_from_json(form: object, key: Sequence[str]) -> tuple[Any, ...]:
    if not isinstance(form, Mapping) or not {"name", "type"} <= form.keys():
        raise _bad_json("a column is an object of name, type and nullable")
    if not form.keys() <= _COLUMN_FIELDS:
        extra = sorted(form.keys() - _COLUMN_FIELDS)[0]
        raise _bad_json(f"a column has no field {extra!r}")
    name, type_name = form["name"], form["type"]
    if not isinstance(name, str) or not isinstance(type_name, str):
        raise _bad_json("the name and the type of a column are text")
    nullable = form.get("nullable", name not in key)
    if type(nullable) is not bool:
        raise _bad_json(f"nullable of column {name!r} is not true or false")
    if nullable and name in key:
        _refuse(f"key column {name!r} cannot be nullable", "Set nullable to false.")
    fill = form.get("fill")
    if fill is not None:
        fill = column_type(type_name).from_json(fill)
    return name, type_name, nullable, fill
