"""The convergent head: where a branch stands, given what is known to be authored.

    authored     every commit that is no unattended merge
    known        the commits at and below the heads that a replica has heard of
    the head     the merge of the authored commits in `known` that no other one is above

The head depends on nothing but which authored commits are known. Unattended merges
among the heads are looked through, whoever made them: they say which authored commits
there are and nothing else. The head of a branch stands for all that is known below it,
so replicas need to exchange nothing but heads, in any order, over any route, as often
as they like: the head of several heads is an associative, commutative and idempotent
function, and those who know the same stand at the same. See
docs/design/0009-convergent-head.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from prolly.history import Commits, heads

from .bases import Merge, VirtualMerges
from .unattended import is_unattended


class ConvergedHead(NamedTuple):
    """Where the known commits converge.

    ``head`` is the commit; ``authored`` the authored commits that it merges, sorted, or
    itself alone; ``chunks`` the commit chunks, parents first, that must be stored
    before a ref may name it. They may be stored already.
    """

    head: bytes
    authored: tuple[bytes, ...]
    chunks: tuple[bytes, ...]


class Convergence:
    """Finds convergent heads again and again, and remembers the merges it made.

    ``merge`` must settle every conflict, by rules that are the same on every replica,
    and is used for virtual bases too: what it once decided is then what both sides have
    in common. What ``VirtualMerges`` asks of it holds here.
    """

    def __init__(self, commits: Commits, merge: Merge) -> None:
        self._commits = commits
        self._merges = VirtualMerges(commits, merge)

    def head(self, known: Iterable[bytes]) -> ConvergedHead:
        """Return the head of all that is known at and below some commits, at least one.

        NotFound ``no-such-commit`` when history is missing that it takes to tell.
        """
        authored = authored_heads(self._commits, known)
        head = self._merges.merge_of(authored)
        return ConvergedHead(head, tuple(authored), self._chunks(head))

    def _chunks(self, head: bytes) -> tuple[bytes, ...]:
        """Return the chunks of the merges at and below a head, parents first."""
        found: dict[bytes, bytes] = {}
        waiting = [head]
        while waiting:
            commit_id = waiting.pop()
            chunk = self._merges.commits.chunk(commit_id)
            if chunk is not None and commit_id not in found:
                found[commit_id] = chunk
                waiting.extend(self._merges.commits.read(commit_id).parents)
        return tuple(reversed(found.values()))


def converged_head(
    commits: Commits, merge: Merge, known: Iterable[bytes]
) -> ConvergedHead:
    """Return the head of all that is known; see ``Convergence``, which remembers."""
    return Convergence(commits, merge).head(known)


def authored_heads(commits: Commits, known: Iterable[bytes]) -> list[bytes]:
    """Return the maximal authored commits at and below some, sorted by id.

    Maximal: no other authored one is above. At least one, as no history begins with a
    merge.
    """
    waiting = list(known)
    looked_through: set[bytes] = set()
    authored: set[bytes] = set()
    while waiting:
        commit_id = waiting.pop()
        commit = commits.read(commit_id)
        if not is_unattended(commit):
            authored.add(commit_id)
        elif commit_id not in looked_through:
            looked_through.add(commit_id)
            waiting.extend(commit.parents)
    return heads(commits, authored)
