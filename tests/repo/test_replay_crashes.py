"""A replay that is killed anywhere: what waited waits, and nothing is lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import prolly
from prolly.chunks.local_index import LocalIndex
from prolly.ops import check_repository
from prolly.testing.repositories import write_on
from prolly.testing.waiting_merges import sets

# What leaves the process, one call after the other: writing, waiting for the disk,
# names in directories, and transactions of the index.
CALLS = (
    *((os, name) for name in ("write", "pwrite", "ftruncate", "truncate")),
    *((os, name) for name in ("fsync", "fdatasync", "rename", "unlink")),
    (LocalIndex, "change"),
)
# A child that did all without being killed exits with this and the number of calls.
UNHARMED = 100
Act = Callable[[prolly.Repository], object]


def settle(repo: prolly.Repository) -> None:
    """Settle all that waits as theirs has it."""
    repo.conflicts("feature").settle_all("theirs")


def go_on(repo: prolly.Repository) -> object:
    return repo.resume("feature")


def rebase(repo: prolly.Repository) -> object:
    return repo.rebase("main", "feature")


# What is done, and how often what waits was settled and ended before it.
ACTS: dict[str, tuple[Act, int]] = {
    "begin": (rebase, 0),
    "next": (go_on, 1),
    "end": (go_on, 2),
    "skip": (lambda repo: repo.skip("feature"), 1),
    "abort": (lambda repo: repo.conflicts("feature").abort(), 1),
    "revert": (lambda repo: repo.revert("feature~1", "feature"), 0),
    "pick": (lambda repo: repo.cherry_pick(["other~1", "other"], "feature"), 0),
    "squash": (lambda repo: repo.squash("feature~3", "feature"), 0),
}


class Seen(NamedTuple):
    """How a branch stands, whenever its commits were made."""

    versions: list[tuple[str, bytes]]
    waits: tuple[str, int, dict[str, int]] | None
    root: bytes


def seen(repo: prolly.Repository) -> Seen:
    state = repo.working_area("feature").state
    waits = None
    if state.replay is not None:
        counts = repo.conflicts("feature").counts()
        waits = state.verb, len(state.replay.todo), counts
    log = [(one.commit.message, one.commit.root) for one in repo.log("feature")]
    return Seen(log, waits, state.manifest)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Repositories in which nothing waits, the first stop is settled, or the second."""
    place = tmp_path_factory.mktemp("begun")
    with prolly.init(place / "0") as repo:
        write_on(repo, "main", sets(a=1, b=1))
        repo.create_branch("feature", "main")
        repo.create_branch("other", "main")
        write_on(repo, "main", sets(a=2, b=2))
        for changes in ({"a": 3}, {"c": 1}, {"b": 3}, {"d": 1}):
            write_on(repo, "feature", sets(**changes))
        write_on(repo, "other", sets(x=1))
        write_on(repo, "other", sets(y=1))
    for number, act in enumerate((rebase, go_on), 1):
        shutil.copytree(place / str(number - 1), place / str(number))
        with prolly.open(place / str(number)) as repo:
            act(repo)
            settle(repo)
    return [place / str(number) for number in range(3)]


def killed_at(path: Path, act: Act, number: int) -> int:
    """Act in a child that is killed at its n-th call; return how it ended.

    A write is torn there: its first half is done.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        made = 0

        def dying(function: Callable[..., Any], name: str) -> Callable[..., Any]:
            def call(*given: Any, **options: Any) -> Any:
                nonlocal made
                made += 1
                if made == number:
                    if name in ("write", "pwrite"):
                        function(given[0], given[1][: len(given[1]) // 2], *given[2:])
                    os.kill(os.getpid(), 9)
                return function(*given, **options)

            return call

        with prolly.open(path) as repo:
            for owner, name in CALLS:
                setattr(owner, name, dying(getattr(owner, name), name))
            act(repo)
        os._exit(UNHARMED + made)
    finally:
        os._exit(1)


def finished(repo: prolly.Repository) -> Seen:
    """Settle and go on until nothing waits; return how the branch stands."""
    while repo.working_area("feature").state.is_merging:
        settle(repo)
        repo.resume("feature")
    return seen(repo)


@pytest.mark.parametrize("name", ACTS)
def test_a_replay_that_is_killed_anywhere(
    tmp_path: Path, begun: list[Path], name: str
) -> None:
    """It happened or it did not; either way it goes on to the same end, or is given up
    with the branch where it was."""
    act, stops = ACTS[name]
    path, again = tmp_path / "r", tmp_path / "again"
    shutil.copytree(begun[stops], path)
    with prolly.open(path) as repo:
        before, old = seen(repo), repo.resolve("feature")
        act(repo)
        after = seen(repo)
        goal = finished(repo)
    found, number, ended = set(), 0, -9
    while ended == -9:
        number += 1
        shutil.rmtree(path)
        shutil.copytree(begun[stops], path)
        ended = killed_at(path, act, number)
        shutil.copytree(path, again)
        with prolly.open(path) as repo:
            there = seen(repo)
            assert there in (before, after)
            found.add(there == after)
            assert list(check_repository(repo.store, full=True)) == []
            if there == before:
                act(repo)
            assert finished(repo) == goal
        with prolly.open(again) as repo:
            if there.waits is not None:
                repo.conflicts("feature").abort()
                assert repo.resolve("feature") == old
                assert repo.working_area("feature").is_clean
            elif name != "abort" and there == before:
                assert repo.resolve("feature") == old
        shutil.rmtree(again)
    assert ended == UNHARMED + number - 1
    assert found == {False, True}
