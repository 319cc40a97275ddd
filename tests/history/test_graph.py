"""The commit graph against definitions read aloud on small random graphs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import Commit, address_of, encode_commit
from prolly.errors import NotFound
from prolly.history import Commits, heads, is_ancestor, merge_bases, walk

# For each commit how far back its parents lie: near ones make many criss-crosses.
near = st.lists(st.integers(1, 6), max_size=6)
far = st.lists(st.integers(1, 10**6), max_size=3)
graphs = st.lists(st.one_of(near, far), min_size=1, max_size=24)


class Drawn:
    """Commits made from drawn distances, and the set of what is below each."""

    def __init__(self, distances: list[list[int]]) -> None:
        self.ids: list[bytes] = []
        self.parents: list[tuple[int, ...]] = []
        self.below: list[set[int]] = []
        self.generations: list[int] = []
        self.reads = 0
        self.chunks: dict[bytes, bytes] = {}
        for drawn in distances:
            self.commit(drawn)

    def commit(self, distances: list[int]) -> int:
        """Add a commit; 1 is the newest before it, and past the first it wraps."""
        number = len(self.ids)
        chosen = {number - 1 - (one - 1) % number for one in distances if number}
        parents = tuple(sorted(chosen))
        self.parents.append(parents)
        self.below.append({number}.union(*(self.below[parent] for parent in parents)))
        generations = [self.generations[parent] for parent in parents]
        self.generations.append(1 + max(generations, default=-1))
        commit = Commit(
            tuple(self.ids[parent] for parent in parents),
            bytes(32),
            "a",
            (number * 37) % 5,
            f"commit {number}",
            generation=self.generations[-1],
        )
        chunk = encode_commit(commit)
        self.ids.append(address_of(chunk))
        self.chunks[self.ids[-1]] = chunk
        return number

    @property
    def commits(self) -> Commits:
        """The commits, none of them read before."""
        return Commits(self._chunk)

    def _chunk(self, commit_id: bytes) -> bytes | None:
        self.reads += 1
        return self.chunks.get(commit_id)

    def maximal(self, numbers: set[int]) -> list[bytes]:
        """Return the ids of those that lie below no other one, sorted."""
        return sorted(
            self.ids[one]
            for one in numbers
            if not any(one in self.below[other] - {other} for other in numbers)
        )


@given(graphs, st.data())
def test_walk_meets_children_first_and_each_once(
    distances: list[list[int]], data: st.DataObject
) -> None:
    """A walk yields exactly the reachable commits, no parent before its child."""
    graph = Drawn(distances)
    head = data.draw(st.integers(0, len(graph.ids) - 1))
    order = list(walk(graph.commits, [graph.ids[head]]))
    assert sorted(order) == sorted(graph.ids[n] for n in graph.below[head])
    place = {commit_id: index for index, commit_id in enumerate(order)}
    for number in graph.below[head]:
        for parent in graph.parents[number]:
            assert place[graph.ids[number]] < place[graph.ids[parent]]


@given(graphs)
def test_ancestry_and_bases_follow_the_definitions(distances: list[list[int]]) -> None:
    """Of any two: ancestry is reachability, bases the maximal common ancestors."""
    graph = Drawn(distances)
    commits = graph.commits
    for ours, below_ours in enumerate(graph.below):
        for theirs in range(ours + 1):
            ids = graph.ids[ours], graph.ids[theirs]
            assert is_ancestor(commits, *ids) == (ours in graph.below[theirs])
            assert is_ancestor(commits, *reversed(ids)) == (theirs in below_ours)
            bases = merge_bases(commits, *ids)
            assert bases == graph.maximal(below_ours & graph.below[theirs])
            assert bases == merge_bases(commits, *reversed(ids))


@given(graphs, st.data())
def test_heads_are_the_maximal_ones(
    distances: list[list[int]], data: st.DataObject
) -> None:
    """heads drops what lies below another one, and repeats; order does not matter."""
    graph = Drawn(distances)
    numbers = st.integers(0, len(graph.ids) - 1)
    drawn = data.draw(st.lists(numbers, max_size=8))
    ids = [graph.ids[number] for number in drawn]
    assert heads(graph.commits, ids) == graph.maximal(set(drawn))
    assert heads(graph.commits, reversed(ids)) == heads(graph.commits, ids)


def test_questions_about_the_tip_read_the_tip() -> None:
    """Bases, ancestry and heads of new commits do not walk the old history."""
    graph = Drawn([[1] for _ in range(300)])
    base = len(graph.ids) - 1
    ours = graph.commit([1])
    theirs = graph.commit([2])
    tip, commits = [graph.ids[ours], graph.ids[theirs]], graph.commits
    assert merge_bases(commits, *tip) == [graph.ids[base]]
    assert graph.reads <= 5
    graph.reads, commits = 0, graph.commits
    assert heads(commits, tip) == sorted(tip)
    assert graph.reads <= 5
    graph.reads, commits = 0, graph.commits
    assert is_ancestor(commits, graph.ids[base], tip[0])
    assert not is_ancestor(commits, *tip)
    assert graph.reads <= 5


def test_generations_that_lie_end_every_walk() -> None:
    """With a generation that does not suit, the questions still come to an end."""
    graph = Drawn([[], [1], [2], [1, 2]])
    liar = Commit((graph.ids[3],), bytes(32), "a", 0, "liar", generation=1)
    chunk = encode_commit(liar)
    graph.ids.append(address_of(chunk))
    graph.chunks[graph.ids[-1]] = chunk
    for one in graph.ids:
        for other in graph.ids:
            merge_bases(graph.commits, one, other)
            is_ancestor(graph.commits, one, other)
            heads(graph.commits, [one, other])


def test_a_missing_commit_is_named() -> None:
    """A walk over an absent commit raises NotFound with its id."""
    with pytest.raises(NotFound) as caught:
        list(walk(Commits(lambda _: None), [bytes(32)]))
    assert caught.value.code == "no-such-commit"
    assert caught.value.address == bytes(32)
