"""A repository: versions of datasets in one store, with branches and tags."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property, partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from prolly.chunks import COVERAGE_REF, RefLogEntry, Store, VerifyingStore
from prolly.codec import Address, Commit, key, shown
from prolly.env import SYSTEM, Environment, IdSource
from prolly.errors import Invalid, Stale
from prolly.history import (
    BRANCHES,
    REMOTES,
    TAGS,
    Commits,
    Revisions,
    check_name,
)
from prolly.tree import NodeCache, NodeReader

from .current_branch import HEAD_SETTING, read_current_branch
from .local_datasets import NO_LOCAL, local_state, read_beside
from .open_version import open_commit, open_working, root_of
from .ref_names import RefNames, missing_branch
from .rewriting_doors import RewritingDoors
from .snapshot import Snapshot
from .storage import Storage, with_author

# What a program that only reads does not need is loaded by the methods that use it: a
# command such as `prolly get` would else spend most of its time on imports.
if TYPE_CHECKING:
    from pathlib import Path

    from prolly.merge import Resolve

    from .app import App
    from .blame import Blame
    from .change import Change
    from .changes import Comparison, DatasetChanges
    from .commit_log import LogEntry
    from .config import Config
    from .merge_result import MergeResult
    from .record_history import RecordVersion
    from .remotes import Remotes
    from .settling import Conflicts
    from .stash import Stash
    from .transaction import Isolation, Transaction
    from .working_area import WorkingArea

# The current branch until one is chosen; Python programs name theirs each time.
DEFAULT_BRANCH = "main"

Revision = str | bytes | Snapshot
Result = TypeVar("Result")


class Repository(RewritingDoors):
    """One open repository. Safe for use from several threads; close it when done.

    A *revision* argument is an expression (``main~2``, an id prefix ...), the 32 bytes
    of a commit id, or a :class:`Snapshot`.
    """

    def __init__(
        self,
        store: Store,
        directory: str | os.PathLike[str] | None,
        *,
        environment: Environment = SYSTEM,
        app: App | None = None,
        cache: NodeCache | None = None,
    ) -> None:
        here = verified = VerifyingStore(store)
        shallow: Callable[[], Collection[bytes]] = tuple
        if store.read_ref(COVERAGE_REF) is not None:
            from .coverage import filling, shallow_commits

            verified = filling(store, self.fill_absent)
            shallow = partial(shallow_commits, here)
        reader = NodeReader(verified.get, cache, verified.get_many)
        commits = Commits(here.get, shallow)
        environment = with_author(environment, verified)
        new_id = IdSource(environment)
        self._storage = Storage(verified, reader, commits, environment, new_id)
        self._revisions = Revisions(verified, commits)
        self._directory = directory
        self.app = app
        self.branches = RefNames(self._storage, BRANCHES)
        self.tags = RefNames(self._storage, TAGS)
        self.tracking = RefNames(self._storage, REMOTES)

    def fill_absent(self, addresses: Sequence[bytes]) -> Sequence[bytes | None]:
        """Raise NotFound ``absent``; the facade asks a remote for them here."""
        from .coverage import absent

        raise absent(self._storage, addresses, "")

    def __repr__(self) -> str:
        return f"<Repository {self._directory or 'in memory'}>"

    @cached_property
    def path(self) -> Path | None:
        """The directory of the repository; None of one in memory."""
        from pathlib import Path

        return None if self._directory is None else Path(self._directory)

    @cached_property
    def config(self) -> Config:
        """The settings of the store, by name."""
        from .config import Config

        return Config(self._storage.store)

    @property
    def remotes(self) -> Remotes:
        """Other replicas by name: a mapping to their URLs.

        Where their branches stood when last seen is in ``tracking``.
        """
        from .remotes import Remotes

        return Remotes(self._storage)

    @property
    def storage(self) -> Storage:
        """What all objects of this repository share, for the rooms above."""
        return self._storage

    @property
    def store(self) -> Store:
        """The store underneath, verifying what it reads."""
        return self._storage.store

    @property
    def head(self) -> str:
        """The name of the current branch, which ``@`` and the command line mean."""
        return read_current_branch(self._storage.store) or DEFAULT_BRANCH

    def switch(self, branch: str) -> None:
        """Make another branch the current one; NotFound when there is none."""
        if branch not in self.branches:
            raise missing_branch(branch)
        self._storage.store.write_setting(HEAD_SETTING, branch.encode())

    def resolve(self, revision: Revision) -> Address:
        """Return the commit id of a revision.

        Raises NotFound ``no-such-revision``, Invalid ``ambiguous-revision`` and
        ``revision-syntax``.
        """
        if isinstance(revision, Snapshot):
            if revision.commit is None:
                raise Invalid(
                    "a working state is no commit",
                    code="not-committed",
                    hint="Commit it first.",
                )
            return revision.commit
        if isinstance(revision, bytes):
            commit_id = Address(revision)
            self._storage.commits.read(commit_id)
            return commit_id
        if not isinstance(revision, str):
            raise Invalid(
                f"{shown(revision)} is no revision",
                code="revision-syntax",
                hint="Give text such as 'main~1', a commit id, or a Snapshot.",
            )
        return Address(self._revisions.resolve(revision, self.head))

    def commit_of(self, revision: Revision) -> Commit:
        """Return a commit's parents, root, author, time and message."""
        return self._storage.commits.read(self.resolve(revision))

    def at(self, revision: Revision, *, local: bool = True) -> Snapshot:
        """Return the version at a revision, for reading.

        Beside its datasets stand the local ones as they are now, unless ``local`` is
        false. A :class:`Snapshot` is returned as it is.
        """
        if isinstance(revision, Snapshot):
            return revision
        if local:
            found = read_beside(self._storage, lambda: self.resolve(revision))
        else:
            found = self.resolve(revision), NO_LOCAL
        return open_commit(self, *found)

    def at_working(self, branch: str | None = None, *, local: bool = True) -> Snapshot:
        """Return the working state of a branch (the current one), for reading.

        With the local datasets as ``at``.
        """

        from .working_state import read_state

        def read() -> bytes:
            return read_state(self._storage, branch or self.head)[1].manifest

        found = read_beside(self._storage, read) if local else (read(), NO_LOCAL)
        return open_working(self._storage, *found)

    def at_once(self, commit_id: bytes, local_id: bytes | None) -> Snapshot:
        """Return the version of a commit with the local datasets of another time.

        ``local_id`` is what the ref ``local/datasets`` was then, or None. NotFound
        ``pruned`` where those were collected since.
        """
        beside = local_state(self._storage, local_id)
        return open_commit(self, self.resolve(commit_id), beside)

    def working_area(self, branch: str | None = None) -> WorkingArea:
        """Return the uncommitted state of a branch (the current one)."""
        from .working_area import WorkingArea

        return WorkingArea(self._storage, branch or self.head)

    @property
    def stash(self) -> Stash:
        """The uncommitted changes that were put aside."""
        from .stash import Stash

        return Stash(self._storage, lambda: self.head)

    def transaction(
        self,
        branch: str | None = None,
        *,
        message: str = "",
        author: str | None = None,
        isolation: Isolation = "snapshot",
    ) -> Transaction:
        """Begin edits that become one commit on a branch (the current one).

        ``author`` is by default the environment's user. ``isolation`` is ``snapshot``,
        ``serializable`` or ``merge``, as :class:`Transaction` says. NotFound
        ``no-such-branch``, Invalid ``isolation``.
        """
        from .transaction import Transaction

        return Transaction(
            self._storage,
            branch or self.head,
            message=message,
            author=author,
            isolation=isolation,
            app=self.app,
        )

    def run(
        self,
        branch: str,
        function: Callable[[Transaction], Result],
        *,
        attempts: int = 5,
        message: str = "",
        author: str | None = None,
        isolation: Isolation = "snapshot",
    ) -> Result:
        """Call ``function`` in a transaction, again when it lost a race; return its
        result. Raises the last Stale after ``attempts`` tries.

        Invalid ``attempts`` for none.
        """
        if attempts < 1:
            raise Invalid(
                f"{shown(attempts)} attempts are none",
                code="attempts",
                hint="Give 1 or more.",
                attempts=attempts,
            )
        for attempt in range(1, attempts + 1):
            try:
                with self.transaction(
                    branch, message=message, author=author, isolation=isolation
                ) as tx:
                    result = function(tx)
                return result
            except Stale:
                if attempt == attempts:
                    raise
        raise AssertionError("the last attempt neither returned nor raised")

    def create_branch(self, name: str, revision: Revision = "HEAD") -> Address:
        """Add a branch at a revision; AlreadyExists ``ref-exists``."""
        commit_id = self.resolve(revision)
        self.branches.create(name, commit_id, why=f"branch: created at {commit_id}")
        return commit_id

    def delete_branch(self, name: str, *, force: bool = False) -> Address:
        """Remove a branch and its working state; return where it stood.

        Raises Invalid ``current-branch`` for the current branch, and ``uncommitted``
        where edits or a merge wait on it, unless with ``force``.
        """
        commit_id = self.branches.require(check_name(name))
        if name == self.head:
            raise Invalid(
                f"{name!r} is the current branch",
                code="current-branch",
                hint="Switch to another branch first.",
                ref=BRANCHES + name,
            )
        self.branches.delete(name, force=force)
        return commit_id

    def compare(
        self, old: Revision, new: Revision, *, local: bool = False
    ) -> Comparison:
        """Return the comparison of two versions, to iterate or to count.

        With ``local`` it is about the local datasets that two snapshots show instead.
        """
        from .changes import Comparison

        roots = [root_of(self, one, local=local) for one in (old, new)]
        here = self._storage.partial_reader
        return Comparison(self._storage.reader, *roots, here=here)

    def diff(
        self,
        old: Revision,
        new: Revision,
        dataset: str | None = None,
        *,
        start: Any = None,
        stop: Any = None,
    ) -> Iterator[Change]:
        """Yield the records that differ between two versions, lazily.

        Ordered by dataset name, then key. ``start`` (inclusive) and ``stop``
        (exclusive) bound the keys. O(changes x depth) node reads.
        """
        bounds = (
            None if start is None else key.encode_key(start),
            None if stop is None else key.encode_key(stop),
        )
        return self.compare(old, new).changes(dataset, bounds)

    def diff_counts(
        self, old: Revision, new: Revision, dataset: str | None = None
    ) -> dict[str, DatasetChanges]:
        """Count the records that differ, by dataset."""
        return self.compare(old, new).counts(dataset)

    def log(
        self,
        revision: Revision = "HEAD",
        *,
        dataset: str | None = None,
        key: Any = None,
    ) -> Iterator[LogEntry]:
        """Yield commits, children before parents.

        With ``dataset``, only those that changed it, and with ``key`` too, only those
        that changed that record: compared with each commit's first parent.
        """
        from .commit_log import commit_log

        return commit_log(self._storage, self.resolve(revision), dataset, key)

    def reflog(self, branch: str | None = None) -> Iterator[RefLogEntry]:
        """Yield the moves of a branch (the current one), newest first.

        ``BRANCH@{N}`` is where the branch stood N moves ago. NotFound
        ``no-such-branch``.
        """
        name = branch or self.head
        if name not in self.branches:
            raise missing_branch(name)
        return self._storage.store.iter_log(BRANCHES + name)

    def history(
        self, dataset: str, key: Any, revision: Revision = "HEAD"
    ) -> Iterator[RecordVersion]:
        """Yield the states of one record, newest first, each with its commit.

        Commits that did not touch the record are passed over without reading their
        trees further than to where they part. A deleted record has a history too; one
        that never was has none. NotFound ``no-such-dataset``.
        """
        from .record_history import record_history

        return record_history(self._storage, self.resolve(revision), dataset, key)

    def blame(self, dataset: str, key: Any, revision: Revision = "HEAD") -> Blame:
        """Return which commit last changed each field of a record.

        NotFound ``no-such-dataset``, KeyNotFound.
        """
        from .blame import blame_record

        return blame_record(self._storage, self.resolve(revision), dataset, key)

    def blame_all(self, dataset: str, revision: Revision = "HEAD") -> Iterator[Blame]:
        """Yield the same for every record of a dataset, in key order.

        One walk for all of them: O(changes x depth) node reads, and memory by changed
        records. NotFound ``no-such-dataset``.
        """
        from .blame import blame_all

        return blame_all(self._storage, self.resolve(revision), dataset)

    def merge(
        self,
        theirs: Revision,
        into: str | None = None,
        *,
        message: str | None = None,
        author: str | None = None,
        resolve: Resolve | None = None,
        policy: str | None = None,
        commit: bool = True,
        dry_run: bool = False,
        allow_unrelated: bool = False,
        fast_forward: bool = True,
        before_moving: Callable[[], object] | None = None,
    ) -> MergeResult:
        """Merge a version into a branch (the current one), and commit it.

        What both sides changed is settled by the policies of its dataset, else by
        ``policy``, else by ``resolve``: called with a :class:`prolly.Clash`, it answers
        what is to stand, ``ABSENT`` for nothing, or ``UNRESOLVED``. What remains is in
        conflict: nothing is committed then, ours stands meanwhile, and the result's
        ``conflicts`` are to be settled. Without ``commit`` a merge without conflicts
        waits too. With ``dry_run`` nothing is stored, and uncommitted changes do not
        matter: the conflicts of that result are for reading. A branch that is part of
        the version just moves on to it, also without ``commit``; unless
        ``fast_forward`` is false: then it is a merge, too. ``before_moving`` is called
        when all is merged and about to become durable. O(changes x depth) nodes.

        Raises Invalid ``uncommitted``, ``merging``, ``unrelated`` (unless allowed),
        ``unknown-policy`` (also of a resolver that the App has not),
        ``unattended-form`` (no author, and the words of merges that
        replicas make), NotFound ``no-such-branch``, Stale ``contended``; then
        everything is as it was.
        """
        from .merge_request import MergeRequest, no_action
        from .merging import merge_branch, preview_merge, snapshots_of

        request = MergeRequest(
            branch=into or self.head,
            theirs=bytes(self.resolve(theirs)),
            name=theirs if isinstance(theirs, str) else self.resolve(theirs).hex()[:12],
            message=message,
            author=author,
            resolve=resolve,
            resolvers={} if self.app is None else self.app.resolvers,
            policy=policy,
            commit=commit,
            allow_unrelated=allow_unrelated,
            fast_forward=fast_forward,
            snapshots=snapshots_of(self._storage),
            before_moving=before_moving or no_action,
        )
        merge = preview_merge if dry_run else merge_branch
        return merge(self._storage, request)

    def conflicts(self, branch: str | None = None) -> Conflicts:
        """Return the open conflicts of the merge that waits on a branch, if any."""
        from .settling import Conflicts

        return Conflicts(self._storage, self.working_area(branch))

    def merge_base(self, ours: Revision, theirs: Revision) -> Address | None:
        """Return the best common ancestor, the smallest id of several, or ``None``."""
        from prolly.history import merge_bases

        ids = self.resolve(ours), self.resolve(theirs)
        bases = merge_bases(self._storage.commits, *ids)
        return Address(bases[0]) if bases else None

    def is_ancestor(self, ancestor: Revision, descendant: Revision) -> bool:
        """Tell whether one commit is the other or can be reached from it."""
        from prolly.history import is_ancestor

        ids = self.resolve(ancestor), self.resolve(descendant)
        return is_ancestor(self._storage.commits, *ids)

    def close(self) -> None:
        """Release the store; use after it raises Invalid ``closed``. Twice is fine."""
        self._storage.store.close()
        self._storage.reader.cache.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
