"""What merges keep is read and deleted by people, and not written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from prolly.repo import Repository, Transaction
from prolly.testing.repositories import diverged
from prolly.testing.waiting_merges import refused, sets

NAME = "prolly/conflicts"


def kept() -> Repository:
    """Return a repository in which a merge has kept what lost."""
    repo = diverged(sets(a=0), sets(a=1), sets(a=2))
    assert repo.merge("feature", policy="keep-both").status == "merged"
    return repo


@pytest.mark.parametrize(
    "write",
    [
        lambda tx: tx.map(NAME).__setitem__("k", 1),
        lambda tx: tx.map(NAME).update({"k": 1}),
        lambda tx: tx.map(NAME).setdefault("k", 1),
        lambda tx: tx.map("prolly/other"),
        lambda tx: tx.table("prolly/t", key="id"),
        lambda tx: tx.rename("m", "prolly/m"),
    ],
)
def test_nobody_writes_there(write: Callable[[Transaction], Any]) -> None:
    """Neither into what is there, nor under a name that begins so."""
    repo = kept()

    def call() -> None:
        with repo.transaction("main", message="by hand") as tx:
            write(tx)

    error = refused("reserved-name", repo, call)
    assert "prolly/" in (error.hint or "")


def test_it_is_read_and_cleaned_up() -> None:
    """Records are deleted, one or all, and so is the dataset; merges go on with it."""
    repo = kept()
    [key] = repo.at("main").map(NAME)
    with repo.transaction("main", message="seen") as tx:
        assert tx.map(NAME)[key]["value"] == 1
        del tx.map(NAME)[key]
    assert len(repo.at("main").map(NAME)) == 0
    with repo.transaction("main", message="gone") as tx:
        tx.map(NAME).clear()
        tx.drop(NAME)
    assert NAME not in repo.at("main").datasets
