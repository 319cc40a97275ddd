"""The directory of a store: temporary files belong to whoever has them locked."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from prolly.chunks import LocalStore
from prolly.chunks.local_directory import StoreDirectory, write_whole


def test_leftovers_are_removed_at_open(store: LocalStore) -> None:
    """Opening removes files that nobody has locked, and only those."""
    directory = StoreDirectory(store.path)
    leftover = Path(directory.temporary, "0123.pack")
    leftover.write_bytes(b"of a process that died")
    owned = directory.open_temporary()
    LocalStore.open(store.path).close()
    assert not leftover.exists()
    assert Path(owned.path).exists()
    owned.discard()
    assert os.listdir(directory.temporary) == []


def test_reading_store_removes_nothing(store: LocalStore) -> None:
    """A store opened for reading leaves every file."""
    leftover = Path(store.path, "tmp", "0123.pack")
    leftover.write_bytes(b"x")
    LocalStore.open(store.path, writable=False).close()
    assert leftover.exists()


def test_cleaner_between_making_and_locking(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that a cleaner took before it was locked is made again."""
    directory = StoreDirectory(store.path)
    real = fcntl.flock
    taken: list[int] = []

    def lock_late(descriptor: int, operation: int) -> None:
        if not taken:
            taken.append(descriptor)
            monkeypatch.setattr(fcntl, "flock", real)
            assert directory.remove_leftovers() == 1
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", lock_late)
    file = directory.open_temporary()
    assert taken
    assert os.path.exists(file.path)
    file.discard()


def test_forked_child_keeps_the_files_of_its_parent(
    store: LocalStore, in_fork: Callable[[Callable[[], object]], int]
) -> None:
    """A discard in a child removes nothing."""
    file = StoreDirectory(store.path).open_temporary()
    assert in_fork(file.discard) == 0
    assert os.path.exists(file.path)
    file.discard()
    assert not os.path.exists(file.path)


def test_short_writes_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data that the system takes in parts is written whole."""
    written = bytearray()

    def write_some(_descriptor: int, data: bytes) -> int:
        written.extend(data[:3])
        return len(data[:3])

    monkeypatch.setattr(os, "write", write_some)
    write_whole(0, b"0123456789")
    assert written == b"0123456789"
