"""Repositories for tests: in memory, with a clock that ticks by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from prolly.chunks import MemoryStore, RefMove, Store
from prolly.codec import Address, encode_commit
from prolly.env import Environment
from prolly.repo import Repository, begin_history

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
    )


def memory_repository(store: Store | None = None) -> Repository:
    """Return a fresh repository in memory, or in an empty store."""
    environment = ticking_environment()
    store = MemoryStore() if store is None else store
    begin_history(store, environment)
    return Repository(store, None, environment=environment)


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
    commit = replace(
        made,
        parents=(bytes(ours), bytes(theirs)),
        generation=1 + max(repo.commit_of(one).generation for one in (ours, theirs)),
    )
    with repo.store.writer() as writer:
        commit_id = writer.put(encode_commit(commit))
        writer.commit([RefMove(f"branches/{branch}", tx.commit_id, commit_id)])
    return Address(commit_id)
