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
from prolly.codec import REPLAY_COMMITS_MAX, Commit, shown
from prolly.errors import Invalid, LimitExceeded
from prolly.history import Commits, beyond, is_ancestor
from prolly.merge import base_of, merge_manifests
from prolly.tree import NodeReader, Versions

from .merge_request import VIRTUAL


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
    """Return the step that takes back a commit.

    ``mainline`` is the number of the parent that a merge is reverted to, from 1.
    Raises Invalid ``first-commit``, ``merge-commit`` and ``mainline``.
    """
    commit = commits.read(commit_id)
    parent = _parent(commit_id, commit, mainline)
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


def _parent(commit_id: bytes, commit: Commit, mainline: int | None) -> bytes:
    parents = commit.parents
    if not parents:
        raise first_commit()
    if mainline is None:
        if len(parents) > 1:
            raise Invalid(
                f"commit {commit_id.hex()[:12]} is a merge",
                code="merge-commit",
                hint="Say which of its parents to go back to: -m 1 takes back what "
                "the merge brought into the branch that it was made on.",
                parents=len(parents),
            )
        return parents[0]
    if type(mainline) is not int or not 1 <= mainline <= len(parents):
        raise Invalid(
            f"commit {commit_id.hex()[:12]} has no parent {shown(mainline)}",
            code="mainline",
            hint=f"It has {len(parents)}; -m counts them from 1.",
            parents=len(parents),
        )
    return parents[mainline - 1]


def first_commit() -> Invalid:
    """Return (not raise) the error for what the constant first commit cannot be."""
    return Invalid(
        "the first, empty commit is the same everywhere and changes nothing",
        code="first-commit",
        hint="Choose a later commit: `prolly log` lists them.",
    )


def pick_step(commits: Commits, commit_id: bytes) -> Step:
    """Return the step that makes the change of a commit again, as a commit like it."""
    commit = commits.read(commit_id)
    return Step(
        base=commits.read(commit.parents[0]).root,
        theirs=commit.root,
        picked=commit_id,
        message=commit.message,
        metadata={**commit.metadata, "picked": commit_id},
        author=commit.author,
        time_us=commit.time_us,
    )


def require_pickable(commits: Commits, commit_id: bytes) -> None:
    """Refuse a commit that has not one parent.

    Invalid ``first-commit``, ``merge-commit``.
    """
    parents = commits.read(commit_id).parents
    if not parents:
        raise first_commit()
    if len(parents) > 1:
        raise Invalid(
            f"commit {commit_id.hex()[:12]} is a merge: it is no single change",
            code="merge-commit",
            hint="Pick the commits that it merged, or merge it: `prolly merge REV`.",
            parents=len(parents),
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
        step = pick_step(self._commits, commit_id)
        commit = self._commits.read(commit_id)
        base = step.base
        first, *others = commit.parents
        for other in others:
            if is_ancestor(self._commits, other, self._tip):
                known = base_of(self._commits, self._merge, first, other).root
                theirs = self._commits.read(other).root
                base = self._merge(Versions(known, base, theirs))
        return step._replace(base=base, metadata=commit.metadata)

    def _merge(self, versions: Versions) -> bytes:
        return merge_manifests(self._reader, self._writer, versions, VIRTUAL).root


def rebase_commits(commits: Commits, head: bytes, onto: bytes) -> tuple[bytes, ...]:
    """Return what a rebase makes again, the oldest first: the line of first parents.

    LimitExceeded ``too-many-commits``.
    """
    new = set(beyond(commits, [head], [onto]))
    line: list[bytes] = []
    at = head
    while at in new:
        line.append(at)
        # In a shallow replica a parent may be missing: its step says so.
        at = commits.read(at).parents[0]
    return require_few(tuple(reversed(line)))


def require_few(todo: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return commits to be made again; LimitExceeded ``too-many-commits``."""
    if len(todo) > REPLAY_COMMITS_MAX:
        raise LimitExceeded(
            f"{len(todo):,} commits cannot be made again at once",
            code="too-many-commits",
            hint="Do it in parts, or fold them first: `prolly squash REV`.",
            limit=REPLAY_COMMITS_MAX,
            actual=len(todo),
        )
    return todo
