"""Tables that both sides have: schemas merged, rows translated, then merged.

The three versions are brought under the merged schema first (``translation``), so that
rows compare cell by cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prolly.codec import Descriptor
from prolly.datasets import stored_table
from prolly.errors import LimitExceeded
from prolly.maps import ABSENT
from prolly.tables import Schema, Trees
from prolly.tree import Versions, count, get

from .base_rows import Records, table_records
from .candidate import Candidate
from .column_merge import RecordFacts, SchemaConflict, Side
from .conflict_entry import ConflictEntry, ConflictKind
from .findings import Found
from .lost_deletions import LostDeletions
from .merge_work import DatasetVersions, Described, MergeWork, recut
from .merged_keys import MergedKeys
from .record_walk import walked
from .row_translation import Misfit
from .schema_merge import merge_schemas, same_key
from .shown_records import ShownRecords
from .touched_columns import touched_columns
from .translation import Translation


def merge_tables(
    work: MergeWork, identity: bytes, versions: DatasetVersions, entry: Descriptor
) -> Candidate | SchemaConflict:
    """Merge a table that both sides have; a conflict where that cannot be done."""
    records = list(map(table_records, versions))
    before, mine, others = records
    assert mine is not None and others is not None
    if not same_key(mine.schema, others.schema):
        reason = f"it is {mine.schema.key} in ours and {others.schema.key} in theirs"
        return SchemaConflict("key", reason)
    trees = work.trees(entry.parameters)
    if before is not None and (
        before.schema.is_unknown or not same_key(before.schema, mine.schema)
    ):
        records[0] = before = None
    sides: dict[Side, Records] = {"ours": mine, "theirs": others}
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
    dataset = Described(identity, entry._replace(schema=schema.to_value()), schema)
    return _translated(work, dataset, versions, records)


def _translated(
    work: MergeWork,
    dataset: Described,
    versions: DatasetVersions,
    records: list[Records | None],
) -> Candidate:
    """Merge the rows of a table under the merged schema."""
    identity, entry, schema = dataset
    assert schema is not None
    trees = work.trees(entry.parameters)
    lost = LostDeletions()
    both = [one for one in records[1:] if one is not None]
    translation = Translation(trees, records[0], schema, lost.add, both)
    unvetted: set[Side] = set()

    def root(side: Side, version: Records | None) -> bytes:
        assert version is not None
        misfits = _Misfits(work, dataset, version, records[0])

        def report(misfit: Misfit) -> None:
            unvetted.add(side)
            misfits.add(misfit)

        if translation.refills(version):
            unvetted.add(side)
        try:
            return translation.side(version, report)
        finally:
            misfits.close()

    try:
        roots = Versions(
            translation.base(), root("ours", records[1]), root("theirs", records[2])
        )
        _tell_deletions(work, dataset, records, lost)
    finally:
        lost.close()
    rewritten = tuple(
        name
        for name, was, now in zip(Versions._fields, records, roots, strict=True)
        if was is not None and was.root != now
    )
    walk, _, stamps = walked(work, dataset, versions, roots)
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


def _tell_deletions(
    work: MergeWork,
    dataset: Described,
    records: Sequence[Records | None],
    lost: LostDeletions,
) -> None:
    """Make a conflict of each deletion that changed keys hide."""
    base, ours, theirs = records
    if base is None or ours is None or theirs is None or dataset.schema is None:
        return

    def tell(side: Side, key: bytes, entry: ConflictEntry) -> None:
        found = Found(ConflictKind.RECORD, key, entry)
        name = work.names[dataset.identity]
        work.findings.record(dataset.identity, name, found, lambda: ABSENT)

    lost.tell(work.reader, (base, ours, theirs), dataset.schema, tell)


class _Misfits:
    """What of one side's rows does not fit the merged schema, made conflicts."""

    def __init__(
        self,
        work: MergeWork,
        dataset: Described,
        version: Records,
        base: Records | None,
    ) -> None:
        self._work = work
        self._identity = dataset.identity
        assert dataset.schema is not None
        self._keys = MergedKeys(work.reader, base, version, dataset.schema)
        self._root = version.root
        self._shown = ShownRecords(work.reader, "table", version.schema)

    def add(self, misfit: Misfit) -> None:
        """Tell of one; what loses is the row as its side has it.

        A key that fits the merged schema is told as that spells it, unless another row
        has it there.
        """
        entry = ConflictEntry(misfit.fields, misfit.reason)
        key = self._keys.forward(misfit.key)
        if key is None or self._keys.found(key) != misfit.key:
            key = misfit.key
        found = Found(ConflictKind.RECORD, key, entry)
        name = self._work.names[self._identity]
        findings = self._work.findings
        findings.record(self._identity, name, found, lambda: self._row(misfit.key))

    def close(self) -> None:
        """Forget what was looked up; twice is fine."""
        self._keys.close()

    def _row(self, key: bytes) -> Any:
        return self._shown.value(key, get(self._work.reader, self._root, key))


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
