"""Landing: what is in quarantine becomes part of the store, in one step, or not at all.

Commits are taken parents first: each must stand above those that it names, and its
version must be right beside that of the first (:class:`VersionLanding`). What goes into
the batch of the store comes from our own hands, or is a leaf whose spelling was
checked; one commit of it moves the refs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from prolly.chunks import RefMove, RefNote
from prolly.codec import Commit, Coverage, Descriptor, encode_commit
from prolly.codec.received_node import EMPTY_LEAF
from prolly.errors import Corrupt
from prolly.history import Commits
from prolly.merge import require_stamps_in_time
from prolly.repo import Storage
from prolly.tree import NodeCache, NodeReader

from .delivery import EMPTY_TREE
from .intake import Intake
from .part_walk import Part
from .received import Received
from .tree_landing import TreeLanding
from .version_landing import VersionLanding

# Inner nodes, and leaves that are compared: a few paths of each tree at a time.
CACHE_BYTES = 24 * 1024 * 1024


class Parts(NamedTuple):
    """What a partial replica has, and what was fetched of trees that it has in part.

    ``opened`` are parts of trees with the nodes that were looked at; ``near`` is the
    manifest of a version that is here, much as those that land.
    """

    coverage: Coverage
    opened: Sequence[tuple[Part, bytes]] = ()
    near: bytes = EMPTY_TREE


class Landing:
    """One attempt to land what an intake has. Close it.

    ``refused`` are roots whose edits are not to be used. With ``parts`` datasets are
    landed as far as they are covered.
    """

    def __init__(
        self,
        storage: Storage,
        intake: Intake,
        refused: set[bytes],
        parts: Parts | None = None,
    ) -> None:
        storage = storage.here
        self._parts = parts
        self._storage = storage
        self._intake = intake
        self._writer = storage.store.writer()
        # What all versions begin with, be it here or not.
        self._writer.put(EMPTY_LEAF)
        received = Received(intake.quarantine, self._writer)
        cache = NodeCache(CACHE_BYTES)
        self._reader = NodeReader(received.get, cache, received.get_many)
        self._trees = TreeLanding(intake, self._reader, self._writer, refused)
        coverage = None if parts is None else parts.coverage
        self._versions = VersionLanding(
            self._trees, self._reader, self._writer, coverage
        )
        self._landed: set[bytes] = set()
        # The manifest of a version that landed, to begin with where parents lack.
        self._latest = EMPTY_TREE if parts is None else parts.near
        # All commits, those that landed among them.
        self.commits = Commits(received.get)

    @property
    def used_edits(self) -> bool:
        """Whether a tree was made from edits that came as such."""
        return self._trees.used_edits

    def close(self) -> None:
        """Forget what was not committed."""
        self._writer.abort()

    def land_all(self) -> None:
        """Check all commits and what they hold, and put it into the batch.

        Raises Corrupt, Invalid ``local-dataset``, OpsMismatch.
        """
        if self._parts is not None:
            for part, address in self._parts.opened:
                self._versions.land_node(part, address)
        for commit_id in reversed(self._intake.commits):
            self._land_commit(commit_id, self._intake.commits[commit_id])

    def land_dataset(
        self, identity: bytes, before: Descriptor | None, after: Descriptor
    ) -> None:
        """Land a dataset of a version that is here, beside one before. As ``land_all``.

        It is for ranges that are fetched later than their commits.
        """
        self._versions.land_dataset(identity, before, after)

    def require_stamps(self, tips: Iterable[tuple[bytes | None, bytes]]) -> None:
        """Raise Invalid ``stamp-ahead`` where a new tip has stamps from the future.

        Each comes with a commit that is here, or None where there is none.
        """
        now_us = self._storage.environment.now_us
        for known, tip in tips:
            before = EMPTY_TREE
            if known is not None:
                before = self._storage.commits.read(known).root
            root = self.commit_of(tip).root
            with self._versions.passing_over_absent():
                require_stamps_in_time(self._reader, before, root, now_us)

    def commit_of(self, commit_id: bytes) -> Commit:
        """Return a commit that came or was here."""
        found = self._intake.commits.get(commit_id)
        return self._storage.commits.read(commit_id) if found is None else found

    def put(self, chunk: bytes) -> bytes:
        """Put a chunk of our own into the batch; return its address."""
        return self._writer.put(chunk)

    def cut_commits(self) -> frozenset[bytes]:
        """Return the commits that lack parents, of those that came or did before.

        Raises Corrupt ``commit-generation`` if one does not stand above parents that
        came for it now.
        """
        assert self._parts is not None
        before = self._parts.coverage.shallow
        cut: set[bytes] = set()
        for commit_id in {*before, *self._intake.cut_commits()}:
            commit = self.commit_of(commit_id)
            if None in self._parents(commit_id, commit):
                cut.add(commit_id)
        return frozenset(cut)

    def _find_commit(self, commit_id: bytes) -> Commit | None:
        """Return a parent; ``None`` only where history may be cut off."""
        if commit_id in self._intake.commits:
            return self._intake.commits[commit_id]
        found = self._storage.commits.get(commit_id)
        return self.commit_of(commit_id) if found is None and not self._parts else found

    def commit(self, moves: Sequence[RefMove], note: RefNote) -> int:
        """Make everything durable, and move refs. Raises Stale: nothing is visible."""
        return self._writer.commit(moves, note)

    def _land_commit(self, commit_id: bytes, commit: Commit) -> None:
        for parent in commit.parents:
            if parent in self._intake.commits and parent not in self._landed:
                raise _bad_commit(commit_id, "it came before its parent")
        parents = self._parents(commit_id, commit)
        base = EMPTY_TREE
        if None in parents:
            base = self._latest
        elif parents and parents[0]:
            base = parents[0].root
        self._versions.land(base, commit.root)
        self._latest = commit.root
        self._writer.put(encode_commit(commit))
        self._landed.add(commit_id)

    def _parents(self, commit_id: bytes, commit: Commit) -> list[Commit | None]:
        """Return the parents of a commit; ``None`` for one that was cut off.

        Raises Corrupt ``commit-generation`` unless it stands above all of them.
        """
        parents = [self._find_commit(one) for one in commit.parents]
        due = 1 + max((one.generation for one in parents if one), default=-1)
        is_cut = None in parents
        if commit.generation < due or (commit.generation > due and not is_cut):
            raise _bad_commit(commit_id, f"generation {commit.generation}, not {due}")
        return parents


def _bad_commit(commit_id: bytes, reason: str) -> Corrupt:
    return Corrupt(
        f"commit {commit_id.hex()[:12]}: {reason}",
        code="commit-generation",
        hint="The other side breaks the format; nothing was changed.",
        address=commit_id,
    )
