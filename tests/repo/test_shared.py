"""Snapshots that were unpickled share one repository, which closes by itself."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
from collections import deque
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from prolly.errors import NotFound
from prolly.repo import create_repository, shared, shared_repository


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


def test_threads_that_ask_at_once_open_one_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks while another opens waits for it, and gets the same repository."""
    create_repository(tmp_path).close()
    opened: list[Any] = []
    entered: list[bool] = []
    got: list[Any] = []
    others: list[Thread] = []
    open_store = shared.open_store

    def enter() -> None:
        entered.append(shared._opening.acquire(blocking=False))

    def opened_among_others(*given: Any, **how: Any) -> Any:
        opened.append(open_store(*given, **how))
        begun(Thread(target=enter)).join()
        others.extend(begun(Thread(target=ask)) for _ in range(3))
        return opened[-1]

    def ask() -> None:
        got.append(shared_repository(tmp_path))

    monkeypatch.setattr(shared, "open_store", opened_among_others)
    ask()
    for one in others:
        one.join()
    assert entered == [False]
    assert (len(opened), len({id(one) for one in got}), len(got)) == (1, 1, 4)


def begun(thread: Thread) -> Thread:
    thread.start()
    return thread


def test_another_thread_closes_the_last_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between seeing one that waits to be closed and taking it, it may be gone."""

    class Racing(deque[Any]):
        def __bool__(self) -> bool:
            found = len(self) > 0
            self.clear()
            return found

    create_repository(tmp_path).close()
    monkeypatch.setattr(shared, "_unread", Racing([None]))
    assert shared_repository(tmp_path).branches.require("main")
