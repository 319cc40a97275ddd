"""The commit graph against definitions read aloud on small random graphs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import Commit, address_of, encode_commit
from prolly.errors import NotFound
from prolly.history import Commits, is_ancestor, merge_bases, walk

Graph = list[tuple[int, ...]]

# For each commit the numbers of its parents, all smaller than its own.
graphs = st.lists(st.lists(st.integers(0, 10**6), max_size=3), min_size=1, max_size=14)


class Drawn:
    """Commits made from drawn parent numbers."""

    def __init__(self, parents: list[list[int]]) -> None:
        self.ids: list[bytes] = []
        self.parents: list[tuple[int, ...]] = []
        self.chunks: dict[bytes, bytes] = {}
        generations: list[int] = []
        for number, drawn in enumerate(parents):
            chosen = tuple(sorted({draw % number for draw in drawn})) if number else ()
            generation = 1 + max((generations[p] for p in chosen), default=-1)
            commit = Commit(
                tuple(self.ids[p] for p in chosen),
                bytes(32),
                "a",
                (number * 37) % 5,
                f"commit {number}",
                generation=generation,
            )
            chunk = encode_commit(commit)
            generations.append(generation)
            self.parents.append(chosen)
            self.ids.append(address_of(chunk))
            self.chunks[self.ids[-1]] = chunk
        self.commits = Commits(self.chunks.get)

    def ancestors(self, number: int) -> set[int]:
        """All commits reachable from one, itself included."""
        found = {number}
        for parent in self.parents[number]:
            found |= self.ancestors(parent)
        return found


@given(graphs, st.data())
def test_walk_meets_children_first_and_each_once(
    parents: list[list[int]], data: st.DataObject
) -> None:
    """A walk yields exactly the reachable commits, no parent before its child."""
    graph = Drawn(parents)
    head = data.draw(st.integers(0, len(graph.ids) - 1))
    order = list(walk(graph.commits, [graph.ids[head]]))
    assert sorted(order) == sorted(graph.ids[n] for n in graph.ancestors(head))
    place = {commit_id: index for index, commit_id in enumerate(order)}
    for number in graph.ancestors(head):
        for parent in graph.parents[number]:
            assert place[graph.ids[number]] < place[graph.ids[parent]]


@given(graphs, st.data())
def test_ancestry_and_bases_follow_the_definitions(
    parents: list[list[int]], data: st.DataObject
) -> None:
    """is_ancestor is reachability; bases are the common ancestors below no other."""
    graph = Drawn(parents)
    numbers = st.integers(0, len(graph.ids) - 1)
    left, right = data.draw(numbers), data.draw(numbers)
    ids = graph.ids[left], graph.ids[right]
    assert is_ancestor(graph.commits, *ids) == (left in graph.ancestors(right))
    common = graph.ancestors(left) & graph.ancestors(right)
    best = {
        number
        for number in common
        if not any(number in graph.ancestors(other) - {other} for other in common)
    }
    bases = merge_bases(graph.commits, *ids)
    assert bases == sorted(graph.ids[number] for number in best)
    assert bases == merge_bases(graph.commits, *reversed(ids))


def test_a_missing_commit_is_named() -> None:
    """A walk over an absent commit raises NotFound with its id."""
    try:
        list(walk(Commits(lambda _: None), [bytes(32)]))
    except NotFound as error:
        assert error.code == "no-such-commit"
        assert error.address == bytes(32)
    else:
        raise AssertionError("nothing was raised")
