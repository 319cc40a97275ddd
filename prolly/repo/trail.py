"""One dataset through the commits: what each commit's manifest says of it.

The dataset is followed by its id, so a rename does not end its trail. A commit costs
one look-up in its manifest, and nothing when the manifest was met before; the records
are never touched.
"""

from __future__ import annotations

from collections.abc import Iterator

from prolly.codec import Descriptor, manifest_key
from prolly.datasets import (
    Manifest,
    missing_dataset,
    read_descriptor,
    record_differences,
    records_of,
)
from prolly.maps import Files, OrderedMap
from prolly.tables import Table
from prolly.tree import Difference, get

from .storage import Storage

# Versions of a dataset kept decoded: a walk meets one again within a few steps, at the
# joint of branches.
VERSIONS_KEPT = 64


class DatasetVersion:
    """One state of a dataset: its descriptor, and its records opened on demand."""

    def __init__(self, storage: Storage, stored: bytes) -> None:
        self.stored = stored
        self.entry: Descriptor = read_descriptor(storage.reader, stored)
        self._storage = storage
        self._records: OrderedMap | Table | Files | None = None

    @property
    def root(self) -> bytes:
        """The root of the records."""
        return self.entry.roots[0].address

    @property
    def records(self) -> OrderedMap | Table | Files:
        """The records; Invalid ``wrong-kind`` for a blob."""
        if self._records is None:
            self._records = records_of(self._storage.reader, self.entry)
        return self._records


class Trail:
    """The versions of one dataset, by commit. NotFound when ``head`` has none."""

    def __init__(self, storage: Storage, head: bytes, dataset: str) -> None:
        self._storage = storage
        manifest = Manifest(storage.reader, storage.commits.read(head).root)
        found = manifest.find(dataset)
        if found is None:
            raise missing_dataset(dataset, manifest)
        self._place = manifest_key(found[0])
        self._by_root: dict[bytes, DatasetVersion | None] = {}
        self._by_value: dict[bytes, DatasetVersion] = {}

    def at(self, commit_id: bytes) -> DatasetVersion | None:
        """Return the dataset as a commit holds it; ``None`` where there is none.

        Commits with equal descriptors share one object.
        """
        root = self._storage.commits.read(commit_id).root
        if root not in self._by_root:
            if len(self._by_root) >= VERSIONS_KEPT:
                self._by_root.pop(next(iter(self._by_root)))
            stored = get(self._storage.reader, root, self._place)
            self._by_root[root] = None if stored is None else self._version(stored)
        return self._by_root[root]

    def _version(self, stored: bytes) -> DatasetVersion:
        found = self._by_value.get(stored)
        if found is None:
            if len(self._by_value) >= VERSIONS_KEPT:
                self._by_value.pop(next(iter(self._by_value)))
            found = self._by_value[stored] = DatasetVersion(self._storage, stored)
        return found

    def differences(
        self,
        old: DatasetVersion | None,
        new: DatasetVersion | None,
        bounds: tuple[bytes | None, bytes | None],
    ) -> Iterator[Difference]:
        """Yield the stored records that differ, read down to where paths part."""
        before = None if old is None else old.entry
        after = None if new is None else new.entry
        return record_differences(self._storage.reader, before, after, bounds)


def only(encoded: bytes) -> tuple[bytes, bytes]:
    """Return the bounds that hold one encoded key and no other."""
    return encoded, encoded + b"\0"
