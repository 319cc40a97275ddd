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
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from prolly.codec import cbor, row
from prolly.errors import Corrupt, Error, Invalid, LimitExceeded

from .column import (
    KEY_TYPES,
    Column,
    bad_schema_json,
    check_column,
    check_name,
    column_from_json,
    column_to_json,
    make_column,
    refuse_schema,
    spelt_out,
)
from .row_inference import RowInference

COLUMNS_MAX = row.COLUMNS_MAX

_SCHEMA_FIELDS = {"columns", "key"}


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
            refuse_schema(
                "a table needs a key", "Name the columns that tell records apart."
            )
        for name in self.key:
            check_name(name)
        if not self.is_unknown:
            self.check_columns()

    def check_columns(self) -> None:
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
            check_column(column)
        for name in self.key:
            if name not in self._by_name:
                names = ", ".join(list(self._by_name)[:20])
                refuse_schema(
                    f"there is no key column {name!r}", f"The columns: {names}."
                )
            column = self._by_name[name]
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
        listed = [spelt_out(one) for one in columns]
        ids = _assign_ids({one[0]: one[1] for one in listed}, base)
        made = [make_column(ids[one[0]], one, one[0] in names) for one in listed]
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
            "columns": [column_to_json(column) for column in self.columns],
            "key": list(self.key),
        }

    @classmethod
    def from_json(cls, form: object, *, base: Schema | None = None) -> Schema:
        """Return the schema that a JSON object describes; ids as ``create``.

        ``nullable`` may be left out: a key column is not, any other is. Raises Invalid
        ``schema-json`` for another form, and as the class.
        """
        if not isinstance(form, Mapping) or form.keys() != _SCHEMA_FIELDS:
            raise bad_schema_json(
                "it is an object of columns and key, and nothing else"
            )
        columns, key = form["columns"], form["key"]
        names = [key] if isinstance(key, str) else key
        if not isinstance(columns, list) or not isinstance(names, list):
            raise bad_schema_json("columns and key are arrays")
        if not all(isinstance(name, str) for name in names):
            raise bad_schema_json("the key lists names of columns")
        listed = [column_from_json(one, names) for one in columns]
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


def _check_unique(items: Sequence[object], what: str) -> None:
    seen: set[object] = set()
    for item in items:
        if item in seen:
            refuse_schema(
                f"the {what} {item!r} is there twice", "Rename or remove one."
            )
        seen.add(item)


def _bad_schema(reason: str) -> Corrupt:
    return Corrupt(
        f"not a schema: {reason}",
        code="schema",
        hint="Run `prolly fsck --full` to see what else is damaged.",
    )
