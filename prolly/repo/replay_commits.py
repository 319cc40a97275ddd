"""Which commits are made again, or taken back, and which cannot be."""

from __future__ import annotations

from prolly.codec import REPLAY_COMMITS_MAX, shown
from prolly.errors import Invalid, LimitExceeded
from prolly.history import Commits, beyond, is_ancestor


def change_parent(commits: Commits, commit_id: bytes, mainline: int | None) -> bytes:
    """Return the parent against which a commit is a change.

    ``mainline`` is its number, from 1; of a merge it must be said. Raises Invalid
    ``first-commit``, ``merge-commit`` and ``mainline``.
    """
    parents = commits.read(commit_id).parents
    if not parents:
        raise Invalid(
            "the first, empty commit is the same everywhere and changes nothing",
            code="first-commit",
            hint="Choose a later commit: `prolly log` lists them.",
        )
    if mainline is None:
        if len(parents) > 1:
            raise Invalid(
                f"commit {commit_id.hex()[:12]} is a merge: it is no single change",
                code="merge-commit",
                hint="Say against which of its parents: --mainline 1 is what it "
                "brought into the branch that it was made on.",
                parents=len(parents),
            )
        return parents[0]
    if type(mainline) is not int or not 1 <= mainline <= len(parents):
        raise Invalid(
            f"commit {commit_id.hex()[:12]} has no parent {shown(mainline)}",
            code="mainline",
            hint=f"It has {len(parents)}; --mainline counts them from 1.",
            parents=len(parents),
        )
    return parents[mainline - 1]


def require_ancestor(
    commits: Commits, ancestor: bytes, head: bytes, branch: str
) -> None:
    """Raise Invalid ``not-an-ancestor`` for a commit that a branch does not hold."""
    if not is_ancestor(commits, ancestor, head):
        raise Invalid(
            f"commit {ancestor.hex()[:12]} is no ancestor of branch {branch!r}",
            code="not-an-ancestor",
            hint="`prolly log` lists the commits of the branch; `prolly log REV` those "
            "below another one.",
            branch=branch,
        )


def branch_line(commits: Commits, head: bytes, since: bytes) -> tuple[bytes, ...]:
    """Return what a branch has beyond a commit, the oldest first: its first parents.

    LimitExceeded ``too-many-commits``.
    """
    new = set(beyond(commits, [head], [since]))
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
