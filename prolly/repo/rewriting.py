"""Commits made again: what each verb plans, handed to ``replaying``."""

from __future__ import annotations

from collections.abc import Sequence

from prolly.chunks import ChunkWriter
from prolly.errors import Invalid
from prolly.history import is_ancestor
from prolly.merge import only_first_commit_shared
from prolly.tree import NodeReader

from .merge_request import Attended
from .replay_commits import (
    branch_line,
    change_parent,
    require_ancestor,
    require_few,
)
from .replay_result import ReplayResult
from .replay_steps import Begun, pick_step, revert_step
from .replaying import begin_replay
from .storage import Storage


def revert(
    storage: Storage, asked: Attended, commit_id: bytes, mainline: int | None
) -> ReplayResult:
    """Take back what a commit of the branch changed, in a new commit."""

    def plan(head: bytes, reader: NodeReader, writer: ChunkWriter) -> Begun:
        require_ancestor(storage.commits, commit_id, head, asked.branch)
        return Begun(head, revert_step(storage.commits, commit_id, mainline), ())

    return begin_replay(storage, asked, "revert", plan)


def cherry_pick(
    storage: Storage,
    asked: Attended,
    commit_ids: Sequence[bytes],
    mainline: int | None,
) -> ReplayResult:
    """Make the changes of some commits again on a branch, one commit for each.

    ``mainline`` goes with one: what waits behind a conflict is named by ids alone.
    """
    todo = require_few(tuple(commit_ids))
    if len(todo) != 1 and (asked.message, asked.author) != (None, None):
        raise Invalid(
            "a message or an author is for one commit",
            code="one-message",
            hint="Leave it out: each commit keeps its own, or pick one by one.",
        )
    if len(todo) != 1 and mainline is not None:
        raise Invalid(
            "the number of a parent is for one merge",
            code="mainline",
            hint="Pick the merges one by one.",
        )
    for one in todo:
        change_parent(storage.commits, one, mainline)

    def plan(head: bytes, reader: NodeReader, writer: ChunkWriter) -> Begun:
        if mainline is None:
            return Begun(head, None, todo)
        return Begun(head, pick_step(storage.commits, todo[0], mainline), ())

    return begin_replay(storage, asked, "cherry-pick", plan)


def rebase(storage: Storage, asked: Attended, onto: bytes) -> ReplayResult:
    """Make the commits that a branch has beyond another version again on top of it."""
    commits = storage.commits

    def plan(head: bytes, reader: NodeReader, writer: ChunkWriter) -> Begun:
        if is_ancestor(commits, onto, head):
            return Begun(head, None, ())
        if is_ancestor(commits, head, onto):
            return Begun(onto, None, ())
        if only_first_commit_shared(commits, head, onto):
            raise Invalid(
                f"{onto.hex()[:12]} and branch {asked.branch!r} have nothing in common "
                "but the empty first commit",
                code="unrelated",
                hint="Merge them, if that is meant: `prolly merge REV "
                "--allow-unrelated`.",
                branch=asked.branch,
            )
        return Begun(onto, None, branch_line(commits, head, onto))

    return begin_replay(storage, asked, "rebase", plan)
