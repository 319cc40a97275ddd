"""The log: commits from a head backwards, or those that touched one thing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from prolly.codec import Address, Commit, Descriptor, key, manifest_key, shown
from prolly.datasets import Manifest, read_descriptor
from prolly.errors import NotFound
from prolly.history import walk
from prolly.tree import get

from .change import is_restored
from .change_decoding import change_decoder
from .storage import Storage

# What is compared: the dataset's entry as it is stored, or one record beside it.
_State = tuple[Descriptor | None, bytes | None]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One commit with its id."""

    id: Address
    commit: Commit


def commit_log(
    storage: Storage, head: bytes, dataset: str | None, record: Any
) -> Iterator[LogEntry]:
    """Yield commits from ``head``, children before parents, filtered if asked.

    A filter compares a commit with its first parent: the manifest's entry for a
    dataset, the value or the cells for a record. Where history was cut off the last
    commit counts as one that touched what it has. NotFound ``no-such-dataset`` when no
    commit has the dataset.
    """
    touched = _Touched(storage, dataset, record)
    for commit_id in walk(storage.commits, [head]):
        commit = storage.commits.read(commit_id)
        if dataset is None or touched(commit):
            yield LogEntry(Address(commit_id), commit)
    if dataset is not None and not touched.seen:
        raise NotFound(
            f"no commit has a dataset {shown(dataset)}",
            code="no-such-dataset",
            hint="`prolly ls --at REV` lists the datasets of a version.",
            dataset=dataset,
        )


class _Touched:
    """Tells whether a commit changed a dataset, or one record of it.

    The dataset is the one that has the name in the newest commit that knows the name;
    from there on it is followed by its id, through renames.
    """

    def __init__(self, storage: Storage, dataset: str | None, record: Any) -> None:
        self._reader = storage.reader
        self._commits = storage.commits
        self._dataset = dataset or ""
        self._encoded = None if record is None else key.encode_key(record)
        self._entry_key: bytes | None = None
        self._known: dict[bytes, _State] = {}

    @property
    def seen(self) -> bool:
        """Whether any version so far has the dataset."""
        return self._entry_key is not None

    def __call__(self, commit: Commit) -> bool:
        if not self.seen:
            self._look_for(commit.root)
        before: _State = None, None
        parent_root = self._root_before(commit)
        if parent_root is not None:
            if not self.seen:
                self._look_for(parent_root)
            before = self._state(parent_root)
        after = self._state(commit.root)
        return after[1] != before[1] and not self._is_restored(before, after)

    def _root_before(self, commit: Commit) -> bytes | None:
        """Return the manifest of the first parent.

        ``None`` without one, and where history was cut off: there it is not known who
        was first to touch anything.
        """
        try:
            parents = commit.parents[:1]
            return self._commits.read(parents[0]).root if parents else None
        except NotFound as error:
            if error.code != "shallow":
                raise
            return None

    def _is_restored(self, before: _State, after: _State) -> bool:
        """Tell whether an alteration only stored the record in another way."""
        (old, old_value), (new, new_value) = before, after
        if old is None or new is None or old_value is None or new_value is None:
            return False
        if self._encoded is None or old.schema == new.schema:
            return False
        decode = change_decoder(self._reader, old, new)
        return is_restored(decode((self._encoded, old_value, new_value)), new.kind)

    def _look_for(self, manifest_root: bytes) -> None:
        found = Manifest(self._reader, manifest_root).find(self._dataset)
        if found is not None:
            self._entry_key = manifest_key(found[0])

    def _state(self, manifest_root: bytes) -> _State:
        """Return what is compared: the dataset's entry, or one stored value."""
        if self._entry_key is None:
            return None, None
        if manifest_root not in self._known:
            entry = None
            state = get(self._reader, manifest_root, self._entry_key)
            if state is not None and self._encoded is not None:
                entry = read_descriptor(self._reader, state)
                state = get(self._reader, entry.roots[0].address, self._encoded)
            if len(self._known) > 1:
                self._known.pop(next(iter(self._known)))
            self._known[manifest_root] = entry, state
        return self._known[manifest_root]
