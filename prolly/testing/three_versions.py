"""A repository with three versions to be merged, made by functions of transactions."""

from __future__ import annotations

from collections.abc import Callable

from prolly.codec import Descriptor
from prolly.datasets import (
    Manifest,
    stored_table,
    verify_references,
    write_manifest,
)
from prolly.merge import (
    ConflictTree,
    ManifestMerge,
    Rules,
    StoredConflict,
    merge_manifests,
)
from prolly.repo import Transaction
from prolly.tables import Table
from prolly.testing.repositories import memory_repository
from prolly.tree import NodeReader, Versions

Step = Callable[[Transaction], object]


class ThreeVersions:
    """The roots of base, ours and theirs, and a writer for merges of them.

    Several steps of a side are commits of their own.
    """

    def __init__(
        self, base: Step, ours: Step | list[Step], theirs: Step | list[Step]
    ) -> None:
        self.repo = memory_repository()
        with self.repo.transaction("main", message="base") as tx:
            base(tx)
        roots = [self.repo.commit_of(self.repo.branches["main"]).root]
        for name, side in (("ours", ours), ("theirs", theirs)):
            self.repo.branches[name] = self.repo.branches["main"]
            for step in side if isinstance(side, list) else [side]:
                with self.repo.transaction(name, message=name) as tx:
                    step(tx)
            roots.append(self.repo.commit_of(self.repo.branches[name]).root)
        self.versions = Versions(*roots)
        self.writer = self.repo.store.writer()
        self.reader = NodeReader(self.writer.get)

    def merge(self, rules: Rules | None = None, swapped: bool = False) -> ManifestMerge:
        """Merge, and fail unless all references hold in the result."""
        base, ours, theirs = self.versions
        if swapped:
            ours, theirs = theirs, ours
        versions = Versions(base, ours, theirs)
        rules = Rules() if rules is None else rules
        merge = merge_manifests(self.reader, self.writer, versions, rules)
        assert ours is not None
        verify_references(self.reader, ours, merge.root)
        return merge

    def edited(self, side: int, changes: dict[bytes, Descriptor | None]) -> None:
        """Change descriptors of a version as no transaction can yet."""
        root = self.versions[side]
        assert root is not None
        made = write_manifest(self.reader, self.writer, root, changes)
        self.versions = Versions(
            *[made if at == side else one for at, one in enumerate(self.versions)]
        )

    def manifest(self, root: bytes | None) -> Manifest:
        """Return a manifest."""
        assert root is not None
        return Manifest(self.reader, root)

    def conflicts(self, merge: ManifestMerge) -> list[StoredConflict]:
        """Return all conflicts."""
        if merge.conflicts is None:
            return []
        return list(ConflictTree(self.reader, merge.conflicts).entries())

    def named(self, merge: ManifestMerge) -> list[str]:
        """Return what is in conflict: parts of descriptions, or constraints."""
        facts = [one.entry.facts for one in self.conflicts(merge)]
        return [one.get("what") or one.get("constraint", "") for one in facts]

    def rows(self, merge: ManifestMerge, name: str) -> list[dict[str, object]]:
        """Return the rows of a table."""
        stored = stored_table(self.manifest(merge.root).require(name))
        assert stored.records is not None
        table = Table(self.reader, stored.records, stored.schema, stored.indexes)
        return list(table.values())


def nothing(tx: Transaction) -> None:
    """Change nothing that another version would see."""
    tx.map("untouched")["x"] = 1
