"""Local datasets: they stand beside history, and never leave this replica.

One ref, ``local/datasets``, leads to a commit over a manifest that holds local datasets
alone. There is none before the first of them. The commit has no parents: what a local
dataset was before is kept as any lost move is, by the reflog for the grace of the
garbage collection. Branches, tags and bundles never reach it, so sync cannot send it.
How it moves is in ``local_change``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from prolly.chunks import RefMove
from prolly.datasets import Manifest
from prolly.errors import Invalid, NotFound
from prolly.history import LOCAL_DATASETS

from .pruned import pruned
from .storage import Storage

Read = TypeVar("Read")


class LocalState(NamedTuple):
    """The local datasets at one instant: what the ref is, and their manifest's root.

    Both are None where there never was one.
    """

    commit_id: bytes | None = None
    root: bytes | None = None

    @property
    def stays(self) -> RefMove:
        """The move that checks that they still stand so."""
        return RefMove(LOCAL_DATASETS, self.commit_id, self.commit_id)


NO_LOCAL = LocalState()


def read_local(storage: Storage) -> LocalState:
    """Return the local datasets as they stand: one look-up where there are none."""
    return local_state(storage, storage.store.read_ref(LOCAL_DATASETS))


def local_state(storage: Storage, commit_id: bytes | None) -> LocalState:
    """Return the local datasets as they stood when the ref was ``commit_id``.

    NotFound ``pruned`` when that was collected since.
    """
    if commit_id is None:
        return NO_LOCAL
    try:
        return LocalState(commit_id, storage.commits.read(commit_id).root)
    except NotFound:
        raise pruned(commit_id) from None


def read_beside(storage: Storage, read: Callable[[], Read]) -> tuple[Read, LocalState]:
    """Return what ``read`` finds in other refs, and the local datasets of that instant.

    Both move in one step, and half of a step would be a version that never was.
    """
    found = read()
    local = read_local(storage)
    # Once they are there they stay, so where there are none they did not move yet.
    while local.commit_id is not None:
        again = read()
        if again == found:
            break
        found, local = again, read_local(storage)
    return found, local


def require_committed(
    storage: Storage, shared_root: bytes, names: Mapping[str, object]
) -> None:
    """Raise Invalid ``local-dataset`` for a name that only a local dataset has.

    What is no mapping by names is told by others.
    """
    local = read_local(storage)
    if local.root is None or not isinstance(names, Mapping):
        return
    shared = Manifest(storage.reader, shared_root)
    for name in Manifest(storage.reader, local.root).ids():
        if name in names and shared.find(name) is None:
            raise in_no_commit(name)


def in_no_commit(name: str) -> Invalid:
    """Return (not raise) the error for a local dataset that commits are asked for."""
    return Invalid(
        f"dataset {name!r} is local, and stands in no commit",
        code="local-dataset",
        hint="What is written to it counts at once, and is not kept as history.",
        dataset=name,
    )
