"""The facade: what ``import prolly`` offers, as thin doors to the rooms below."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from prolly.chunks import CountingStore, Durability, LocalStore, Store, StoreCounts
from prolly.env import IdSource
from prolly.repo import Repository as RepositoryCore
from prolly.repo import Revision, create_store, open_store, with_upkeep

if TYPE_CHECKING:
    from prolly.ops import Check, DatasetStatistics, GcReport, StoreStatistics
    from prolly.repo import App

# What each door leads to is loaded when it is first opened: starting is felt.


class Repository(RepositoryCore):
    """One open repository. Safe for use from several threads; close it when done.

    A *revision* argument is an expression (``main~2``, an id prefix ...), the 32 bytes
    of a commit id, or a :class:`Snapshot`.
    """

    counts: StoreCounts | None = None
    """What was asked of the store so far, where ``open`` was told to count."""

    def gc(self, *, grace: timedelta | None = None, dry_run: bool = False) -> GcReport:
        """Remove what nothing reaches any more, and give its space back.

        ``grace`` is how long what became unreachable survives: 14 days by default. With
        ``timedelta(0)`` all of it goes at once, but for what a transaction under way
        counts on. With ``dry_run`` nothing changes. Runs beside readers and writers;
        O(everything reachable). Raises Corrupt when a part of that is missing (then
        nothing is removed), Stale ``gc-running``, Invalid ``duration``, ReadOnly,
        Unsupported ``gc-store`` in memory.
        """
        from prolly.ops import GRACE_US, collect_garbage

        chosen = GRACE_US if grace is None else grace // timedelta(microseconds=1)
        return collect_garbage(
            self.store,
            grace_us=chosen,
            dry_run=dry_run,
            environment=self._storage.environment,
        )

    def fsck(self, *, full: bool = False) -> Check:
        """Return the check of everything there is, to be iterated for its faults.

        Without ``full``: refs resolve, everything they reach is there and of the right
        kind, packs and index agree. With it also: every chunk has the hash, the one
        spelling and the place that the format asks for, every record decodes, and
        indexes, cuts of blobs and references between tables are what records and bytes
        give. Without the extra ``blob`` cutting takes a second for some MB.
        """
        from prolly.ops import check_repository

        return check_repository(self.store, full=full)

    def stats(self, revision: Revision = "HEAD") -> StoreStatistics:
        """Return what the store holds, and how it divides among refs and datasets.

        The datasets are those of the version at ``revision``. Reads every reachable
        chunk; memory by the number of chunks. Raises Corrupt where one is missing.
        """
        from prolly.ops import store_statistics

        return store_statistics(self, revision)

    def dataset_stats(
        self, dataset: str, revision: Revision = "HEAD"
    ) -> DatasetStatistics:
        """Return the shape and size of one dataset's trees. Reads all of it.

        Raises NotFound ``no-such-dataset``.
        """
        from prolly.ops import dataset_statistics

        return dataset_statistics(self.store, self.at(revision), dataset)


_new_id = IdSource()


def new_id() -> UUID:
    """Return a new id: a UUID of version 7 (RFC 9562).

    Unique on every device, and greater than all that this process made before, so
    records under such keys stand in the order in which they were made.
    """
    return _new_id()


def init(
    path: str | os.PathLike[str], *, auto_gc: bool = False, app: App | None = None
) -> Repository:
    """Make a repository in the directory ``path`` and open it.

    The directory may not exist yet. It has one branch, ``main``, at the constant empty
    first commit. ``auto_gc`` and ``app`` as of ``open``. Raises AlreadyExists
    (``repository-exists``), StorageFailed.
    """
    store, directory = create_store(path)
    return Repository(_kept_tidy(store) if auto_gc else store, directory, app=app)


def open(
    path: str | os.PathLike[str],
    *,
    writable: bool = True,
    durability: Durability = "full",
    auto_gc: bool = False,
    app: App | None = None,
    count: bool = False,
) -> Repository:
    """Open the repository in the directory ``path``.

    ``durability`` is ``"full"`` (each commit is on disk when it returns) or
    ``"scratch"`` (no fsync: a power failure may lose or corrupt the repository). With
    ``auto_gc`` commits collect garbage and tidy up when that is worth its time, as the
    command line does. ``app`` brings resolvers, which descriptors name and merges
    call. With ``count`` the repository's ``counts`` tell what its store did. Raises
    NotFound (``no-repository``), Unsupported
    (``format-version``), ReadOnly.
    """
    store, directory = open_store(path, writable=writable, durability=durability)
    kept = _kept_tidy(store) if auto_gc and writable else store
    if not count:
        return Repository(kept, directory, app=app)
    counting = CountingStore(kept)
    repository = Repository(counting, directory, app=app)
    repository.counts = counting.counts
    return repository


def _kept_tidy(store: LocalStore) -> Store:
    """Return the store with upkeep behind its commits, where it is due."""

    def look_after() -> None:
        from prolly.ops import look_after_store

        look_after_store(store)

    return with_upkeep(store, look_after)
