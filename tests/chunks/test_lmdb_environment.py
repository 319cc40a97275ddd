"""The shared environment: its map grows, in this process and in others."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import lmdb
import pytest

from prolly.chunks import LocalStore
from prolly.chunks.lmdb_opening import MAP_BYTES_MIN, READERS_MAX
from prolly.errors import Corrupt, Invalid, Stale, StorageFailed

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


def test_a_file_cut_off_while_it_is_open_fails_the_next_write(
    tmp_path: Path, in_fork: Callable[[Callable[[], object]], int]
) -> None:
    """Corrupt, wherever it was cut, and not the end of the process."""
    for kept in (0.0, 0.3, 0.9):
        path = tmp_path / str(kept)
        store = LocalStore.create(path)
        add(store, *map(inline_chunk, range(10)))
        store.close()

        def write(path: Path = path, kept: float = kept) -> None:
            store = LocalStore.open(path)
            data = path / "data.mdb"
            os.truncate(data, int(data.stat().st_size * kept))
            with pytest.raises(Corrupt) as caught:
                store.write_setting("x", b"y")
            assert caught.value.code == "index-truncated"

        assert in_fork(write) == 0


@pytest.fixture
def unlocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalStore]:
    """A store of one chunk, opened where its file of locks may not be written."""
    LocalStore.create(tmp_path).close()
    real = lmdb.open

    def refuse(path: str, **options: Any) -> lmdb.Environment:
        if options["lock"]:
            error = lmdb.Error("lock.mdb: Permission denied")
            error.__dict__["code"] = errno.EACCES
            raise error
        return real(path, **options)

    monkeypatch.setattr(lmdb, "open", refuse)
    store = LocalStore.open(tmp_path, writable=False)
    assert not store._environment.is_locked
    yield store
    store.close()


@pytest.mark.parametrize(("commits", "calls"), [(1, 1), (2, 2), (3, 2)])
def test_without_locks_a_read_that_was_overtaken_is_done_again(
    unlocked: LocalStore, run_child: RunChild, commits: int, calls: int
) -> None:
    """One commit of another process meanwhile does no harm; two may."""
    seen: list[int] = []

    def look(transaction: lmdb.Transaction[bytes]) -> int:
        entries: int = transaction.stat(environment.databases[b"chunks"])["entries"]
        seen.append(entries)
        if len(seen) == 1:
            count = str(commits)
            assert run_child("fill", unlocked.path, count, str(MAP_BYTES_MIN)) == 0
        return entries

    environment = unlocked._environment
    assert environment.read(look) == (0 if commits == 1 else commits)
    assert seen == [0, commits][:calls]
    assert len(list(unlocked.iter_addresses())) == commits


def test_without_locks_an_error_of_an_overtaken_read_is_not_believed(
    unlocked: LocalStore, run_child: RunChild
) -> None:
    """What was read from a page that is none any more may be of any form."""
    seen: list[int] = []

    def look(transaction: lmdb.Transaction[bytes]) -> str:
        seen.append(transaction.id())
        if len(seen) == 1:
            assert run_child("fill", unlocked.path, "2", str(MAP_BYTES_MIN)) == 0
            raise lmdb.CorruptedError("no page")
        return "good"

    assert unlocked._environment.read(look) == "good"


def test_without_locks_a_read_that_is_always_overtaken_is_stale(
    unlocked: LocalStore, run_child: RunChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends, and says what would help."""
    monkeypatch.setattr("prolly.chunks.lmdb_environment.ADOPTIONS_MAX", 2)

    def look(transaction: lmdb.Transaction[bytes]) -> None:
        count = str(transaction.id() + 5)
        assert run_child("fill", unlocked.path, count, str(MAP_BYTES_MIN)) == 0

    with pytest.raises(Stale) as caught:
        unlocked._environment.read(look)
    assert caught.value.code == "read-outrun"
    assert "lock.mdb" in caught.value.hint
    assert unlocked.sequence() == 0


def test_without_locks_names_and_chunks_follow_the_writer(
    unlocked: LocalStore, run_child: RunChild
) -> None:
    """What another process committed is read at once."""
    assert unlocked.read_ref("main") is None
    assert run_child("race", unlocked.path, "20", "x") == 0
    head = unlocked.read_ref("main")
    assert head is not None
    assert (unlocked.get(head) or b"").startswith(b"x 19 after ")
    assert unlocked.sequence() == 20


def test_readers_are_many(store: LocalStore) -> None:
    """The table of readers holds the slots that are promised."""
    handle = store._environment._handle
    assert handle is not None
    assert handle.max_readers() == READERS_MAX


def remove_store(directory: Path) -> None:
    """Remove a store as somebody who cleans up does."""
    shutil.rmtree(directory)


def make_again(directory: Path) -> None:
    """Remove a store and make another one in its place."""
    shutil.rmtree(directory)
    LocalStore.create(directory).close()


def put_copy_in_place(directory: Path) -> None:
    """Replace the data file alone, as a restored backup does."""
    shutil.copy(directory / "data.mdb", directory / "copy")
    os.replace(directory / "copy", directory / "data.mdb")


@pytest.mark.parametrize("replace", [remove_store, make_again, put_copy_in_place])
def test_a_store_that_is_gone_takes_no_commit(
    tmp_path: Path, replace: Callable[[Path], None]
) -> None:
    """A write to a file that has lost its name is refused, not lost; and stays so."""
    store = LocalStore.create(tmp_path / "s")
    (address,) = add(store, b"before")
    replace(tmp_path / "s")
    for _ in range(2):
        with pytest.raises(StorageFailed) as caught:
            add(store, b"lost")
        assert caught.value.code == "index-replaced" and caught.value.hint
        with pytest.raises(StorageFailed):
            store.write_setting("x", b"lost")
    assert store.get(address) == b"before"
    store.close()
    if replace is not remove_store:
        fresh = LocalStore.open(tmp_path / "s")
        add(fresh, b"after")
        assert fresh.read_setting("x") is None
        fresh.close()


def test_a_fork_does_not_open_another_store(
    tmp_path: Path, in_fork: Callable[[Callable[[], object]], int]
) -> None:
    """Opening anew after a fork wants the file that was open, not one of its name."""
    store = LocalStore.create(tmp_path / "s")
    (address,) = add(store, b"before")
    make_again(tmp_path / "s")

    def child() -> None:
        with pytest.raises(StorageFailed) as caught:
            store.get(address)
        assert caught.value.code == "index-replaced"

    assert in_fork(child) == 0
    store.close()


def test_a_broken_table_of_readers_is_ours_to_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of LMDB while it looks for dead readers is ours, and nothing leaks."""
    LocalStore.create(tmp_path / "store").close()
    opened: list[lmdb.Environment] = []
    really_open = lmdb.open

    class Broken:
        def __init__(self, handle: lmdb.Environment) -> None:
            self.handle = handle

        def reader_check(self) -> int:
            raise lmdb.CorruptedError("table of readers")

        def __getattr__(self, name: str) -> Any:
            return getattr(self.handle, name)

    def broken(*arguments: Any, **options: Any) -> Any:
        opened.append(really_open(*arguments, **options))
        return Broken(opened[-1])

    with monkeypatch.context() as patch:
        patch.setattr(lmdb, "open", broken)
        with pytest.raises(StorageFailed):
            LocalStore.open(tmp_path / "store")
    [handle] = opened
    with pytest.raises(lmdb.Error):
        handle.info()
    LocalStore.open(tmp_path / "store").close()
