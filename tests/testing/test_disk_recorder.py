"""What is written down of a store's calls makes the same files."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from prolly.chunks import LocalStore, RefMove
from prolly.testing.disk_model import (
    EVERYTHING,
    NOTHING,
    DirectorySynced,
    DiskModel,
    Event,
    Synced,
    Tree,
)
from prolly.testing.disk_recorder import (
    PAGE_BYTES,
    DiskRecorder,
    Killed,
    index_events,
)
from prolly.testing.power_cuts import Life


def replayed(events: list[Event]) -> DiskModel:
    model = DiskModel()
    for event in events:
        model.apply(event)
    return model


def on_disk(directory: Path) -> Tree:
    """Return the tree below a directory, but for what LMDB's locks have in them."""
    return {
        str(path.relative_to(directory)): None
        if path.is_dir()
        else (b"" if path.name == "lock.mdb" else path.read_bytes())
        for path in directory.rglob("*")
    }


@pytest.mark.parametrize("seed", range(3))
def test_events_make_the_files_that_are_there(tmp_path: Path, seed: int) -> None:
    """All of a life carried out in the model is the directory, byte for byte."""
    events = Life(tmp_path, seed).run(20, kills=0.2)
    assert replayed(events).after_power_cut(EVERYTHING) == on_disk(tmp_path)


def test_equal_lives_make_equal_events(tmp_path: Path) -> None:
    """Nothing random but the seed is in them."""
    lives = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        lives.append(Life(tmp_path / name, 3).run(12, kills=0.2))
    assert lives[0] == lives[1]


def test_files_elsewhere_are_let_be(tmp_path: Path) -> None:
    """Only what lies below the directory is written down."""
    (tmp_path / "here").mkdir()
    recorder = DiskRecorder(tmp_path / "here")
    with recorder.at_work():
        os.mkdir(tmp_path / "there")
        LocalStore.create(tmp_path / "there" / "s").close()
        assert recorder.events == []
        os.mkdir(tmp_path / "here" / "box")
        os.rename(tmp_path / "here" / "box", tmp_path / "here" / "case")
    assert len(recorder.events) == 3
    os.rmdir(tmp_path / "here" / "case")
    assert len(recorder.events) == 3


def test_a_killed_process_changes_nothing_more(tmp_path: Path) -> None:
    """Behind the event every call raises, and what a handler removes stays."""
    recorder = DiskRecorder(tmp_path)
    with recorder.at_work():
        store = LocalStore.create(tmp_path / "s")
        recorder.kill_after(1)
        with pytest.raises(Killed):
            os.mkdir(tmp_path / "one")
        count = len(recorder.events)
        with pytest.raises(Killed):
            os.mkdir(tmp_path / "two")
        with pytest.raises(Killed):
            store.move_refs([RefMove("main", None, bytes(32))])
        os.rmdir(tmp_path / "one")
        store.close()
        assert len(recorder.events) == count
        recorder.start_again()
        again = LocalStore.open(tmp_path / "s")
        assert again.read_ref("main") is None
        again.move_refs([RefMove("main", None, bytes(32))])
        again.close()
    assert on_disk(tmp_path).keys() >= {"one", "s/journal"}
    # A record, the wait, and the mark with its name.
    assert len(recorder.events) == count + 4


def test_a_commit_is_synced_before_it_is_acknowledged(tmp_path: Path) -> None:
    """Of a store at rest a power cut takes nothing."""
    recorder = DiskRecorder(tmp_path)
    with recorder.at_work():
        store = LocalStore.create(tmp_path / "s")
        for count in (1, 1000):
            with store.writer() as writer:
                source = random.Random(count)
                pieces = [source.randbytes(500) for _ in range(count)]
                writer.put_many(pieces)
                writer.commit()
        store.close()
    model = replayed(recorder.events)
    everything = model.after_power_cut(EVERYTHING)
    kept = model.after_power_cut(NOTHING)
    missing = everything.keys() - kept.keys()
    # Locks, which need no durable name, and temporary files that are gone.
    assert missing <= {"s/gc.lock"}
    assert all(kept[path] == everything[path] for path in kept)


def test_pages_are_written_before_the_page_that_names_them() -> None:
    """LMDB's order: pages, a sync, the meta page, a sync; nothing for no change."""
    old = bytes(2 * PAGE_BYTES)
    meta, page = b"m" * PAGE_BYTES, b"p" * PAGE_BYTES
    new = meta + old[PAGE_BYTES:] + page
    events = index_events(1, old, new)
    places = [getattr(event, "offset", None) for event in events]
    assert places == [2 * PAGE_BYTES, None, 0, None]
    assert [type(event) for event in events[1::2]] == [Synced, Synced]
    assert index_events(1, new, new) == []
    assert not any(isinstance(event, DirectorySynced) for event in events)
