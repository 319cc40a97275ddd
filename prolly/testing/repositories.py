"""Repositories for tests: in memory, with a clock that ticks by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from prolly.chunks import MemoryStore, RefMove, Store
from prolly.codec import Address, encode_commit
from prolly.env import Environment
from prolly.repo import Repository, Transaction, begin_history

# 2026-01-01 00:00 UTC in microseconds: a date that reads well in a failing test.
EPOCH_US = 1_767_225_600_000_000


def ticking_environment(user: str = "tester") -> Environment:
    """Return an environment whose clock goes one second on at each look."""
    seconds = count()
    return Environment(
        now_us=lambda: EPOCH_US + next(seconds) * 1_000_000,
        random_bytes=bytes,
        user=lambda: user,
        named_user=lambda: "",
        sleep=lambda seconds: None,
    )


def memory_repository(store: Store | None = None) -> Repository:
    """Return a fresh repository in memory, or in an empty store."""
    environment = ticking_environment()
    store = MemoryStore() if store is None else store
    begin_history(store, environment)
    return Repository(store, None, environment=environment)


Write = Callable[[Transaction], object]


def diverged(
    base: Write, ours: Write, theirs: Write, repo: Repository | None = None
) -> Repository:
    """Return a repository in which two branches stand on one commit.

    ``main`` has what ``ours`` writes on top of ``base``, ``feature`` what ``theirs``
    does; a write that changes nothing makes no commit.
    """
    repo = memory_repository() if repo is None else repo
    write_on(repo, "main", base)
    repo.create_branch("feature", "main")
    write_on(repo, "main", ours)
    write_on(repo, "feature", theirs)
    return repo


def write_on(repo: Repository, branch: str, write: Write) -> Address:
    """Commit what ``write`` does in a transaction; return where the branch stands."""
    with repo.transaction(branch, message=f"on {branch}") as tx:
        write(tx)
    return tx.commit_id


def merge_commit(
    repo: Repository,
    branch: str,
    other: str,
    values: Mapping[Any, Any],
    **tables: list[dict[str, Any]],
) -> Address:
    """Put a commit with two parents on ``branch``.

    Its map ``m`` holds ``values``, if any, and each table just the rows given.
    """
    ours, theirs = repo.resolve(branch), repo.resolve(other)
    with repo.transaction(branch, message="merge") as tx:
        if values:
            tx.map("m").clear()
            tx.map("m").update(values)
        for name, rows in tables.items():
            tx.table(name).load(rows)
        tx.map("merges")[str(theirs)] = True
    made = repo.commit_of(tx.commit_id)
    commit = made._replace(
        parents=(bytes(ours), bytes(theirs)),
        generation=1 + max(repo.commit_of(one).generation for one in (ours, theirs)),
    )
    with repo.store.writer() as writer:
        commit_id = writer.put(encode_commit(commit))
        writer.commit([RefMove(f"branches/{branch}", tx.commit_id, commit_id)])
    return Address(commit_id)
