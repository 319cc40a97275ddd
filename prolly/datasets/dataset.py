"""One dataset of one version, opened for reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prolly.codec import Address, Descriptor
from prolly.errors import Invalid, NotFound, Unsupported
from prolly.maps import OrderedMap
from prolly.tree import NodeReader, count

# Whoever opens a map has no use for tables, and starting is felt.
if TYPE_CHECKING:
    from prolly.tables import Schema, StoredTable, Table


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What a version says of one dataset: its kind, root, number of records, schema.

    The ``count`` of a blob is its bytes, that of a files dataset its files; None where
    a partial replica lacks what tells it, and cannot fetch it. A ``local`` dataset
    stays out of sync.
    """

    name: str
    kind: str
    root: Address
    count: int | None
    schema: Schema | None
    local: bool = False


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
    from prolly.tables import Schema, StoredTable

    return StoredTable(Schema.from_value(entry.schema), records, tuple(roots[1:]))


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
    root = entry.roots[0].address
    schema = None
    if entry.kind == "table":
        from prolly.tables import Schema

        schema = Schema.from_value(entry.schema)
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
