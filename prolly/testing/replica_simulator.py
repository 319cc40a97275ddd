"""Replicas that author and gossip in one process, from one seed, until they agree.

Each replica has chunks of its own and one head. It authors on its head, on an older
commit that it knows, or on a merge of two of them; it hears of the heads of its
neighbours, one way or both. Links break and heal. At the end all links stand, everyone
hears everyone, and the heads must be one.

What a root stands for only a :class:`World` knows (``replica_worlds``).
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from prolly.codec import Commit, address_of, encode_commit, first_commit
from prolly.history import Commits, walk
from prolly.merge import Convergence, Merge, base_of
from prolly.tree import Versions

from .replica_worlds import World

REPLICAS_MAX = 6

# What each replica does in a step, and how often among a hundred.
_AUTHOR, _AUTHOR_BEHIND, _MERGE, _HEAR, _EXCHANGE, _BREAK, _HEAL = range(7)
_ODDS = (30, 6, 6, 25, 25, 4, 4)

Link = tuple[int, int]


class Replica:
    """One replica: what it has stored, and where its branch stands."""

    def __init__(self, first: bytes, merge: Merge) -> None:
        self.head = address_of(first)
        self.chunks = {self.head: first}
        self.commits = Commits(self.chunks.get)
        self._merge = merge
        self._convergence = Convergence(self.commits, merge)

    def store(self, chunk: bytes) -> bytes:
        """Keep a commit, and return its id."""
        commit_id = address_of(chunk)
        self.chunks[commit_id] = chunk
        return commit_id

    def author(self, root: bytes, parents: tuple[bytes, ...], time: int) -> None:
        """Commit a root that somebody made, and let the head follow."""
        generations = [self.commits.read(parent).generation for parent in parents]
        commit = Commit(
            parents, root, "author", time, "", generation=1 + max(generations)
        )
        self._converge(self.store(encode_commit(commit)))

    def merged(self, ours: bytes, theirs: bytes) -> bytes:
        """Return the root of a merge of two commits that a person asks for."""
        base = base_of(self.commits, self._merge, ours, theirs).root
        roots = [self.commits.read(one).root for one in (ours, theirs)]
        return self._merge(Versions(base, *roots))

    def hear(self, other: Replica) -> bool:
        """Take in another's head and all below; tell whether one's own moved."""
        waiting = [other.head]
        while waiting:
            commit_id = waiting.pop()
            if commit_id not in self.chunks:
                self.store(other.chunks[commit_id])
                waiting.extend(other.commits.read(commit_id).parents)
        return self._converge(other.head)

    def _converge(self, heard: bytes) -> bool:
        before = self.head
        found = self._convergence.head([before, heard])
        for chunk in found.chunks:
            self.store(chunk)
        self.head = found.head
        return self.head != before


class ReplicaSimulator:
    """A history of several replicas, drawn from one source of chance."""

    def __init__(
        self, world: World, source: random.Random, links: list[Link], replicas: int
    ) -> None:
        assert replicas <= REPLICAS_MAX
        first = first_commit(world.first())
        self.replicas = [Replica(first, world.merge) for _ in range(replicas)]
        self._world = world
        self._source = source
        self._links = links
        self._up = list(links)
        self._time = 0

    def run(self, steps: int) -> None:
        """Let chance act so many times."""
        acts = self._source.choices(range(len(_ODDS)), _ODDS, k=steps)
        for act in acts:
            self._act(act)

    def settle(self) -> int:
        """Let neighbours hear each other until nobody moves; return how many rounds.

        The last round, in which nobody moved, counts.
        """
        self._up = list(self._links)
        rounds = 1
        while self.round():
            rounds += 1
            assert rounds <= len(self.replicas) + 1, "replicas do not come to rest"
        return rounds

    def round(self) -> int:
        """Let both ends of each link hear each other once; return how many moved."""
        order = [(a, b) for a, b in self._links] + [(b, a) for a, b in self._links]
        self._source.shuffle(order)
        return sum(self.replicas[a].hear(self.replicas[b]) for a, b in order)

    @property
    def heads(self) -> set[bytes]:
        """The different heads."""
        return {replica.head for replica in self.replicas}

    def commits_below(self) -> Iterator[tuple[bytes, Commit]]:
        """Yield what the first replica knows, children before parents."""
        replica = self.replicas[0]
        for commit_id in walk(replica.commits, [replica.head]):
            yield commit_id, replica.commits.read(commit_id)

    def _act(self, act: int) -> None:
        replica = self._source.choice(self.replicas)
        if act == _AUTHOR:
            self._author(replica, replica.head)
        elif act == _AUTHOR_BEHIND:
            self._author(replica, self._known(replica))
        elif act == _MERGE:
            self._merge(replica)
        elif act in (_HEAR, _EXCHANGE) and self._up:
            a, b = self._source.sample(self._source.choice(self._up), 2)
            self.replicas[a].hear(self.replicas[b])
            if act == _EXCHANGE:
                self.replicas[b].hear(self.replicas[a])
        elif act == _BREAK and self._up:
            self._up.remove(self._source.choice(self._up))
        elif act == _HEAL:
            self._up = list(self._links)

    def _known(self, replica: Replica) -> bytes:
        return self._source.choice(list(replica.chunks))

    def _author(self, replica: Replica, parent: bytes) -> None:
        self._time += 1
        root = replica.commits.read(parent).root
        edited = self._world.edit(root, self._source, self._time)
        replica.author(edited, (parent,), self._time)

    def _merge(self, replica: Replica) -> None:
        ours, theirs = self._known(replica), self._known(replica)
        if ours != theirs:
            self._time += 1
            root = replica.merged(ours, theirs)
            edited = self._world.edit(root, self._source, self._time)
            replica.author(edited, (ours, theirs), self._time)


def links_of(shape: str, replicas: int, source: random.Random) -> list[Link]:
    """Return the links of a ``ring``, ``line``, ``star``, or ``random`` graph."""
    if shape == "star":
        return [(0, other) for other in range(1, replicas)]
    line = [(one, one + 1) for one in range(replicas - 1)]
    if shape == "line":
        return line
    if shape == "ring":
        return line + ([(replicas - 1, 0)] if replicas > 2 else [])
    assert shape == "random", shape
    # A random tree, so that everyone is reached, and some links more.
    tree = [(source.randrange(one), one) for one in range(1, replicas)]
    pairs = [(a, b) for b in range(replicas) for a in range(b)]
    return sorted({*tree, *source.sample(pairs, source.randrange(len(pairs) + 1))})
