"""The care of a local store: sweeping, rewriting packs, and what remains correct."""

from __future__ import annotations

import errno
import fcntl
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from prolly.chunks import LocalMaintenance, LocalStore, RefMove, SweepView
from prolly.chunks.local_writer import INLINE_BYTES_MAX
from prolly.codec import Reference, encode_referring
from prolly.codec.node import encode_leaf
from prolly.errors import Corrupt, ReadOnly, Stale, StorageFailed

Sparing = Callable[[SweepView], Callable[[bytes], bool]]
Forget = Callable[[LocalStore, list[bytes]], int]

source = random.Random(3)
BULK = [source.randbytes(8192) for _ in range(2 * INLINE_BYTES_MAX // 8192)]
SMALL = [b"small %d" % number * 40 for number in range(50)]


def add(store: LocalStore, chunks: list[bytes]) -> list[bytes]:
    """Commit chunks and return their addresses."""
    with store.writer() as writer:
        addresses = writer.put_many(chunks)
        writer.commit()
    return addresses


def joined(addresses: list[bytes]) -> bytearray:
    """Return addresses as a sweep takes them."""
    return bytearray(b"".join(sorted(addresses)))


def spare_none(_view: SweepView) -> Callable[[bytes], bool]:
    """Let everything that is condemned go."""
    return lambda _address: False


def pack_names(store: LocalStore) -> list[str]:
    """Return the names of the pack files."""
    return sorted(os.listdir(os.path.join(store.path, "packs")))


def by_bytes(chunk: bytes) -> bytes:
    """Order chunks by what they hold."""
    return chunk


def rewrite(store: LocalStore, *, inline: bool = False) -> LocalMaintenance:
    """Rewrite every pack, and with ``inline`` the chunks in the index."""
    care = store.maintenance()
    care.repack(list(care.pack_files().values()), by_bytes, inline=inline)
    return care


def test_sweep_takes_what_is_condemned_and_not_spared(store: LocalStore) -> None:
    """Condemned chunks go at once, but for those that the last look spares."""
    addresses = add(store, SMALL)
    care = store.maintenance()

    def spare(view: SweepView) -> Callable[[bytes], bool]:
        assert view.get_many([addresses[0], bytes(32)]) == [SMALL[0], None]
        assert list(view.iter_addresses()) == sorted(addresses)
        assert view.commits() == care.commits()
        return {addresses[0]}.__contains__

    assert care.sweep(joined(addresses[:10]), spare) == 9
    assert store.contains_many(addresses) == [True] + [False] * 9 + [True] * 40


def test_the_last_look_sees_refs_and_moves(store: LocalStore) -> None:
    """Inside a sweep stand what refs point at, and what they pointed at since."""
    first, second = add(store, SMALL[:2])
    store.move_refs([RefMove("a", None, first)])
    before = store.sequence()
    store.move_refs([RefMove("a", first, second)])
    seen: list[list[bytes]] = []

    def spare(view: SweepView) -> Callable[[bytes], bool]:
        seen.append([*view.ref_targets(), *view.logged_after(before)])
        return lambda _address: True

    assert store.maintenance().sweep(joined([first, second]), spare) == 0
    assert seen == [[second, first, second]]


def test_commits_are_counted_by_whether_a_ref_names_them(store: LocalStore) -> None:
    """No chunk comes without one of the two counts growing."""
    care = store.maintenance()
    start = care.commits()
    (address,) = add(store, [b"unnamed"])
    assert care.commits() == (start.sequence, start.unnamed + 1)
    with store.writer() as writer:
        writer.put(b"named")
        writer.commit([RefMove("main", None, address)])
    assert care.commits() == (start.sequence + 1, start.unnamed + 1)


def test_repack_moves_what_is_live(store: LocalStore) -> None:
    """After a sweep packs are rewritten: all live chunks, and no dead byte."""
    live = add(store, BULK) + add(store, SMALL)
    dead = live[::3]
    care = store.maintenance()
    care.sweep(joined(dead), spare_none)
    old = pack_names(store)
    rewrite(store, inline=True)
    kept = [address for address in live if address not in set(dead)]
    chunks = dict(zip(live, BULK + SMALL, strict=True))
    assert store.get_many(kept) == [chunks[address] for address in kept]
    assert not any(store.contains_many(dead))
    assert not set(old) & set(pack_names(store))
    placed = list(care.iter_placed())
    assert all(one.pack for one in placed) and len(placed) == len(kept)
    files = care.pack_files().values()
    assert sum(file.frame_bytes for file in files) == sum(one.size for one in placed)
    assert list(care.iter_faults(full=True)) == []


def test_a_dead_pack_goes_and_a_live_one_stays(store: LocalStore) -> None:
    """A pack without a live chunk is removed; rewriting a full one changes nothing."""
    live = add(store, BULK[:40])
    dead = add(store, BULK[40:])
    store.maintenance().sweep(joined(dead), spare_none)
    (kept,) = add_and_name(store, [])
    rewrite(store)
    names = pack_names(store)
    rewrite(store)
    assert pack_names(store) == names and len(names) == 1
    assert store.get_many(live) == BULK[:40]
    assert store.read_ref("kept") == kept


def add_and_name(store: LocalStore, chunks: list[bytes]) -> list[bytes]:
    """Commit chunks and one more, which the ref ``kept`` names."""
    with store.writer() as writer:
        addresses = writer.put_many([*chunks, b"kept"])
        writer.commit([RefMove("kept", None, addresses[-1])])
    return addresses


def test_new_packs_stand_in_order_and_keep_their_age(store: LocalStore) -> None:
    """Frames are sorted as asked, and the pack is as old as what it was made from."""
    add(store, BULK)
    care = store.maintenance()
    (file,) = care.pack_files().values()
    os.utime(file.path, ns=(10**18, 10**18))
    rewrite(store)
    (file,) = care.pack_files().values()
    assert file.written_us == 10**15
    data = Path(file.path).read_bytes()
    assert data[9 : 9 + 8192] == min(BULK)
    assert data.find(sorted(BULK)[1]) < data.find(max(BULK))


def test_readers_follow_a_chunk_that_moved(store: LocalStore) -> None:
    """A store that was open all along finds chunks in their new pack."""
    addresses = add(store, BULK)
    reader = LocalStore.open(store.path, writable=False)
    assert reader.get(addresses[0]) == BULK[0]
    store.maintenance().sweep(joined(addresses[1::2]), spare_none)
    rewrite(store)
    assert reader.get_many(addresses[::2]) == BULK[::2]
    reader.close()


def test_a_damaged_chunk_is_not_copied(store: LocalStore) -> None:
    """Rewriting stops at a chunk with other bytes, and the old pack stays."""
    addresses = add(store, BULK)
    (name,) = pack_names(store)
    path = Path(store.path, "packs", name)
    data = bytearray(path.read_bytes())
    data[data.find(BULK[5])] ^= 1
    path.write_bytes(data)
    with pytest.raises(Corrupt) as caught:
        rewrite(store)
    assert caught.value.code == "hash-mismatch"
    assert pack_names(store) == [name]
    assert store.get(addresses[0]) == BULK[0]


def test_a_pack_with_a_damaged_index_stays(store: LocalStore) -> None:
    """A pack that cannot be looked through is left alone, and found by the check."""
    addresses = add(store, BULK)
    (name,) = pack_names(store)
    path = Path(store.path, "packs", name)
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    care = rewrite(store)
    assert pack_names(store) == [name]
    assert store.get_many(addresses) == BULK
    assert [one.code for one in care.iter_faults(full=False)] == ["pack-index"]
    full = [one.code for one in care.iter_faults(full=True)]
    assert full == ["pack-index", "pack-name"]


def test_unnamed_packs_are_removed(store: LocalStore) -> None:
    """What a crash left in packs/ goes; what is no pack at all stays."""
    add(store, BULK)
    (name,) = pack_names(store)
    stray = Path(store.path, "packs", "ab" * 32 + ".pack")
    stray.write_bytes(b"half a pack")
    note = Path(store.path, "packs", "README")
    note.write_text("mine")
    assert store.maintenance().remove_unnamed() == 1
    assert pack_names(store) == sorted([name, "README"])


def test_one_collection_at_a_time(store: LocalStore) -> None:
    """A second lock is Stale; after the first ends it is free again."""
    care, other = store.maintenance(), store.maintenance()
    with care.lock(), pytest.raises(Stale) as caught, other.lock():
        pass
    assert caught.value.code == "gc-running"
    with other.lock():
        pass


def test_a_file_system_without_locks_is_not_another_collection(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system refuses is StorageFailed, and no reason to wait."""

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StorageFailed) as caught, store.maintenance().lock():
        raise AssertionError("not held")
    assert caught.value.code == "io-error"


def test_a_reader_changes_nothing(store: LocalStore) -> None:
    """On a store opened for reading, what would change it is ReadOnly."""
    add(store, BULK)
    reader = LocalStore.open(store.path, writable=False)
    care = reader.maintenance()
    calls: list[Callable[[], object]] = [
        lambda: care.sweep(bytearray(), spare_none),
        lambda: care.repack([], by_bytes, inline=True),
        care.remove_unnamed,
        care.release_free_pages,
        lambda: care.lock().__enter__(),
    ]
    for call in calls:
        with pytest.raises(ReadOnly):
            call()
    assert len(list(care.iter_placed())) == len(BULK)
    reader.close()


def test_a_link_that_was_swept_is_counted_on(store: LocalStore, forget: Forget) -> None:
    """A batch whose new chunk links to a swept one is Stale, dedupe or not."""
    (piece,) = add(store, [b"\3data"])
    leaf = encode_leaf([b"k"], [encode_referring([Reference(piece, 3)])])
    for chunks in ([leaf], [leaf, *BULK]):
        writer = store.writer()
        writer.put_many(chunks)
        forget(store, [piece])
        with pytest.raises(Stale) as caught:
            writer.commit()
        assert (caught.value.code, caught.value.address) == ("gc-epoch", piece)
        add(store, [b"\3data"])
    add(store, [leaf])


def test_a_batch_that_lost_a_race_is_looked_through(store: LocalStore) -> None:
    """After a lost race a batch counts on its links even without a sweep since."""
    missing = encode_leaf([b"k"], [encode_referring([Reference(bytes(32), 3)])])
    writer = store.writer()
    address = writer.put(missing)
    with pytest.raises(Stale):
        writer.commit([RefMove("main", address, address)])
    with pytest.raises(Stale) as caught:
        writer.commit([RefMove("main", None, address)])
    assert caught.value.code == "gc-epoch"


def test_no_ref_is_moved_to_a_swept_chunk(store: LocalStore, forget: Forget) -> None:
    """Whoever read a chunk before the sweep cannot name it after."""
    kept, gone = add(store, SMALL[:2])
    forget(store, [gone])
    with pytest.raises(Stale) as caught:
        store.move_refs([RefMove("main", None, gone)])
    assert caught.value.code == "gc-epoch"
    store.move_refs([RefMove("main", None, kept)])
