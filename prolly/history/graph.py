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

In a shallow replica parents of some commits are not here. Walks end there; a question
whose answer may depend on what lies behind is NotFound ``shallow``, never guessed at.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from .commits import Commits, cut_off

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
        # Where parents were left out: commit and generation, by its mark.
        self.cuts: dict[int, list[tuple[int, bytes]]] = {}
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

    def follow(self, commit_id: bytes, mark: int) -> None:
        """Put the parents of a commit in line, as far as they are here."""
        commits = self._commits
        parents = commits.read(commit_id).parents
        for parent in parents:
            if commits.get(parent) is None:
                parents = commits.parents(commit_id)
                generation = commits.read(commit_id).generation
                self.cuts.setdefault(mark, []).append((generation, commit_id))
                break
        for parent in parents:
            self.add(parent, mark)

    def require_none_cut(self, floor: int, *marks: int) -> None:
        """Raise NotFound ``shallow`` if commits above ``floor`` may have been left out.

        Those are meant that only commits of one of ``marks`` reach; all by default.
        """
        for mark in marks or self.cuts:
            for generation, commit_id in self.cuts.get(mark, ()):
                if generation - 1 > floor:
                    raise cut_off(commit_id)

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
        front.follow(commit_id, _OURS)


def beyond(
    commits: Commits, heads: Iterable[bytes], known: Iterable[bytes]
) -> Iterator[bytes]:
    """Yield what ``heads`` reach and ``known`` do not, children before parents.

    ``known`` must be there, too. Walks down to the generation where nothing is left.
    """
    front = Front(commits)
    for commit_id in heads:
        front.add(commit_id, _OURS)
    for commit_id in known:
        front.add(commit_id, _BELOW)
    while front.undecided > 0:
        commit_id = front.pop()
        mark = front.marks[commit_id]
        if not mark & _BELOW:
            yield commit_id
        front.follow(commit_id, mark)


def within(
    commits: Commits,
    heads: Iterable[bytes],
    known: Iterable[bytes],
    *,
    depth: int | None,
    shallow: Collection[bytes] = (),
) -> tuple[list[bytes], set[bytes]]:
    """Return what ``heads`` reach and ``known`` do not, as ``beyond``, cut at a depth.

    With it those of them of which some parent is neither listed nor known. Commits are
    listed that are less than ``depth`` steps away from one of ``heads``, and
    all that stand above one that is known, so that nothing is missing between. Of
    ``shallow`` commits whoever knows them does not know the parents. NotFound
    ``shallow`` where what is due is not here.
    """
    front = Front(commits)
    steps: dict[bytes, int] = {}
    for commit_id in heads:
        front.add(commit_id, _OURS)
        steps[commit_id] = 0
    for commit_id in known:
        front.add(commit_id, _BELOW)
    found: list[bytes] = []
    while front.undecided > 0:
        commit_id = front.pop()
        mark = front.marks[commit_id]
        if mark & _BELOW:
            if commit_id not in shallow:
                front.follow(commit_id, mark)
            continue
        found.append(commit_id)
        for parent in commits.read(commit_id).parents:
            step = steps[commit_id] + 1
            steps[parent] = min(steps.get(parent, step), step)
        front.follow(commit_id, mark)
    above: set[bytes] = set()
    for commit_id in reversed(found):
        for parent in commits.read(commit_id).parents:
            is_known = front.marks.get(parent, 0) & _BELOW
            # Everybody knows the first commit; that says nothing.
            if parent in above or (is_known and commits.read(parent).generation):
                above.add(commit_id)
    listed = [
        one for one in found if depth is None or steps[one] < depth or one in above
    ]
    for _, commit_id in front.cuts.get(_OURS, ()):
        if depth is None or steps[commit_id] + 1 < depth:
            raise cut_off(commit_id)
    there = {one for one, mark in front.marks.items() if mark & _BELOW}
    there.update(listed)
    cut = {one for one in listed if not there.issuperset(commits.read(one).parents)}
    return listed, cut


def is_ancestor(commits: Commits, ancestor: bytes, descendant: bytes) -> bool:
    """Tell whether ``ancestor`` is ``descendant`` or can be reached from it.

    NotFound ``shallow`` where that cannot be known here.
    """
    floor = commits.read(ancestor).generation
    front = Front(commits)
    front.add(descendant, _OURS)
    while front.generation >= floor:
        commit_id = front.pop()
        if commit_id == ancestor:
            return True
        front.follow(commit_id, _OURS)
    front.require_none_cut(floor)
    return False


def merge_bases(commits: Commits, ours: bytes, theirs: bytes) -> list[bytes]:
    """Return the best common ancestors, sorted by id.

    A common ancestor is best when it is no ancestor of another one. None: unrelated;
    several: a criss-cross. NotFound ``shallow`` where that cannot be known here.
    """
    front = Front(commits)
    front.add(ours, _OURS)
    front.add(theirs, _THEIRS)
    bases: list[tuple[int, bytes]] = []
    # The lowest generation met so far, by mark.
    lowest: dict[int, int] = {}
    while front.undecided > 0:
        commit_id = front.pop()
        mark = front.marks[commit_id]
        generation = commits.read(commit_id).generation
        lowest[mark] = generation
        if mark == _BOTH:
            bases.append((generation, commit_id))
            mark |= _BELOW
        front.follow(commit_id, mark)
    if front.cuts:
        _require_sure(front, bases, lowest)
    return sorted(commit_id for _, commit_id in bases)


def _require_sure(
    front: Front, bases: Sequence[tuple[int, bytes]], lowest: Mapping[int, int]
) -> None:
    """Raise NotFound ``shallow`` if what was left out may change the bases.

    Commits of one side that were left out may be, or lead to, commits of the other one,
    which would be a base then; commits below a base may lead to another base, which
    would be none.
    """
    for side, other in ((_OURS, _THEIRS), (_THEIRS, _OURS)):
        if other in front.cuts:
            front.require_none_cut(-1, side)
        if other in lowest:
            front.require_none_cut(lowest[other], side)
    if len(bases) > 1:
        lowest_base = min(generation for generation, _ in bases)
        below = [mark for mark in front.cuts if mark & _BELOW]
        if below:
            front.require_none_cut(lowest_base, *below)


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
        front.follow(commit_id, _BELOW)
    if front.cuts:
        front.require_none_cut(min(commits.read(one).generation for one in asked))
    return sorted(found)
