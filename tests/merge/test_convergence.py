"""The convergent head: one for all who know the same, by whatever route."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
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
from prolly.history import Commits, walk
from prolly.merge import (
    Convergence,
    authored_heads,
    converged_head,
    is_unattended,
    unattended_merge,
)
from prolly.tree import Versions


class Known:
    """Commits of one history. A merge gives a root that tells all that went into it."""

    def __init__(self) -> None:
        first = first_commit(bytes(32))
        self.first = address_of(first)
        self.chunks = {self.first: first}
        self.commits = Commits(self.chunks.get)
        self.authored = [self.first]
        self.calls: list[Versions] = []

    def merge(self, versions: Versions) -> bytes:
        """Mix the three roots, so that a difference anywhere is one in the result."""
        self.calls.append(versions)
        return address_of(b"".join(one or b"none" for one in versions))

    def author(self, parents: list[bytes]) -> bytes:
        """Commit on some commits."""
        number = len(self.authored)
        generations = [self.commits.read(one).generation for one in parents]
        commit = Commit(
            tuple(dict.fromkeys(parents)),
            address_of(b"%d" % number),
            "a",
            number,
            "",
            generation=1 + max(generations),
        )
        self.authored.append(self.store(encode_commit(commit)))
        return self.authored[-1]

    def store(self, chunk: bytes) -> bytes:
        """Keep a commit."""
        self.chunks[address_of(chunk)] = chunk
        return address_of(chunk)

    def converge(self, known: list[bytes]) -> bytes:
        """Return the head, found by somebody who remembers nothing."""
        found = converged_head(self.commits, self.merge, known)
        for chunk in found.chunks:
            self.store(chunk)
        assert found.head in self.chunks
        return found.head

    def below(self, heads: list[bytes]) -> set[bytes]:
        """Return all commits at and below some."""
        return set(walk(self.commits, heads))


# Each act picks up to five commits of those made so far, and authors on them, or lets
# a replica that knows them converge.
acts = st.lists(
    st.tuples(st.booleans(), st.lists(st.integers(1, 8), min_size=1, max_size=5)),
    min_size=1,
    max_size=14,
)


def history(drawn: list[tuple[bool, list[int]]]) -> tuple[Known, list[bytes]]:
    """Return a history and all its commits, unattended merges included."""
    known = Known()
    made = [known.first]
    for authors, picks in drawn:
        picked = [made[-1 - (pick - 1) % len(made)] for pick in picks]
        made.append((known.author if authors else known.converge)(picked))
    return known, made


@given(acts, st.integers(0, 10**9))
def test_the_head_depends_on_what_is_known_alone(
    drawn: list[tuple[bool, list[int]]], seed: int
) -> None:
    """Any order, any grouping, any repetition: the head of heads is the head of all."""
    known, made = history(drawn)
    source = random.Random(seed)
    expected = known.converge(made)
    assert known.converge([expected]) == expected
    for _ in range(4):
        waiting = list(made)
        convergence = Convergence(known.commits, known.merge)
        while len(waiting) > 1:
            source.shuffle(waiting)
            group = waiting[: source.randint(2, 4)]
            found = convergence.head(group)
            for chunk in found.chunks:
                known.store(chunk)
            waiting = [*waiting[len(group) :], found.head]
            if source.random() < 0.3:
                waiting.append(source.choice(made))
        assert waiting == [expected]


@given(acts)
def test_the_head_merges_the_maximal_authored_commits(
    drawn: list[tuple[bool, list[int]]],
) -> None:
    """It merges those authored commits that no other authored one has below it."""
    known, made = history(drawn)
    authored = known.below(made) & set(known.authored)
    maximal = sorted(
        one
        for one in authored
        if not any(one in known.below([other]) for other in authored - {one})
    )
    found = converged_head(known.commits, known.merge, made)
    assert list(found.authored) == maximal == authored_heads(known.commits, made)
    assert authored <= known.below([known.converge(made)])
    if len(maximal) == 1:
        assert (found.head, found.chunks) == (maximal[0], ())


def test_one_authored_commit_is_the_head() -> None:
    """Nothing is merged while there is one line, or the first commit alone."""
    known = Known()
    assert known.converge([known.first]) == known.first
    one = known.author([known.first])
    assert known.converge([known.first, one]) == one
    assert not known.calls


def test_two_authored_commits_give_a_merge_of_them() -> None:
    """The merge has both as parents; ours is the one with the smaller id."""
    known = Known()
    ours, theirs = sorted(known.author([known.first]) for _ in range(2))
    found = converged_head(known.commits, known.merge, [theirs, ours])
    (chunk,) = found.chunks
    commit = decode_commit(chunk)
    assert is_unattended(commit)
    assert commit.parents == found.authored == (ours, theirs)
    roots = [known.commits.read(one).root for one in (ours, theirs)]
    assert known.calls == [Versions(bytes(32), *roots)]


def test_who_authors_on_a_merge_ends_it() -> None:
    """A commit on top of an unattended merge is the head, and its base with others."""
    known = Known()
    one, other = (known.author([known.first]) for _ in range(2))
    merged = known.converge([one, other])
    above = known.author([merged])
    assert known.converge([one, other, merged, above]) == above
    beside = known.author([merged])
    known.calls.clear()
    known.converge([above, beside])
    assert [call.base for call in known.calls] == [known.commits.read(merged).root]


def test_a_merge_that_somebody_got_wrong_is_looked_through() -> None:
    """A commit in the form of an unattended merge, with another root, has no say."""
    known = Known()
    parents = [known.author([known.first]) for _ in range(3)]
    wrong = unattended_merge(known.commits, parents[:2], address_of(b"wrong"))
    wrong_id = known.store(encode_commit(wrong))
    assert known.converge([wrong_id, *parents]) == known.converge(parents)


def test_one_more_head_costs_a_path_of_merges() -> None:
    """With 256 heads known, another one costs merges along its path, not of all."""
    known = Known()
    heads = [known.author([known.first]) for _ in range(256)]
    convergence = Convergence(known.commits, known.merge)
    convergence.head(heads)
    assert len(known.calls) == 255
    known.calls.clear()
    convergence.head(reversed(heads))
    assert not known.calls
    convergence.head([*heads, known.author([heads[0]])])
    assert len(known.calls) <= 40


@pytest.mark.parametrize(
    "count", [COMMIT_PARENTS_MAX, COMMIT_PARENTS_MAX + 1, 3 * COMMIT_PARENTS_MAX]
)
def test_more_heads_than_a_commit_has_parents(count: int) -> None:
    """Past the limit the head is a tree of merges; it is looked through as a whole."""
    known = Known()
    heads = [known.author([known.first]) for _ in range(count)]
    found = converged_head(known.commits, known.merge, heads)
    assert (len(found.chunks) == 1) == (count <= COMMIT_PARENTS_MAX)
    for chunk in found.chunks:
        commit = decode_commit(chunk)
        assert is_unattended(commit)
        assert set(commit.parents) <= known.chunks.keys(), "parents come first"
        known.store(chunk)
    assert known.below([found.head]) >= set(heads)
    assert authored_heads(known.commits, [found.head]) == sorted(heads)
    assert known.converge([found.head, *heads[:3]]) == found.head


def test_missing_history_is_named() -> None:
    """A head that is not here, or whose history is not, is NotFound with the id."""
    known = Known()
    with pytest.raises(NotFound) as caught:
        converged_head(known.commits, known.merge, [bytes(32)])
    assert caught.value.address == bytes(32)
