"""A data file that was cut off is found before LMDB maps it; a whole one passes."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import lmdb
import pytest

from prolly.chunks import LocalStore
from prolly.chunks.lmdb_pages import META, iter_free_lists, newest_meta, reading
from prolly.chunks.lmdb_truncation import require_whole
from prolly.errors import Corrupt

PAGE = os.sysconf("SC_PAGE_SIZE")
CHUNKS = [bytes([number]) * 9000 for number in range(40)]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The directory of a store with inline chunks and some history."""
    store = LocalStore.create(tmp_path / "store")
    for chunk in CHUNKS:
        with store.writer() as writer:
            writer.put(chunk)
            writer.commit()
    store.close()
    return tmp_path / "store"


def sizes_below(whole: int) -> Iterator[int]:
    """Yield sizes around the ends of pages, and at random."""
    yield from (0, 1, 15, 23, 24, META.size - 1, META.size, PAGE - 1, PAGE, PAGE + 1)
    yield from (PAGE + META.size - 1, PAGE + META.size, 2 * PAGE - 1, 2 * PAGE)
    yield from (whole - 1, whole - PAGE, whole - PAGE - 1)
    source = random.Random(5)
    for _ in range(25):
        yield source.randrange(whole)


def test_a_store_cut_off_anywhere_is_corrupt(
    directory: Path, in_fork: Callable[[Callable[[], object]], int]
) -> None:
    """Opening it is Corrupt with a hint, in a process that lives to tell."""
    data = directory / "data.mdb"
    content = data.read_bytes()
    assert len(content) == whole_bytes(data)

    def open_it() -> None:
        for size in sizes_below(len(content)):
            data.write_bytes(content[:size])
            for writable in (True, False):
                with pytest.raises(Corrupt) as caught:
                    LocalStore.open(directory, writable=writable)
                assert caught.value.code == "index-truncated", size
                assert caught.value.actual == size
                assert caught.value.hint
        data.write_bytes(content)
        store = LocalStore.open(directory)
        assert sorted(store.get(one) or b"" for one in store.iter_addresses()) == CHUNKS

    assert in_fork(open_it) == 0


def whole_bytes(data: Path) -> int:
    """Return how long a file is that ends with the last page of its last commit."""
    with data.open("rb") as file:
        meta = newest_meta(reading(file.fileno()))
    return (meta.last_page + 1) * meta.page_bytes


def free_pages(data: Path) -> set[int]:
    """Return the pages that are free."""
    with data.open("rb") as file:
        read_at = reading(file.fileno())
        lists = iter_free_lists(read_at, newest_meta(read_at))
        return {page for _transaction, pages in lists for page in pages}


def test_a_file_without_its_free_end_is_whole(
    directory: Path, forget: Callable[[LocalStore, list[bytes]], int]
) -> None:
    """LMDB may leave free pages at the end unwritten; nobody reads them."""
    store = LocalStore.open(directory)
    forget(store, list(store.iter_addresses()))
    # Pages that were freed are listed low in the file, where others were free before.
    for number in range(4):
        store.write_setting("x", b"%d" % number)
    store.close()
    data = directory / "data.mdb"
    end, free = whole_bytes(data) // PAGE, free_pages(data)
    used = max(page for page in range(end) if page not in free)
    assert used + 1 < end
    os.truncate(data, (used + 1) * PAGE)
    require_whole(str(data))
    store = LocalStore.open(directory)
    assert store.read_setting("x") == b"3"
    with store.writer() as writer:
        addresses = writer.put_many(CHUNKS)
        writer.commit()
    assert store.get_many(addresses) == CHUNKS
    store.close()
    os.truncate(data, used * PAGE)
    with pytest.raises(Corrupt):
        require_whole(str(data))


def test_what_is_no_environment_is_left_to_the_engine(tmp_path: Path) -> None:
    """No file, other bytes, and with create an empty file pass."""
    data = tmp_path / "data.mdb"
    require_whole(str(data))
    for content in (b"x" * 100, bytes(10_000), b"\xff" * 5000):
        data.write_bytes(content)
        require_whole(str(data))
    data.write_bytes(b"")
    require_whole(str(data), create=True)
    with pytest.raises(Corrupt):
        require_whole(str(data))


def test_a_store_cut_off_to_nothing_is_made_anew_only_by_create(tmp_path: Path) -> None:
    """A creation that ended before its first byte may be done again."""
    (tmp_path / "data.mdb").touch()
    with pytest.raises(Corrupt):
        LocalStore.open(tmp_path)
    LocalStore.create(tmp_path).close()
    LocalStore.open(tmp_path).close()


def test_a_long_lived_file_is_always_whole(tmp_path: Path) -> None:
    """Whatever was put and deleted in one transaction or over many, it passes."""
    source = random.Random(7)
    environment = lmdb.open(str(tmp_path), map_size=2**28, max_dbs=2)
    table = environment.open_db(b"t")
    for _ in range(60):
        with environment.begin(table, write=True) as transaction:
            for _ in range(source.randrange(1, 200)):
                key = b"%04d" % source.randrange(400)
                if source.random() < 0.5:
                    transaction.delete(key)
                else:
                    transaction.put(key, bytes(source.choice((10, 900, 5000, 40_000))))
            if source.random() < 0.3:
                transaction.drop(table, delete=False)
        require_whole(str(tmp_path / "data.mdb"))
    environment.close()
    shutil.rmtree(tmp_path)
