"""Garbage collection: what is reachable, young or counted on stays; all else goes."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prolly
from prolly.chunks import LocalStore, RefMove, RefNote
from prolly.chunks.local_index import LocalIndex
from prolly.env import SYSTEM, Environment
from prolly.errors import Corrupt, Invalid, NotFound, Unsupported
from prolly.ops import GRACE_US, collect_garbage
from prolly.ops.garbage import SMALL_PACKS_MAX, local_store_of
from prolly.repo import begin_history
from prolly.testing.repositories import memory_repository
from prolly.testing.upkeep_model import (
    BULK_RECORDS,
    bulk,
    chunk_count,
    content,
    put,
    reachable_bytes,
    require_sound,
    size_on_disk,
    unnamed_commit,
)
from prolly.tree import reachable

NOW = timedelta()


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[prolly.Repository]:
    """A new repository."""
    with prolly.init(tmp_path / "r") as repo:
        yield repo


def at_time(now_us: int) -> Environment:
    """Return an environment whose clock stands still."""
    return Environment(now_us=lambda: now_us, user=lambda: "tester")


ACTIONS = st.sampled_from(
    ("put", "put", "bulk", "branch", "delete", "reset", "edit", "discard", "gc", "all")
)


@settings(max_examples=15)
@given(st.lists(ACTIONS, min_size=5, max_size=25), st.randoms(use_true_random=False))
def test_every_reachable_version_survives(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str], source: random.Random
) -> None:
    """Random histories with collections in between: versions equal their models."""
    path = tmp_path_factory.mktemp("gc") / "r"
    repo = prolly.init(path)
    # The content of every branch's commits, newest last; and of uncommitted edits.
    models: dict[str, list[dict[str, Any]]] = {"main": [{}]}
    edits: dict[str, dict[str, Any]] = {}
    for step, action in enumerate(actions):
        branch = source.choice(sorted(models))
        versions = models[branch]
        if action in ("put", "bulk"):
            new = bulk(step) if action == "bulk" else {f"k{step}": source.randbytes(50)}
            put(repo, new, branch)
            versions.append({**versions[-1], **new})
        elif action == "branch":
            name = f"b{step}"
            repo.create_branch(name, branch)
            models[name] = list(versions)
        elif action == "delete" and branch != "main":
            repo.delete_branch(branch)
            del models[branch]
            edits.pop(branch, None)
        elif action == "reset" and len(versions) > 1 and branch not in edits:
            repo.branches[branch] = repo.resolve(f"{branch}~1")
            versions.pop()
        elif action == "edit" and branch not in edits:
            with repo.working_area(branch).edit("test") as workspace:
                workspace.map("m")["edited"] = step
            edits[branch] = {**versions[-1], "edited": step}
        elif action == "discard" and branch in edits:
            repo.working_area(branch).discard()
            del edits[branch]
        elif action in ("gc", "all"):
            repo.gc(grace=NOW if action == "all" else None)
    for branch, versions in models.items():
        for age, model in enumerate(reversed(versions)):
            assert content(repo, f"{branch}~{age}") == model
        if (
            branch in edits
            and repo.working_area(branch).state.base == repo.branches[branch]
        ):
            assert dict(repo.at_working(branch).map("m").items()) == edits[branch]
    require_sound(repo)
    repo.gc(grace=NOW)
    targets = [address for _, address in repo.store.iter_refs()]
    left = {address for address, _ in reachable(repo.store.get_many, targets)}
    assert set(repo.store.iter_addresses()) == left
    require_sound(repo)
    repo.close()
    shutil.rmtree(path)


def test_a_lost_branch_survives_the_grace(repo: prolly.Repository) -> None:
    """What a deleted branch held is kept by the reflog, and goes after the grace."""
    repo.create_branch("b")
    put(repo, bulk(1), "b")
    tip = repo.branches["b"]
    put(repo, {"kept": 1})
    repo.delete_branch("b")
    assert repo.gc().removed == 0
    assert len(content(repo, tip)) == BULK_RECORDS
    now_us = SYSTEM.now_us() + GRACE_US - 60_000_000
    assert collect_garbage(repo.store, environment=at_time(now_us)).removed == 0
    later = at_time(now_us + 120_000_000)
    assert collect_garbage(repo.store, environment=later).removed > 10
    with prolly.open(repo.path or "") as other, pytest.raises(NotFound):
        other.at(bytes(tip))
    assert content(repo, "main") == {"kept": 1}
    require_sound(repo)


def test_chunks_without_a_name_survive_the_grace(repo: prolly.Repository) -> None:
    """Committed and never named, small or in bulk, chunks live through the grace."""
    store = repo.store
    pieces = [b"\3" + random.Random(n).randbytes(9000) for n in range(60)]
    for chunks in ([b"\3small"], pieces):
        with store.writer() as writer:
            writer.put_many(chunks)
            writer.commit()
    with store.writer() as writer:
        addresses = writer.put_many([*pieces, b"\3small"])
        writer.abort()
    for _ in range(2):
        report = repo.gc()
        assert (report.removed, report.kept) == (0, 61)
    assert all(store.contains_many(addresses))
    store.move_refs([RefMove("tags/x", None, addresses[0])], RefNote(time_us=1))
    later = at_time(SYSTEM.now_us() + GRACE_US + 60_000_000)
    report = collect_garbage(store, environment=later)
    # In the index it is too little to be moved, and has no age there.
    assert (report.removed, report.kept) == (59, 1)
    assert collect_garbage(store, grace_us=0).removed == 1
    assert store.contains_many(addresses) == [True] + [False] * 60


def test_what_young_chunks_link_to_stays(repo: prolly.Repository) -> None:
    """A young chunk that nothing reaches keeps what is below it, however old."""
    put(repo, bulk(1))
    repo.branches["main"] = repo.resolve("main~1")
    care = local_store_of(repo.store).maintenance()
    for file in care.pack_files().values():
        os.utime(file.path, ns=(1000, 1000))
    later = at_time(SYSTEM.now_us() + GRACE_US + 60_000_000)
    with repo.store.writer() as writer:
        commit = repo.commit_of("main@{1}")
        writer.put(unnamed_commit(commit.root))
        writer.commit()
    report = collect_garbage(repo.store, environment=later)
    # The old commit is not below the young one, and is old: it alone goes.
    assert report.removed == 1 and report.kept > 10
    assert collect_garbage(repo.store, grace_us=0).removed == report.kept
    require_sound(repo)


def test_dry_run_changes_nothing(repo: prolly.Repository) -> None:
    """It tells what would go, also on a store opened for reading."""
    put(repo, bulk(1))
    repo.branches["main"] = repo.resolve("main~1")
    before = chunk_count(repo)
    assert repo.path is not None
    with prolly.open(repo.path, writable=False) as reader:
        planned = reader.gc(grace=NOW, dry_run=True)
    assert chunk_count(repo) == before
    done = repo.gc(grace=NOW)
    assert planned.dry_run and not done.dry_run
    assert planned.removed == done.removed == before - chunk_count(repo) > 10
    assert planned.removed_bytes == done.removed_bytes > 100 * BULK_RECORDS


def test_reading_what_was_pruned(repo: prolly.Repository) -> None:
    """An open snapshot whose version was collected raises NotFound pruned."""
    put(repo, bulk(1))
    other = prolly.open(repo.path or "", writable=False)
    lost = other.at("main")
    kept = other.at("main~1")
    repo.branches["main"] = repo.resolve("main~1")
    repo.gc(grace=NOW)
    with pytest.raises(NotFound) as caught:
        lost.map("m")["k000001"]
    assert caught.value.code == "pruned"
    assert list(kept.datasets) == []
    other.close()


def test_missing_chunks_of_a_version_that_is_there_are_damage(
    repo: prolly.Repository,
) -> None:
    """Where the commit is there and a node is not, it is Corrupt, not pruned."""
    put(repo, bulk(1))
    reader = prolly.open(repo.path or "", writable=False)
    root = bytes(reader.at("main").datasets["m"].root)
    store = local_store_of(repo.store)
    store.maintenance().sweep(bytearray(root), lambda _: lambda _: False)
    reader.close()
    reader = prolly.open(repo.path or "", writable=False)
    with pytest.raises(Corrupt) as caught:
        reader.at("main").map("m")["k000001"]
    assert caught.value.code == "chunk-missing"
    reader.close()
    with pytest.raises(Corrupt):
        repo.gc(grace=NOW)


def test_a_transaction_under_way_is_stale_or_whole(repo: prolly.Repository) -> None:
    """What a collection takes of a transaction's chunks it brings itself, if small."""
    put(repo, {"a": 1})
    put(repo, {"b": b"x" * 5000})
    repo.branches["main"] = repo.resolve("main~1")
    tx = repo.transaction("main", message="again")
    tx.map("m")["b"] = b"x" * 5000
    assert repo.gc(grace=NOW).removed > 0
    tx.commit()
    assert content(repo, "main") == {"a": 1, "b": b"x" * 5000}
    require_sound(repo)


def test_commits_of_the_last_moment_are_kept(
    repo: prolly.Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named, unnamed or reviving what was condemned: committed in time, it stays."""
    put(repo, {"a": b"y" * 5000})
    put(repo, bulk(1))
    lost = repo.resolve("main")
    repo.branches["main"] = repo.resolve("main~1")
    store = local_store_of(repo.store)
    look = LocalIndex.change
    unnamed: list[bytes] = []

    def commit_first(index: LocalIndex, function: Callable[[Any], Any]) -> Any:
        monkeypatch.undo()
        repo.create_branch("revived", bytes(lost))
        put(repo, {"late": 1})
        with store.writer() as writer:
            unnamed.append(writer.put(unnamed_commit(repo.commit_of(lost).root)))
            unnamed.append(writer.put(b"\3unnamed"))
            writer.commit()
        return look(index, function)

    monkeypatch.setattr(LocalIndex, "change", commit_first)
    report = repo.gc(grace=NOW)
    assert report.removed == 0
    assert len(content(repo, "revived")) == BULK_RECORDS + 1
    assert content(repo, "main") == {"a": b"y" * 5000, "late": 1}
    assert all(store.contains_many(unnamed))
    require_sound(repo)
    assert repo.gc(grace=NOW).removed == 2


def test_space_comes_back(repo: prolly.Repository) -> None:
    """After 100 commits of 10 updates the disk holds 1.15 times what is reachable."""
    records = bulk(1, 50_000)
    put(repo, records)
    source = random.Random(2)
    for _ in range(100):
        keys = source.choices(sorted(records), k=10)
        put(repo, {key: source.randbytes(100) for key in keys})
    before = size_on_disk(repo)
    report = repo.gc()
    assert report.disk_bytes_before == before > 1.15 * reachable_bytes(repo)
    assert report.disk_bytes == size_on_disk(repo) <= 1.15 * reachable_bytes(repo)
    assert len(content(repo, "main~100")) == 50_000


def test_wasteful_packs_are_rewritten_and_small_ones_joined(
    repo: prolly.Repository,
) -> None:
    """A pack with more than a quarter dead goes; many small packs become few."""
    for number in range(SMALL_PACKS_MAX + 1):
        put(repo, bulk(number))
    report = repo.gc()
    assert report.packs_removed == SMALL_PACKS_MAX + 1
    assert report.packs_written <= 2
    # A branch of its own in between, so that its bytes lie in a pack with others.
    for _ in range(SMALL_PACKS_MAX):
        repo.branches["main"] = repo.resolve("main~1")
    report = repo.gc(grace=NOW)
    assert report.packs_removed >= 1
    assert size_on_disk(repo) < 1.15 * reachable_bytes(repo) + 200_000
    assert content(repo, "main") == bulk(0)
    require_sound(repo)


def test_a_second_collection_finds_nothing(repo: prolly.Repository) -> None:
    """Collecting twice copies nothing the second time."""
    put(repo, bulk(1))
    put(repo, bulk(2))
    repo.gc(grace=NOW)
    again = repo.gc(grace=NOW)
    assert (again.removed, again.packs_written, again.packs_removed) == (0, 0, 0)


def test_refusals(repo: prolly.Repository) -> None:
    """A negative grace is Invalid, a store in memory Unsupported."""
    with pytest.raises(Invalid) as caught:
        repo.gc(grace=timedelta(seconds=-1))
    assert caught.value.code == "duration"
    with pytest.raises(Unsupported):
        collect_garbage(memory_repository().store)


def test_a_fresh_store_can_be_collected(tmp_path: Path) -> None:
    """A store with the first commit alone loses nothing."""
    store = LocalStore.create(tmp_path)
    begin_history(store, SYSTEM)
    assert collect_garbage(store, grace_us=0).removed == 0
    store.close()
