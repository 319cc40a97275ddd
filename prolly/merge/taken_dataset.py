"""A dataset that stands as one side has it, ready for what constraints say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from prolly.codec import Descriptor
from prolly.datasets import stored_table
from prolly.tables import Schema

from .candidate import Candidate
from .column_merge import Side
from .merge_work import DatasetVersions, MergeWork
from .stamp_tree import stamps_root
from .table_merge import under_schema


def taken(
    work: MergeWork, identity: bytes, versions: DatasetVersions, side: Side = "theirs"
) -> Candidate:
    """Return a dataset as one side has it, under the name that it is to have."""
    entry = versions.theirs if side == "theirs" else versions.ours
    assert entry is not None
    name = work.names.get(identity, entry.name)
    trees = work.trees(entry.parameters)
    both: dict[Side, Descriptor | None]
    both = {"ours": versions.ours, "theirs": versions.theirs}
    schema = None
    index_roots = None
    if entry.kind == "table":
        stored = stored_table(entry)
        schema = _with_tables(work, stored.schema, side)
        index_roots = stored.indexes

    def under(other: Side) -> Callable[[], bytes | None]:
        return lambda: under_schema(trees, entry, both[other], schema)

    return Candidate(
        identity,
        entry._replace(name=name),
        None if entry.kind == "blob" else entry.roots[0].address,
        trees,
        both,
        {"ours": under("ours"), "theirs": under("theirs")},
        schema,
        event="taken" if side == "theirs" else "kept",
        index_roots=index_roots,
        stamps=stamps_root(entry),
    )


def _with_tables(work: MergeWork, schema: Schema, side: Side) -> Schema:
    """Return a side's schema with the names that tables are to have."""
    ids = work.tables.ours if side == "ours" else work.tables.theirs
    references = [
        replace(one, table=work.tables.merged[ids[one.table]])
        if one.table in ids
        else one
        for one in schema.references
    ]
    return replace(schema, references=tuple(references))
