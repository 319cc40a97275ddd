"""The steps of a replay: what each merges, and what its commit is to say.

    step          base                    ours    theirs
    revert C      C                       head    the parent of C
    cherry-pick C the parent of C         head    C
    rebase, C     the parent of C         tip     C
    apply         what the patch is on    head    what it makes of that

A merge is reverted, and made again by a rebase, against one parent. What a merge in a
rebase brought from commits that are below its new place anyway is no change of its own:
its base is the automatic merge with those, so only how it was settled is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from prolly.chunks import ChunkWriter
from prolly.history import Commits, is_ancestor
from prolly.merge import base_of, merge_manifests
from prolly.tree import NodeReader, Versions

from .merge_request import VIRTUAL
from .replay_commits import change_parent


class Step(NamedTuple):
    """One merge, and its commit: of whom and when it is; None: whoever makes it, now.

    ``base`` and ``theirs`` are roots of manifests.
    """

    base: bytes | None
    theirs: bytes
    picked: bytes | None
    message: str
    metadata: dict[str, Any]
    author: str | None = None
    time_us: int | None = None


class Begun(NamedTuple):
    """Where a replay begins: on which commit, with which steps.

    ``first`` is a step that is no commit made again; ``todo`` are commits.
    """

    tip: bytes
    first: Step | None
    todo: tuple[bytes, ...]


# Given the head of the branch, and where trees are read and written.
Plan = Callable[[bytes, NodeReader, ChunkWriter], Begun]


def revert_step(commits: Commits, commit_id: bytes, mainline: int | None) -> Step:
    """Return the step that takes back a commit; raises as ``change_parent``.

    ``mainline`` is the number of the parent that a merge is reverted to, from 1.
    """
    commit = commits.read(commit_id)
    parent = change_parent(commits, commit_id, mainline)
    first = commit.message.partition("\n")[0]
    text = f'Revert "{first}"\n\nThis reverts commit {commit_id.hex()}'
    if len(commit.parents) > 1:
        text += f", back to its parent {parent.hex()}"
    return Step(
        base=commit.root,
        theirs=commits.read(parent).root,
        picked=commit_id,
        message=text + ".",
        metadata={"reverted": commit_id},
    )


def pick_step(commits: Commits, commit_id: bytes, mainline: int | None = None) -> Step:
    """Return the step that makes the change of a commit again, as a commit like it.

    Of a merge, what it changes against its parent of the number ``mainline``; how it
    was merged is nothing that the new commit tells. Raises as ``change_parent``.
    """
    commit = commits.read(commit_id)
    parent = change_parent(commits, commit_id, mainline)
    metadata = dict(commit.metadata)
    if len(commit.parents) > 1:
        metadata.pop("merge", None)
    return Step(
        base=commits.read(parent).root,
        theirs=commit.root,
        picked=commit_id,
        message=commit.message,
        metadata={**metadata, "picked": commit_id},
        author=commit.author,
        time_us=commit.time_us,
    )


class RebaseSteps:
    """Makes the steps of a rebase onto ``tip``, a commit that is stored."""

    def __init__(
        self, commits: Commits, tip: bytes, reader: NodeReader, writer: ChunkWriter
    ) -> None:
        self._commits = commits
        self._tip = tip
        self._reader = reader
        self._writer = writer

    def __call__(self, commit_id: bytes) -> Step:
        """Return the step that makes a commit again; raises as a merge does."""
        step = pick_step(self._commits, commit_id, 1)
        commit = self._commits.read(commit_id)
        base = step.base
        first, *others = commit.parents
        for other in others:
            if is_ancestor(self._commits, other, self._tip):
                known = base_of(self._commits, self._merge, first, other).root
                theirs = self._commits.read(other).root
                base = self._merge(Versions(known, base, theirs))
        return step._replace(base=base, metadata=dict(commit.metadata))

    def _merge(self, versions: Versions) -> bytes:
        return merge_manifests(self._reader, self._writer, versions, VIRTUAL).root
