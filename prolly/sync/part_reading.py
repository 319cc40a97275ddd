"""Which parts of the versions that came are wanted, as their manifests tell."""

from __future__ import annotations

from collections.abc import Iterator

from prolly.codec import FORMAT_PARAMETERS, Commit, Coverage, Descriptor
from prolly.datasets import changed_datasets
from prolly.repo import Storage
from prolly.tree import NodeCache, NodeReader

from .intake import Intake
from .part_walk import Part, PartWalk
from .quarantine import Quarantine
from .received import Received

# Nodes of manifests, which are read once or twice.
CACHE_BYTES = 4 * 1024 * 1024


class PartReading:
    """Reads manifests from quarantine and store, before any of them has landed."""

    def __init__(self, storage: Storage, quarantine: Quarantine) -> None:
        self._storage = storage
        received = Received(quarantine, storage.store)
        cache = NodeCache(CACHE_BYTES)
        self.reader = NodeReader(received.get, cache, received.get_many)

    def commit_root(self, commit_id: bytes, intake: Intake) -> bytes:
        """Return the manifest of a commit that came or was here."""
        found = intake.commits.get(commit_id)
        return (
            self._storage.commits.read(commit_id).root if found is None else found.root
        )

    def want(
        self, walk: PartWalk, coverage: Coverage, commit: Commit, intake: Intake
    ) -> None:
        """Ask for what a version has in the ranges, beside what its parent has."""
        before = self._parent_root(commit, intake)
        changed = changed_datasets(self.reader, before, commit.root)
        is_here = bool(commit.parents) and commit.parents[0] not in intake.commits
        for identity, (old, new) in changed.items():
            for one in coverage.of(identity):
                wanted = one.start, one.stop
                if new is not None and new.kind == "blob":
                    walk.blobs[new.roots[0].address] = None
                for part in parts_of(new, wanted):
                    walk.want(part)
                if is_here:
                    for part in parts_of(old, wanted):
                        walk.know(part.root, wanted)

    def _parent_root(self, commit: Commit, intake: Intake) -> bytes | None:
        if not commit.parents:
            return None
        if commit.parents[0] in intake.commits:
            return intake.commits[commit.parents[0]].root
        found = self._storage.commits.get(commit.parents[0])
        return None if found is None else found.root


def parts_of(
    entry: Descriptor | None, wanted: tuple[bytes, bytes | None]
) -> Iterator[Part]:
    """Yield the parts of a dataset's records and stamps in a range."""
    if entry is None:
        return
    if entry.kind != "blob":
        yield Part(entry, entry.roots[0].address, entry.parameters, wanted)
    if entry.stamps is not None:
        stamps = entry.stamps.address
        yield Part(entry, stamps, FORMAT_PARAMETERS, wanted, is_records=False)
