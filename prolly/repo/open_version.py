"""Opening a version for reading: a commit or a working state, and what stands beside.

A version that nothing leads to any more may be collected while it is open; then reading
it says so. One of a commit can be opened again by another process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .local_datasets import LocalState
from .pruned import pinned
from .snapshot import Snapshot, not_picklable
from .storage import Storage

if TYPE_CHECKING:
    from .repository import Repository


def open_commit(
    repository: Repository, commit_id: bytes, beside: LocalState
) -> Snapshot:
    """Return the version of a commit, which keeps the repository alive."""

    def reopen() -> tuple[Any, ...]:
        # This holds the repository, which many unpickled snapshots share by a weak
        # reference: it is there as long as one of them is.
        if repository.path is None:
            not_picklable()
        from .shared import snapshot_of

        return snapshot_of, (str(repository.path), commit_id, beside.commit_id)

    storage = repository.storage
    root = storage.commits.read(commit_id).root
    pins = pinned(storage, commit_id, *_anchors(beside))
    return Snapshot(pins, root, commit_id, reopen, local_root=beside.root)


def open_working(storage: Storage, root: bytes, beside: LocalState) -> Snapshot:
    """Return the version of a working state, by the root of its manifest."""
    pins = pinned(storage, root, *_anchors(beside))
    return Snapshot(pins, root, None, not_picklable, local_root=beside.root)


def root_of(
    repository: Repository, revision: Snapshot | str | bytes, *, local: bool
) -> bytes | None:
    """Return the root of the manifest of a version, or of the local one that it shows.

    Nothing is opened for the root of a commit.
    """
    if local:
        return repository.at(revision).local_root
    if isinstance(revision, Snapshot):
        return revision.root
    storage = repository.storage
    return storage.commits.read(repository.resolve(revision)).root


def _anchors(beside: LocalState) -> list[bytes]:
    return [] if beside.commit_id is None else [beside.commit_id]
