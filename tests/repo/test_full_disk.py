"""A disk that fills while a merge is made, settled or committed: nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from prolly.chunks import MemoryStore
from prolly.errors import StorageFailed
from prolly.maps import ABSENT
from prolly.ops.fsck import Check
from prolly.repo import Repository, Transaction
from prolly.testing.failing_store import FailingStore
from prolly.testing.repositories import Write, diverged, memory_repository

# More calls than any step here makes: from there on nothing fails.
NEVER = 10**9
# Values past what stands in a leaf, so that blobs are written, too.
LONG = 2000


def side(mark: int) -> Write:
    """Return a write to each kind of dataset that clashes with that of other marks."""

    def write(tx: Transaction) -> None:
        tx.map("m").update(dict.fromkeys(range(3), f"{mark}" * LONG))
        table = tx.table("t", key="id")
        table.upsert({"id": 1, "u": mark, "text": f"{mark}" * LONG})
        table.upsert({"id": 10 + mark, "u": 99 if mark else 98, "text": ""})
        if not mark:
            table.alter().add_index("u", "u", unique=True)
        tx.files("f").write("a/b", b"%d" % mark * LONG)

    return write


def made() -> tuple[FailingStore, Repository]:
    store = FailingStore(MemoryStore())
    repo = diverged(*map(side, range(3)), memory_repository(store))
    return store, repo


def after_failures(
    place: tuple[FailingStore, Repository], operation: str, call: Callable[[], Any]
) -> int:
    """Call until it succeeds, failing one operation later each time; return how often.

    No failure may change a ref, or leave a state that does not check.
    """
    store, repo = place
    before = repo.store.sequence(), list(repo.store.iter_refs())
    failed = 0
    while True:
        full = StorageFailed("no room", code="disk-full", hint="Make room.")
        store.fail(operation, after=failed, error=full)
        try:
            call()
        except StorageFailed as error:
            assert error is full
            assert (repo.store.sequence(), list(repo.store.iter_refs())) == before
            failed += 1
        else:
            store.fail(operation, after=NEVER)
            assert not list(Check(store, full=True))
            return failed


@pytest.mark.parametrize("operation", ["put", "commit"])
def test_every_step_of_a_merge_is_all_or_nothing(operation: str) -> None:
    """Begun, settled in all ways and committed: what did not fit has not happened, and
    the same call succeeds when there is room."""
    place = made()
    repo = place[1]
    conflicts = repo.conflicts("main")

    def end_begun() -> None:
        repo.merge("feature")

    steps: list[Callable[[], Any]] = [
        end_begun,
        lambda: conflicts.settle_value("m", 0, "own" * LONG),
        lambda: conflicts.settle_value("m", 1, ABSENT),
        lambda: conflicts.settle("t", 1, "theirs", fields=["text"]),
        lambda: conflicts.settle_all("ours", "t"),
        lambda: conflicts.settle_all("theirs"),
        lambda: conflicts.commit(),
    ]
    failures = [after_failures(place, operation, step) for step in steps]
    assert all(failures)
    snapshot = repo.at("main")
    assert snapshot.map("m").get(0) == "own" * LONG and 1 not in snapshot.map("m")
    assert snapshot.table("t")[1]["text"] == "2" * LONG

    calm = made()[1]
    calm.merge("feature")
    conflicts = calm.conflicts("main")
    for step in steps[1:]:
        step()
    assert calm.at("main").root == snapshot.root


@pytest.mark.parametrize("operation", ["put", "commit"])
def test_a_merge_without_conflicts_is_all_or_nothing(operation: str) -> None:
    """By a policy, which keeps losers, and committed at once."""
    place = made()
    repo = place[1]

    def merge() -> None:
        # A rule that both break is settled by no policy.
        assert repo.merge("feature", policy="keep-both").status == "conflicts"

    assert after_failures(place, operation, merge)
    repo.conflicts("main").abort()
    assert repo.at("main").map("m")[0] == "1" * LONG
