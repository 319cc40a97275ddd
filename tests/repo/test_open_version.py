"""Versions opened for reading: what stands beside them stays as it was."""

from __future__ import annotations

import pickle
from datetime import timedelta
from pathlib import Path

import pytest

import prolly
from prolly.errors import NotFound
from prolly.testing.repositories import memory_repository, write_on


def test_a_snapshot_shows_what_stood_when_it_was_opened() -> None:
    """Later writes do not change it; opened anew, the same commit shows them."""
    repo = memory_repository()
    write_on(repo, "main", lambda tx: tx.map("m", local=True).update(k=1))
    opened = repo.at("main")
    write_on(repo, "main", lambda tx: tx.map("m").update(k=7))
    assert (opened.map("m")["k"], repo.at("main").map("m")["k"]) == (1, 7)
    assert opened.commit == repo.at("main").commit
    assert [one.key for one in repo.compare(opened, "main", local=True)] == ["k"]


def test_a_pickled_snapshot_shows_the_same(tmp_path: Path) -> None:
    """It is opened again with the local datasets of its time."""
    with prolly.init(tmp_path) as repo:
        write_on(repo, "main", lambda tx: tx.map("m", local=True).update(k=1))
        data = pickle.dumps(repo.at("main"))
        write_on(repo, "main", lambda tx: tx.map("m").update(k=2))
        assert pickle.loads(data).map("m")["k"] == 1


def test_a_collection_keeps_what_stands(tmp_path: Path) -> None:
    """What was local before goes with the grace, and reading it says so."""
    with prolly.init(tmp_path) as repo:
        write_on(repo, "main", lambda tx: tx.map("m", local=True).update(k="x" * 5000))
        old = repo.at("main")
        write_on(repo, "main", lambda tx: tx.map("m").update(k=2))
        repo.gc(grace=timedelta(0))
        assert repo.at("main").map("m")["k"] == 2
        assert list(repo.fsck(full=True)) == []
        assert list(repo.stats().datasets) == ["m"]
        assert repo.dataset_stats("m").count == 1
    with prolly.open(tmp_path) as repo, pytest.raises(NotFound) as caught:
        repo.at_once(bytes(old.commit or b""), bytes(32))
    assert caught.value.code == "pruned"
