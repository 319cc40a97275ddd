"""One version of a repository, for reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from prolly.codec import Address, Descriptor
from prolly.datasets import (
    Standing,
    VersionRoots,
    describe,
    records_of,
    require_kind,
    stored_table,
)
from prolly.errors import Invalid
from prolly.maps import OrderedMap

from .storage import Storage

if TYPE_CHECKING:
    from prolly.datasets import DatasetInfo
    from prolly.maps import BlobReader, Files
    from prolly.merge import PolicyRule
    from prolly.tables import Table

    from .presence import Presence
    from .proof import Proof


class Snapshot:
    """An immutable version: a commit's, or the working state of a branch.

    Beside the datasets of that version stand the local ones of this replica, as they
    were when it was opened; ``at(revision, local=False)`` leaves them out.

    Safe for use from several threads. Pickles as the repository's path and the commit
    id, so it can be handed to another process; the working state does not pickle. An
    unpickled one reads through a repository that all of them in the process share, and
    that is closed when the last of them is gone.
    """

    def __init__(
        self,
        storage: Storage,
        root: bytes,
        commit_id: bytes | None,
        reopen: Callable[[], tuple[Any, ...]],
        *,
        local_root: bytes | None = None,
    ) -> None:
        self._storage = storage
        self._manifest = Standing(storage.reader, VersionRoots(root, local_root))
        self._commit_id = commit_id
        self._reopen = reopen

    @property
    def commit(self) -> Address | None:
        """The id of the commit; ``None`` for a working state."""
        return None if self._commit_id is None else Address(self._commit_id)

    @property
    def root(self) -> Address:
        """The root of the manifest: equal roots hold equal datasets.

        Local ones are no part of it.
        """
        return Address(self._manifest.root)

    @property
    def local_root(self) -> Address | None:
        """The root of the manifest of local datasets; ``None`` without any."""
        root = self._manifest.local_root
        return None if root is None else Address(root)

    @property
    def entries(self) -> Mapping[str, Descriptor]:
        """The stored descriptions of the datasets by name, in name order."""
        entries = self._manifest.by_id
        return {name: entries[one] for name, one in self._manifest.ids().items()}

    @property
    def local_names(self) -> list[str]:
        """The names of the local datasets, in order."""
        return [name for name in self._manifest.ids() if self._manifest.is_local(name)]

    def committed_name(self, name: str) -> str:
        """Return what commits call the dataset that is called ``name`` here."""
        return self._manifest.committed_name(name)

    @property
    def datasets(self) -> Mapping[str, DatasetInfo]:
        """The datasets by name, in name order.

        One of the commit whose name a local one has too is called ``NAME~shared`` here.
        """
        reader = self._storage.reader
        return {name: describe(reader, entry) for name, entry in self.entries.items()}

    def map(self, name: str) -> OrderedMap:
        """Open a map; NotFound ``no-such-dataset``, Invalid ``wrong-kind``."""
        entry = self._manifest.require(name)
        require_kind(entry, "map")
        return OrderedMap(self._storage.reader, entry.roots[0].address)

    def table(self, name: str) -> Table:
        """Open a table; NotFound ``no-such-dataset``, Invalid ``wrong-kind``."""
        entry = self._manifest.require(name)
        require_kind(entry, "table")
        opened = records_of(self._storage.reader, entry)
        assert not isinstance(opened, OrderedMap)
        return opened

    def blob(self, name: str) -> BlobReader:
        """Open a blob as a file for reading, at its beginning.

        NotFound ``no-such-dataset``, Invalid ``wrong-kind``.
        """
        entry = self._manifest.require(name)
        require_kind(entry, "blob")
        from prolly.maps import BlobReader

        return BlobReader.of(self._storage.reader.get_chunk, entry.roots[0])

    def files(self, name: str) -> Files:
        """Open files; NotFound ``no-such-dataset``, Invalid ``wrong-kind``."""
        entry = self._manifest.require(name)
        require_kind(entry, "files")
        from prolly.maps import Files

        return Files(self._storage.reader, entry.roots[0].address)

    def dataset(self, name: str) -> OrderedMap | Table:
        """Open the records of a dataset; NotFound ``no-such-dataset``.

        Files are a map from path to entry. Invalid ``wrong-kind`` for a blob, which has
        no records.
        """
        return records_of(self._storage.reader, self._manifest.require(name))

    def policies(self, name: str) -> list[PolicyRule]:
        """Return the policies of a dataset, those of whole records first.

        Each is (column, prefix, policy); ``None`` for all columns, or all keys.
        NotFound ``no-such-dataset``.
        """
        from prolly.merge import policy_rules

        entry = self._manifest.require(name)
        schema = stored_table(entry).schema if entry.kind == "table" else None
        return list(policy_rules(entry.policies, schema))

    def coverage(self, name: str, prefix: Any = None) -> Presence:
        """Return how much of a dataset is here, in a partial replica.

        With ``prefix``: of the records whose keys begin with it. Nobody is asked for
        the rest. NotFound ``no-such-dataset``, Invalid ``key-prefix``.
        """
        from .presence import presence

        entry = self._manifest.require(name)
        wanted: tuple[bytes, bytes | None] = b"", None
        if prefix is not None:
            wanted = records_of(self._storage.reader, entry).encode_prefix(prefix)
        return presence(self._storage, entry, wanted)

    def prove(self, name: str, key: Any) -> Proof:
        """Return the proof that a dataset holds a record, or that it does not.

        Invalid ``not-committed`` for a working state, ``local-dataset`` for a dataset
        that no commit holds.
        """
        encoded = self.dataset(name).encode_key(key)
        return self._prove(name, encoded, encoded + b"\0")

    def prove_range(self, name: str, start: Any = None, stop: Any = None) -> Proof:
        """Return the proof of all records with start <= key < stop.

        Invalid ``proof-range`` unless start < stop, and as ``prove``.
        """
        encode = self.dataset(name).encode_key
        low = None if start is None else encode(start)
        return self._prove(name, low, None if stop is None else encode(stop))

    def _prove(self, name: str, start: bytes | None, stop: bytes | None) -> Proof:
        if self._commit_id is None:
            raise Invalid(
                "a working state has no commit id to prove against",
                code="not-committed",
                hint="Commit it first.",
            )
        get_chunk = self._storage.reader.get_chunk
        from .local_datasets import in_no_commit
        from .proof import prove

        if self._manifest.is_local(name):
            raise in_no_commit(name)
        name = self.committed_name(name)
        return prove(get_chunk, self._commit_id, name, (start, stop))

    def __repr__(self) -> str:
        at = "working state" if self._commit_id is None else self._commit_id.hex()[:12]
        return f"<Snapshot {at}: {len(self._manifest.ids())} datasets>"

    def __reduce__(self) -> tuple[Any, ...]:
        return self._reopen()


def not_picklable() -> NoReturn:
    """Raise Invalid ``not-picklable``: nobody could open the version again."""
    raise Invalid(
        "a snapshot without a commit on disk cannot be pickled",
        code="not-picklable",
        hint="Commit first, in a repository that has a path.",
    )
