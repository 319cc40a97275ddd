"""Three schemas of one table made one.

Columns merge by their ids (``column_merge``). Indexes, checks and references merge by
their names, each as a whole; what they ask about counts by the ids of columns and the
ids of tables, so a new name is no change:

    base    ours    theirs    merged
    i       i       i1        i1, which may be absent: dropped
    i       i1      i1        i1
    i       i1      i2        i1 and a conflict; for a virtual base i

What then does not fit the merged columns (an index on a column that the other side made
json, one more index than a table may have) is left out, and is a conflict. Slots are
those of the base without what was dropped, then all new columns by id
(docs/design/0006-slots-and-indexes.md). Nothing here reads a record but through
``RecordFacts``; a conflict leaves all data alone.

The schema is symmetric, but where both sides changed one thing differently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from prolly.errors import Error
from prolly.tables import (
    INDEXES_MAX,
    Check,
    Column,
    Index,
    Predicate,
    Reference,
    Schema,
    bound_checks,
    with_indexes_of_references,
    with_slots,
)

from .column_merge import (
    NO_RECORDS,
    ColumnMerge,
    ColumnVersions,
    OnConflict,
    RecordFacts,
    SchemaConflict,
    Side,
    three_way,
)

# What a constraint says, by ids in place of names; comparable.
Form = tuple[Any, ...]
Version = TypeVar("Version", Index, Check, Reference)


@dataclass(frozen=True)
class TableNames:
    """What the tables that references name are, in each version and when merged.

    ``base``, ``ours`` and ``theirs`` are ids by name, ``merged`` is names by id. A name
    that is not among them stays as it is.
    """

    base: Mapping[str, bytes] = field(default_factory=dict)
    ours: Mapping[str, bytes] = field(default_factory=dict)
    theirs: Mapping[str, bytes] = field(default_factory=dict)
    merged: Mapping[bytes, str] = field(default_factory=dict)


NO_TABLES = TableNames()


def same_key(one: Schema, other: Schema) -> bool:
    """Tell whether records of both have the same key, whatever it is called now.

    A table whose columns are not decided yet goes with any that has a key of its names.
    """
    if one.is_unknown or other.is_unknown:
        return one.key == other.key
    return [a.id for a in one.key_columns] == [b.id for b in other.key_columns]


def merge_schemas(
    base: Schema | None,
    ours: Schema,
    theirs: Schema,
    *,
    on_conflict: OnConflict = "ours",
    facts: RecordFacts = NO_RECORDS,
    tables: TableNames = NO_TABLES,
) -> tuple[Schema, list[SchemaConflict]]:
    """Return the merged schema, and what of it could not be merged.

    The keys of ours and theirs must be the same (``same_key``); a base with another key
    counts as none. Raises LimitExceeded ``too-many-columns``.
    """
    assert same_key(ours, theirs)
    if base is not None and (base.is_unknown or not same_key(base, ours)):
        base = None
    if ours.is_unknown or theirs.is_unknown:
        return (theirs if ours.is_unknown else ours), []
    versions = ColumnVersions(base, ours, theirs)
    return _SchemaMerge(versions, on_conflict, tables).run(facts)


class _SchemaMerge:
    def __init__(
        self, versions: ColumnVersions, on_conflict: OnConflict, tables: TableNames
    ) -> None:
        self._versions = versions
        self._on_conflict = on_conflict
        self._tables = tables
        self._forms = {
            kind: [
                _forms_of(kind, version, ids)
                for version, ids in zip(
                    versions, (tables.base, tables.ours, tables.theirs), strict=True
                )
            ]
            for kind in ("indexes", "checks", "references")
        }
        self.conflicts: list[SchemaConflict] = []

    def run(self, facts: RecordFacts) -> tuple[Schema, list[SchemaConflict]]:
        merge = ColumnMerge(self._versions, self._on_conflict, facts, self._needed)
        columns = merge.run()
        names = {one.id: one.name for one in columns}
        key = tuple([names[one.id] for one in self._versions.ours.key_columns])
        slotted = with_slots(columns, key, self._versions.base)
        self.conflicts += merge.conflicts
        references = self._merged("references", slotted, self._reference)
        indexes = self._merged("indexes", slotted, _index)
        schema = Schema(
            slotted,
            key,
            self._with_room(indexes, references),
            tuple(self._merged("checks", slotted, _check)),
            tuple(references),
        )
        return schema, self.conflicts

    def _needed(self, side: Side) -> frozenset[int]:
        """Return the columns that constraints ask about which the base did not have."""
        place = 1 if side == "ours" else 2
        return frozenset(
            number
            for versions in self._forms.values()
            for name, form in versions[place].items()
            if versions[0].get(name) != form
            for number in form[0]
        )

    def _merged(
        self,
        kind: str,
        columns: Sequence[Column],
        make: Callable[[str, Form, Mapping[int, Column]], Version],
    ) -> list[Version]:
        """Return the constraints of one kind that stand, in the order of names."""
        versions = self._forms[kind]
        by_id = {one.id: one for one in columns}
        made: list[Version] = []
        for name in sorted(set().union(*versions)):
            base, ours, theirs = [one.get(name) for one in versions]
            form, clash = three_way(base, ours, theirs)
            if clash:
                self._conflict(kind, name, (ours, theirs), "both sides changed it")
                if self._on_conflict == "base":
                    form = base
            if form is None:
                continue
            try:
                made.append(make(name, form, by_id))
            except (Error, KeyError) as error:
                problem = str(error) if isinstance(error, Error) else "a column is gone"
                self._conflict(kind, name, (form,), f"it does not fit: {problem}")
        return made

    def _conflict(
        self, kind: str, name: str, forms: Sequence[Form | None], reason: str
    ) -> None:
        singular = {"indexes": "index", "checks": "check", "references": "reference"}
        fields = {number for form in forms if form for number in form[0]}
        what = f"{singular[kind]} {name}"
        self.conflicts.append(SchemaConflict(what, reason, tuple(sorted(fields))))

    def _reference(
        self, name: str, form: Form, columns: Mapping[int, Column]
    ) -> Reference:
        ids, table = form
        if isinstance(table, bytes):
            table = self._tables.merged[table]
        made = Reference(name, _names(ids, columns), table)
        made.check({one.name: one for one in columns.values()})
        return made

    def _with_room(
        self, indexes: list[Index], references: list[Reference]
    ) -> tuple[Index, ...]:
        """Return as many indexes as a table may have, those of references among them.

        Which are left out is decided by name alone, those of the base and of references
        last.
        """
        stood = self._forms["indexes"][0]
        while True:
            complete = with_indexes_of_references(indexes, references)
            if len(complete) <= INDEXES_MAX:
                return complete
            new = [one for one in indexes if one.name not in stood]
            if not indexes:
                # Each index left serves a reference.
                gone: Index | Reference = references.pop()
                reason = f"a table has at most {INDEXES_MAX} indexes"
                self._conflict("references", gone.name, (), reason)
                continue
            gone = (new or indexes)[-1]
            indexes.remove(gone)
            reason = f"a table has at most {INDEXES_MAX} indexes"
            self._conflict("indexes", gone.name, (), reason)


def _forms_of(
    kind: str, schema: Schema | None, tables: Mapping[str, bytes]
) -> dict[str, Form]:
    """Return the constraints of one kind by name, each by ids; the ids come first."""
    if schema is None or schema.is_unknown:
        return {}
    ids = {one.name: one.id for one in schema.columns}
    forms: dict[str, Form] = {}
    if kind == "indexes":
        for index in schema.indexes:
            numbers = tuple([ids[name] for name in index.columns])
            forms[index.name] = numbers, index.unique, index.prefix
    elif kind == "checks":
        for check in schema.checks:
            asked = check.predicate.columns
            numbers = tuple(sorted([ids[name] for name in asked]))
            forms[check.name] = numbers, marked(check.predicate, ids)
    else:
        for one in schema.references:
            numbers = tuple([ids[name] for name in one.columns])
            forms[one.name] = numbers, tables.get(one.table, one.table)
    return forms


def marked(predicate: Predicate, ids: Mapping[str, int]) -> Predicate:
    """Return a predicate that names columns by id, in a way that no name can look."""
    for name in sorted(predicate.columns):
        predicate = predicate.renamed(name, f"\n{ids[name]}")
    return predicate


def _names(ids: Sequence[int], columns: Mapping[int, Column]) -> tuple[str, ...]:
    return tuple([columns[number].name for number in ids])


def _index(name: str, form: Form, columns: Mapping[int, Column]) -> Index:
    ids, unique, prefix = form
    made = Index(name, _names(ids, columns), unique, prefix)
    made.check({one.name: one for one in columns.values()})
    return made


def _check(name: str, form: Form, columns: Mapping[int, Column]) -> Check:
    ids, predicate = form
    for number in ids:
        predicate = predicate.renamed(f"\n{number}", columns[number].name)
    return bound_checks([Check(name, predicate)], columns.values())[0]


def without(schema: Schema, what: str) -> Schema:
    """Return the schema without the index, check or reference that ``what`` names.

    A reference keeps an index on its columns.
    """
    kind, _, name = what.partition(" ")
    plural = {"index": "indexes", "check": "checks", "reference": "references"}[kind]
    kept = [one for one in getattr(schema, plural) if one.name != name]
    changed: dict[str, Any] = {plural: tuple(kept)}
    if kind == "index":
        changed[plural] = with_indexes_of_references(kept, schema.references)
    return replace(schema, **changed)
