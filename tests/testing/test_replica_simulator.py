"""Replicas converge: thousands of histories of gossip, partitions and merges."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.testing.replica_simulator import (
    REPLICAS_MAX,
    ReplicaSimulator,
    links_of,
)
from prolly.testing.replica_worlds import (
    CounterWorld,
    RegisterWorld,
    TreeCounterWorld,
    World,
)

SHAPES = ("ring", "line", "star", "random")
HISTORIES = range(150)
TREE_HISTORIES = range(40)
MANY_HISTORIES = range(150, 5000)


def settled(world: World, seed: int) -> ReplicaSimulator:
    """Run one history, let it settle, and assert that all agree and are quiet."""
    source = random.Random(seed)
    replicas = source.randint(2, REPLICAS_MAX)
    links = links_of(source.choice(SHAPES), replicas, source)
    simulator = ReplicaSimulator(world, source, links, replicas)
    simulator.run(source.randint(1, 60))
    simulator.settle()
    assert len(simulator.heads) == 1, seed
    assert simulator.round() == 0, seed
    return simulator


def require_counters(seed: int) -> None:
    """Assert that a history of counters ends with what was ever added, each once."""
    world = CounterWorld()
    simulator = settled(world, seed)
    _, head = next(simulator.commits_below())
    assert world.state(head.root) == world.added, seed


def require_registers(seed: int) -> None:
    """Assert that no write is lost that no other write saw."""
    world = RegisterWorld()
    simulator = settled(world, seed)
    commits = dict(simulator.commits_below())
    below: dict[bytes, set[bytes]] = {}
    for commit_id, commit in reversed(commits.items()):
        below[commit_id] = set().union(*(below[one] for one in commit.parents))
        below[commit_id].add(commit_id)
    state = world.state(commits[simulator.replicas[0].head].root)
    writes = {
        commit_id: world.written[commit.time_us]
        for commit_id, commit in commits.items()
        if commit.author
    }
    for commit_id, (key, value) in writes.items():
        seen = any(
            commit_id in below[other]
            for other, (written, _) in writes.items()
            if written == key and other != commit_id
        )
        assert seen or value in state[key], seed


def require_trees(seed: int) -> None:
    """Assert that a history of counters in trees ends with a rebuild's root."""
    world = TreeCounterWorld()
    simulator = settled(world, seed)
    _, head = next(simulator.commits_below())
    assert head.root == world.expected(), seed


def test_replicas_converge_and_counters_are_exact() -> None:
    """One head, quiet afterwards, and every increment counted once."""
    for seed in HISTORIES:
        require_counters(seed)


def test_replicas_converge_and_no_unseen_write_is_lost() -> None:
    """One head, quiet afterwards; a write that no other saw is winner or kept."""
    for seed in HISTORIES:
        require_registers(seed)


def test_trees_of_all_replicas_converge_to_a_rebuild() -> None:
    """Merged trees, virtual bases included, end at the root of what was added."""
    for seed in TREE_HISTORIES:
        require_trees(seed)


@pytest.mark.long
def test_thousands_of_histories_converge() -> None:
    """The same for 10,000 histories in all."""
    for seed in MANY_HISTORIES:
        require_counters(seed)
        require_registers(seed)
        if seed % 10 == 0:
            require_trees(seed)


def test_news_reaches_all_in_as_many_rounds_as_links_lie_between() -> None:
    """Along a line in which each hears the next one, news moves one link a round."""
    source = random.Random(1)
    links = links_of("line", REPLICAS_MAX, source)
    simulator = ReplicaSimulator(CounterWorld(), source, links, REPLICAS_MAX)
    simulator.run(200)
    assert simulator.settle() <= REPLICAS_MAX


@given(st.sampled_from(SHAPES), st.integers(2, REPLICAS_MAX), st.randoms())
def test_links_reach_every_replica(
    shape: str, replicas: int, source: random.Random
) -> None:
    """Every shape is connected, names only replicas, and each link once."""
    links = links_of(shape, replicas, source)
    assert len({frozenset(link) for link in links}) == len(links)
    reached = {0}
    for _ in range(replicas):
        reached |= {b for a, b in links if a in reached}
        reached |= {a for a, b in links if b in reached}
    assert reached == set(range(replicas))


def test_shapes_are_what_they_are_called() -> None:
    """A line has two ends, a ring none, and a star one middle."""
    source = random.Random(0)
    line = links_of("line", 5, source)
    assert all(a[1] == b[0] for a, b in pairwise(line))
    assert len(links_of("ring", 5, source)) == 5
    assert {a for a, _ in links_of("star", 5, source)} == {0}
