"""Two manifests and their base made one: what a merge of commits comes down to.

    1. which datasets there are, and what they are called
    2. each dataset that either side changed: description, schema, records
    3. constraints, until all hold
    4. conflicts as a tree, or what lost as a dataset

Datasets that no side changed are not looked at; equal trees are not read. The result is
a function of the three versions and the rules alone.

Two datasets of one name (made or renamed on different sides) are a conflict: the one
with the greater id gets ``~`` and its id behind the name. References follow each new
name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import (
    DATASET_NAME_BYTES_MAX,
    DEFAULT_PARAMETERS,
    FORMAT_PARAMETERS,
    Descriptor,
)
from prolly.datasets import Manifest, changed_datasets, stored_table, write_manifest
from prolly.tree import NodeReader, TreeMerge, Versions, build

from .candidate import Candidate, Candidates
from .column_merge import SchemaConflict, apart, three_way
from .constraint_merge import settle_rules
from .dataset_merge import merge_dataset, stands_as_ours
from .findings import LOSERS_ID, LOSERS_NAME, Findings
from .lost_datasets import keep_losers
from .merge_work import DatasetVersions, MergeWork, Rules
from .reference_merge import Manifests, settle_references
from .schema_merge import TableNames
from .taken_dataset import taken


class DatasetReport(NamedTuple):
    """What became of one dataset that stands otherwise than ours.

    ``event`` is "taken" (as theirs has it), "dropped", "merged", or "kept" (as ours,
    but for its name). ``walk`` counts the nodes of the merge, where there was one;
    ``rewritten`` names the versions whose rows were rewritten for the merged schema;
    ``withheld`` counts the records in which theirs gave way to a constraint.
    ``settled`` counts by policy what it settled: records, in tables cells, and rows
    that one side deleted, also those withheld since; ``resolve`` is the function given
    to this merge.
    """

    event: str
    walk: TreeMerge | None = None
    rewritten: tuple[str, ...] = ()
    withheld: int = 0
    settled: Mapping[str, int] = MappingProxyType({})


class ManifestMerge(NamedTuple):
    """The merged manifest, its open conflicts, and how it came about.

    ``conflicts`` is the root of the tree of conflicts, None without any. ``datasets``
    are those that stand otherwise than in ours, by name; one that is gone by ours'
    name.
    """

    root: bytes
    conflicts: bytes | None
    conflict_count: int
    datasets: Mapping[str, DatasetReport]


def merge_manifests(
    reader: NodeReader, writer: ChunkWriter, versions: Versions, rules: Rules
) -> ManifestMerge:
    """Merge two manifests; ``versions`` are roots, the base's None without one.

    ``reader`` must see what ``writer`` writes. Raises Unsupported ``dataset-policy``
    and Corrupt for descriptors of a newer release, Corrupt for damaged ones.
    """
    with_roots = [
        build(writer, [], FORMAT_PARAMETERS) if one is None else one for one in versions
    ]
    findings = Findings(rules.on_conflict, writer)
    try:
        merge = _ManifestMerge(
            MergeWork(reader, writer, rules, findings), Versions(*with_roots)
        )
        root = merge.run()
        conflicts, number = findings.log.write(reader, writer, versions.base)
        return ManifestMerge(root, conflicts, number, merge.report())
    finally:
        findings.close()


class _ManifestMerge:
    def __init__(self, work: MergeWork, versions: Versions) -> None:
        assert versions.base is not None
        assert versions.ours is not None and versions.theirs is not None
        self._work = work
        work.versions = self._versions
        reader = work.reader
        self._base = Manifest(reader, versions.base)
        self._ours = Manifest(reader, versions.ours)
        self._theirs = Manifest(reader, versions.theirs)
        self._candidates: Candidates = {}

    def run(self) -> bytes:
        """Return the root of the merged manifest."""
        base, ours, theirs = self._base.root, self._ours.root, self._theirs.root
        if theirs == base or (ours == base and not self._name_clashes()):
            return ours if theirs == base else theirs
        self._name_datasets()
        for identity, versions in self._changed().items():
            if not stands_as_ours(self._work, versions):
                merged = merge_dataset(self._work, identity, versions)
                self._candidates[identity] = merged
        keep_losers(self._work, self._ours.by_id, self._candidates)
        self._follow_names()
        for candidate in self._standing():
            settle_rules(self._work, candidate)
        manifests = Manifests(self._ours, self._theirs, self._write)
        root = settle_references(self._work, manifests, self._candidates)
        return self._with_losers(root)

    def _name_clashes(self) -> bool:
        return len(self._theirs.ids()) != len(self._theirs.by_id)

    def _changed(self) -> dict[bytes, DatasetVersions]:
        """Return the versions of the datasets that either side changed, by id."""
        reader, base = self._work.reader, self._base.root
        ids = {
            *changed_datasets(reader, base, self._ours.root),
            *changed_datasets(reader, base, self._theirs.root),
        }
        return {identity: self._versions(identity) for identity in sorted(ids)}

    def _versions(self, identity: bytes) -> DatasetVersions:
        manifests = self._base, self._ours, self._theirs
        return DatasetVersions(*[one.by_id.get(identity) for one in manifests])

    def _name_datasets(self) -> None:
        """Decide the names of all datasets, those that are dropped included."""
        work = self._work
        ids = {*self._base.by_id, *self._ours.by_id, *self._theirs.by_id}
        there: dict[bytes, str] = {}
        for identity in sorted(ids):
            versions = self._versions(identity)
            work.names[identity] = name = self._name(identity, versions)
            if _stays(versions):
                there[identity] = name
        taken_names = set(there.values())
        seen: set[str] = set()
        for identity, name in there.items():
            if name in seen:
                own = apart(
                    name, identity.hex()[:8], taken_names, DATASET_NAME_BYTES_MAX
                )
                taken_names.add(own)
                work.names[identity] = own
                reason = f"two datasets are called {name}; one is {own} now"
                work.conflict(identity, SchemaConflict("name", reason))
            seen.add(work.names[identity])
        work.tables = TableNames(
            self._base.ids(), self._ours.ids(), self._theirs.ids(), work.names
        )

    def _name(self, identity: bytes, versions: DatasetVersions) -> str:
        work = self._work
        named = [None if one is None else one.name for one in versions]
        if versions.ours is None or versions.theirs is None:
            names: list[str] = [one for one in (*named[1:], named[0]) if one]
            return names[0]
        name, clash = three_way(*named)
        if clash:
            if work.rules.on_conflict == "base" and named[0] is not None:
                name = named[0]
            work.names[identity] = name
            reason = f"it is {named[1]} in ours and {named[2]} in theirs"
            work.conflict(identity, SchemaConflict("name", reason))
        assert isinstance(name, str)
        return name

    def _follow_names(self) -> None:
        """Let datasets that stand as ours take their new names, references too."""
        work = self._work
        moved = {
            entry.name
            for identity, entry in self._ours.by_id.items()
            if work.names[identity] != entry.name
        }
        for identity, entry in self._ours.by_id.items():
            if not moved or identity in self._candidates:
                continue
            refers = entry.kind == "table" and any(
                one.table in moved for one in stored_table(entry).schema.references
            )
            if refers or entry.name != work.names[identity]:
                versions = DatasetVersions(entry, entry, entry)
                self._candidates[identity] = taken(work, identity, versions, "ours")

    def _standing(self) -> Iterable[Candidate]:
        return [one for one in self._candidates.values() if one is not None]

    def _write(self) -> bytes:
        """Write the manifest as the candidates are now."""
        work = self._work
        changes: dict[bytes, Descriptor | None] = {}
        for identity, candidate in self._candidates.items():
            changes[identity] = None if candidate is None else candidate.finish()
        return write_manifest(work.reader, work.writer, self._ours.root, changes)

    def _with_losers(self, root: bytes) -> bytes:
        """Return the manifest with what lost in an unattended merge."""
        work = self._work
        if not work.findings.losers:
            return root
        candidate = self._candidates.get(LOSERS_ID)
        if candidate is None:
            # What either side dropped does not come back with what loses now.
            is_dropped = LOSERS_ID in self._candidates
            stood = None if is_dropped else self._ours.by_id.get(LOSERS_ID)
            entry = stood or Descriptor(LOSERS_NAME, "map", (), DEFAULT_PARAMETERS)
            versions = DatasetVersions(None, entry, None)
            work.names.setdefault(LOSERS_ID, entry.name)
            candidate = _losers(work, entry, versions)
            self._candidates[LOSERS_ID] = candidate
        candidate.edit(work.findings.losers)
        changes = {LOSERS_ID: candidate.finish()}
        return write_manifest(work.reader, work.writer, root, changes)

    def report(self) -> dict[str, DatasetReport]:
        """Return what became of each dataset, by name."""
        reports: dict[str, DatasetReport] = {}
        for identity, candidate in self._candidates.items():
            if candidate is None:
                gone = self._ours.by_id.get(identity)
                if gone is not None:
                    reports[gone.name] = DatasetReport("dropped")
            else:
                reports[candidate.name] = DatasetReport(
                    candidate.event,
                    candidate.walk,
                    candidate.rewritten,
                    candidate.withheld,
                    dict(sorted(self._work.settled.get(identity, {}).items())),
                )
        return dict(sorted(reports.items()))


def _stays(versions: DatasetVersions) -> bool:
    """Tell whether a dataset is there after the merge, constraints aside."""
    base, ours, theirs = versions
    if ours is None:
        return theirs is not None and theirs != base
    return theirs is not None or ours != base


def _losers(work: MergeWork, entry: Descriptor, versions: DatasetVersions) -> Candidate:
    if not entry.roots:
        empty = build(work.writer, [], entry.parameters)
        return Candidate(
            LOSERS_ID,
            entry._replace(name=_free_name(work, entry.name)),
            empty,
            work.trees(entry.parameters),
            {"ours": None, "theirs": None},
            {"ours": lambda: None, "theirs": lambda: None},
        )
    return taken(work, LOSERS_ID, versions, "ours")


def _free_name(work: MergeWork, name: str) -> str:
    others = {one for identity, one in work.names.items() if identity != LOSERS_ID}
    if name not in others:
        return name
    return apart(name, LOSERS_ID.hex()[:8], others, DATASET_NAME_BYTES_MAX)
