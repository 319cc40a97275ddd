"""Opening an environment: with the largest map, and with what permissions allow."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lmdb
import pytest

from prolly.chunks import LocalStore, RefMove
from prolly.codec import address_of
from prolly.errors import Denied, ReadOnly

InFork = Callable[[Callable[[], object]], int]


def add(store: LocalStore, *chunks: bytes) -> list[bytes]:
    """Commit chunks inline."""
    with store.writer() as writer:
        addresses = writer.put_many(chunks)
        writer.commit()
    return addresses


def test_map_without_address_space_begins_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a large map cannot be had, the largest half that can is taken."""
    LocalStore.create(tmp_path).close()
    real = lmdb.open
    asked: list[int] = []

    def limited(path: str, **options: Any) -> lmdb.Environment:
        asked.append(options["map_size"])
        if options["map_size"] > 2**30:
            error = lmdb.Error("mmap")
            error.__dict__["code"] = errno.ENOMEM
            raise error
        return real(path, **options)

    monkeypatch.setattr(lmdb, "open", limited)
    store = LocalStore.open(tmp_path, map_size=2**32)
    assert asked == [2**32, 2**31, 2**30]
    (address,) = add(store, b"works")
    assert store.get(address) == b"works"
    store.close()


@pytest.fixture
def foreign() -> Iterator[Path]:
    """A store of one commit in a directory that all may enter."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    store = LocalStore.create(directory / "store")
    with store.writer() as writer:
        writer.commit([RefMove("main", None, writer.put(b"chunk"))])
    store.close()
    yield directory / "store"
    shutil.rmtree(directory)


def become_nobody() -> None:
    """Give up the rights of the superuser, whom permissions do not bind."""
    if os.getuid() == 0:
        os.setuid(65534)


def forbid_writing(store: Path) -> None:
    """Let everybody read the files of a store, and nobody write them."""
    for path in (store, *store.iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.mark.parametrize("has_locks", [True, False])
def test_a_store_that_may_only_be_read_is_read(
    foreign: Path, in_fork: InFork, has_locks: bool
) -> None:
    """Names and chunks, with and without a file of locks, and writing is ReadOnly."""
    if not has_locks:
        (foreign / "lock.mdb").unlink()
    forbid_writing(foreign)

    def read() -> None:
        become_nobody()
        with pytest.raises(ReadOnly):
            LocalStore.open(foreign)
        store = LocalStore.open(foreign, writable=False)
        address = store.read_ref("main")
        assert address == address_of(b"chunk")
        assert store.get(address) == b"chunk"
        assert list(store.iter_addresses()) == [address]
        assert not store._environment.is_locked
        with pytest.raises(ReadOnly):
            store.move_refs([])
        store.close()

    assert in_fork(read) == 0
    assert (foreign / "lock.mdb").exists() == has_locks


def test_a_store_that_may_not_be_read_is_denied(foreign: Path, in_fork: InFork) -> None:
    """Denied unreadable, with the file's path."""
    (foreign / "data.mdb").chmod(0o600)

    def read() -> None:
        become_nobody()
        with pytest.raises(Denied) as caught:
            LocalStore.open(foreign, writable=False)
        assert caught.value.code == "unreadable"
        assert caught.value.path.endswith("data.mdb")

    if os.getuid():
        (foreign / "data.mdb").chmod(0)
    assert in_fork(read) == 0


def test_a_store_with_its_locks_knows_it(store: LocalStore) -> None:
    """Where the file of locks may be written, readers are in LMDB's table."""
    assert store._environment.is_locked
