"""Altering a table: one method a change, each applied at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from prolly.codec import row, shown

from .check import Check, bound_checks, made_check, unbound_check
from .column import Column, check_new_name, make_column, refuse_schema
from .constraints import (
    Index,
    Reference,
    by_name,
    renamed_all,
    with_indexes_of_references,
)
from .conversion import converted_fill
from .predicate_text import Where
from .schema import Schema, missing_constraint, with_slots
from .type_registry import column_type

if TYPE_CHECKING:
    from .mutable_table import MutableTable


class Alteration:
    """Changes the schema of a table under edit; methods return it, to be chained.

    A change is applied when its method returns, rows included, and is refused whole:
    Invalid ``schema`` and others for a schema that contradicts itself,
    ``alter-loses-data`` (``key``, ``column``, ``value``) where a value would be lost or
    changed, unless made with ``force``; ``schema-violation`` where one does not fit at
    all. Indexes are built, and unique ones tested, when the transaction ends.
    """

    def __init__(self, table: MutableTable, *, force: bool = False) -> None:
        self._table = table
        self._force = force

    @property
    def _schema(self) -> Schema:
        return self._table.schema

    def add_column(
        self, name: str, type_name: str, *, nullable: bool = True, fill: Any = None
    ) -> Alteration:
        """Add a column behind the others; no row is rewritten.

        Rows that are there have its ``fill``, which never changes and is the default of
        later rows. Raises Invalid ``missing-column`` for one that is neither nullable
        nor filled, if there are rows.
        """
        schema = self._schema
        check_new_name(name)
        column_type(type_name)
        if name in schema.by_name:
            refuse_schema(
                f"there is a column {name!r} already",
                "Choose another name; widen_column and set_nullable change it.",
            )
        taken = [one.id for one in schema.columns]
        given = (name, type_name, nullable, fill)
        column = make_column(row.column_id(name, type_name, taken), given, False)
        return self._columns((*schema.columns, column))

    def drop_column(self, name: str) -> Alteration:
        """Drop a column; the rows are rewritten. It must be in no index or check."""
        gone = self._schema.column(name)
        self._refuse_used(name)
        return self._columns([one for one in self._schema.columns if one is not gone])

    def rename_column(self, old: str, new: str) -> Alteration:
        """Give a column another name, in key and indexes too; no row changes."""
        schema = self._schema
        found = schema.column(old)
        if new != old:
            check_new_name(new)
        if new in schema.by_name and new != old:
            refuse_schema(f"there is a column {new!r} already", "Choose another name.")
        columns = [
            replace(one, name=new) if one is found else one for one in schema.columns
        ]
        return self.become(
            Schema(
                tuple(columns),
                renamed_all(schema.key, old, new),
                tuple([one.renamed(old, new) for one in schema.indexes]),
                tuple([one.renamed(old, new) for one in schema.checks]),
                tuple([one.renamed(old, new) for one in schema.references]),
            )
        )

    def widen_column(self, name: str, type_name: str) -> Alteration:
        """Give a column another type; the rows are rewritten.

        A value is taken by its text. One that comes out as another number or text needs
        ``force``.
        """
        found = self._schema.column(name)
        wider = replace(found, type=type_name, fill=converted_fill(found, type_name))
        return self._columns(
            [wider if one is found else one for one in self._schema.columns]
        )

    def set_nullable(self, name: str, nullable: bool) -> Alteration:
        """Allow nulls in a column, or forbid them: then the rows are read."""
        found = self._schema.column(name)
        changed = replace(found, nullable=nullable)
        return self._columns(
            [changed if one is found else one for one in self._schema.columns]
        )

    def add_index(
        self,
        name: str,
        columns: str | Sequence[str],
        *,
        unique: bool = False,
        prefix: int | None = None,
    ) -> Alteration:
        """Add an index; with ``prefix`` over the beginnings of text and bytes."""
        check_new_name(name)
        made = Index(name, _names(columns), unique, prefix)
        return self._constraints(indexes=(*self._schema.indexes, made))

    def drop_index(self, name: str) -> Alteration:
        """Drop an index; NotFound ``no-such-constraint`` when there is none.

        Invalid ``schema`` while a reference needs it.
        """
        kept = _without(self._schema.indexes, name)
        return self.become(replace(self._schema, indexes=kept))

    def add_check(self, name: str, where: Where) -> Alteration:
        """Add a predicate that no row may make false; the rows are read."""
        check_new_name(name)
        made = made_check(name, where)
        return self._constraints(checks=(*self._schema.checks, made))

    def drop_check(self, name: str) -> Alteration:
        """Drop a check; NotFound ``no-such-constraint`` when there is none."""
        kept = _without(self._schema.checks, name)
        return self.become(replace(self._schema, checks=kept))

    def add_reference(
        self, name: str, columns: str | Sequence[str], table: str
    ) -> Alteration:
        """Let columns refer to the primary key of a table; nulls refer to nothing.

        An index on the columns is added, of the same name, unless one serves. Rows are
        tested when the transaction commits.
        """
        check_new_name(name)
        made = Reference(name, _names(columns), table)
        return self._constraints(references=(*self._schema.references, made))

    def drop_reference(self, name: str) -> Alteration:
        """Drop a reference; the index on its columns stays."""
        kept = _without(self._schema.references, name)
        return self.become(replace(self._schema, references=kept))

    def become(self, schema: Schema, *, empty_text: bool = False) -> Alteration:
        """Give the table this schema; columns are the same by their ids.

        ``empty_text``: null becomes empty text where a column becomes text, or is new
        and text. Raises Invalid ``key-change`` and ``fill-change`` too.
        """
        self._table.change_schema(schema, force=self._force, empty_text=empty_text)
        return self

    def _refuse_used(self, name: str) -> None:
        """Raise Invalid ``schema`` for a column that stands in a constraint."""
        schema = self._schema
        users = [
            *(("reference", one.name, one.columns) for one in schema.references),
            *(("index", one.name, one.columns) for one in schema.indexes),
            *(("check", one.name, one.predicate.columns) for one in schema.checks),
        ]
        for kind, user, columns in users:
            if name in columns:
                refuse_schema(
                    f"column {name!r} stands in the {kind} {user!r}",
                    f"Drop that first: `drop_{kind}({user!r})`.",
                )

    def _columns(self, columns: Sequence[Column]) -> Alteration:
        schema = self._schema
        slotted = with_slots(columns, schema.key, schema)
        types = {one.name: one.type for one in schema.columns}
        retyped = {one.name for one in slotted if types.get(one.name) != one.type}
        # What is compared with another type is taken from the text of the check.
        checks = bound_checks(
            [
                unbound_check(one) if one.predicate.columns & retyped else one
                for one in schema.checks
            ],
            slotted,
        )
        return self.become(replace(schema, columns=slotted, checks=checks))

    def _constraints(
        self,
        *,
        indexes: Sequence[Index] | None = None,
        checks: Sequence[Check] | None = None,
        references: Sequence[Reference] | None = None,
    ) -> Alteration:
        schema = self._schema
        refers = by_name(schema.references if references is None else references)
        listed = by_name(schema.indexes if indexes is None else indexes)
        tests = by_name(schema.checks if checks is None else checks)
        return self.become(
            replace(
                schema,
                indexes=with_indexes_of_references(listed, refers),
                checks=bound_checks(tests, schema.columns),
                references=refers,
            )
        )


def _without(constraints: Sequence[Any], name: str) -> tuple[Any, ...]:
    kept = tuple([one for one in constraints if one.name != name])
    if len(kept) == len(constraints):
        raise missing_constraint(name, constraints)
    return kept


def _names(columns: str | Sequence[str]) -> tuple[str, ...]:
    if not isinstance(columns, (str, list, tuple)):
        refuse_schema(
            f"{shown(columns)} is no list of columns", "Name one column, or several."
        )
    return (columns,) if isinstance(columns, str) else tuple(columns)
