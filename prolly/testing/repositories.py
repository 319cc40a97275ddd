"""Repositories for tests: in memory, with a clock that ticks by itself."""

from __future__ import annotations

from itertools import count

from prolly.chunks import MemoryStore, Store
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
    )


def memory_repository(store: Store | None = None) -> Repository:
    """Return a fresh repository in memory, or in an empty store."""
    environment = ticking_environment()
    store = MemoryStore() if store is None else store
    begin_history(store, environment)
    return Repository(store, None, environment=environment)
