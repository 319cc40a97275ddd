"""Where history was cut off, an answer is the whole graph's, or there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.codec import Commit, address_of, encode_commit
from prolly.errors import NotFound
from prolly.history import (
    Commits,
    beyond,
    heads,
    is_ancestor,
    merge_bases,
    walk,
    within,
)

Answer = TypeVar("Answer")

distances = st.lists(st.integers(1, 8), max_size=3, unique=True)
graphs = st.lists(distances, min_size=2, max_size=18)


class Cut:
    """A graph, and one like it that lacks some commits."""

    def __init__(self, drawn: list[list[int]], absent: set[int]) -> None:
        self.ids: list[bytes] = []
        self.chunks: dict[bytes, bytes] = {}
        generations: list[int] = []
        for number, back in enumerate(drawn):
            parents = sorted({number - one for one in back if one <= number})
            generation = 1 + max((generations[one] for one in parents), default=-1)
            generations.append(generation)
            ids = tuple(self.ids[one] for one in parents)
            commit = Commit(ids, bytes(32), "a", 0, str(number), generation=generation)
            chunk = encode_commit(commit)
            self.ids.append(address_of(chunk))
            self.chunks[self.ids[-1]] = chunk
        self.whole = Commits(self.chunks.get)
        here = {
            one: chunk
            for number, (one, chunk) in enumerate(self.chunks.items())
            if number not in absent
        }
        self.here = [one for one in self.ids if one in here]
        self.shallow = {
            one
            for one in self.here
            if any(parent not in here for parent in self.whole.read(one).parents)
        }
        self.commits = Commits(here.get, lambda: self.shallow)


def answer_of(ask: Callable[[], Answer]) -> Answer | None:
    """Return the answer; None where it is said that there is none."""
    try:
        return ask()
    except NotFound as error:
        assert error.code == "shallow"
        return None


@given(graphs, st.sets(st.integers(0, 12), max_size=5), st.data())
def test_no_answer_is_wrong(
    drawn: list[list[int]], absent: set[int], data: st.DataObject
) -> None:
    """Bases, ancestors and heads are those of the whole graph, or not known."""
    graph = Cut(drawn, absent)
    if len(graph.here) < 2:
        return
    picked = st.sampled_from(graph.here)
    ours, theirs = data.draw(picked), data.draw(picked)
    whole, cut = graph.whole, graph.commits
    bases = answer_of(lambda: merge_bases(cut, ours, theirs))
    assert bases in (None, merge_bases(whole, ours, theirs))
    below = answer_of(lambda: is_ancestor(cut, ours, theirs))
    assert below in (None, is_ancestor(whole, ours, theirs))
    several = data.draw(st.lists(picked, min_size=1, max_size=4))
    found = answer_of(lambda: heads(cut, several))
    assert found in (None, heads(whole, several))


@given(graphs)
def test_a_graph_that_is_not_cut_always_answers(drawn: list[list[int]]) -> None:
    """Shallow commits whose parents are all here change nothing."""
    graph = Cut(drawn, set())
    commits = Commits(graph.chunks.get, lambda: set(graph.ids))
    ours, theirs = graph.ids[-1], graph.ids[len(graph.ids) // 2]
    assert merge_bases(commits, ours, theirs) == merge_bases(graph.whole, ours, theirs)
    assert list(walk(commits, [ours])) == list(walk(graph.whole, [ours]))


@given(graphs, st.integers(1, 4), st.data())
def test_what_is_within_a_depth(
    drawn: list[list[int]], depth: int, data: st.DataObject
) -> None:
    """Listed is what is near a head or above a known commit, and what lacks parents."""
    graph = Cut(drawn, set())
    tip, known = graph.ids[-1], data.draw(st.sampled_from(graph.ids))
    every = list(beyond(graph.whole, [tip], [known]))
    found, cut = within(graph.whole, [tip], [known], depth=depth)
    assert within(graph.whole, [tip], [known], depth=None) == (every, set())
    held = set(walk(graph.whole, [known]))
    near, front = set(), {tip}
    for _ in range(depth):
        near |= front
        front = {one for child in front for one in graph.whole.read(child).parents}
    there = held if graph.whole.read(known).generation else set()
    above = {
        one
        for one in every
        if any(other in there for other in walk(graph.whole, [one]))
    }
    if there:
        assert {one for one in every if one in near} <= set(found)
        assert set(found) <= near | above
    else:
        assert found == [one for one in every if one in near]
    together = held | set(found)
    lacking = {
        one for one in found if not together.issuperset(graph.whole.read(one).parents)
    }
    assert cut == lacking


def test_what_was_cut_off_is_told() -> None:
    """Reading behind the cut is `shallow`; what never was is `no-such-commit`."""
    graph = Cut([[], [1], [1], [1]], {0, 1})
    tip, last = graph.ids[3], graph.ids[2]
    assert list(walk(graph.commits, [tip])) == [tip, last]
    assert graph.commits.is_cut(last) and not graph.commits.is_cut(tip)
    assert graph.commits.parents(last) == ()
    for absent, code in ((graph.ids[1], "shallow"), (bytes(32), "no-such-commit")):
        with pytest.raises(NotFound) as caught:
            graph.commits.read(absent)
        assert caught.value.code == code
    with pytest.raises(NotFound) as behind:
        within(graph.commits, [tip], [], depth=3)
    assert behind.value.code == "shallow"
    assert within(graph.commits, [tip], [], depth=2) == ([tip, last], {last})
