"""Care of a store that is killed by SIGKILL, at any of the calls that it makes."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from prolly.chunks import LocalStore
from prolly.codec import links_of
from prolly.ops import check_repository, collect_garbage
from prolly.ops.garbage import local_store_of
from prolly.repo import Repository, open_repository
from prolly.testing.disk_recorder import DiskRecorder
from prolly.testing.power_cuts import Life, Told, small_bounds, told_by
from prolly.testing.repositories import ticking_environment

Job = Callable[[LocalStore], object]
Places = Callable[[int], list[int]]

# Of the calls of a job, at so many it is killed in the normal run.
KILLS = 4


def collect(store: LocalStore) -> None:
    """Mark, sweep, rewrite what is wasteful, and give the space back."""
    collect_garbage(store, grace_us=0)


def fold(store: LocalStore) -> None:
    """Take the journal into the index, and give its space back."""
    store.maintenance().release_free_pages()


def repack(store: LocalStore) -> None:
    """Write all chunks into new packs, those of the index too."""
    care = store.maintenance()
    packs = list(care.pack_files().values())
    care.repack(packs, lambda chunk: chunk[:1], inline=True)


def opened(directory: Path) -> Repository:
    return open_repository(
        directory / "home" / "data", environment=ticking_environment()
    )


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with packs, garbage, and commits that wait in the journal."""
    directory = tmp_path_factory.mktemp("used") / "disk"
    directory.mkdir()
    Life(directory, 3).run(40)
    with opened(directory) as repo:
        told = told_by(repo)
        assert len(told.refs) > 1
        assert len(os.listdir(directory / "home/data/.prolly/packs")) > 2
    return directory


def run_watched(directory: Path, job: Job, kill_after: int | None) -> int:
    """Do a job, and perhaps die at it; return how many events there were."""
    with small_bounds(), opened(directory) as repo:
        recorder = DiskRecorder(directory)
        if kill_after is not None:
            recorder.kill_after(kill_after, for_good=True)
        with recorder.at_work():
            job(local_store_of(repo.store))
    return len(recorder.events)


def killed(directory: Path, job: Job, kill_after: int) -> None:
    """Do a job in a child that dies at it."""
    child = os.fork()
    if child == 0:
        try:
            run_watched(directory, job, kill_after)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9


def require_sound(directory: Path, told: Told, job: Job) -> None:
    """Assert that nothing is lost, and that the job can be done to its end."""
    with small_bounds(), opened(directory) as repo:
        assert told_by(repo) == told
        assert list(check_repository(repo.store, full=True)) == []
        job(local_store_of(repo.store))
        assert told_by(repo) == told
        assert list(check_repository(repo.store, full=True)) == []
        # What is present is closed under links, at every instant.
        for address in repo.store.iter_addresses():
            chunk = repo.store.get(address)
            assert chunk is not None
            below = [link.address for link in links_of(chunk)]
            assert all(repo.store.contains_many(below))


def kill_at(tmp_path: Path, used: Path, job: Job, places: Places) -> None:
    """Do the job, then kill it behind some of its events, each time in a copy."""
    with opened(used) as repo:
        told = told_by(repo)
    shutil.copytree(used, tmp_path / "whole")
    events = run_watched(tmp_path / "whole", job, None)
    assert events > 5
    for place in places(events):
        directory = tmp_path / f"killed{place}"
        shutil.copytree(used, directory)
        killed(directory, job, place)
        require_sound(directory, told, job)
        shutil.rmtree(directory)


@pytest.mark.parametrize("job", [collect, fold, repack])
def test_care_that_is_killed_loses_nothing(
    tmp_path: Path, used: Path, job: Job
) -> None:
    """Refs stand, a full check finds no fault, and the job can be done again."""
    source = random.Random(1)
    kill_at(tmp_path, used, job, lambda n: source.sample(range(1, n), KILLS))


@pytest.mark.long
@pytest.mark.parametrize("job", [collect, fold, repack])
def test_care_that_is_killed_anywhere_loses_nothing(
    tmp_path: Path, used: Path, job: Job
) -> None:
    """So it is at every call that changes a file."""
    kill_at(tmp_path, used, job, lambda n: list(range(1, n)))
