"""The records of one dataset merged: three trees, with their stamps and losers."""

from __future__ import annotations

from typing import NamedTuple

from prolly.codec import STAMPED_POLICY, TAGGED_POLICY
from prolly.tables import Schema
from prolly.tree import (
    Both,
    EditBuffer,
    NodeReader,
    TreeMerge,
    Versions,
    WorkingTree,
    get,
    merge,
)

from .base_rows import table_records
from .conflict_entry import ConflictEntry, ConflictKind
from .findings import Found
from .lost_files import LostFiles
from .merge_work import DatasetVersions, Described, MergeWork
from .merged_keys import MergedKeys
from .record_merge import RecordMerge
from .shown_records import ShownRecords
from .stamp_tree import (
    MergedStamps,
    SideStamps,
    clashing_keys,
    merge_stamps,
    respelt_stamps,
    stamps_versions,
    with_stamps_of,
)
from .terms import RecordConflict, Terms


class Walked(NamedTuple):
    """Merged records, files that lost, and the root of the stamps where some are."""

    walk: TreeMerge
    lost_files: LostFiles
    stamps: bytes | None


def walked(
    work: MergeWork, dataset: Described, versions: DatasetVersions, roots: Versions
) -> Walked:
    """Merge record trees of one form; tell of conflicts and of what lost.

    ``dataset`` is what comes of the three ``versions``.
    """
    identity, entry, schema = dataset
    trees = work.trees(entry.parameters)
    name = work.names[identity]
    lost_files = LostFiles()
    shown = ShownRecords(work.reader, entry.kind, schema)

    def report(found: RecordConflict) -> None:
        told = ConflictEntry(found.fields, found.reason)
        work.findings.log.add(identity, ConflictKind.RECORD, found.key, told)

    def lost(key: bytes, stored: bytes | None) -> None:
        if entry.kind == "files" and stored is not None:
            lost_files.add(key, stored)
            return
        found = Found(ConflictKind.RECORD, key, ConflictEntry())
        work.findings.lose(identity, name, found, shown.value(key, stored))

    stamped = _stamps_of(work, schema, versions)
    outlived = EditBuffer()
    is_attended = work.rules.on_conflict == "ours"
    side_stamps = SideStamps(work.reader, stamped) if entry.keeps_stamps else None
    terms = work.terms(
        dataset,
        stamps=None if side_stamps is None else side_stamps.find,
        tags=None if side_stamps is None else side_stamps.tags,
        report=report if is_attended else lambda found: None,
        lost=lost,
        outlived=lambda key, side: outlived.put(key, bytes([side])),
    )
    record_merge = RecordMerge(entry.kind, schema, terms)
    walk = merge(
        work.reader,
        work.writer,
        roots,
        trees.parameters,
        record_merge.settle,
        equal_too=record_merge.equal_too,
    )
    if not entry.keeps_stamps:
        outlived.close()
        return Walked(walk, lost_files, None)
    stamps = merge_stamps(work.reader, work.writer, stamped)
    try:
        returned = _returned(terms, record_merge, roots, work.reader, stamps)
        tree = WorkingTree(work.reader, walk.root, trees.parameters, returned)
        walk = walk._replace(root=tree.write(work.writer))
        tree.close()
        known = stamps.root, stamped
        root = with_stamps_of(work.reader, work.writer, known, outlived)
    finally:
        stamps.clashes.close()
        outlived.close()
    return Walked(walk, lost_files, root)


def _stamps_of(
    work: MergeWork, schema: Schema | None, versions: DatasetVersions
) -> Versions:
    """Return the roots of the stamps, all under the keys of the merged schema."""
    records = list(map(table_records, versions))
    both = [one for one in records[1:] if one is not None]
    roots = []
    for version, root in zip(records, stamps_versions(versions), strict=True):
        if schema is None or version is None:
            roots.append(root)
            continue
        sides = both if version is records[0] else ()
        keys = MergedKeys(work.reader, records[0], version, schema, sides=sides)
        try:
            roots.append(respelt_stamps(work.reader, work.writer, root, keys))
        finally:
            keys.close()
    return Versions(*roots)


def _returned(
    terms: Terms,
    record_merge: RecordMerge,
    roots: Versions,
    reader: NodeReader,
    stamps: MergedStamps,
) -> EditBuffer:
    """Settle records that a side wrote, and then wrote back as they were.

    To the walk over the records that side has no change; to who asks for the last
    writer, or when an element was put in, it has.
    """
    edits = EditBuffer()
    for keys in clashing_keys(stamps):
        batch = []
        for key in keys:
            stored = [None if one is None else get(reader, one, key) for one in roots]
            both = Both(key, *stored)
            if _is_missed(terms, both, equal_too=record_merge.equal_too):
                batch.append(both)
        for both, merged in zip(batch, record_merge.settle(batch), strict=True):
            edits.put(both.key, merged)
    return edits


def _is_missed(terms: Terms, both: Both, *, equal_too: bool) -> bool:
    """Tell whether the walk may have passed over a record that both sides stamped.

    ``equal_too``: it handed on those that both changed alike.
    """
    key, base, ours, theirs = both
    are_there = ours is not None and theirs is not None
    if (ours == base) is not (theirs == base):
        if are_there or terms.policies.of(key) == STAMPED_POLICY:
            return True
        # A row deleted on one side, and written back to what it was on the other.
        assert terms.stamps is not None
        return base is not None and None not in terms.stamps(key, None)
    if not are_there or ours != theirs or (equal_too and ours != base):
        return False
    # Both sides can have put one element in, and taken out what the other had.
    return TAGGED_POLICY in terms.policies.names
