"""The facade: what ``import prolly`` offers, as thin doors to the rooms below."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from prolly.env import IdSource
from prolly.repo import Repository as RepositoryCore
from prolly.repo import Revision, create_store, open_store, with_upkeep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor
    from datetime import timedelta
    from pathlib import Path
    from uuid import UUID

    from prolly.chunks import Costs, Durability, LocalStore, Store
    from prolly.ops import (
        BundleCheck,
        BundleReport,
        Check,
        DatasetStatistics,
        GcReport,
        StoreStatistics,
    )
    from prolly.repo import App
    from prolly.sync import Filler, Pin, SyncProgress, SyncReport

# What each door leads to is loaded when it is first opened: starting is felt.


class Repository(RepositoryCore):
    """One open repository. Safe for use from several threads; close it when done.

    A *revision* argument is an expression (``main~2``, an id prefix ...), the 32 bytes
    of a commit id, or a :class:`Snapshot`.
    """

    costs: Costs | None = None
    """What the work cost so far, where ``open`` was told to count."""

    cloned: SyncReport | None = None
    """What came, where ``clone`` made this repository."""

    _filler: Filler | None = None

    def fill_absent(self, addresses: Sequence[bytes]) -> Sequence[bytes | None]:
        """Get chunks that this partial replica lacks from where it came.

        What is read of an absent range asks for it so. Raises NotFound ``absent``.
        """
        if self._filler is None:
            from prolly.sync import Filler

            self._filler = Filler(self)
        return self._filler(addresses)

    def close(self) -> None:
        """Release the store; use after it raises Invalid ``closed``. Twice is fine."""
        if self._filler is not None:
            self._filler.close()
        super().close()

    def gc(self, *, grace: timedelta | None = None, dry_run: bool = False) -> GcReport:
        """Remove what nothing reaches any more, and give its space back.

        ``grace`` is how long what became unreachable survives: 14 days by default. With
        ``timedelta(0)`` all of it goes at once, but for what a transaction under way
        counts on. With ``dry_run`` nothing changes. Runs beside readers and writers;
        O(everything reachable). Raises Corrupt when a part of that is missing (then
        nothing is removed), Stale ``gc-running``, Invalid ``duration``, ReadOnly,
        Unsupported ``gc-store`` in memory.
        """
        from datetime import timedelta

        from prolly.ops import GRACE_US, collect_garbage

        chosen = GRACE_US if grace is None else grace // timedelta(microseconds=1)
        return collect_garbage(
            self.store,
            grace_us=chosen,
            dry_run=dry_run,
            environment=self._storage.environment,
        )

    def fsck(self, *, full: bool = False, jobs: int | Executor = 1) -> Check:
        """Return the check of everything there is, to be iterated for its faults.

        Without ``full``: refs resolve, everything they reach is there and of the right
        kind, packs and index agree. With it also: every chunk has the hash, the one
        spelling and the place that the format asks for, every record decodes, and
        indexes, cuts of blobs and references between tables are what records and bytes
        give. Without the extra ``blob`` cutting takes a second for some MB.

        ``jobs``: so many processes, or those of an executor, look at the leaves of a
        full check; the faults are the same. A program that gives a number runs it under
        ``if __name__ == "__main__":``. Raises Invalid ``jobs``; while it is iterated,
        StorageFailed ``worker-lost``.
        """
        from prolly.ops import check_repository

        return check_repository(self.store, full=full, jobs=jobs)

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

    def create_bundle(
        self,
        path: str | os.PathLike[str],
        *revisions: str,
        everything: bool = False,
    ) -> BundleReport:
        """Write branches and tags with all that they hold into one file.

        A revision is a branch or a tag, or ``A..B``: what B has and A has not, for
        whoever has A. Without any it is the current branch, with ``everything`` each
        branch and tag. A file of that name is replaced, in one step. Raises Invalid
        ``bundle-ref``, ``bundle-empty``, StorageFailed.
        """
        from prolly.ops import create_bundle

        return create_bundle(self, path, revisions, everything=everything)

    def apply_bundle(
        self,
        path: str | os.PathLike[str],
        *,
        progress: Callable[[SyncProgress], object] | None = None,
    ) -> SyncReport:
        """Take what a bundle holds; its branches move on to where they stand there.

        All or none, and only forward: ``pull("bundle:FILE")`` merges. Raises NotFound
        ``no-file`` and ``bundle-prerequisite``, Stale ``not-fast-forward``, Corrupt;
        then nothing is changed.
        """
        from prolly.ops import apply_bundle

        return apply_bundle(self, path, **_told(progress))

    def verify_bundle(self, path: str | os.PathLike[str]) -> BundleCheck:
        """Check every byte of a bundle, and whether it can be applied here.

        ``missing`` of the result are commits that it builds upon and that are not here.
        Changes nothing. Raises NotFound ``no-file``, Corrupt for the first fault.
        """
        from prolly.ops import verify_bundle

        return verify_bundle(path, self.store)

    def fetch(
        self,
        name: str = "origin",
        *,
        depth: int | None = None,
        unshallow: bool = False,
        progress: Callable[[SyncProgress], object] | None = None,
    ) -> SyncReport:
        """Get what a remote has and this repository lacks; move its tracking refs.

        ``name`` is a remote's, or a URL: then only new tags are kept, and ``tips`` of
        the report say what came. All that comes is checked before any ref moves. What a
        broken line brought is kept for the next time.

        A partial replica gets what it has of everything. With ``depth`` its history
        reaches back so many commits, with ``unshallow`` to the beginning.

        Raises NotFound ``no-such-remote``, Invalid ``remote-url``, RemoteFailed, and
        Corrupt for what is not right: then nothing is changed.
        """
        from prolly.sync import fetch

        how = _told(progress)
        return fetch(self, name, depth=depth, unshallow=unshallow, **how)

    def is_cut(self, revision: Revision) -> bool:
        """Tell whether history ends at a commit here although it had parents.

        So it is in a clone with ``depth``. Raises as ``resolve``.
        """
        return self._storage.commits.is_cut(self.resolve(revision))

    @property
    def is_partial(self) -> bool:
        """Whether something may be absent here: a clone with ``depth``, or of a part.

        What is absent is fetched when it is read, and kept if this is open for writing.
        """
        from prolly.chunks import COVERAGE_REF

        return self.store.read_ref(COVERAGE_REF) is not None

    @property
    def pins(self) -> list[Pin] | None:
        """What fetches bring to a partial replica: datasets, with prefixes of keys.

        None where no record is left out.
        """
        from prolly.sync import pins

        return pins(self)

    def unpin(self, dataset: str, prefix: Any = None) -> None:
        """Let fetches bring no more of a dataset, or of one prefix that was pinned.

        What is here stays; what is new of it comes when it is read. Raises NotFound
        ``no-such-pin``, Stale.
        """
        from prolly.sync import unpin

        unpin(self, dataset, prefix)

    def pin(
        self,
        dataset: str,
        prefix: Any = None,
        *,
        progress: Callable[[SyncProgress], object] | None = None,
    ) -> SyncReport:
        """Bring a dataset into a partial replica, of all its commits, and keep it so.

        With ``prefix`` the records whose keys begin with it. Later fetches bring what
        is new of them. Where nothing is absent nothing happens. Raises NotFound
        ``no-such-dataset``, and as ``fetch``.
        """
        from prolly.sync import pin

        return pin(self, dataset, prefix, **_told(progress))

    def fetch_range(
        self,
        dataset: str,
        prefix: Any = None,
        *,
        revision: Revision = "HEAD",
        progress: Callable[[SyncProgress], object] | None = None,
    ) -> SyncReport:
        """Bring what is absent of a dataset of one version into a partial replica.

        With ``prefix`` the records whose keys begin with it. Raises as ``pin``.
        """
        from prolly.sync import fetch_range

        how = _told(progress)
        return fetch_range(self, dataset, prefix, revision=revision, **how)

    def pull(
        self,
        name: str = "origin",
        branch: str | None = None,
        *,
        progress: Callable[[SyncProgress], object] | None = None,
        **merging: Any,
    ) -> SyncReport:
        """Fetch, then merge the remote's branch into the one of its name here.

        ``branch`` is by default the current one. ``merge`` of the report is the result
        of the merge, whose conflicts are to be settled; ``merging`` is handed to
        ``merge``. Raises NotFound ``no-such-branch``, and as ``fetch`` and ``merge``.
        """
        from prolly.sync import pull

        return pull(self, name, branch, **_told(progress), **merging)

    def push(
        self,
        name: str = "origin",
        branch: str | None = None,
        *,
        force_with_lease: bool | bytes = False,
        progress: Callable[[SyncProgress], object] | None = None,
    ) -> SyncReport:
        """Send a branch and what it reaches to a remote, and move the branch there.

        Only forward; with ``force_with_lease`` also elsewhere, if the remote's branch
        stands where it was last seen, or at the commit given. The branch may be the
        current one over there: what is uncommitted is carried over when it is
        committed. Raises Stale ``not-fast-forward``, ``lease``, ``ref-moved``, what the
        other side raises, and RemoteFailed.
        """
        from prolly.sync import push

        return push(
            self, name, branch, force_with_lease=force_with_lease, **_told(progress)
        )


def _told(progress: Callable[[SyncProgress], object] | None) -> dict[str, Any]:
    return {} if progress is None else {"progress": progress}


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


def clone(
    url: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    depth: int | None = None,
    datasets: str | Sequence[str] = (),
    prefix: Any = None,
    lazy: bool = False,
    auto_gc: bool = False,
    app: App | None = None,
    progress: Callable[[SyncProgress], object] | None = None,
) -> Repository:
    """Make a repository in a directory with all that another one has, and open it.

    Its remote ``origin`` is ``url``; its one branch is the current one over there, the
    others are ``origin/NAME``. Where a line broke, the next call goes on.

    It is a partial replica with ``depth`` (the newest so many commits of each branch),
    ``datasets`` (no others), of one dataset with ``prefix`` (records whose keys begin
    with it), or ``lazy`` (no records but of ``datasets``). What is absent is asked of
    the remote when it is read, and NotFound ``absent`` where that cannot be reached.

    ``auto_gc`` and ``app`` as of ``open``. Raises AlreadyExists
    (``repository-exists``), Invalid (``remote-url``, ``clone-depth``,
    ``clone-prefix``), NotFound (``no-such-dataset``), RemoteFailed, and Corrupt for
    what came and is not right; then there is no repository, but after RemoteFailed.
    """
    from prolly.sync import Wish, clone

    def opened(store: LocalStore, directory: Path) -> Repository:
        return Repository(_kept_tidy(store) if auto_gc else store, directory, app=app)

    names = (datasets,) if isinstance(datasets, str) else tuple(datasets)
    wish = Wish(depth, names, prefix, lazy)
    source = os.fspath(url) if isinstance(url, os.PathLike) else url
    how = _told(progress)
    repository, report = clone(source, path, wish=wish, opened=opened, **how)
    assert isinstance(repository, Repository)
    repository.cloned = report
    return repository


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
    call. With ``count`` the repository's ``costs`` tell what the work on it cost.
    Raises NotFound (``no-repository``), Unsupported (``format-version``), ReadOnly.
    """
    store, directory = open_store(path, writable=writable, durability=durability)
    kept = _kept_tidy(store) if auto_gc and writable else store
    if not count:
        return Repository(kept, directory, app=app)
    from prolly.chunks import CountingStore
    from prolly.tree import CountingCache

    counting = CountingStore(kept, store.costs)
    cache = CountingCache(store.costs)
    repository = Repository(counting, directory, app=app, cache=cache)
    repository.costs = counting.costs
    return repository


def _kept_tidy(store: LocalStore) -> Store:
    """Return the store with upkeep behind its commits, where it is due."""

    def look_after() -> None:
        from prolly.ops import look_after_store

        look_after_store(store)

    return with_upkeep(store, look_after)
