"""Upkeep without being asked: when it is due, and never at a commit's expense."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import prolly
from prolly.env import SYSTEM, Environment
from prolly.errors import StorageFailed
from prolly.ops import GRACE_US, gc_automatic, look_after_store
from prolly.ops.garbage import local_store_of
from prolly.repo import INLINE_BYTES_WORTH_MOVING


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[prolly.Repository]:
    """A new repository that looks after itself."""
    with prolly.init(tmp_path / "r", auto_gc=True) as repo:
        yield repo


@pytest.fixture
def soon_heavy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few small commits be worth moving."""
    monkeypatch.setattr("prolly.repo.upkeep.INLINE_BYTES_WORTH_MOVING", 500_000)
    monkeypatch.setattr(gc_automatic, "INLINE_BYTES_WORTH_MOVING", 500_000)


def write_small(repo: prolly.Repository, commits: int) -> None:
    """Make small commits of 60 kB each."""
    for number in range(commits):
        with repo.transaction("main", message="small") as tx:
            tx.map("m")[f"k{number}"] = random.Random(number).randbytes(60_000)


def packs_of(repo: prolly.Repository) -> int:
    """Return the number of packs."""
    return len(local_store_of(repo.store).maintenance().pack_files())


@pytest.mark.usefixtures("soon_heavy")
def test_small_commits_move_into_packs(repo: prolly.Repository) -> None:
    """Once their chunks weigh enough they leave the index, and can be read."""
    write_small(repo, 5)
    assert packs_of(repo) == 0
    write_small(repo, 20)
    assert 1 <= packs_of(repo) <= 5
    assert local_store_of(repo.store).long_inline_bytes() < 600_000
    assert len(repo.at("main").map("m")) == 20
    assert list(repo.fsck(full=True)) == []


@pytest.mark.usefixtures("soon_heavy")
def test_it_can_be_turned_off(repo: prolly.Repository) -> None:
    """With gc.auto off, and without auto_gc, nothing happens by itself."""
    repo.config["gc.auto"] = "off"
    write_small(repo, 15)
    assert packs_of(repo) == 0
    del repo.config["gc.auto"]
    with prolly.open(repo.path or "") as plain:
        write_small(plain, 16)
    assert packs_of(repo) == 0


@pytest.mark.usefixtures("soon_heavy")
def test_its_failure_is_not_the_commits(
    repo: prolly.Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit stands, and raises nothing, when the upkeep behind it fails."""

    def fail(*_arguments: object) -> None:
        raise StorageFailed("on cue", code="io-error")

    monkeypatch.setattr(gc_automatic, "tidy", fail)
    write_small(repo, 12)
    assert len(repo.at("main").map("m")) == 12


def test_collecting_waits_for_something_to_expire(
    repo: prolly.Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only when moves have left the grace and the store has grown it collects."""
    monkeypatch.setattr(gc_automatic, "GROWTH_BYTES_MIN", 100_000)
    store = local_store_of(repo.store)
    write_small(repo, 3)
    repo.branches["main"] = repo.resolve("main~2")
    later = Environment(now_us=lambda: SYSTEM.now_us() + GRACE_US + 60_000_000)
    before = len(list(store.iter_addresses()))
    look_after_store(store)
    assert len(list(store.iter_addresses())) == before
    repo.gc()
    # It would have to grow by a quarter and more.
    look_after_store(store, later)
    care = store.maintenance()
    assert care.read_counter("gc-runs") == 1
    write_small(repo, 8)
    look_after_store(store, later)
    assert care.read_counter("gc-runs") == 2
    look_after_store(store, later)
    assert care.read_counter("gc-runs") == 2
    assert INLINE_BYTES_WORTH_MOVING == 16 * 1024 * 1024
