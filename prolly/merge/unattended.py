"""Commits that nobody authored: merges that every replica makes alike.

An unattended merge is a function of the commits that it merges and of the root that the
merge gives. It has no author and no clock: its time is the latest of its parents', its
message a constant. So replicas that merge the same commits make the same commit, and
need not send it to each other. Page: docs/spec/commits.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from prolly.codec import Commit
from prolly.history import Commits

# Part of the format: other words would be other ids, and replicas would not converge.
UNATTENDED_MESSAGE = "Merge concurrent commits"

# A merge of one commit is that commit.
_PARENTS_MIN = 2


def unattended_merge(commits: Commits, parents: Sequence[bytes], root: bytes) -> Commit:
    """Return the commit that merges ``parents`` into the manifest at ``root``.

    The parents, at least two, may come in any order. NotFound when one is absent.
    """
    assert len(set(parents)) == len(parents) >= _PARENTS_MIN
    merged = [commits.read(parent) for parent in parents]
    return Commit(
        parents=tuple(sorted(parents)),
        root=root,
        author="",
        time_us=max(one.time_us for one in merged),
        message=UNATTENDED_MESSAGE,
        generation=1 + max(one.generation for one in merged),
    )


def is_unattended(commit: Commit) -> bool:
    """Tell whether nobody authored a commit, by its form alone.

    Whatever has this form counts as made by a machine: what it holds beyond its parents
    is not looked at. A person's merge must have an author or words of its own.
    """
    return (
        not commit.author
        and commit.message == UNATTENDED_MESSAGE
        and len(commit.parents) >= _PARENTS_MIN
        and list(commit.parents) == sorted(commit.parents)
        and not commit.metadata
    )
