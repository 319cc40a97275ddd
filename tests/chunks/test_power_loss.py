"""Power cuts that took something once, or might have, each by itself."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from prolly.chunks import LocalStore, RefMove
from prolly.chunks.lmdb_opening import DATA_FILE
from prolly.chunks.local_directory import PACKS
from prolly.codec import address_of
from prolly.codec.journal_record import JOURNAL_HEAD_BYTES
from prolly.errors import AlreadyExists, Corrupt, NotFound
from prolly.testing.disk_model import NOTHING, Choice, DiskModel
from prolly.testing.disk_recorder import DiskRecorder, Killed
from prolly.testing.power_cuts import lay_out

# One commit is longer than a sector of this size: each may be lost by itself.
SECTOR_BYTES = 4096
CHUNK_BYTES = 5000
# A name, the sectors and the size of a journal of three commits.
CHOICES = 6


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[DiskRecorder]:
    """A recorder at work below a new directory, ``disk``."""
    (tmp_path / "disk").mkdir()
    with DiskRecorder(tmp_path / "disk").at_work() as recorder:
        yield recorder


def commit(store: LocalStore, text: str, size: int = CHUNK_BYTES) -> bytes:
    """Commit one small chunk and move a ref to it; return its address."""
    chunk = text.encode().ljust(size, b".")
    with store.writer() as writer:
        address = writer.put(chunk)
        writer.commit([RefMove("main", store.read_ref("main"), address)])
    return address


def choices() -> Iterator[Choice]:
    """Yield all ways to lose or keep each of the first few things that may be lost."""
    for given in product((True, False), repeat=CHOICES):
        left = iter(given)

        def draw(steps: int, left: Iterator[bool] = left) -> int:
            return steps if next(left, True) else 0

        yield Choice(draw, SECTOR_BYTES)


def model_of(recorder: DiskRecorder, events: int | None = None) -> DiskModel:
    model = DiskModel()
    for event in recorder.events[:events]:
        model.apply(event)
    return model


def test_directories_made_above_a_store_stay(
    tmp_path: Path, recorder: DiskRecorder
) -> None:
    """All that creation makes has durable names, however far above the store."""
    store = LocalStore.create(tmp_path / "disk" / "a" / "b" / "c" / "store")
    address = commit(store, "first")
    store.close()
    lay_out(model_of(recorder).after_power_cut(NOTHING), tmp_path / "left")
    again = LocalStore.open(tmp_path / "left" / "a" / "b" / "c" / "store")
    assert again.read_ref("main") == address
    again.close()


def test_a_record_that_was_not_waited_for_does_no_harm(
    tmp_path: Path, recorder: DiskRecorder
) -> None:
    """A writer is killed before its wait, and the power fails at the next commit.

    The later record would be on the disk without the earlier, which is damage. What
    was seen of the earlier is there, too.
    """
    store = LocalStore.create(tmp_path / "disk" / "s")
    first = commit(store, "first")
    recorder.kill_after(1)
    with pytest.raises(Killed):
        commit(store, "killed")
    store.close()
    recorder.start_again()
    store = LocalStore.open(tmp_path / "disk" / "s")
    seen = store.read_ref("main")
    assert seen != first
    commit(store, "second")
    store.close()
    # All but the wait for the last record, and the mark behind it.
    model = model_of(recorder, -2)
    refs = set()
    for number, choice in enumerate(choices()):
        place = tmp_path / f"left{number}"
        lay_out(model.after_power_cut(choice), place)
        again = LocalStore.open(place / "s", writable=False)
        refs.add(again.read_ref("main"))
        again.close()
        shutil.rmtree(place)
    assert refs == {seen, address_of(b"second".ljust(CHUNK_BYTES, b"."))}


def test_what_a_reader_saw_is_there_after_a_power_cut(
    tmp_path: Path, recorder: DiskRecorder
) -> None:
    """Also what a killed writer did not live to wait for, and nobody commits on."""
    store = LocalStore.create(tmp_path / "disk" / "s")
    recorder.kill_after(1)
    with pytest.raises(Killed):
        commit(store, "killed")
    store.close()
    recorder.start_again()
    reader = LocalStore.open(tmp_path / "disk" / "s", writable=False)
    seen = reader.read_ref("main")
    reader.close()
    assert seen is not None
    lay_out(model_of(recorder).after_power_cut(NOTHING), tmp_path / "left")
    again = LocalStore.open(tmp_path / "left" / "s")
    assert again.read_ref("main") == seen
    again.close()


def test_nobody_waits_for_what_somebody_waited_for(tmp_path: Path) -> None:
    """A commit is one wait, whoever commits, and a read none; unless the mark is lost.

    Without it whoever reads waits once, and tells the others.
    """
    one, other = (make(tmp_path) for make in (LocalStore.create, LocalStore.open))
    waits: list[int] = []
    for store in (one, one, other, other, one):
        before = store.costs.fsyncs
        commit(store, f"{len(waits)}")
        waits.append(store.costs.fsyncs - before)
    assert waits == [1, 1, 1, 1, 1]
    one.close()
    other.close()
    for lose in (False, True):
        if lose:
            (tmp_path / "journal-synced").unlink()
        readers = [LocalStore.open(tmp_path) for _ in range(2)]
        assert all(reader.read_ref("main") for reader in readers)
        assert [reader.costs.fsyncs for reader in readers] == [int(lose), 0]
        for reader in readers:
            reader.close()


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_an_interrupted_commit_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Ctrl-C while a commit is written leaves the store as it was, for everybody."""
    store = LocalStore.create(tmp_path)
    first = commit(store, "first")
    real = getattr(os, call)

    def interrupted(*arguments: object) -> int:
        monkeypatch.undo()
        real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, call, interrupted)
    with pytest.raises(KeyboardInterrupt):
        commit(store, "second")
    other = LocalStore.open(tmp_path)
    assert store.read_ref("main") == other.read_ref("main") == first
    third = commit(other, "third")
    assert store.read_ref("main") == third
    for one in (store, other):
        one.close()


def test_a_creation_that_was_cut_short_is_done_again(tmp_path: Path) -> None:
    """Whatever is missing, and with an index whose first pages have no bytes."""
    made = LocalStore.create(tmp_path / "whole")
    made.close()
    size = (tmp_path / "whole" / DATA_FILE).stat().st_size
    for lost in (DATA_FILE, "journal", PACKS, "tmp", "lock.mdb", None):
        for content in (b"", bytes(2 * 4096), bytes(size)):
            place = tmp_path / "s"
            shutil.copytree(tmp_path / "whole", place)
            (place / DATA_FILE).write_bytes(content)
            if lost is not None and (place / lost).is_dir():
                (place / lost).rmdir()
            elif lost is not None:
                (place / lost).unlink()
            assert LocalStore.is_unfinished(place)
            if lost == DATA_FILE:
                with pytest.raises(NotFound):
                    LocalStore.open(place)
            store = LocalStore.create(place)
            assert store.read_ref("main") is None
            commit(store, "first")
            store.close()
            shutil.rmtree(place)


def test_what_had_a_commit_is_not_made_again(tmp_path: Path) -> None:
    """A lost index of a store that was used is damage, and is left as it is."""
    for number in range(3):
        place = tmp_path / f"s{number}"
        store = LocalStore.create(place)
        if number == 0:
            commit(store, "first", JOURNAL_HEAD_BYTES)
        elif number == 1:
            with store.writer() as writer:
                writer.put_many(bytes([n]) * 9000 for n in range(1, 60))
                writer.commit()
        else:
            with store.maintenance().lock():
                store.maintenance().release_free_pages()
        store.close()
        with pytest.raises(AlreadyExists):
            LocalStore.create(place)
        (place / DATA_FILE).write_bytes(b"")
        assert not LocalStore.is_unfinished(place)
        with pytest.raises(Corrupt):
            LocalStore.open(place)
        (place / DATA_FILE).write_bytes(bytes(2 * 4096))
        with pytest.raises(Corrupt):
            LocalStore.create(place)
        assert (place / DATA_FILE).read_bytes() == bytes(2 * 4096)
