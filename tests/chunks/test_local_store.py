"""The local store: the suite, and what only a store on disk can get wrong."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prolly.chunks import (
    FORMAT_VERSION,
    LocalStore,
    RefMove,
    Store,
    VerifyingStore,
    local_index,
)
from prolly.chunks.local_tables import FORMAT
from prolly.chunks.local_writer import INLINE_BYTES_MAX
from prolly.codec.pack import FRAME_HEADER_BYTES
from prolly.codec.store_entry import encode_counter
from prolly.errors import (
    AlreadyExists,
    Corrupt,
    Invalid,
    NotFound,
    ReadOnly,
    Unsupported,
)
from prolly.testing.store_suite import StoreSuite

BULK = [bytes([number]) * 8192 for number in range(2 * INLINE_BYTES_MAX // 8192)]

InFork = Callable[[Callable[[], object]], int]


class TestLocalStore(StoreSuite):
    """Every line of the contract, on disk."""

    def make_store(self, directory: Path) -> Store:
        return LocalStore.create(directory)

    def write_raw(self, store: Store, address: bytes, chunk: bytes) -> None:
        assert isinstance(store, LocalStore)
        table = store._environment.databases[b"chunks"]
        store._environment.write(
            lambda changing: changing.put(address, b"\0" + chunk, db=table)
        )


def add(store: Store, chunks: list[bytes]) -> list[bytes]:
    """Commit chunks and return their addresses."""
    with store.writer() as writer:
        addresses = writer.put_many(chunks)
        writer.commit()
    return addresses


def pack_files(store: LocalStore) -> list[Path]:
    """Return the files of the packs."""
    return sorted(Path(store.path, "packs").iterdir())


def test_everything_survives_reopening(tmp_path: Path) -> None:
    """Inline and packed chunks, refs, log and settings are there after a reopening."""
    store = LocalStore.create(tmp_path)
    addresses = add(store, [*BULK]) + add(store, [b"inline"])
    store.move_refs([RefMove("main", None, addresses[0])])
    store.write_setting("x", b"y")
    store.close()
    store = LocalStore.open(tmp_path)
    assert store.get_many(addresses) == [*BULK, b"inline"]
    assert store.read_ref("main") == addresses[0]
    assert len(list(store.iter_log())) == store.sequence() == 1
    assert store.read_setting("x") == b"y"
    assert store.path == str(tmp_path)
    store.close()


def test_only_bulk_makes_packs(store: LocalStore) -> None:
    """Up to the limit chunks stand in the index; one byte past it makes a pack."""
    add(store, [b"\1" * INLINE_BYTES_MAX])
    assert pack_files(store) == []
    add(store, [b"\2" * INLINE_BYTES_MAX, b"\3"])
    assert len(pack_files(store)) == 1


def test_create_refuses_a_store(store: LocalStore) -> None:
    """A second creation is AlreadyExists, and changes nothing."""
    (address,) = add(store, [b"kept"])
    with pytest.raises(AlreadyExists) as caught:
        LocalStore.create(store.path)
    assert caught.value.code == "store-exists"
    assert store.get(address) == b"kept"


def test_create_refuses_a_file(tmp_path: Path) -> None:
    """A file in the way is AlreadyExists."""
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(AlreadyExists):
            LocalStore.create(path)
    assert (tmp_path / "file").read_text() == "mine"


def test_create_ends_what_a_crash_cut_short(tmp_path: Path) -> None:
    """Directories without a format are no store, and creation makes them one."""
    (tmp_path / "packs").mkdir()
    with pytest.raises(NotFound):
        LocalStore.open(tmp_path)
    store = LocalStore.create(tmp_path)
    store._index.write_setting(FORMAT, None)
    store.close()
    with pytest.raises(NotFound):
        LocalStore.open(tmp_path)
    LocalStore.create(tmp_path).close()
    LocalStore.open(tmp_path).close()


def test_open_wants_a_store(tmp_path: Path) -> None:
    """An absent or empty directory is NotFound no-store, with a hint."""
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(NotFound) as caught:
            LocalStore.open(path)
        assert caught.value.code == "no-store"
        assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_open_refuses_another_file(tmp_path: Path) -> None:
    """A data file that is not LMDB's is Corrupt, and stays as it is."""
    (tmp_path / "data.mdb").write_bytes(b"something else " * 1000)
    with pytest.raises(Corrupt) as caught:
        LocalStore.open(tmp_path)
    assert caught.value.code == "index-damaged"


def test_newer_format_is_unsupported(tmp_path: Path) -> None:
    """The next format is refused with a hint; this one opens."""
    store = LocalStore.create(tmp_path)
    store._index.write_setting(FORMAT, encode_counter(FORMAT_VERSION + 1))
    store.close()
    with pytest.raises(Unsupported) as caught:
        LocalStore.open(tmp_path)
    assert caught.value.code == "format-version"
    assert caught.value.hint


def test_unknown_durability_is_invalid(tmp_path: Path) -> None:
    """Only 'full' and 'scratch' are words for durability."""
    word: Any = "none"
    with pytest.raises(Invalid):
        LocalStore.create(tmp_path, durability=word)


def test_scratch_store_works(tmp_path: Path) -> None:
    """Without waiting for the disk the contract holds within the process."""
    store = LocalStore.create(tmp_path, durability="scratch")
    addresses = add(store, BULK)
    assert store.get_many(addresses) == BULK
    store.close()


def test_read_only_store_reads_and_refuses_writes(store: LocalStore) -> None:
    """A store opened for reading follows the writer and cannot be changed."""
    reader = LocalStore.open(store.path, writable=False)
    (address,) = add(store, [b"later"])
    assert reader.get(address) == b"later"
    assert not reader.writable
    for call in (
        reader.writer,
        lambda: reader.move_refs([]),
        lambda: reader.write_setting("x", b""),
        lambda: reader.maintenance().repack([], bytes, inline=True),
    ):
        with pytest.raises(ReadOnly) as caught:
            call()
        assert caught.value.code == "read-only"
    reader.close()
    assert store.get(address) == b"later"


def test_directory_without_permission_is_read_only(in_fork: InFork) -> None:
    """Where the directory may not be written, opening for writing is ReadOnly."""
    directory = Path(tempfile.mkdtemp())
    LocalStore.create(directory / "store").close()
    for path in (directory / "store", directory):
        path.chmod(0o555)

    def refused() -> None:
        # Permissions do not bind the superuser.
        if os.getuid() == 0:
            os.setuid(65534)
        with pytest.raises(ReadOnly):
            LocalStore.open(directory / "store")
        with pytest.raises(ReadOnly):
            LocalStore.create(directory / "other")

    try:
        assert in_fork(refused) == 0
    finally:
        for path in (directory, directory / "store"):
            path.chmod(0o755)
        shutil.rmtree(directory)


def test_flipped_bits_in_a_pack_are_found(store: LocalStore) -> None:
    """A flipped bit of a payload or of a frame's header is Corrupt, by address."""
    first, second = add(store, BULK)[:2]
    (pack,) = pack_files(store)
    data = bytearray(pack.read_bytes())
    data[FRAME_HEADER_BYTES + 100] ^= 1
    data[FRAME_HEADER_BYTES + len(BULK[0])] ^= 1
    pack.write_bytes(data)
    with pytest.raises(Corrupt) as caught:
        VerifyingStore(store).get(first)
    assert caught.value.code == "hash-mismatch"
    assert caught.value.address == first
    with pytest.raises(Corrupt) as caught:
        store.get(second)
    assert caught.value.code == "pack-frame"
    assert ".pack" in caught.value.message and caught.value.path.endswith(".pack")


def test_missing_pack_is_corrupt(store: LocalStore) -> None:
    """A chunk in a pack that was removed is Corrupt pack-missing, not absent."""
    address = add(store, BULK)[0]
    pack_files(store)[0].unlink()
    for call in (lambda: store.get(address), lambda: store.get_many([address])):
        with pytest.raises(Corrupt) as caught:
            call()
        assert caught.value.code == "pack-missing"
        assert caught.value.address == address


def test_truncated_pack_is_corrupt(store: LocalStore) -> None:
    """A pack that lost its end is refused, before and after it was opened."""
    addresses = add(store, BULK)
    (pack,) = pack_files(store)
    store.get(addresses[0])
    os.truncate(pack, pack.stat().st_size // 2)
    other = LocalStore.open(store.path)
    for reader, address in ((store, addresses[-1]), (other, addresses[0])):
        with pytest.raises(Corrupt) as caught:
            reader.get(address)
        assert caught.value.code in ("pack-truncated", "pack-footer")
    other.close()


def test_chunk_that_moved_between_look_up_and_read(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a pack goes after the look-up, a renewed look-up finds the chunk."""
    address = add(store, BULK)[0]
    table = store._environment.databases[b"chunks"]
    read = store._packs.read

    def move_then_read(*location: int) -> bytes | None:
        monkeypatch.setattr(store._packs, "read", read)
        store._environment.write(
            lambda changing: changing.put(address, b"\0" + BULK[0], db=table)
        )
        pack_files(store)[0].unlink()
        return read(*location)

    monkeypatch.setattr(store._packs, "read", move_then_read)
    assert store.get(address) == BULK[0]


def test_child_of_a_fork_has_its_own_environment(
    store: LocalStore, in_fork: InFork
) -> None:
    """After a fork both sides read and write, and see each other's commits."""
    addresses = add(store, BULK)
    half_done = store.writer()
    half_done.put_many([*BULK[:1], b"\xfe" * INLINE_BYTES_MAX, b"parent"])

    def child() -> None:
        assert store.get_many(addresses) == BULK
        (own,) = add(store, [b"from the child"])
        store.move_refs([RefMove("child", None, own)])
        with pytest.raises(Invalid) as caught:
            half_done.commit()
        assert caught.value.code == "forked"
        half_done.abort()
        store.close()

    assert in_fork(child) == 0
    child_address = store.read_ref("child")
    assert child_address is not None
    assert store.get(child_address) == b"from the child"
    half_done.commit()
    assert store.get_many(addresses) == BULK


def test_pack_descriptors_are_bounded(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More packs than may be open at once are all readable."""
    monkeypatch.setattr("prolly.chunks.pack_readers.OPEN_PACKS_MAX", 2)
    addresses = []
    for number in range(5):
        addresses += add(store, [bytes([number]) + chunk for chunk in BULK])
    assert len(pack_files(store)) == 5
    assert all(store.get_many(addresses))
    assert len(store._packs._open) == 2


def test_a_store_without_its_index_is_told_from_none(tmp_path: Path) -> None:
    """All but data.mdb: the missing file is named, and nothing is made anew."""
    made = LocalStore.create(tmp_path / "s")
    (address,) = add(made, [b"a commit"])
    made.move_refs([RefMove("main", None, address)])
    made.close()
    (tmp_path / "s" / "data.mdb").unlink()
    for writable in (True, False):
        with pytest.raises(Corrupt) as caught:
            LocalStore.open(tmp_path / "s", writable=writable)
        assert caught.value.code == "index-missing"
        assert "data.mdb" in caught.value.message
    assert not (tmp_path / "s" / "data.mdb").exists()


def test_pages_of_any_size_give_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Addresses and names are whole and in order, in the tables or waiting beside."""
    store = LocalStore.create(tmp_path)
    addresses: list[bytes] = []
    names: list[str] = []
    for step in range(3):
        with store.writer() as writer:
            new = [writer.put(b"%d %d" % (step, number)) for number in range(40)]
            moves = [RefMove(f"branches/{step}{at}", None, new[at]) for at in range(9)]
            writer.commit([*moves, RefMove(f"tags/{step}", None, new[0])])
        addresses += new
        names += [move.name for move in moves]
        if step == 1:
            store._index.release_journal()
    gone = names.pop(4)
    old = store.read_ref(gone)
    store.move_refs([RefMove(gone, old, None)])
    for first, rows in ((1, 1), (2, 3), (16, 7), (16, 1000)):
        monkeypatch.setattr(local_index, "FIRST_ROWS", first)
        monkeypatch.setattr(local_index, "PAGE_ROWS", rows)
        assert list(store.iter_addresses()) == sorted(addresses)
        for head in {address[:1] for address in addresses}:
            wanted = [one for one in sorted(addresses) if one.startswith(head)]
            assert list(store.iter_addresses(head)) == wanted
        assert [name for name, _ in store.iter_refs("branches/")] == sorted(names)
    store.close()
