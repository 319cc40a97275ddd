"""Schemas: the columns of a table, their types, and which of them are the key.

A column has an id that never changes, so a rename is no new column. Columns are listed
in the order in which they are shown; key columns, in the order of the key. Key columns
stand in the record's key and are never null; each of the others has a *slot*, its place
in rows. At creation slots follow the ids; a column that is added later gets the next
slot, so no row changes; when one is dropped, rows are rewritten and the gap closes.

A schema also lists the table's indexes, checks and references. Page:
docs/spec/tables.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from prolly.codec import cbor, row, shown
from prolly.errors import Error, Invalid, NotFound

from .check_rows import RowChecks
from .column import Column, check_new_name, make_column, spelt_out
from .constraints import (
    Index,
    Reference,
    by_name,
    with_indexes_of_references,
)
from .schema_form import (
    bad_schema,
    fields_of_json,
    fields_of_value,
    schema_to_json,
    schema_to_value,
)
from .schema_rules import check_schema

if TYPE_CHECKING:
    from .check import Check
    from .record_codec import RecordCodec

# A commit or merge asks for the schemas of its versions again and again, and to check
# one costs twenty times what its spelling does. A repository seldom has more tables.
SCHEMAS_KEPT = 256


@dataclass(frozen=True)
class Schema:
    """The columns of a table in display order, the names of its key columns, and more.

    Raises Invalid on creation: ``schema`` for no key, a key column that is missing,
    named twice, nullable, filled or of type json, for ids, names or slots that repeat,
    for constraints on columns that are not there; ``column-type``, ``column-name``,
    ``column-fill`` for one column, ``predicate`` for one check. LimitExceeded
    ``too-many-columns``, ``too-many-indexes``. Equal schemas are equal in names, types,
    ids, slots, order and constraints.
    """

    columns: tuple[Column, ...]
    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()
    checks: tuple[Check, ...] = ()
    references: tuple[Reference, ...] = ()

    def __post_init__(self) -> None:
        check_schema(self)

    @classmethod
    def create(
        cls,
        columns: Iterable[Sequence[Any]],
        key: str | Sequence[str],
        *,
        indexes: Iterable[Index] = (),
        checks: Iterable[Check] = (),
        references: Iterable[Reference] = (),
        base: Schema | None = None,
        was: Mapping[str, str] | None = None,
    ) -> Schema:
        """Make a schema from tuples (name, type[, nullable[, fill]]) and constraints.

        Ids and slots follow from names and types alone, whatever the order, so replicas
        agree; columns of ``base`` with the same name, or the name that they had by
        ``was``, keep id and order in the row. ``nullable`` is true if left out; a key
        column never is, whatever is given. A reference without an index on its columns
        gets one of its name. Raises as the class.
        """
        names = (key,) if isinstance(key, str) else tuple(key)
        listed = [spelt_out(one) for one in columns]
        ids = _assign_ids({one[0]: one[1] for one in listed}, base, was or {})
        made = [make_column(ids[one[0]], one, one[0] in names) for one in listed]
        refers = by_name(list(references))
        listed_indexes = by_name(list(indexes))
        schema = cls(
            with_slots(made, names, base),
            names,
            with_indexes_of_references(listed_indexes, refers),
            by_name(_bound(list(checks), made)),
            refers,
        )
        schema._refuse_hidden_marks(base)
        return schema

    def _refuse_hidden_marks(self, base: Schema | None) -> None:
        """Raise Invalid ``column-name`` for a new name with a mark nobody sees."""
        stood = set() if base is None else set(base._every_name())
        for name in self._every_name():
            if name not in stood:
                check_new_name(name)

    def _every_name(self) -> Iterator[str]:
        yield from self.names
        yield from (one.name for one in self.indexes)
        yield from (one.name for one in self.checks)
        yield from (one.name for one in self.references)

    @classmethod
    def of_rows(
        cls, rows: Iterable[Mapping[str, Any]], key: str | Sequence[str]
    ) -> Schema:
        """Return the schema that fits all these rows, which are read once.

        Columns stand in the order in which they are first seen; one is nullable if a
        null was seen or a row left it out. Raises Invalid ``not-a-row``, and as the
        class.
        """
        from .row_inference import RowInference

        inference = RowInference()
        inference.add_rows(rows)
        return cls.create(inference.result(), key)

    @classmethod
    def unknown(cls, key: str | Sequence[str]) -> Schema:
        """Return the schema of a table whose columns the first rows will decide."""
        names = (key,) if isinstance(key, str) else tuple(key)
        schema = cls((), names)
        for name in names:
            check_new_name(name)
        return schema

    @property
    def is_unknown(self) -> bool:
        """Tell whether only the key is decided yet. Such a table is empty."""
        return not self.columns

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by name, in display order."""
        return {column.name: column for column in self.columns}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in display order."""
        return tuple(self.by_name)

    @cached_property
    def key_columns(self) -> tuple[Column, ...]:
        """The key columns, in key order; none while the schema is unknown."""
        return tuple(self.by_name[name] for name in self.key if not self.is_unknown)

    @cached_property
    def cell_columns(self) -> tuple[Column, ...]:
        """The columns of the row, in the order of their slots."""
        cells = [column for column in self.columns if column.name not in self.key]
        return tuple(sorted(cells, key=lambda column: column.slot or 0))

    def reads_alike(self, other: Schema) -> bool:
        """Tell whether equal stored rows are equal rows under both schemas.

        Not so where a column moved, as after one was dropped: the same bytes then are
        cells of other columns, and a diff of stored rows passes over what changed. Nor
        where two branches gave one new column different fills.
        """
        if self is other:
            return True
        pairs = zip(self.cell_columns, other.cell_columns, strict=False)
        return all(
            (one.id, one.type) == (two.id, two.type)
            and cbor.encode(one.fill) == cbor.encode(two.fill)
            for one, two in pairs
        )

    @cached_property
    def codec(self) -> RecordCodec:
        """What spells records under this schema."""
        from .record_codec import RecordCodec

        return RecordCodec(self)

    def __getstate__(self) -> dict[str, Any]:
        # What is kept beside the fields is made again by whoever needs it.
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def row_checks(self) -> RowChecks:
        """What tests rows against the checks."""
        return RowChecks(self, self.checks)

    def column(self, name: object) -> Column:
        """Return the column of this name, or raise Invalid ``unknown-column``."""
        column = self.by_name.get(name) if isinstance(name, str) else None
        if column is None:
            raise unknown_column(name, self)
        return column

    def index(self, name: str) -> Index:
        """Return the index of this name, or raise NotFound ``no-such-constraint``."""
        for index in self.indexes:
            if index.name == name:
                return index
        raise missing_constraint(name, self.indexes)

    def place_of(self, index: Index) -> int:
        """Return where an index stands among all of them.

        Raises NotFound ``no-such-constraint`` when it was dropped or altered since.
        """
        if index not in self.indexes:
            raise missing_constraint(index.name, self.indexes)
        return self.indexes.index(index)

    def with_table_renamed(self, old: str, new: str) -> Schema:
        """Return the schema whose references follow a table to its new name."""
        followed = [
            replace(one, table=new) if one.table == old else one
            for one in self.references
        ]
        return replace(self, references=tuple(followed))

    def to_value(self) -> dict[str, Any]:
        """Return the plain value that stands in the descriptor."""
        return schema_to_value(self)

    @classmethod
    def from_value(cls, value: object) -> Schema:
        """Return the schema that a descriptor holds; Corrupt ``schema`` otherwise."""
        try:
            spelt = cbor.encode(value)
        except (Error, TypeError) as error:
            raise bad_schema(str(error)) from error
        return _spelt_schema(spelt)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``prolly schema`` prints and ``from_json`` reads.

        A column: ``name``, ``type``, ``nullable``, and ``fill`` unless it is null.
        """
        return schema_to_json(self)

    @classmethod
    def from_json(cls, form: object, *, base: Schema | None = None) -> Schema:
        """Return the schema that a JSON object describes; ids as ``create``.

        ``nullable`` may be left out: a key column is not, any other is. Over a ``base``
        a column may say what it ``was`` called, and indexes, checks and references that
        are left out stay. Raises Invalid ``schema-json`` for another form, and as the
        class.
        """
        return cls.create(**fields_of_json(form, base))

    @classmethod
    def of(cls, given: object) -> Schema:
        """Return a schema that was given as one, or as its JSON object.

        Raises Invalid ``schema`` for anything else, and as ``from_json``.
        """
        if isinstance(given, cls):
            return given
        if isinstance(given, Mapping):
            return cls.from_json(given)
        raise Invalid(
            f"{type(given).__name__} is no schema",
            code="schema",
            hint="Make one with `Schema.create([(name, type), ...], key)`, or give the "
            'object that `prolly schema` prints: {"columns": [...], "key": [...]}.',
        )


def unknown_column(name: object, schema: Schema) -> Invalid:
    """Return (not raise) the error for a column that the table does not have."""
    there = ", ".join(schema.names[:20])
    return Invalid(
        f"the table has no column {shown(name)}",
        code="unknown-column",
        hint=f"Its columns are {there}.",
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


def missing_constraint(name: object, constraints: Sequence[Any]) -> NotFound:
    """Return (not raise) the error for an index, check or reference without a name."""
    names = [one.name for one in constraints]
    hint = f"It has {', '.join(names)}." if names else "It has none of these."
    if name in names:
        # Somebody holds what stood under the name before.
        hint = "There is another one of this name now: ask the table for it."
    return NotFound(
        f"the table has no index, check or reference {shown(name)}",
        code="no-such-constraint",
        hint=hint,
        name=name,
    )


def with_slots(
    columns: Sequence[Column], key: Sequence[str], base: Schema | None = None
) -> tuple[Column, ...]:
    """Return the columns with slots: those of ``base`` in their order, then by id."""
    stood = {one.id: one.slot for one in base.cell_columns} if base else {}
    cells = [one for one in columns if one.name not in key]
    cells.sort(key=lambda one: (stood.get(one.id, len(stood)), one.id))
    slots = {one.id: slot for slot, one in enumerate(cells)}
    return tuple([replace(one, slot=slots.get(one.id)) for one in columns])


def _bound(checks: Sequence[Check], columns: Sequence[Column]) -> Sequence[Check]:
    if not checks:
        return ()
    # Few tables have any, and predicates are felt in a start.
    from .check import bound_checks

    return bound_checks(checks, columns)


def _assign_ids(
    types: dict[str, str], base: Schema | None, was: Mapping[str, str]
) -> dict[str, int]:
    known = {one.name: one.id for one in base.columns} if base else {}
    free = {name: known[name] for name in known if name not in was.values()}
    taken = set(known.values())
    ids: dict[str, int] = {}
    for name in sorted(types):
        before = was.get(name)
        found = free.get(name) if before is None else known[before]
        if found is None:
            found = row.column_id(name, types[name], taken)
            taken.add(found)
        ids[name] = found
    return ids


@lru_cache(maxsize=SCHEMAS_KEPT)
def _spelt_schema(spelt: bytes) -> Schema:
    """Return the schema whose plain value is spelt so; Corrupt ``schema`` for none."""
    given = fields_of_value(cbor.decode(spelt))
    try:
        schema = Schema(**given)
        same = cbor.encode(schema.to_value()) == spelt
    except (Error, TypeError) as error:
        raise bad_schema(str(error)) from error
    if not same:
        raise bad_schema("a field has another type")
    return schema
