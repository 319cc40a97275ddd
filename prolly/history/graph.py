"""The graph of commits: walks, ancestry, merge bases.

A commit's generation is one more than its parents' highest, so a walk that always takes
the highest generation next meets every child before its parents, and everything that is
known of a commit when it is met is final. Cost: O(commits walked x log of the front).

What is walked, at most: all commits down to the generation where the question is
settled. For ``merge_bases`` that is the lowest base's, and one step below the bases;
for ``is_ancestor`` and ``heads`` the generation of the commit that is asked about. A
head that rested for long beside a busy branch costs as many commits as that branch got
since. Generations are taken as they stand: where a damaged commit's is wrong an answer
may be too, but every walk ends.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence

from .commits import Commits

_OURS, _THEIRS, _BELOW = 1, 2, 4
_BOTH = _OURS | _THEIRS


class Front:
    """Commits still to visit, highest generation first, with marks gathered so far.

    A commit is met after all its children, so its marks are complete then.
    """

    def __init__(self, commits: Commits) -> None:
        self._commits = commits
        self._heap: list[tuple[int, int, bytes]] = []
        self.marks: dict[bytes, int] = {}
        # How many in line bear no mark "below": counting them anew at each step would
        # make a walk over a wide graph quadratic.
        self.undecided = 0

    def add(self, commit_id: bytes, mark: int) -> None:
        """Put a commit in line, or add a mark to one that stands there."""
        known = self.marks.get(commit_id)
        if known is None:
            commit = self._commits.read(commit_id)
            order = (-commit.generation, -commit.time_us, commit_id)
            heapq.heappush(self._heap, order)
            known = 0
            self.undecided += 1
        self.marks[commit_id] = known | mark
        if mark & _BELOW and not known & _BELOW:
            self.undecided -= 1

    def pop(self) -> bytes:
        """Take the next commit out of line."""
        commit_id = heapq.heappop(self._heap)[2]
        self.undecided -= not self.marks[commit_id] & _BELOW
        return commit_id

    @property
    def generation(self) -> int:
        """The highest generation still to visit; -1 when none is."""
        return -self._heap[0][0] if self._heap else -1

    def __bool__(self) -> bool:
        return bool(self._heap)


def walk(commits: Commits, heads: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the ids of all commits reachable from ``heads``, children before parents.

    Of equal generations the later time comes first, then the smaller id.
    """
    front = Front(commits)
    for head in heads:
        front.add(head, _OURS)
    while front:
        commit_id = front.pop()
        yield commit_id
        for parent in commits.read(commit_id).parents:
            front.add(parent, _OURS)


def is_ancestor(commits: Commits, ancestor: bytes, descendant: bytes) -> bool:
    """Tell whether ``ancestor`` is ``descendant`` or can be reached from it."""
    floor = commits.read(ancestor).generation
    front = Front(commits)
    front.add(descendant, _OURS)
    while front.generation >= floor:
        commit_id = front.pop()
        if commit_id == ancestor:
            return True
        for parent in commits.read(commit_id).parents:
            front.add(parent, _OURS)
    return False


def merge_bases(commits: Commits, ours: bytes, theirs: bytes) -> list[bytes]:
    """Return the best common ancestors, sorted by id.

    A common ancestor is best when it is no ancestor of another one. None: unrelated;
    several: a criss-cross.
    """
    front = Front(commits)
    front.add(ours, _OURS)
    front.add(theirs, _THEIRS)
    bases: list[bytes] = []
    while front.undecided > 0:
        commit_id = front.pop()
        mark = front.marks[commit_id]
        if mark == _BOTH:
            bases.append(commit_id)
            mark |= _BELOW
        for parent in commits.read(commit_id).parents:
            front.add(parent, mark)
    return sorted(bases)


def heads(commits: Commits, ids: Iterable[bytes]) -> list[bytes]:
    """Return those of ``ids`` that are ancestors of no other one, sorted, each once.

    They and what is below them are all of ``ids`` and what is below those.
    """
    asked = sorted(set(ids))
    if len(asked) < 2:
        return asked
    front = Front(commits)
    for commit_id in asked:
        front.add(commit_id, _OURS)
    found: list[bytes] = []
    # Whatever else comes into line is below one that was asked about, so what is
    # undecided is always one of those.
    while front.undecided > 0:
        commit_id = front.pop()
        if not front.marks[commit_id] & _BELOW:
            found.append(commit_id)
        for parent in commits.read(commit_id).parents:
            front.add(parent, _BELOW)
    return sorted(found)
