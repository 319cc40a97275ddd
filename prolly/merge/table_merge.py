"""Tables that both sides have: schemas merged, rows translated, then merged.

The three versions are brought under the merged schema first (``translation``), so that
rows compare cell by cell.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from prolly.codec import Descriptor
from prolly.datasets import stored_table
from prolly.errors import LimitExceeded
from prolly.tables import RecordCodec, Schema, Trees
from prolly.tree import Versions, count, get

from .candidate import Candidate
from .column_merge import RecordFacts, SchemaConflict, Side
from .conflict_log import ConflictEntry, ConflictKind
from .merge_work import DatasetVersions, MergeWork, recut, walked
from .schema_merge import merge_schemas, same_key
from .translation import Misfit, Records, Translation, touched_columns


def merge_tables(
    work: MergeWork, identity: bytes, versions: DatasetVersions, entry: Descriptor
) -> Candidate | SchemaConflict:
    """Merge a table that both sides have; a conflict where that cannot be done."""
    tables = [
        None if one is None or one.kind != "table" else stored_table(one)
        for one in versions
    ]
    before, mine, others = tables
    assert mine is not None and others is not None
    if not same_key(mine.schema, others.schema):
        reason = f"it is {mine.schema.key} in ours and {others.schema.key} in theirs"
        return SchemaConflict("key", reason)
    trees = work.trees(entry.parameters)
    records = [
        Records(table.schema, table.records, one.parameters)
        if table is not None and table.records is not None and one is not None
        else None
        for table, one in zip(tables, versions, strict=True)
    ]
    if before is not None and (
        before.schema.is_unknown or not same_key(before.schema, mine.schema)
    ):
        records[0] = before = None
    assert records[1] is not None and records[2] is not None
    sides: dict[Side, Records] = {"ours": records[1], "theirs": records[2]}
    facts = RecordFacts(
        lambda side, ids: touched_columns(trees, records[0], sides[side], ids),
        lambda side: count(work.reader, sides[side].root) > 0,
    )
    try:
        schema, conflicts = merge_schemas(
            None if before is None else before.schema,
            mine.schema,
            others.schema,
            on_conflict=work.rules.on_conflict,
            facts=facts,
            tables=work.tables,
        )
    except LimitExceeded as error:
        reason = f"both sides together are {error.message}"
        return SchemaConflict("schema", reason)
    for conflict in conflicts:
        work.conflict(identity, conflict)
    return _translated(work, (identity, versions, entry), schema, records)


def _translated(
    work: MergeWork,
    dataset: tuple[bytes, DatasetVersions, Descriptor],
    schema: Schema,
    records: list[Records | None],
) -> Candidate:
    """Merge the rows of a table under the merged schema."""
    identity, versions, entry = dataset
    trees = work.trees(entry.parameters)
    translation = Translation(trees, records[0], schema)
    unvetted: set[Side] = set()

    def root(side: Side, version: Records | None) -> bytes:
        assert version is not None

        def report(misfit: Misfit) -> None:
            unvetted.add(side)
            _misfit(work, (identity, trees), version, misfit)

        return translation.side(version, report)

    roots = Versions(
        translation.base(), root("ours", records[1]), root("theirs", records[2])
    )
    rewritten = tuple(
        name
        for name, was, now in zip(Versions._fields, records, roots, strict=True)
        if was is not None and was.root != now
    )
    entry = replace(entry, schema=schema.to_value())
    walk, _, stamps = walked(work, (identity, entry, schema), versions, roots)
    return Candidate(
        identity,
        entry,
        walk.root,
        trees,
        {"ours": versions.ours, "theirs": versions.theirs},
        {"ours": lambda: roots.ours, "theirs": lambda: roots.theirs},
        schema,
        unvetted=unvetted,
        is_mixed=True,
        walk=walk,
        rewritten=rewritten,
        stamps=stamps,
    )


def _misfit(
    work: MergeWork, table: tuple[bytes, Trees], version: Records, misfit: Misfit
) -> None:
    identity, trees = table

    def loser() -> Any:
        stored = get(trees.reader, version.root, misfit.key)
        assert stored is not None
        codec = RecordCodec(version.schema)
        return codec.decode_row(misfit.key, stored, trees.reader.get_chunk)

    entry = ConflictEntry(misfit.fields, misfit.reason)
    found = ConflictKind.RECORD, misfit.key, entry
    work.findings.record(identity, work.names[identity], found, loser)


def under_schema(
    trees: Trees, entry: Descriptor, other: Descriptor | None, schema: Schema | None
) -> bytes | None:
    """Return the records of one version as the dataset of another would hold them."""
    if other is None or other.kind != entry.kind:
        return None
    if other.roots[0] == entry.roots[0] or schema is None:
        return recut(trees, other)
    stood = stored_table(other)
    if not same_key(stood.schema, schema):
        return None
    assert stood.records is not None
    version = Records(stood.schema, stood.records, other.parameters)
    return Translation(trees, None, schema).side(version, lambda misfit: None)
