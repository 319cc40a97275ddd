"""References between tables, checked when a version is committed.

Given the manifest that stood and the one that is to stand, a reference holds if

- each row of the referring table that is new, or refers to something new, names a row
  that the other table has now, or null in one of its columns;
- no row that the other table has lost is still referred to, which the index on the
  referring columns tells.

Both are asked of changed rows alone: O(changes x depth) nodes. A reference that is new,
or whose table or key is another one than before, is asked of all rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from prolly.codec import Descriptor
from prolly.codec import key as key_codec
from prolly.errors import Error, Invalid
from prolly.tree import NodeReader, diff, get

from .dataset import stored_table
from .manifest import Manifest, changed_datasets

# Versions without tables are asked too, and have no use for what tables need.
if TYPE_CHECKING:
    from prolly.tables import Reference, Schema, Table


class ReferenceViolation(NamedTuple):
    """A reference that does not hold; ``error`` says so to people.

    ``child`` is the table that refers, ``parent`` the table referred to, None where
    there is none. ``child_key`` and ``parent_key`` are the two rows by encoded key;
    both None where no row is at fault: the table is missing or has another key.
    """

    reference: Reference
    child: bytes
    parent: bytes | None
    child_key: bytes | None
    parent_key: bytes | None
    error: Invalid


class Bond(NamedTuple):
    """One reference of one table: child and parent as they stand in the new version."""

    child_id: bytes
    child: Descriptor
    reference: Reference
    parent_id: bytes
    parent: Descriptor

    @property
    def form(self) -> tuple[Any, ...]:
        """What decides which rows of a parent are meant, whatever names they have."""
        child, parent = map(_schema, (self.child, self.parent))
        columns = [child.column(name) for name in self.reference.columns]
        kinds = [(one.id, one.type) for one in columns]
        keys = [(one.id, one.type) for one in parent.key_columns]
        return self.parent_id, kinds, keys

    def violation(
        self, child_key: bytes, parent_key: bytes, error: Invalid
    ) -> ReferenceViolation:
        """Return the violation by a row of the child."""
        return ReferenceViolation(
            self.reference, self.child_id, self.parent_id, child_key, parent_key, error
        )


def verify_references(reader: NodeReader, old: bytes, new: bytes) -> None:
    """Raise Invalid if the version ``new`` breaks a reference that ``old`` did not.

    Codes: ``reference-missing`` for a row (``dataset``, ``key``, ``columns``,
    ``reference``) that names no row, or a table (``table``) that is not there;
    ``reference-in-use`` for a row that is gone and still referred to;
    ``reference-columns`` for columns that are not of the types of the other key.
    """
    if old == new:
        return
    for violation in reference_violations(reader, [old], new):
        raise violation.error


def reference_violations(
    reader: NodeReader, valid: Sequence[bytes], new: bytes
) -> Iterator[ReferenceViolation]:
    """Yield every reference of the version ``new`` that does not hold.

    ``valid`` are versions whose references hold. Each reference is asked of what
    differs from the first of them that has it too, and of all rows where none has.
    """
    version = Manifest(reader, new)
    children = {
        identity: child
        for identity, child in version.by_id.items()
        if child.kind == "table" and child.schema["references"]
    }
    if not children:
        return
    known = [
        (Manifest(reader, one), changed_datasets(reader, one, new).keys())
        for one in valid
    ]
    for identity, child in children.items():
        for reference in version.schema(identity).references:
            now = bond_of(version, identity, reference.name)
            stood = [bond_of(one, identity, reference.name) for one, _ in known]
            touched = [
                {identity, was and was.parent_id, now and now.parent_id} & changed
                for was, (_, changed) in zip(stood, known, strict=True)
            ]
            if not all(touched):
                continue
            fault = misfit_of(child, reference, now)
            if now is None or fault is not None:
                assert fault is not None
                parent = None if now is None else now.parent_id
                yield ReferenceViolation(reference, identity, parent, None, None, fault)
            else:
                yield from _violations(reader, stood, now)


def _violations(
    reader: NodeReader, stood: Sequence[Bond | None], now: Bond
) -> Iterator[ReferenceViolation]:
    """Yield the rows that break a reference; ``stood`` is it in valid versions."""
    alike = [was for was in stood if was is not None and was.form == now.form]
    if not alike:
        yield from _missing_parents(reader, now, None)
        return
    yield from _missing_parents(reader, now, alike[0].child)
    yield from _lost_parents(reader, now, alike[0].parent)


def _schema(entry: Descriptor) -> Schema:
    return stored_table(entry).schema


def bond_of(manifest: Manifest, identity: bytes, name: str) -> Bond | None:
    """Return the bond of a table's reference; None where a side of it is missing."""
    child = manifest.by_id.get(identity)
    if child is None:
        return None
    if child.kind != "table":
        return None
    for reference in manifest.schema(identity).references:
        if reference.name != name:
            continue
        found = manifest.find(reference.table)
        if found is not None and found[1].kind == "table":
            return Bond(identity, child, reference, *found)
    return None


def misfit_of(
    child: Descriptor, reference: Reference, bond: Bond | None
) -> Invalid | None:
    """Return the error unless the columns fit the key of a table that is there."""
    facts = {
        "dataset": child.name,
        "table": reference.table,
        "reference": reference.name,
        "columns": reference.columns,
    }
    if bond is None:
        return Invalid(
            f"{child.name!r} refers to the table {reference.table!r}: there is none",
            code="reference-missing",
            hint="Create that table, or drop the reference first.",
            **facts,
        )
    schema, parent = _schema(child), _schema(bond.parent)
    types = [schema.column(name).type for name in reference.columns]
    wanted = [column.type for column in parent.key_columns]
    if types == wanted:
        return None
    return Invalid(
        f"{child.name!r} refers by {', '.join(types)} to {reference.table!r}, "
        f"whose key is {', '.join(wanted) or 'not known yet'}",
        code="reference-columns",
        hint="Name a column for each column of that key, of the same type.",
        **facts,
    )


def open_table(reader: NodeReader, entry: Descriptor) -> Table:
    stored = stored_table(entry)
    assert stored.records is not None
    from prolly.tables import Table

    return Table(reader, stored.records, stored.schema, stored.indexes)


def _missing_parents(
    reader: NodeReader, bond: Bond, before: Descriptor | None
) -> Iterator[ReferenceViolation]:
    """Look at the rows that refer and differ from ``before``; all of them for None."""
    child = open_table(reader, bond.child)
    if before is not None and not _schema(before).reads_alike(_schema(bond.child)):
        # Equal bytes may be other cells, so a diff would pass over changed rows.
        before = None
    known = None if before is None else open_table(reader, before)
    start = None if known is None else known.root
    columns = [] if known is None else _columns_before(bond, known.schema)
    parent_root = bond.parent.roots[0].address
    for encoded, old, new in diff(reader, start, child.root):
        if new is None:
            continue
        row = child.decode_record(encoded, new)
        named = named_key(row, bond.reference.columns)
        if known is not None and old is not None:
            before_named = named_key(known.decode_record(encoded, old), columns)
            if named == before_named:
                continue
        if named is None or get(reader, parent_root, named) is not None:
            continue
        error = missing_row(bond, child.row_key(row), row)
        yield bond.violation(encoded, named, error)


def _columns_before(bond: Bond, schema: Schema) -> list[str]:
    """Return what the referring columns were called."""
    names = {one.id: one.name for one in schema.columns}
    now = _schema(bond.child)
    return [names[now.column(name).id] for name in bond.reference.columns]


def named_key(row: dict[str, Any], columns: Sequence[str]) -> bytes | None:
    """Return the encoded key that a row refers to; None where it refers to nothing."""
    parts = tuple([row[name] for name in columns])
    if None in parts:
        return None
    try:
        return key_codec.encode(parts)
    except Error:
        # What no key can hold, no row is called: this is one byte too long.
        return b"\xff" * (key_codec.KEY_BYTES_MAX + 1)


def _lost_parents(
    reader: NodeReader, bond: Bond, before: Descriptor
) -> Iterator[ReferenceViolation]:
    """Look for rows that refer to rows of the parent that are gone."""
    after = bond.parent.roots[0].address
    child: Table | None = None
    for encoded, _, new in diff(reader, before.roots[0].address, after):
        if new is not None:
            continue
        child = child or open_table(reader, bond.child)
        parts = key_codec.decode(encoded)
        for row in referring_rows(child, bond.reference, parts):
            if named_key(row, bond.reference.columns) == encoded:
                key = child.row_key(row)
                error = _in_use(bond, parts, key)
                yield bond.violation(child.encode_key(key), encoded, error)


def referring_rows(
    child: Table, reference: Reference, parts: tuple[Any, ...]
) -> Iterator[dict[str, Any]]:
    """Yield the rows whose cells equal the parts of a key."""
    for index in child.schema.indexes:
        if reference.is_served_by(index):
            yield from child.index(index.name).rows(*parts)
            return
    raise AssertionError("a reference without an index on its columns")


def missing_row(bond: Bond, key: Any, row: dict[str, Any]) -> Invalid:
    from prolly.tables import cell_text

    reference = bond.reference
    columns = [_schema(bond.child).column(name) for name in reference.columns]
    shown = ", ".join(
        f"{one.name} = {cell_text(one, row[one.name])}" for one in columns
    )
    return Invalid(
        f"row {key!r} of {bond.child.name!r} refers to {shown}, which "
        f"{bond.parent.name!r} does not have (reference {reference.name!r})",
        code="reference-missing",
        hint="Add that row, or change what refers to it.",
        dataset=bond.child.name,
        table=bond.parent.name,
        reference=reference.name,
        columns=reference.columns,
        key=key,
    )


def _in_use(bond: Bond, parts: tuple[Any, ...], child_key: Any) -> Invalid:
    key = parts if len(parts) > 1 else parts[0]
    reference = bond.reference
    return Invalid(
        f"row {key!r} of {bond.parent.name!r} is gone, and row {child_key!r} of "
        f"{bond.child.name!r} refers to it (reference {reference.name!r})",
        code="reference-in-use",
        hint="Delete or change the referring rows too.",
        dataset=bond.child.name,
        table=bond.parent.name,
        reference=reference.name,
        columns=reference.columns,
        key=key,
        other_key=child_key,
    )
