"""Bases of merges: one common ancestor, several, none; sums on random graphs."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prolly.codec import (
    COMMIT_PARENTS_MAX,
    Commit,
    address_of,
    decode_commit,
    encode_commit,
    first_commit,
)
from prolly.errors import NotFound
from prolly.history import Commits
from prolly.merge import (
    Base,
    VirtualMerges,
    base_of,
    is_unattended,
    only_first_commit_shared,
)
from prolly.tree import Versions

# How far back the parents of each commit lie; near ones make many criss-crosses.
graphs = st.lists(
    st.lists(st.integers(1, 6), min_size=1, max_size=6), min_size=2, max_size=16
)


def root_of(total: int) -> bytes:
    """Return a root that stands for a number."""
    return (total % (1 << 256)).to_bytes(32)


class Sums:
    """A graph where a root is a number: what each commit adds is a bit of its own.

    So the number of a commit tells which commits were added, and how often.
    """

    def __init__(self) -> None:
        self.chunks: dict[bytes, bytes] = {}
        self.commits = Commits(self.chunks.get)
        self.ids: list[bytes] = []
        self.below: list[set[int]] = []
        self.merges: list[Versions] = []

    def merge(self, versions: Versions) -> bytes:
        """Add what both sides added, as a counter does."""
        self.merges.append(versions)
        base, ours, theirs = (int.from_bytes(one or b"") for one in versions)
        return root_of(ours + theirs - base)

    def sum_below(self, numbers: set[int]) -> int:
        """Return what a set of commits added, each once; four bits a commit."""
        return sum(1 << 4 * number for number in numbers)

    def commit(self, parents: list[int]) -> int:
        """Commit a merge of the parents, one after the other, and one bit more."""
        number = len(self.ids)
        parents = sorted(set(parents))
        below: set[int] = set().union(*(self.below[one] for one in parents))
        generations = [self.commits.read(self.ids[one]).generation for one in parents]
        total = self.sum_below({*below, number})
        return self.put(
            Commit(
                tuple(self.ids[one] for one in parents),
                root_of(total),
                "a",
                number,
                "",
                generation=1 + max(generations, default=-1),
            ),
            {*below, number},
        )

    def put_bit(self, parent: int, bit: int) -> int:
        """Commit a root with just one bit on a parent without any."""
        ids = (self.ids[parent],)
        commit = Commit(ids, root_of(1 << bit), "a", bit, "", generation=1)
        return self.put(commit, set())

    def put(self, commit: Commit, below: set[int]) -> int:
        """Store a commit, and return its number."""
        chunk = encode_commit(commit)
        self.ids.append(address_of(chunk))
        self.chunks[self.ids[-1]] = chunk
        self.below.append(below)
        return len(self.ids) - 1


def drawn(distances: list[list[int]]) -> Sums:
    """Return a graph with a first commit and one for each list of distances."""
    graph = Sums()
    graph.commit([])
    for number, some in enumerate(distances, 1):
        graph.commit([number - 1 - (one - 1) % number for one in some])
    return graph


@settings(max_examples=60)
@given(graphs)
def test_a_base_holds_what_both_have_each_once(distances: list[list[int]]) -> None:
    """Of any two commits the base is the sum of all their common ancestors."""
    graph = drawn(distances)
    merges = VirtualMerges(graph.commits, graph.merge)
    for ours, below in enumerate(graph.below):
        for theirs in range(ours + 1):
            found = merges.base_of(graph.ids[ours], graph.ids[theirs])
            common = below & graph.below[theirs]
            assert found.root == root_of(graph.sum_below(common))


@settings(max_examples=60)
@given(graphs, st.integers(0, 10**9))
def test_a_base_depends_on_the_two_commits_alone(
    distances: list[list[int]], seed: int
) -> None:
    """Sides may be swapped, and what was asked before changes nothing."""
    graph = drawn(distances)
    source = random.Random(seed)
    used = VirtualMerges(graph.commits, graph.merge)
    pairs = [(ours, theirs) for ours in graph.ids for theirs in graph.ids]
    for ours, theirs in source.sample(pairs, min(30, len(pairs))):
        found = used.base_of(ours, theirs)
        assert found == used.base_of(theirs, ours)
        assert found == base_of(graph.commits, graph.merge, ours, theirs)


def test_one_common_ancestor_is_taken_as_it_stands() -> None:
    """With one best common ancestor nothing is merged; a side may be it."""
    graph = drawn([[1], [1], [2]])
    _, base, ours, theirs = graph.ids
    root = graph.commits.read(base).root
    assert base_of(graph.commits, graph.merge, ours, theirs) == Base(root, (base,))
    assert base_of(graph.commits, graph.merge, ours, base) == Base(root, (base,))
    assert not graph.merges


def test_unrelated_commits_have_no_base() -> None:
    """Two histories without a common commit: no root, no commits."""
    graph = Sums()
    ours, theirs = graph.commit([]), graph.commit([])
    found = base_of(graph.commits, graph.merge, graph.ids[ours], graph.ids[theirs])
    assert found == Base(None, ())


def test_unrelated_ancestors_merge_with_no_base() -> None:
    """A criss-cross over two first commits merges these with an absent base."""
    graph = Sums()
    one, other = graph.commit([]), graph.commit([])
    ours, theirs = graph.commit([one, other]), graph.commit([one, other])
    found = base_of(graph.commits, graph.merge, graph.ids[ours], graph.ids[theirs])
    assert found.commits == tuple(sorted((graph.ids[one], graph.ids[other])))
    assert found.root == root_of(0x11)
    assert [versions.base for versions in graph.merges] == [None]


def test_ours_is_the_side_of_the_smaller_id() -> None:
    """In a virtual base the ancestor with the smaller id is ours."""
    graph = drawn([[1], [2], [1, 2], [2, 3]])
    small, large = sorted(graph.ids[1:3])
    base_of(graph.commits, graph.merge, graph.ids[3], graph.ids[4])
    (versions,) = graph.merges
    assert versions.ours == graph.commits.read(small).root
    assert versions.theirs == graph.commits.read(large).root


def ladder(rungs: int, width: int = 2) -> Sums:
    """Return a graph of rungs, each of whose commits merges the whole rung below."""
    graph = Sums()
    rung = [graph.put(Commit((), root_of(1), "a", 0, ""), set())]
    for number in range(1, rungs + 1):
        parents = tuple(graph.ids[one] for one in rung)
        rung = [
            graph.put(
                Commit(parents, root_of(side), "a", side, "", generation=number), set()
            )
            for side in range(width)
        ]
    return graph


def test_a_ladder_of_criss_crosses_may_be_as_deep_as_it_likes() -> None:
    """5,000 rungs: one virtual merge each, and none when asked again."""
    graph = ladder(5000)
    merges = VirtualMerges(graph.commits, graph.merge)
    found = merges.base_of(*graph.ids[-2:])
    assert found.commits == tuple(sorted(graph.ids[-4:-2]))
    assert merges.base_of(*graph.ids[-2:]) == found
    assert len(graph.merges) == 4999


def test_wide_rungs_cost_a_merge_for_each_commit() -> None:
    """Rungs of six are merged once each, not once for every pair above them."""
    graph = ladder(100, width=6)
    merges = VirtualMerges(graph.commits, graph.merge)
    merges.base_of(*graph.ids[-2:])
    assert len(graph.merges) == 5 * 99
    merges.base_of(*graph.ids[-3:-1])
    assert len(graph.merges) == 5 * 99


@pytest.mark.parametrize("count", [COMMIT_PARENTS_MAX, COMMIT_PARENTS_MAX + 1, 200])
def test_more_ancestors_than_a_commit_has_parents(count: int) -> None:
    """At the limit of parents, one past it and far beyond, the sum is exact."""
    graph = Sums()
    first = graph.put(Commit((), root_of(0), "a", 0, ""), set())
    many = [graph.put_bit(first, number) for number in range(count)]
    merges = VirtualMerges(graph.commits, graph.merge)
    merged = merges.merge_of([graph.ids[one] for one in many])
    assert merges.commits.read(merged).root == root_of((1 << count) - 1)
    assert len(graph.merges) == count - 1
    chunk = merges.commits.chunk(merged)
    assert chunk is not None
    assert address_of(chunk) == merged
    assert is_unattended(decode_commit(chunk))
    parents = decode_commit(chunk).parents
    assert len(parents) == (count if count <= COMMIT_PARENTS_MAX else 2)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound merges are forgotten between questions; answers stay the same."""
    graph = ladder(40)
    monkeypatch.setattr("prolly.merge.bases.VIRTUAL_MERGES_MAX", 5)
    merges = VirtualMerges(graph.commits, graph.merge)
    for rung in range(3, 40):
        sides = graph.ids[2 * rung - 1], graph.ids[2 * rung]
        assert merges.base_of(*sides) == base_of(graph.commits, graph.merge, *sides)


def test_the_first_commit_alone_says_nothing() -> None:
    """Sharing the first commit or nothing is told from sharing any other commit."""
    graph = Sums()
    first = address_of(first_commit(bytes(32)))
    graph.chunks[first] = first_commit(bytes(32))
    made = [
        graph.put(Commit((first,), root_of(n), "a", n, "", generation=1), set())
        for n in (1, 2)
    ]
    alone = graph.put(Commit((), root_of(3), "a", 3, ""), set())
    above = graph.put(
        Commit((graph.ids[made[0]],), root_of(4), "a", 4, "", generation=2), set()
    )
    one, other, lone, high = (graph.ids[n] for n in (*made, alone, above))
    assert only_first_commit_shared(graph.commits, one, other)
    assert only_first_commit_shared(graph.commits, high, other)
    assert only_first_commit_shared(graph.commits, one, lone)
    assert not only_first_commit_shared(graph.commits, first, one)
    assert not only_first_commit_shared(graph.commits, one, high)
    both = [
        graph.put(
            Commit(tuple(sorted((lone, one))), bytes(32), "a", n, "", generation=2),
            set(),
        )
        for n in (5, 6)
    ]
    assert not only_first_commit_shared(graph.commits, *(graph.ids[n] for n in both))


def test_missing_history_is_named() -> None:
    """A commit that it takes and that is not here is NotFound with its id."""
    graph = drawn([[1], [2]])
    lost = graph.ids[0]
    del graph.chunks[lost]
    with pytest.raises(NotFound) as caught:
        base_of(Commits(graph.chunks.get), graph.merge, *graph.ids[1:])
    assert caught.value.code == "no-such-commit"
    assert caught.value.address == lost
