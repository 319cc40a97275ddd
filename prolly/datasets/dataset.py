"""One dataset of one version, opened for reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prolly.codec import Address, Descriptor
from prolly.errors import Invalid, NotFound, Unsupported
from prolly.maps import OrderedMap
from prolly.tree import NodeReader, count

# Whoever opens a map has no use for tables, and starting is felt.
if TYPE_CHECKING:
    from prolly.tables import Schema, StoredTable, Table

    from .dataset_info import DatasetInfo

# As many as there are descriptors kept beside them.
SCHEMA_VALUES_KEPT = 256
# Values of schemas as they stand in descriptors, by identity, and what they spell.
_kept: dict[int, tuple[object, Schema]] = {}


def records_of(reader: NodeReader, entry: Descriptor) -> OrderedMap | Table:
    """Open the records of a dataset; files are a map, Invalid ``wrong-kind`` a blob."""
    root = entry.roots[0].address
    if entry.kind == "map":
        return OrderedMap(reader, root)
    if entry.kind == "table":
        from prolly.tables import Table

        stored = stored_table(entry)
        return Table(reader, root, stored.schema, stored.indexes)
    if entry.kind == "files":
        from prolly.maps import Files

        return Files(reader, root)
    if entry.kind == "blob":
        raise Invalid(
            f"dataset {entry.name!r} is a blob, which has no records",
            code="wrong-kind",
            hint="Open it as a blob, or print it with `prolly files cat`.",
            dataset=entry.name,
            actual=entry.kind,
        )
    raise Unsupported(
        f"dataset {entry.name!r} is of kind {entry.kind!r}",
        code="dataset-kind",
        hint="Use a newer release of prolly.",
        dataset=entry.name,
    )


def stored_table(entry: Descriptor) -> StoredTable:
    """Return the schema and the trees of a table; one not written yet has none."""
    roots = [one.address for one in entry.content_roots]
    records = roots[0] if roots else None
    from prolly.tables import StoredTable

    return StoredTable(schema_of(entry), records, tuple(roots[1:]))


def schema_of(entry: Descriptor) -> Schema:
    """Return the schema of a table; Corrupt ``schema`` where its value is none.

    A value that is the very same object as before needs no reading: nobody changes the
    value in a descriptor, and one stays while what was read of it is kept.
    """
    value = entry.schema
    kept = _kept.get(id(value))
    if kept is not None and kept[0] is value:
        return kept[1]
    from prolly.tables import Schema

    schema = Schema.from_value(value)
    if len(_kept) >= SCHEMA_VALUES_KEPT:
        _kept.clear()
    _kept[id(value)] = value, schema
    return schema


def require_kind(entry: Descriptor, kind: str) -> None:
    """Raise Invalid ``wrong-kind`` unless the dataset is of this kind."""
    if entry.kind != kind:
        raise Invalid(
            f"dataset {entry.name!r} is of kind {entry.kind}, not {kind}",
            code="wrong-kind",
            hint=f"Open it as what it is: {entry.kind}.",
            dataset=entry.name,
            expected=kind,
            actual=entry.kind,
        )


def require_local(entry: Descriptor, local: bool | None) -> None:
    """Raise Invalid ``local-mismatch`` unless it is as asked; None asks nothing."""
    if local is not None and entry.local != local:
        stands = "stays out of sync" if entry.local else "takes part in sync"
        raise Invalid(
            f"dataset {entry.name!r} is there already, and {stands}",
            code="local-mismatch",
            hint="Leave `local` out to use it as it is, or choose another name.",
            dataset=entry.name,
        )


def describe(reader: NodeReader, entry: Descriptor) -> DatasetInfo:
    """Return what there is to know of a dataset without reading its records."""
    from .dataset_info import DatasetInfo

    root = entry.roots[0].address
    schema = None
    if entry.kind == "table":
        schema = schema_of(entry)
    address, records = Address(root), None
    try:
        records = _count(reader, entry)
    except NotFound as error:
        if error.code != "absent":
            raise
    return DatasetInfo(entry.name, entry.kind, address, records, schema, entry.local)


def _count(reader: NodeReader, entry: Descriptor) -> int:
    if entry.kind == "blob":
        from prolly.maps import blob_length

        return blob_length(reader.get_chunk, entry.roots[0])
    return count(reader, entry.roots[0].address)
