"""Replicas of whole manifests converge: schemas, names, constraints, counters."""

from __future__ import annotations

import random

import pytest

from prolly.chunks import RefMove
from prolly.ops import check_repository
from prolly.testing.manifest_world import ManifestWorld
from prolly.testing.replica_simulator import (
    REPLICAS_MAX,
    ReplicaSimulator,
    links_of,
)

HISTORIES = range(30)
MANY_HISTORIES = range(30, 1000)
STEPS_MAX = 40


def settled(world: ManifestWorld, seed: int) -> bytes:
    """Run one history to its end; return the head that all replicas agree on."""
    source = random.Random(seed)
    replicas = source.randint(2, REPLICAS_MAX)
    shape = source.choice(("ring", "line", "star", "random"))
    links = links_of(shape, replicas, source)
    simulator = ReplicaSimulator(world, source, links, replicas)
    simulator.run(source.randint(1, STEPS_MAX))
    simulator.settle()
    assert simulator.round() == 0, seed
    (head,) = simulator.heads
    with world.store.writer() as writer:
        for chunk in simulator.replicas[0].chunks.values():
            writer.put(chunk)
        writer.commit([RefMove("branches/main", None, head)])
    return simulator.replicas[0].commits.read(head).root


def require_convergence(seed: int) -> None:
    """Assert one head, exact counters, and that a full check finds nothing."""
    world = ManifestWorld()
    root = settled(world, seed)
    assert world.counted(root) == world.added, seed
    assert list(check_repository(world.store, full=True)) == [], seed


def test_replicas_of_whole_manifests_converge() -> None:
    """Whatever is edited where: one head, sound, with each increment counted once."""
    for seed in HISTORIES:
        require_convergence(seed)


@pytest.mark.long
def test_many_histories_of_whole_manifests_converge() -> None:
    """The same for a thousand histories in all."""
    for seed in MANY_HISTORIES:
        require_convergence(seed)
