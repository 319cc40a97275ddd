"""The store that tells of commits: after each that stands, and of no other."""

from __future__ import annotations

import pytest

from prolly.chunks import MemoryStore, NotifyingStore, RefMove
from prolly.errors import Stale


def test_commits_and_moves_are_told_once_they_stand() -> None:
    """The listener sees the new state, once a commit; a rejected one is not told."""
    seen: list[tuple[int, bytes | None]] = []
    store = NotifyingStore(
        MemoryStore(), lambda: seen.append((store.sequence(), store.read_ref("main")))
    )
    with store.writer() as writer:
        first = writer.put(b"one")
        second = writer.put(b"two")
        writer.commit([RefMove("main", None, first)])
    store.move_refs([RefMove("main", first, second)])
    with pytest.raises(Stale):
        store.move_refs([RefMove("main", first, second)])
    with store.writer() as writer, pytest.raises(Stale):
        writer.commit([RefMove("main", first, second)])
    assert seen == [(1, first), (2, second)]
