"""What a schema says beside its columns: indexes and references.

As plain values in a descriptor, and as JSON objects::

    index      [ name, [ column, ... ], unique, prefix or null ]
    reference  [ name, [ column, ... ], table ]

Each kind is listed in the order of its names; ``check`` holds the third, the checks.
Page: docs/spec/tables.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prolly.codec import DESCRIPTOR_ROOTS_MAX, check_dataset_name, shown

from .column import Column, bad_schema_json, check_name, refuse_schema

# The records take the first of a dataset's trees.
INDEXES_MAX = DESCRIPTOR_ROOTS_MAX - 1
# A longer prefix leaves no room in a key for the primary key behind it.
INDEX_PREFIX_MAX = 1000

_PREFIX_TYPES = ("text", "bytes")


@dataclass(frozen=True, slots=True)
class Index:
    """A tree of the records by other columns than the key.

    A ``unique`` index has no two rows with the same cells; rows with a null in one of
    them do not count. With ``prefix``, only so many characters of each text (bytes of
    each bytes column) stand in the index.
    """

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    prefix: int | None = None

    def to_value(self) -> list[Any]:
        """Return the plain value."""
        return [self.name, list(self.columns), self.unique, self.prefix]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        form = {"name": self.name, "columns": list(self.columns), "unique": self.unique}
        return form if self.prefix is None else {**form, "prefix": self.prefix}

    def renamed(self, old: str, new: str) -> Index:
        """Return the index with a column's new name."""
        return replace(self, columns=renamed_all(self.columns, old, new))

    def check(self, columns: Mapping[str, Column]) -> None:
        """Raise Invalid ``schema`` for what cannot be an index of these columns."""
        check_name(self.name)
        where = f"index {self.name!r}"
        _check_columns(where, self.columns, columns)
        if type(self.unique) is not bool:
            refuse_schema(f"{where}: unique is true or false", "Give a bool.")
        if self.prefix is None:
            return
        types = {columns[name].type for name in self.columns}
        if type(self.prefix) is not int or not 1 <= self.prefix <= INDEX_PREFIX_MAX:
            refuse_schema(
                f"{where}: {shown(self.prefix)} is no length of a prefix",
                f"It is a number from 1 to {INDEX_PREFIX_MAX}.",
            )
        if self.unique:
            refuse_schema(
                f"{where}: a unique index has no prefix",
                "Rows may share a prefix; leave it out, or unique.",
            )
        if not types.intersection(_PREFIX_TYPES):
            refuse_schema(
                f"{where}: only text and bytes have prefixes", "Leave it out."
            )


@dataclass(frozen=True, slots=True)
class Reference:
    """Columns whose cells are the primary key of a row of ``table``, or null."""

    name: str
    columns: tuple[str, ...]
    table: str

    def to_value(self) -> list[Any]:
        """Return the plain value."""
        return [self.name, list(self.columns), self.table]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        columns = list(self.columns)
        return {"name": self.name, "columns": columns, "table": self.table}

    def renamed(self, old: str, new: str) -> Reference:
        """Return the reference with a column's new name."""
        return replace(self, columns=renamed_all(self.columns, old, new))

    def check(self, columns: Mapping[str, Column]) -> None:
        """Raise Invalid ``schema`` or ``dataset-name`` unless it fits these columns."""
        check_name(self.name)
        _check_columns(f"reference {self.name!r}", self.columns, columns)
        check_dataset_name(self.table)

    def is_served_by(self, index: Index) -> bool:
        """Tell whether an index finds the rows that refer to a key."""
        if index.unique:
            # It lacks rows with a null in any of its columns.
            return index.columns == self.columns
        leading = index.columns[: len(self.columns)]
        return index.prefix is None and leading == self.columns


def renamed_all(names: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    """Return the names with one replaced."""
    return tuple([new if name == old else name for name in names])


def _check_columns(
    where: str, names: Sequence[str], columns: Mapping[str, Column]
) -> None:
    if isinstance(names, str) or not all(isinstance(one, str) for one in names):
        refuse_schema(
            f"{where}: {shown(names)} is no tuple of names", "Name its columns."
        )
    if not names or len(set(names)) != len(names):
        refuse_schema(
            f"{where}: its columns are none, or one is there twice",
            "Name each column once.",
        )
    for name in names:
        if name not in columns:
            refuse_schema(
                f"{where}: there is no column {name!r}", _advice(name, columns)
            )
        if columns[name].type == "json":
            refuse_schema(
                f"{where}: column {name!r} is json",
                "Values of this type have no order.",
            )


def _advice(name: str, columns: Mapping[str, Column]) -> str:
    """Return what to do about a name that is no column's."""
    from difflib import get_close_matches

    goes = "when a column goes, drop what is on it first."
    near = get_close_matches(name, list(columns), 2)
    if near:
        return f"Is {' or '.join(map(repr, near))} meant? And {goes}"
    return f"The columns are {', '.join(list(columns)[:20])}; {goes}"


def with_indexes_of_references(
    indexes: Sequence[Index], references: Sequence[Reference]
) -> tuple[Index, ...]:
    """Return the indexes, and one more for each reference that none of them serves.

    Raises Invalid ``column-name`` for what cannot be the name of one.
    """
    for index in indexes:
        check_name(index.name)
    for reference in references:
        check_name(reference.name)
    made = list(indexes)
    taken = {one.name for one in made}
    for reference in references:
        if any(map(reference.is_served_by, made)):
            continue
        name, number = reference.name, 2
        while name in taken:
            name, number = f"{reference.name} {number}", number + 1
        taken.add(name)
        made.append(Index(name, reference.columns))
    return by_name(made)


def by_name(constraints: Sequence[Any]) -> tuple[Any, ...]:
    """Return constraints in the order of their names, as a schema lists them."""
    return tuple(sorted(constraints, key=lambda one: str(one.name)))


def index_of_value(value: Any) -> Index:
    """Return the index of a plain value; Invalid or TypeError when it is none."""
    name, columns, unique, prefix = value
    return Index(name, tuple(columns), unique, prefix)


def reference_of_value(value: Any) -> Reference:
    """Return the reference of a plain value; TypeError when it is none."""
    name, columns, table = value
    return Reference(name, tuple(columns), table)


def index_of_json(form: object) -> Index:
    """Return the index of a JSON object; Invalid ``schema-json`` when it is none."""
    fields = fields_of_form("an index", form, ("name", "columns"), ("unique", "prefix"))
    unique = fields.get("unique", False)
    return Index(fields["name"], _names(fields), unique, fields.get("prefix"))


def reference_of_json(form: object) -> Reference:
    """Return the reference of a JSON object; Invalid as for an index."""
    fields = fields_of_form("a reference", form, ("name", "columns", "table"), ())
    return Reference(fields["name"], _names(fields), fields["table"])


def fields_of_form(
    what: str, form: object, needed: Sequence[str], more: Sequence[str]
) -> Mapping[str, Any]:
    """Return the fields of a JSON object; Invalid ``schema-json`` for other ones."""
    if not isinstance(form, Mapping) or not set(needed) <= form.keys():
        raise bad_schema_json(f"{what} is an object of {', '.join(needed)}")
    extra = sorted(form.keys() - {*needed, *more})
    if extra:
        raise bad_schema_json(f"{what} has no field {extra[0]!r}")
    return form


def _names(fields: Mapping[str, Any]) -> tuple[str, ...]:
    columns = fields["columns"]
    listed = [columns] if isinstance(columns, str) else columns
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise bad_schema_json("columns is an array of names")
    return tuple(listed)
