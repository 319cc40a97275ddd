"""Snapshots that were unpickled share one repository, which closes by itself."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
from pathlib import Path

import pytest

from prolly.errors import NotFound
from prolly.repo import create_repository, shared_repository


@pytest.fixture
def pickled(tmp_path: Path) -> bytes:
    with create_repository(tmp_path) as repo:
        with repo.transaction("main") as tx:
            tx.map("m").update((f"{n:05}", "v" * 200) for n in range(2000))
            tx.blob("b").write(bytes(200_000))
        return pickle.dumps(repo.at("main"))


def open_files(directory: Path) -> int:
    """Return how many descriptors this process has of files below a directory."""
    below = {(one.stat().st_dev, one.stat().st_ino) for one in directory.rglob("*")}
    found = 0
    for name in os.listdir("/dev/fd"):
        try:
            status = os.fstat(int(name))
        except OSError:
            # The one that listed them is closed already.
            continue
        found += (status.st_dev, status.st_ino) in below
    return found


def test_many_snapshots_hold_one_store_open(pickled: bytes, tmp_path: Path) -> None:
    """Unpickling a hundred times opens what one opens, and all closes at the end."""
    first = pickle.loads(pickled)
    assert first.map("m")["00007"] == "v" * 200
    once = open_files(tmp_path)
    more = [pickle.loads(pickled) for _ in range(100)]
    assert {one.map("m")["01999"] for one in more} == {"v" * 200}
    assert once > 0
    assert open_files(tmp_path) == once
    del first
    assert more[0].map("m")["00008"] == "v" * 200
    del more
    assert open_files(tmp_path) == 0


def test_what_was_opened_through_a_snapshot_keeps_it(
    pickled: bytes, tmp_path: Path
) -> None:
    """A map, an iterator and a blob read on after their snapshot is gone."""
    records = pickle.loads(pickled).map("m")
    pairs = iter(records.items())
    del records
    with pickle.loads(pickled).blob("b") as blob:
        assert sum(1 for _ in pairs) == 2000
        del pairs
        assert len(blob.read()) == 200_000
    del blob
    assert open_files(tmp_path) == 0


def test_a_cycle_is_closed_by_the_next_to_ask(pickled: bytes, tmp_path: Path) -> None:
    """Where only the collector finds the last snapshot, the next opening closes it."""
    cycle = [pickle.loads(pickled)]
    cycle.append(cycle)
    del cycle
    gc.collect()
    with pytest.raises(NotFound):
        shared_repository(tmp_path / "nowhere")
    assert open_files(tmp_path) == 0


def test_another_repository_in_its_place_is_another(
    pickled: bytes, tmp_path: Path
) -> None:
    """What was removed and made again is not served from the one that was open."""
    kept = pickle.loads(pickled)
    aside = tmp_path.with_name("aside")
    shutil.move(tmp_path, aside)
    create_repository(tmp_path).close()
    assert shared_repository(tmp_path).at("main").root != kept.root
    with pytest.raises(NotFound):
        pickle.loads(pickled)
    assert kept.map("m")["00001"] == "v" * 200
