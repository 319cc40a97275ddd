"""Free pages of the index: given back, and no snapshot of anybody notices."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest

from prolly.chunks import LocalStore
from prolly.chunks.local_free_pages import release_free_pages


def allocated(path: Path) -> int:
    """Return the bytes that a file takes on the disk."""
    return os.stat(path).st_blocks * 512


def release(env: lmdb.Environment, path: Path, reader: int | None) -> int:
    """Release free pages as the environment does, inside a write transaction."""
    writing = env.begin(write=True)
    try:
        return release_free_pages(str(path), reader)
    finally:
        writing.abort()


def test_nothing_in_use_is_released(tmp_path: Path) -> None:
    """Through random histories the newest state, and an open snapshot, stay whole."""
    path = tmp_path / "data.mdb"
    env = lmdb.open(str(tmp_path), map_size=2**30, max_dbs=1, sync=False)
    table = env.open_db(b"t")
    source = random.Random(7)
    model: dict[bytes, bytes] = {}
    released = 0
    for turn in range(40):
        for _ in range(4):
            with env.begin(write=True) as changing:
                for _ in range(20):
                    key = source.randbytes(8)
                    size = source.choice((13, 100, 3000, 8000, 30_000))
                    model[key] = source.randbytes(size)
                    changing.put(key, model[key], db=table)
                gone = source.sample(sorted(model), len(model) // source.choice((2, 9)))
                for key in gone:
                    changing.delete(key, db=table)
                    del model[key]
        reading = env.begin(table) if turn % 3 == 0 else None
        snapshot = dict(model)
        if reading is not None:
            with env.begin(write=True) as changing:
                for key in source.sample(sorted(model), len(model) // 2):
                    changing.delete(key, db=table)
                    del model[key]
        before = allocated(path)
        released += release(env, path, None if reading is None else reading.id())
        assert allocated(path) <= before
        if reading is not None:
            assert dict(reading.cursor(table)) == snapshot
            reading.abort()
        with env.begin(table) as newest:
            assert dict(newest.cursor(table)) == model
    env.close()
    assert released > 0
    env = lmdb.open(str(tmp_path), map_size=2**30, max_dbs=1)
    with env.begin(env.open_db(b"t", create=False)) as newest:
        assert dict(newest.cursor()) == model
    env.close()


def test_readers_of_another_process_are_seen(
    store: LocalStore, forget: Callable[[LocalStore, list[bytes]], int]
) -> None:
    """Pages that a snapshot of another process has are left alone."""
    with store.writer() as writer:
        addresses = writer.put_many(bytes([n]) * 8000 for n in range(30))
        writer.commit()
    ready, told = os.pipe()
    go_on, say = os.pipe()

    def read_slowly() -> None:
        environment = store._environment
        table = b"chunks"

        def look(reading: lmdb.Transaction[bytes]) -> int:
            cursor = reading.cursor(environment.databases[table])
            os.write(told, b".")
            os.read(go_on, 1)
            return sum(len(value) for _, value in cursor)

        assert environment.read(look) == 30 * 8001

    child = os.fork()
    if child == 0:
        try:
            read_slowly()
            os._exit(0)
        finally:
            os._exit(1)
    os.read(ready, 1)
    forget(store, addresses)
    for number in range(3):
        store.write_setting("x", b"%d" % number)
    assert store._environment.release_free_pages() < 100_000
    os.write(say, b".")
    assert os.waitpid(child, 0)[1] == 0
    assert store._environment.release_free_pages() >= 100_000


@pytest.mark.parametrize("content", [b"", b"x" * 100, bytes(8192), b"\xff" * 9000])
def test_a_file_that_is_no_index_is_left_alone(tmp_path: Path, content: bytes) -> None:
    """Where the file is not understood, or not there, nothing is released."""
    path = tmp_path / "data.mdb"
    path.write_bytes(content)
    assert release_free_pages(str(path), None) == 0
    assert path.read_bytes() == content
    assert release_free_pages(str(tmp_path / "absent"), None) == 0


def test_scratch_stores_keep_their_pages(tmp_path: Path) -> None:
    """Where commits do not wait for the disk nothing is released."""
    store = LocalStore.create(tmp_path, durability="scratch")
    assert store._environment.release_free_pages() == 0
    store.close()
