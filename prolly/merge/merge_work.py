"""What the merges of all datasets share, and how their records are walked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import STAMPED_POLICY, Descriptor, TreeParameters
from prolly.errors import Corrupt, Unsupported
from prolly.tables import Schema, Trees
from prolly.tree import (
    Both,
    EditBuffer,
    NodeReader,
    TreeMerge,
    Versions,
    WorkingTree,
    build,
    get,
    iter_batches,
    merge,
)

from .candidate import record_value
from .clash import Resolve
from .column_merge import OnConflict, SchemaConflict
from .conflict_log import ConflictEntry, ConflictKind
from .findings import Findings
from .lost_files import LostFiles
from .policies import DEFAULT_POLICY, Policies
from .record_merge import RecordMerge
from .schema_merge import TableNames
from .stamp_tree import (
    MergedStamps,
    SideStamps,
    clashing_keys,
    merge_stamps,
    stamps_root,
)
from .terms import RecordConflict, Terms


class DatasetVersions(NamedTuple):
    """The three descriptions of one dataset; None where there is none."""

    base: Descriptor | None
    ours: Descriptor | None
    theirs: Descriptor | None


@dataclass(frozen=True)
class Rules:
    """How one merge settles what both sides changed.

    ``on_conflict``: "ours" leaves conflicts, with ours' value meanwhile; "base" is for
    virtual bases; "keep-both" settles all. ``policy`` holds wherever a dataset has none
    of its own; ``resolve`` is asked of what remains in conflict, ``resolvers`` are the
    application's by name; ``snapshots`` is handed on to both.
    """

    on_conflict: OnConflict = "ours"
    policy: str | None = None
    resolve: Resolve | None = None
    resolvers: Mapping[str, Resolve] = field(default_factory=dict)
    snapshots: Any = None


@dataclass
class MergeWork:
    """What the merge of each dataset of two manifests needs and adds to."""

    reader: NodeReader
    writer: ChunkWriter
    rules: Rules
    findings: Findings
    tables: TableNames = field(default_factory=TableNames)
    # Names by id, as they are to be; and datasets that hold what lost as a whole.
    names: dict[bytes, str] = field(default_factory=dict)
    extra: dict[bytes, Descriptor] = field(default_factory=dict)

    def trees(self, parameters: TreeParameters) -> Trees:
        """Return where trees are read and written, cut so."""
        return Trees(self.reader, self.writer, parameters)

    def policies(self, entry: Descriptor) -> Policies:
        """Return the policies of a dataset; Unsupported for a newer release's."""
        try:
            otherwise = self.rules.policy or DEFAULT_POLICY
            return Policies(entry.policies, otherwise=otherwise)
        except Corrupt as error:
            raise Unsupported(
                f"dataset {entry.name!r} has a policy that is not known here: "
                f"{error.message}",
                code="dataset-policy",
                hint="Use a newer release of prolly.",
                dataset=entry.name,
            ) from error

    def conflict(self, identity: bytes, conflict: SchemaConflict) -> None:
        """Take a part of a dataset's description that was not merged."""
        self.findings.schema(identity, self.names[identity], conflict)


def needs_equal(work: MergeWork, entry: Descriptor) -> bool:
    """Tell whether equal changes of both sides must be merged all the same."""
    policies = work.policies(entry)
    return "counter" in policies.names


def recut(trees: Trees, entry: Descriptor) -> bytes:
    """Return the records of a dataset, cut by the merged parameters."""
    root = entry.roots[0].address
    if entry.parameters == trees.parameters:
        return root
    return build(trees.writer, iter_batches(trees.reader, root), trees.parameters)


class Walked(NamedTuple):
    """Merged records, files that lost, and the root of the stamps where some are."""

    walk: TreeMerge
    lost_files: LostFiles
    stamps: bytes | None


def stamps_versions(versions: DatasetVersions) -> Versions:
    """Return the roots of the stamps of three versions."""
    return Versions(*map(stamps_root, versions))


def walked(
    work: MergeWork,
    described: tuple[bytes, Descriptor, Schema | None],
    versions: DatasetVersions,
    roots: Versions,
) -> Walked:
    """Merge record trees of one form; tell of conflicts and of what lost.

    ``described`` is what comes of the three ``versions``: id, description, schema.
    """
    identity, entry, schema = described
    trees = work.trees(entry.parameters)
    name = work.names[identity]
    lost_files = LostFiles()

    def report(found: RecordConflict) -> None:
        told = ConflictEntry(found.fields, found.reason)
        work.findings.log.add(identity, ConflictKind.RECORD, found.key, told)

    def lost(key: bytes, stored: bytes | None) -> None:
        if entry.kind == "files" and stored is not None:
            lost_files.add(key, stored)
            return
        value = record_value(work.reader, (entry.kind, schema), key, stored)
        found = ConflictKind.RECORD, key, ConflictEntry()
        work.findings.lose(identity, name, found, value)

    stamped = stamps_versions(versions)
    is_attended = work.rules.on_conflict == "ours"
    terms = Terms(
        work.policies(entry),
        work.reader.get_chunk,
        work.writer,
        dataset=name,
        on_conflict=work.rules.on_conflict,
        resolve=work.rules.resolve,
        resolvers=work.rules.resolvers,
        stamps=SideStamps(work.reader, stamped).find if entry.keeps_stamps else None,
        snapshots=work.rules.snapshots,
        report=report if is_attended else lambda found: None,
        lost=lost,
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
        return Walked(walk, lost_files, None)
    stamps = merge_stamps(work.reader, work.writer, stamped)
    try:
        returned = _returned(terms, record_merge, roots, work.reader, stamps)
        tree = WorkingTree(work.reader, walk.root, trees.parameters, returned)
        walk = walk._replace(root=tree.write(work.writer))
        tree.close()
    finally:
        stamps.clashes.close()
    return Walked(walk, lost_files, stamps.root)


def _returned(
    terms: Terms,
    record_merge: RecordMerge,
    roots: Versions,
    reader: NodeReader,
    stamps: MergedStamps,
) -> EditBuffer:
    """Settle records that one side wrote, and then wrote back as they were.

    To the walk over the records that side has no change; to who asks for the last
    writer it has.
    """
    edits = EditBuffer()
    for keys in clashing_keys(stamps):
        batch = []
        for key in keys:
            stored = [None if one is None else get(reader, one, key) for one in roots]
            both = Both(key, *stored)
            is_whole = terms.policies.of(key) == STAMPED_POLICY
            if (both.ours == both.base) is (both.theirs == both.base):
                continue
            if is_whole or (both.ours is not None and both.theirs is not None):
                batch.append(both)
        for both, merged in zip(batch, record_merge.settle(batch), strict=True):
            edits.put(both.key, merged)
    return edits
