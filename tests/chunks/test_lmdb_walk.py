"""The walk of an environment: silent where all is well, safe where it is not."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import lmdb
import pytest

from prolly.chunks import LocalStore
from prolly.chunks.lmdb_pages import (
    BRANCH,
    LEAF,
    NO_PAGE,
    PAGE_HEAD,
    newest_meta,
    reading,
)
from prolly.chunks.lmdb_walk import DAMAGES_MAX, snapshot_damages
from prolly.errors import Corrupt

PAGE = 4096
SIZES = (0, 1, 10, 11, 900, 5000, 40_000)

# Damages that are tried, each in a copy of the file.
DAMAGES = 250


def damages_of(directory: Path, environment: lmdb.Environment) -> list[str] | None:
    """Return what the walk says of the newest snapshot."""
    with environment.begin() as transaction:
        return snapshot_damages(str(directory / "data.mdb"), transaction.id())


@pytest.mark.parametrize("seed", range(3))
def test_what_lmdb_writes_is_sound(tmp_path: Path, seed: int) -> None:
    """Whatever was put, overwritten, deleted and dropped, no page is found damaged."""
    source = random.Random(seed)
    environment = lmdb.open(str(tmp_path), map_size=2**28, max_dbs=3, sync=False)
    tables = [environment.open_db(name) for name in (b"one", b"two")]
    for step in range(60):
        with environment.begin(write=True) as transaction:
            for _ in range(source.randrange(1, 250)):
                key = b"%04d" % source.randrange(900) * source.choice((1, 1, 10, 100))
                table = source.choice(tables)
                if source.random() < (0.3 if step % 30 < 20 else 0.8):
                    transaction.delete(key, db=table)
                else:
                    transaction.put(key, bytes(source.choice(SIZES)), db=table)
            if source.random() < 0.1:
                transaction.drop(tables[0], delete=False)
        assert damages_of(tmp_path, environment) == []
    environment.close()
    shutil.rmtree(tmp_path)


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """The file of a store with short and long chunks, refs and free pages."""
    source = random.Random(3)
    store = LocalStore.create(tmp_path / "origin")
    for _ in range(12):
        with store.writer() as writer:
            writer.put_many(source.randbytes(size) for size in (40, 90, 700, 9000))
            writer.put_many(source.randbytes(100) for _ in range(25))
            writer.commit()
    store.close()
    return (tmp_path / "origin" / "data.mdb").read_bytes()


def damaged_copies(content: bytes) -> Iterator[bytes]:
    """Yield the file with bits flipped, words changed, pages zeroed and swapped."""
    source = random.Random(4)
    pages = range(2 * PAGE, len(content), PAGE)
    for number in range(DAMAGES):
        data = bytearray(content)
        first, second = source.choice(pages), source.choice(pages)
        if number % 4 == 0:
            data[first : first + PAGE] = bytes(PAGE)
        elif number % 4 == 1:
            data[first : first + PAGE] = content[second : second + PAGE]
            data[second : second + PAGE] = content[first : first + PAGE]
        elif number % 4 == 2:
            data[first + source.randrange(120)] ^= 1 << source.randrange(8)
        else:
            place = first + 2 * source.randrange(60)
            data[place : place + 2] = source.randbytes(2)
        yield bytes(data)


def test_what_passes_can_be_scanned_and_written(
    tmp_path: Path, content: bytes, in_fork: Callable[[Callable[[], object]], int]
) -> None:
    """A damaged file either has damages found, or LMDB reads and writes all of it."""
    found = [0, 0]

    def look(data: bytes) -> None:
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        (tmp_path / "copy").mkdir()
        (tmp_path / "copy" / "data.mdb").write_bytes(data)
        place = str(tmp_path / "copy")
        with lmdb.open(place, max_dbs=8, create=False, sync=False) as environment:
            is_sound = damages_of(tmp_path / "copy", environment) == []
            found[is_sound] += 1
            if is_sound:
                use_all(environment)
                assert damages_of(tmp_path / "copy", environment) == []

    def look_at_all() -> None:
        for data in damaged_copies(content):
            look(data)
        assert min(found) > DAMAGES // 10

    assert in_fork(look_at_all) == 0


def use_all(environment: lmdb.Environment) -> None:
    """Read every row, and delete and add some in each table."""
    with environment.begin() as transaction:
        names = [key for key, _ in transaction.cursor()]
    for name in names:
        table = environment.open_db(name, create=False)
        with environment.begin(table, write=True) as transaction:
            rows = list(transaction.cursor())
            assert all(transaction.get(key) == value for key, value in rows)
            for key, _ in rows[::3]:
                transaction.delete(key)
            for number in range(30):
                transaction.put(b"%032d" % number, bytes(300))


def pages_of(content: bytes, kind: int) -> list[int]:
    """Return where pages of a kind begin, free ones too."""
    starts = range(2 * PAGE, len(content), PAGE)
    return [at for at in starts if PAGE_HEAD.unpack_from(content, at)[2] == kind]


@pytest.mark.parametrize("kind", [LEAF, BRANCH])
def test_a_damage_names_its_page(tmp_path: Path, content: bytes, kind: int) -> None:
    """Of all pages that hold nothing any more, those in use are named, but once."""
    data = bytearray(content)
    starts = pages_of(content, kind)
    for at in starts:
        data[at : at + PAGE] = bytes(PAGE)
    (tmp_path / "data.mdb").write_bytes(data)
    meta = newest_meta(lambda offset, size: bytes(data[offset : offset + size]))
    found = snapshot_damages(str(tmp_path / "data.mdb"), meta.transaction)
    assert found
    numbers = [int(one.split()[1]) for one in found if one.startswith("page ")]
    assert numbers and set(numbers) <= {at // PAGE for at in starts}
    assert len(set(numbers)) == len(numbers) <= DAMAGES_MAX


def test_a_snapshot_that_is_over_is_told(tmp_path: Path, content: bytes) -> None:
    """The snapshot of no meta page is None: whoever asks begins again."""
    path = tmp_path / "data.mdb"
    path.write_bytes(content)
    with path.open("rb") as file:
        meta = newest_meta(reading(file.fileno()))
    assert meta.free.root == meta.root and meta.main.root != NO_PAGE
    assert snapshot_damages(str(path), meta.transaction) == []
    assert snapshot_damages(str(path), meta.transaction + 1) is None


def test_only_the_tables_that_are_asked_for(tmp_path: Path, content: bytes) -> None:
    """With tables, the pages of others are not looked at."""
    data = bytearray(content)
    for at in pages_of(content, BRANCH):
        data[at : at + PAGE] = bytes(PAGE)
    path = tmp_path / "data.mdb"
    path.write_bytes(data)
    meta = newest_meta(lambda offset, size: bytes(data[offset : offset + size]))
    assert snapshot_damages(str(path), meta.transaction)
    assert snapshot_damages(str(path), meta.transaction, (b"settings",)) == []


def test_a_store_whose_settings_are_damaged_is_not_opened(
    tmp_path: Path, in_fork: Callable[[Callable[[], object]], int]
) -> None:
    """The pages that opening reads are looked at first: Corrupt, and no sudden end."""
    LocalStore.create(tmp_path / "s").close()
    path = tmp_path / "s" / "data.mdb"
    content = path.read_bytes()

    def open_it() -> None:
        for at in pages_of(content, LEAF):
            if b"store.format" not in content[at : at + PAGE]:
                continue
            for place in range(at, at + 24):
                data = bytearray(content)
                data[place] ^= 0x7F
                path.write_bytes(data)
                try:
                    LocalStore.open(tmp_path / "s").close()
                except Corrupt as error:
                    assert error.code == "index-damaged" and error.hint
                    assert error.path == str(path)

    assert in_fork(open_it) == 0
