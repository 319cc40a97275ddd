"""A common commit is found in few round trips, however long both histories are."""

from __future__ import annotations

import pytest

from prolly.chunks import RefMove
from prolly.codec import Commit, encode_commit
from prolly.ops import check_repository
from prolly.repo import Repository
from prolly.sync import fetch
from prolly.testing.repositories import memory_repository, write_on
from prolly.testing.sync_lines import line_to


def go_on(repo: Repository, count: int, author: str) -> None:
    """Put so many commits without a change on top of main."""
    tip = bytes(repo.resolve("main"))
    below = repo.storage.commits.read(tip)
    old = tip
    with repo.store.writer() as writer:
        for number in range(1, count + 1):
            commit = Commit(
                (tip,), below.root, author, 0, "on", {}, below.generation + number
            )
            tip = writer.put(encode_commit(commit))
        writer.commit([RefMove("branches/main", old, tip)])


@pytest.mark.parametrize(
    ("shared", "ours_alone", "trips"),
    [(1, 1, 1), (50, 20, 2), (500, 300, 3), (50, 2000, 3), (2000, 6000, 4)],
)
def test_trips_grow_as_the_logarithm(shared: int, ours_alone: int, trips: int) -> None:
    """Of replicas that parted, without a note of where the other one stood."""
    theirs, ours = memory_repository(), memory_repository()
    write_on(theirs, "main", lambda tx: tx.map("m").update(a=1))
    go_on(theirs, shared, "both")
    ours.remotes["origin"] = "test:"
    fetch(ours, remote=line_to(theirs))
    tip, old = ours.tracking["origin/main"], ours.resolve("main")
    ours.store.move_refs([RefMove("branches/main", bytes(old), bytes(tip))])
    ours.store.move_refs([RefMove("remotes/origin/main", bytes(tip), None)])
    go_on(ours, ours_alone, "ours")
    write_on(theirs, "main", lambda tx: tx.map("m").update(b=2))
    go_on(theirs, 40, "theirs")
    report = fetch(ours, remote=line_to(theirs))
    assert ours.tracking["origin/main"] == theirs.resolve("main")
    assert list(check_repository(ours.store, full=True)) == []
    # The refs, a fetch that finds nothing known, the trips of ``common``, a fetch.
    assert report.round_trips <= 3 + trips
    assert report.bytes_received + report.bytes_sent < 45 * 300 + trips * 3_000
