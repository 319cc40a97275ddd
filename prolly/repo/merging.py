"""Merging a version into a branch, attended: somebody asked, and can settle conflicts.

    theirs is an ancestor of ours      nothing to do              "up-to-date"
    ours is an ancestor of theirs      the branch moves           "fast-forward"
    no conflict is left                a commit of two parents    "merged"
    without ``commit``                 it waits to be committed   "prepared"
    else                               they wait to be settled    "conflicts"

What waits is the working state of the branch, which must be clean before: it names the
other parent and the conflicts, survives restarts, and ends by a commit or by being
discarded. Every step is one compare-and-set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from prolly.chunks import ChunkWriter, RefMove, RefNote, ScratchWriter
from prolly.codec import Commit, WorkingState, encode_commit, encode_working
from prolly.errors import Invalid
from prolly.history import BRANCHES, WORKING, is_ancestor
from prolly.merge import (
    ManifestMerge,
    base_of,
    merge_manifests,
    only_first_commit_shared,
    require_stamps_in_time,
)
from prolly.tree import NodeReader, Versions

from .branch_moves import first_line, retried
from .changes import Comparison
from .conflict_view import ConflictView
from .merge_request import VIRTUAL, Answers, MergeRequest, require_policy
from .merge_result import Merged, MergeResult, MergeStatus
from .open_conflicts import OpenConflicts
from .settling import Conflicts
from .snapshot import Snapshot, not_picklable
from .storage import Storage
from .waiting_merge import MergeSides, not_clean, require_authored
from .working_area import WorkingArea
from .working_state import read_head, read_state


def merge_branch(storage: Storage, request: MergeRequest) -> MergeResult:
    """Merge a commit into a branch. An error leaves everything as it was.

    Raises Invalid ``uncommitted`` or ``merging`` when the working state is not clean,
    ``unrelated`` when the versions share no more than the constant first commit,
    ``unknown-policy``, ``unattended-form``; NotFound ``no-such-branch``; Stale
    ``contended``.
    """
    return retried(
        lambda: _Merge(storage, request).run(),
        f"branch {request.branch!r}",
        BRANCHES + request.branch,
    )


def preview_merge(storage: Storage, request: MergeRequest) -> MergeResult:
    """Return how a merge would end; nothing is stored. Raises as ``merge_branch``.

    What is uncommitted does not matter: the branch's newest commit is merged.
    """
    return _Merge(storage, request, tried=True).preview()


class MergeSnapshots(NamedTuple):
    """The three versions of a merge, for a resolver to look further; no base: None."""

    base: Snapshot | None
    ours: Snapshot
    theirs: Snapshot


def snapshots_of(storage: Storage) -> Callable[[NodeReader, Versions], MergeSnapshots]:
    """Return what opens the three versions of a merge as they are read in it."""

    def open_all(reader: NodeReader, versions: Versions) -> MergeSnapshots:
        seen = storage.varied(reader=reader)
        base, ours, theirs = (
            None if root is None else Snapshot(seen, root, None, not_picklable)
            for root in versions
        )
        assert ours is not None and theirs is not None
        return MergeSnapshots(base, ours, theirs)

    return open_all


class _Merge:
    """One attempt: everything that it reads of refs, it reads at the beginning."""

    def __init__(
        self, storage: Storage, request: MergeRequest, *, tried: bool = False
    ) -> None:
        require_policy(request)
        self._storage = storage
        self._request = request
        before, state = read_state(storage, request.branch)
        if before is not None and (state.is_merging or not tried):
            raise not_clean(request.branch, state)
        self._ours = read_head(storage, request.branch)
        self._ours_root = storage.commits.read(self._ours).root
        self._answers = Answers(request)

    def run(self) -> MergeResult:
        """Merge, and move what is to be moved."""
        request = self._request
        known = self._without_merging()
        if known == "up-to-date":
            return self._done(known, self._ours)
        with self._storage.store.writer() as writer:
            if known == "fast-forward":
                self._move(writer, request.theirs, None, "fast-forward")
                return self._done(known, request.theirs)
            reader = NodeReader(writer.get, self._storage.reader.cache, writer.get_many)
            merged = self._merged(reader, writer)
            if merged.manifest.conflict_count or not request.commit:
                return self._wait(writer, merged)
            commit_id = writer.put(encode_commit(self._commit(merged.manifest)))
            self._move(writer, commit_id, None, first_line(request.text))
        return self._done("merged", commit_id, merged)

    def preview(self) -> MergeResult:
        """Merge into scratch memory, which the result keeps until it is closed."""
        known = self._without_merging()
        if known is not None:
            fast = known == "fast-forward"
            return self._done(known, self._request.theirs if fast else self._ours)
        scratch = ScratchWriter(self._storage.reader.get_chunk)
        try:
            return self._previewed(scratch)
        except BaseException:
            scratch.abort()
            raise

    def _previewed(self, scratch: ScratchWriter) -> MergeResult:
        reader = NodeReader(scratch.get, self._storage.reader.cache)
        merged = self._merged(reader, scratch)
        manifest, view = merged.manifest, None
        if manifest.conflicts is not None:
            state = self._state(manifest)
            view = ConflictView.of_state(reader, self._storage.commits, state)
        status: MergeStatus = "conflicts" if manifest.conflict_count else "merged"
        changes = Comparison(reader, self._ours_root, manifest.root)
        conflicts = OpenConflicts(view)
        return MergeResult(status, None, conflicts, changes, merged, scratch=scratch)

    def _without_merging(self) -> MergeStatus | None:
        """Return how it ends when one side is part of the other."""
        commits, request = self._storage.commits, self._request
        if is_ancestor(commits, request.theirs, self._ours):
            return "up-to-date"
        theirs_root = commits.read(request.theirs).root
        now_us = self._storage.environment.now_us
        reader = self._storage.reader
        require_stamps_in_time(reader, self._ours_root, theirs_root, now_us)
        if is_ancestor(commits, self._ours, request.theirs):
            return "fast-forward" if request.fast_forward else None
        shared = only_first_commit_shared(commits, self._ours, request.theirs)
        if shared and not request.allow_unrelated:
            raise unrelated(request)
        return None

    def _merged(self, reader: NodeReader, writer: ChunkWriter) -> Merged:
        """Merge the manifests; what is new goes into ``writer``."""
        storage, request = self._storage, self._request

        def merge(versions: Versions) -> bytes:
            return merge_manifests(reader, writer, versions, VIRTUAL).root

        base = base_of(storage.commits, merge, self._ours, request.theirs)
        theirs_root = storage.commits.read(request.theirs).root
        versions = Versions(base.root, self._ours_root, theirs_root)
        rules = self._answers.rules(request.snapshots(reader, versions))
        manifest = merge_manifests(reader, writer, versions, rules)
        return Merged(base, manifest, self._answers.missing)

    def _state(self, merged: ManifestMerge) -> WorkingState:
        return WorkingState(
            base=self._ours,
            manifest=merged.root,
            merge_parents=(self._request.theirs,),
            conflicts=merged.conflicts,
            message=self._request.text,
            metadata=self._answers.metadata(),
        )

    def _wait(self, writer: ChunkWriter, merged: Merged) -> MergeResult:
        """Leave the merge in the working state."""
        manifest = merged.manifest
        state = writer.put(encode_working(self._state(manifest)))
        self._move(writer, self._ours, state, f"{self._request.text}: begun")
        status: MergeStatus = "conflicts" if manifest.conflict_count else "prepared"
        changes = self._compared(manifest.root)
        return MergeResult(status, None, self._conflicts(), changes, merged)

    def _done(
        self,
        status: MergeStatus,
        commit_id: bytes,
        merged: Merged | None = None,
    ) -> MergeResult:
        root = self._storage.commits.read(commit_id).root
        changes = self._compared(root)
        return MergeResult(status, commit_id, self._conflicts(), changes, merged)

    def _compared(self, root: bytes) -> Comparison:
        storage = self._storage
        here = storage.partial_reader
        return Comparison(storage.reader, self._ours_root, root, here=here)

    def _conflicts(self) -> Conflicts:
        area = WorkingArea(self._storage, self._request.branch)
        sides = MergeSides(self._ours, (self._request.theirs,))
        return Conflicts(self._storage, area, sides)

    def _commit(self, merged: ManifestMerge) -> Commit:
        storage, request = self._storage, self._request
        parents = self._ours, request.theirs
        environment = storage.environment
        commit = Commit(
            parents=parents,
            root=merged.root,
            author=environment.user() if request.author is None else request.author,
            time_us=environment.now_us(),
            message=request.text,
            metadata=self._answers.metadata(),
            generation=1 + max(storage.commits.read(one).generation for one in parents),
        )
        require_authored(commit)
        return commit

    def _move(
        self, writer: ChunkWriter, head: bytes, working: bytes | None, why: str
    ) -> None:
        """Move the branch and its working state, both as they were found, at once."""
        self._request.before_moving()
        branch, environment = self._request.branch, self._storage.environment
        moves = [
            RefMove(BRANCHES + branch, self._ours, head),
            RefMove(WORKING + branch, None, working),
        ]
        note = RefNote(environment.user(), f"merge: {why}", environment.now_us())
        writer.commit(moves, note)


def unrelated(request: MergeRequest) -> Invalid:
    """Return (not raise) the error for histories that share nothing."""
    return Invalid(
        f"{request.name} and branch {request.branch!r} have nothing in common but the "
        "empty first commit",
        code="unrelated",
        hint="Allow it if that is meant: --allow-unrelated, allow_unrelated=True.",
        branch=request.branch,
    )
