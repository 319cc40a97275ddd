"""The log: commits from a head backwards, or those that touched one thing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from prolly.codec import Address, Commit, key
from prolly.errors import NotFound
from prolly.history import walk
from prolly.tree import get

from .manifest import Manifest
from .storage import Storage


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One commit with its id."""

    id: Address
    commit: Commit


def commit_log(
    storage: Storage, head: bytes, dataset: str | None, record: Any
) -> Iterator[LogEntry]:
    """Yield commits from ``head``, children before parents, filtered if asked.

    A filter compares a commit with its first parent: a root for a dataset, a stored
    value for a record. NotFound ``no-such-dataset`` when no commit has the dataset.
    """
    touched = _Touched(storage, dataset, record)
    for commit_id in walk(storage.commits, [head]):
        commit = storage.commits.read(commit_id)
        if dataset is None or touched(commit):
            yield LogEntry(Address(commit_id), commit)
    if dataset is not None and not touched.seen:
        raise NotFound(
            f"no commit has a dataset {dataset!r}",
            code="no-such-dataset",
            hint="`prolly ls --at REV` lists the datasets of a version",
            dataset=dataset,
        )


class _Touched:
    """Tells whether a commit changed a dataset, or one record of it."""

    def __init__(self, storage: Storage, dataset: str | None, record: Any) -> None:
        self._storage = storage
        self._dataset = dataset
        self._encoded = None if record is None else key.encode_key(record)
        self._known: dict[bytes, bytes | None] = {}
        self.seen = False

    def __call__(self, commit: Commit) -> bool:
        before = None
        if commit.parents:
            before = self._state(self._storage.commits.read(commit.parents[0]).root)
        return self._state(commit.root) != before

    def _state(self, manifest_root: bytes) -> bytes | None:
        """Return what is compared: a root, or one stored value."""
        if manifest_root not in self._known:
            found = Manifest(self._storage.reader, manifest_root).find(
                self._dataset or ""
            )
            state = None
            if found is not None:
                self.seen = True
                state = found[1].roots[0].address
                if self._encoded is not None:
                    state = get(self._storage.reader, state, self._encoded)
            if len(self._known) > 1:
                self._known.pop(next(iter(self._known)))
            self._known[manifest_root] = state
        return self._known[manifest_root]
