"""One version of a repository, for reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from prolly.codec import Address
from prolly.datasets import (
    DatasetInfo,
    Manifest,
    describe,
    records_of,
    require_kind,
    stored_table,
)
from prolly.errors import Invalid
from prolly.maps import OrderedMap
from prolly.tables import Table

from .storage import Storage

if TYPE_CHECKING:
    from prolly.maps import BlobReader, Files
    from prolly.merge import PolicyRule

    from .proof import Proof


class Snapshot:
    """An immutable version: a commit's, or the working state of a branch.

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
    ) -> None:
        self._storage = storage
        self._manifest = Manifest(storage.reader, root)
        self._commit_id = commit_id
        self._reopen = reopen

    @property
    def commit(self) -> Address | None:
        """The id of the commit; ``None`` for a working state."""
        return None if self._commit_id is None else Address(self._commit_id)

    @property
    def root(self) -> Address:
        """The root of the manifest: equal roots hold equal datasets."""
        return Address(self._manifest.root)

    @property
    def datasets(self) -> Mapping[str, DatasetInfo]:
        """The datasets by name, in name order."""
        entries = self._manifest.by_id
        return {
            name: describe(self._storage.reader, entries[identity])
            for name, identity in self._manifest.ids().items()
        }

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
        assert isinstance(opened, Table)
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

    def prove(self, name: str, key: Any) -> Proof:
        """Return the proof that a dataset holds a record, or that it does not.

        Invalid ``not-committed`` for a working state.
        """
        encoded = self.dataset(name).encode_key(key)
        return self._prove(name, encoded, encoded + b"\0")

    def prove_range(self, name: str, start: Any = None, stop: Any = None) -> Proof:
        """Return the proof of all records with start <= key < stop.

        Invalid ``proof-range`` unless start < stop, ``not-committed`` as ``prove``.
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
        from .proof import prove

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
