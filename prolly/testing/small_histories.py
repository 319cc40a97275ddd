"""Small random histories to be carried from one replica to another."""

from __future__ import annotations

import random
from collections.abc import Sequence

from prolly.repo import Repository
from prolly.tree import reachable

from .repositories import memory_repository

KEYS = 400
BLOB_BYTES = (10, 90_000)
COMMITS_MAX = 5
BRANCHES = ("main", "side")


def edit(repo: Repository, branch: str, source: random.Random) -> None:
    """Commit a random change: no record, a few or most, a table, a blob, a file."""
    size = source.choice([0, 1, 5, 300])
    with repo.transaction(branch, message=str(source.random())) as tx:
        records = tx.map("m")
        for _ in range(size):
            records[source.randrange(KEYS)] = source.randbytes(60)
        if size == 1 and len(records) > 5:
            for key in list(records)[3:]:
                del records[key]
        if source.random() < 0.4:
            rows = [{"id": source.randrange(50), "n": source.randrange(9)}]
            tx.table("t", key="id").load(rows, mode="update")
        if source.random() < 0.3:
            tx.blob("b").write(source.randbytes(source.choice(BLOB_BYTES)))
        if source.random() < 0.3:
            content = source.randbytes(source.choice(BLOB_BYTES))
            tx.files("f").write(f"p{source.randrange(3)}", content)


def go_on(repo: Repository, source: random.Random) -> None:
    """Edit and merge the two branches of a repository a few times."""
    for _ in range(source.randrange(1, COMMITS_MAX + 1)):
        branch, other = source.sample(BRANCHES, 2)
        if source.random() < 0.7:
            edit(repo, branch, source)
        else:
            repo.merge(other, into=branch, policy="ours", allow_unrelated=True)


def small_history(seed: int) -> Repository:
    """Return a repository in memory whose two branches were edited and merged."""
    repo = memory_repository()
    repo.create_branch("side", "main")
    go_on(repo, random.Random(seed))
    return repo


def reached(repo: Repository, commit_ids: Sequence[bytes]) -> set[bytes]:
    """Return the addresses of all that some commits reach."""
    return {address for address, _ in reachable(repo.store.get_many, commit_ids)}
