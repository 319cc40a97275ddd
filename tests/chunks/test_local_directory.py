"""The directory of a store: temporary files belong to whoever has them locked."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from prolly.chunks import LocalStore
from prolly.chunks.local_directory import StoreDirectory, open_pack, write_whole
from prolly.errors import AlreadyExists, Corrupt, StorageFailed


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


def test_a_store_in_a_directory_of_another_encoding(tmp_path: Path) -> None:
    """A path is bytes to the system: one that is not UTF-8 holds a store too."""
    place = os.fsencode(tmp_path) + b"/caf\xe9"
    LocalStore.create(os.fsdecode(place)).close()
    with_chunk = LocalStore.open(os.fsdecode(place))
    with with_chunk.writer() as writer:
        address = writer.put(b"chunk")
        writer.commit()
    assert with_chunk.get(address) == b"chunk"
    with_chunk.close()
    assert b"data.mdb" in os.listdir(place)


@pytest.mark.parametrize("fails", ["open", "begin"])
def test_a_creation_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    """The directory is gone again, and the next attempt finds its place free."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise StorageFailed("no room", code="disk-full", hint="Free some space.")

    with monkeypatch.context() as patch:
        where = {
            "open": "prolly.chunks.local_store.acquire_environment",
            "begin": "prolly.chunks.local_store.LocalStore._begin_format",
        }
        patch.setattr(where[fails], fail)
        with pytest.raises(StorageFailed):
            LocalStore.create(tmp_path / "a" / "s")
    assert not (tmp_path / "a" / "s").exists()
    LocalStore.create(tmp_path / "a" / "s").close()


def test_a_failed_creation_removes_nothing_that_was_there(tmp_path: Path) -> None:
    """A store, or a file of others, outlives an attempt to make a store on top."""
    LocalStore.create(tmp_path / "s").close()
    with pytest.raises(AlreadyExists):
        LocalStore.create(tmp_path / "s")
    LocalStore.open(tmp_path / "s").close()
    directory = StoreDirectory(tmp_path / "t")
    directory.create()
    (tmp_path / "t" / "notes").write_text("kept")
    directory.withdraw()
    assert os.listdir(tmp_path / "t") == ["notes"]


def test_a_pack_is_a_file(tmp_path: Path) -> None:
    """A pipe or a directory is refused at once, by the name that was asked for."""
    (tmp_path / "file").write_bytes(b"x")
    os.close(open_pack(str(tmp_path / "file")))
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(Corrupt) as caught:
            open_pack(str(tmp_path / name))
        assert caught.value.code == "pack-missing"
        assert caught.value.path == str(tmp_path / name) and caught.value.hint
    with pytest.raises(FileNotFoundError):
        open_pack(str(tmp_path / "none"))
