"""The shared environment: its map grows, in this process and in others."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import lmdb
import pytest

from prolly.chunks import LocalStore
from prolly.chunks.lmdb_environment import MAP_BYTES_MIN, READERS_MAX
from prolly.errors import Invalid, StorageFailed

RunChild = Callable[..., int]


def inline_chunk(number: int) -> bytes:
    """Return a distinct chunk of 16 KiB."""
    return number.to_bytes(8, "big") * 2048


def add(store: LocalStore, *chunks: bytes) -> list[bytes]:
    """Commit chunks inline."""
    with store.writer() as writer:
        addresses = writer.put_many(chunks)
        writer.commit()
    return addresses


def map_size(store: LocalStore) -> int:
    """Return the size of the map that the store has now."""
    handle = store._environment._handle
    assert handle is not None
    return handle.info()["map_size"]


def test_full_map_grows(tmp_path: Path) -> None:
    """Commits go on past the size of the map, and everything stays readable."""
    store = LocalStore.create(tmp_path, map_size=MAP_BYTES_MIN)
    chunks = [inline_chunk(number) for number in range(200)]
    addresses = [add(store, chunk)[0] for chunk in chunks]
    assert store.get_many(addresses) == chunks
    assert map_size(store) > MAP_BYTES_MIN
    store.close()


def test_map_that_another_process_grew(tmp_path: Path, run_child: RunChild) -> None:
    """Reads and writes adopt a size that another process committed."""
    for first in ("read", "write"):
        path = tmp_path / first
        store = LocalStore.create(path, map_size=MAP_BYTES_MIN)
        (address,) = add(store, b"before")
        assert run_child("fill", path, "200", str(MAP_BYTES_MIN)) == 0
        assert map_size(store) == MAP_BYTES_MIN
        if first == "write":
            add(store, b"after")
        assert store.get(address) == b"before"
        assert map_size(store) > MAP_BYTES_MIN
        assert len(list(store.iter_addresses())) == 201 + (first == "write")
        add(store, b"and on")
        store.close()


def test_processes_that_grow_at_once(
    tmp_path: Path, start_children: Callable[..., Any]
) -> None:
    """Two processes that outgrow one map at the same time lose nothing."""
    LocalStore.create(tmp_path, map_size=MAP_BYTES_MIN).close()
    arguments = ("fill", tmp_path, "150", str(MAP_BYTES_MIN))
    children = [start_children(*arguments) for _ in range(2)]
    assert [child.wait() for child in children] == [0, 0]
    store = LocalStore.open(tmp_path)
    assert len(list(store.iter_addresses())) == 150
    store.close()


def test_reads_of_other_threads_while_the_map_grows(tmp_path: Path) -> None:
    """The map is never replaced under a read."""
    store = LocalStore.create(tmp_path, map_size=MAP_BYTES_MIN)
    (address,) = add(store, b"read all the time")
    stop = threading.Event()

    def read() -> bool:
        good = True
        while not stop.is_set():
            good = good and store.get(address) == b"read all the time"
            good = good and store.contains_many([address]) == [True]
        return good

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for number in range(150):
            add(store, inline_chunk(number))
        stop.set()
        assert all(reader.result() for reader in readers)
    store.close()


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


def test_map_that_cannot_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the bound of the map a commit is StorageFailed, and the store as it was."""
    monkeypatch.setattr("prolly.chunks.lmdb_environment.MAP_BYTES_MAX", MAP_BYTES_MIN)
    monkeypatch.setattr("prolly.chunks.lmdb_environment.GROWTHS_MAX", 2)
    store = LocalStore.create(tmp_path, map_size=MAP_BYTES_MIN)
    stored = []
    with pytest.raises(StorageFailed) as caught:
        for number in range(100):
            stored += add(store, inline_chunk(number))
    assert caught.value.code == "map-full"
    assert caught.value.hint
    assert list(store.iter_addresses()) == sorted(stored)
    store.close()


def test_failed_environment_is_opened_again(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a panic the error says so, and the next use works on intact data."""
    (address,) = add(store, b"committed")

    def panic(transaction: object) -> None:
        raise lmdb.PanicError("mdb_txn_commit")

    with pytest.raises(StorageFailed) as caught:
        store._environment.write(panic)
    assert caught.value.code == "environment-failed"
    assert store.get(address) == b"committed"
    add(store, b"and on")


def test_function_that_raises_changes_nothing(store: LocalStore) -> None:
    """What a write did before its function raised is undone."""
    environment = store._environment

    def change(transaction: lmdb.Transaction[bytes]) -> None:
        table = environment.databases[b"settings"]
        transaction.put(b"x", b"y", db=table)
        raise Invalid("no")

    with pytest.raises(Invalid):
        environment.write(change)
    assert store.read_setting("x") is None


def test_readers_are_many(store: LocalStore) -> None:
    """The table of readers holds the slots that are promised."""
    handle = store._environment._handle
    assert handle is not None
    assert handle.max_readers() == READERS_MAX
