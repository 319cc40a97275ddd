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
from dataclasses import dataclass
from typing import Any

from prolly.codec import Descriptor
from prolly.codec import key as key_codec
from prolly.errors import Error, Invalid
from prolly.tables import Reference, Schema, Table, cell_text
from prolly.tree import NodeReader, diff, get

from .dataset import stored_table
from .manifest import Manifest, changed_datasets


@dataclass(frozen=True)
class _Bond:
    """One reference of one table: child and parent as they stand in the new version."""

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


def verify_references(reader: NodeReader, old: bytes, new: bytes) -> None:
    """Raise Invalid if the version ``new`` breaks a reference that ``old`` did not.

    Codes: ``reference-missing`` for a row (``dataset``, ``key``, ``columns``,
    ``reference``) that names no row, or a table (``table``) that is not there;
    ``reference-in-use`` for a row that is gone and still referred to;
    ``reference-columns`` for columns that are not of the types of the other key.
    """
    if old == new:
        return
    changed = changed_datasets(reader, old, new)
    versions = Manifest(reader, old), Manifest(reader, new)
    for identity, child in versions[1].by_id.items():
        if child.kind != "table" or not child.schema["references"]:
            continue
        for reference in _schema(child).references:
            was = _bond(versions[0], identity, reference.name)
            now = _bond(versions[1], identity, reference.name)
            touched = {identity, was and was.parent_id, now and now.parent_id}
            if touched.intersection(changed):
                _verify(reader, was, _require_fit(child, reference, now))


def _verify(reader: NodeReader, was: _Bond | None, now: _Bond) -> None:
    if was is None or was.form != now.form:
        _verify_children(reader, now, None)
        return
    _verify_children(reader, now, was.child)
    _verify_parents(reader, now, was.parent)


def _schema(entry: Descriptor) -> Schema:
    return stored_table(entry).schema


def _bond(manifest: Manifest, identity: bytes, name: str) -> _Bond | None:
    """Return the bond of a table's reference; None where a side of it is missing."""
    child = manifest.by_id.get(identity)
    if child is None:
        return None
    for reference in _schema(child).references:
        found = manifest.find(reference.table)
        if reference.name == name and found is not None and found[1].kind == "table":
            return _Bond(child, reference, *found)
    return None


def _require_fit(child: Descriptor, reference: Reference, bond: _Bond | None) -> _Bond:
    """Return the bond, whose columns fit the other table's key."""
    facts = {
        "dataset": child.name,
        "table": reference.table,
        "reference": reference.name,
        "columns": reference.columns,
    }
    if bond is None:
        raise Invalid(
            f"{child.name!r} refers to the table {reference.table!r}: there is none",
            code="reference-missing",
            hint="Create that table, or drop the reference first.",
            **facts,
        )
    schema, parent = _schema(child), _schema(bond.parent)
    types = [schema.column(name).type for name in reference.columns]
    wanted = [column.type for column in parent.key_columns]
    if types != wanted:
        raise Invalid(
            f"{child.name!r} refers by {', '.join(types)} to {reference.table!r}, "
            f"whose key is {', '.join(wanted) or 'not known yet'}",
            code="reference-columns",
            hint="Name a column for each column of that key, of the same type.",
            **facts,
        )
    return bond


def _open(reader: NodeReader, entry: Descriptor) -> Table:
    stored = stored_table(entry)
    assert stored.records is not None
    return Table(reader, stored.records, stored.schema, stored.indexes)


def _verify_children(
    reader: NodeReader, bond: _Bond, before: Descriptor | None
) -> None:
    """Check the rows that refer and differ from ``before``; all of them for None."""
    child = _open(reader, bond.child)
    known = None if before is None else _open(reader, before)
    start = None if known is None else known.root
    parent_root = bond.parent.roots[0].address
    for encoded, old, new in diff(reader, start, child.root):
        if new is None:
            continue
        row = child.decode_record(encoded, new)
        named = _named(row, bond.reference.columns)
        if known is not None and old is not None:
            columns = _columns_before(bond, known.schema)
            if named == _named(known.decode_record(encoded, old), columns):
                continue
        if named is None or get(reader, parent_root, named) is not None:
            continue
        raise _missing(bond, child.row_key(row), row)


def _columns_before(bond: _Bond, schema: Schema) -> list[str]:
    """Return what the referring columns were called."""
    names = {one.id: one.name for one in schema.columns}
    now = _schema(bond.child)
    return [names[now.column(name).id] for name in bond.reference.columns]


def _named(row: dict[str, Any], columns: Sequence[str]) -> bytes | None:
    """Return the encoded key that a row refers to; None where it refers to nothing."""
    parts = tuple([row[name] for name in columns])
    if None in parts:
        return None
    try:
        return key_codec.encode(parts)
    except Error:
        # What no key can hold, no row is called: this is one byte too long.
        return b"\xff" * (key_codec.KEY_BYTES_MAX + 1)


def _verify_parents(reader: NodeReader, bond: _Bond, before: Descriptor) -> None:
    """Check that nothing refers to rows of the parent that are gone."""
    after = bond.parent.roots[0].address
    child: Table | None = None
    for encoded, _, new in diff(reader, before.roots[0].address, after):
        if new is not None:
            continue
        child = child or _open(reader, bond.child)
        parts = key_codec.decode(encoded)
        for row in _referring(child, bond.reference, parts):
            if _named(row, bond.reference.columns) == encoded:
                raise _in_use(bond, parts, child.row_key(row))


def _referring(
    child: Table, reference: Reference, parts: tuple[Any, ...]
) -> Iterator[dict[str, Any]]:
    """Yield the rows whose cells equal the parts of a key."""
    for index in child.schema.indexes:
        if reference.is_served_by(index):
            yield from child.index(index.name).rows(*parts)
            return
    raise AssertionError("a reference without an index on its columns")


def _missing(bond: _Bond, key: Any, row: dict[str, Any]) -> Invalid:
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


def _in_use(bond: _Bond, parts: tuple[Any, ...], child_key: Any) -> Invalid:
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
