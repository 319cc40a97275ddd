"""The search for the first bad commit."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prolly.chunks import MemoryStore, RefMove, RefNote
from prolly.codec import COMMIT_PARENTS_MAX, Address, encode_commit
from prolly.history import BISECT, BRANCHES, is_ancestor
from prolly.ops import check_repository
from prolly.repo import Repository
from prolly.testing.repositories import (
    memory_repository,
    ticking_environment,
    write_on,
)
from prolly.testing.waiting_merges import refused, sets


def line(count: int, store: MemoryStore | None = None) -> Repository:
    """Return a branch of so many commits on the first one."""
    repo = memory_repository(store)
    for number in range(count):
        write_on(repo, "main", sets(n=number))
    return repo


def woven(source: random.Random) -> Repository:
    """Return a branch of commits that were merged with each other again and again."""
    repo = line(1)
    first = repo.commit_of("main")
    known = [bytes(repo.resolve("main"))]
    with repo.store.writer() as writer:
        commits = [first]
        for number in range(source.randrange(2, 16)):
            picked = source.sample(range(len(known)), min(len(known), 2))
            if source.random() < 0.5:
                picked = [source.randrange(len(known))]
            commit = first._replace(
                parents=tuple(known[one] for one in picked),
                message=str(number),
                generation=1 + max(commits[one].generation for one in picked),
            )
            commits.append(commit)
            known.append(writer.put(encode_commit(commit)))
        tips = tuple(known[-COMMIT_PARENTS_MAX:])
        top = first._replace(parents=tips, generation=99)
        head = writer.put(encode_commit(top))
        branch = BRANCHES + "main"
        writer.commit([RefMove(branch, known[0], head)], RefNote("", "", 0))
    return repo


@given(st.integers(0, 10**6))
def test_the_first_bad_commit_is_found(seed: int) -> None:
    """In any history with merges: the one that is bad while all its parents are good;
    in about as many tests as the commits can be halved."""
    source = random.Random(seed)
    repo = woven(source)
    commits = repo.storage.commits
    below = [entry.id for entry in repo.log("main")][:-2]
    if not below:
        return
    culprit = source.choice(below)
    repo.bisect.start("main", [below_root(repo)])
    tests = []

    def test(commit_id: Address) -> bool:
        tests.append(commit_id)
        return not is_ancestor(commits, culprit, commit_id)

    state = repo.bisect.run(test)
    assert (state.status, state.candidate) == ("found", culprit)
    assert len(set(tests)) == len(tests) <= len(below)


def below_root(repo: Repository) -> Address:
    """Return the oldest commit but the constant first one."""
    return [entry.id for entry in repo.log("main")][-2]


@pytest.mark.parametrize("count", [2, 3, 16, 33])
def test_a_line_is_halved(count: int) -> None:
    """As many tests as the logarithm says, for each place of the culprit."""
    repo = line(count)
    ids = [entry.id for entry in repo.log("main")]
    for place in range(count):
        repo.bisect.start("main", [ids[-1]])
        tests: list[Address] = []

        def test(commit_id: Address, at: int = place, seen: Any = tests) -> bool:
            seen.append(commit_id)
            return ids.index(commit_id) > at

        assert repo.bisect.run(test).candidate == ids[place]
        assert len(tests) <= (count - 1).bit_length()


def test_a_search_survives_a_restart_and_moves_no_branch() -> None:
    """Its marks are refs; ended, they are gone."""
    store = MemoryStore()
    repo = line(8, store)
    before = dict(repo.branches)
    state = repo.bisect.start("main", ["main~7"])
    again = Repository(store, None, environment=ticking_environment())
    assert again.bisect.state == state
    assert (state.status, len(state.left), state.steps) == ("testing", 7, 3)
    again.bisect.mark("good")
    assert dict(repo.branches) == before
    assert list(check_repository(store, full=True)) == []
    again.bisect.reset()
    assert not list(store.iter_refs(BISECT))
    assert not again.is_bisecting
    again.bisect.reset()


def test_marks_may_come_one_by_one() -> None:
    """It waits for a bad and a good one; a later bad commit says nothing new."""
    repo = line(8)
    assert repo.bisect.start().status == "waiting"
    assert repo.bisect.mark("bad", "main~2").status == "waiting"
    assert repo.bisect.mark("bad", "main").bad == repo.resolve("main~2")
    state = repo.bisect.mark("good", "main~6", "main~7")
    assert (state.status, len(state.left)) == ("testing", 4)
    assert repo.bisect.mark("bad", "main~5").candidate == repo.resolve("main~5")


def test_what_cannot_be_tested_is_passed_over() -> None:
    """With only such ones left the search is undecided; one may be tested after all."""
    repo = line(5)
    repo.bisect.start("main", ["main~4"])
    state = repo.bisect.run(lambda commit_id: None)
    assert (state.status, state.candidate) == ("undecided", None)
    assert len(state.left) == 4 and len(state.skipped) == 3
    state = repo.bisect.mark("good", "main~1")
    assert (state.status, state.candidate) == ("found", repo.resolve("main"))


def test_contradictions_are_refused() -> None:
    """The marks made before stay."""
    repo = line(6)
    repo.create_branch("side", "main~3")
    write_on(repo, "side", sets(x=1))
    bisect = repo.bisect
    refused("no-bisect", repo, lambda: bisect.mark("good"))
    refused("no-bisect", repo, lambda: bisect.state)
    refused("bisect-marks", repo, lambda: bisect.start("main~3", ["main"]))
    refused("bisect-marks", repo, lambda: bisect.start("main", ["main"]))
    refused("not-an-ancestor", repo, lambda: bisect.start("main", ["side"]))
    bisect.start("main")
    refused("bisect-marks", repo, lambda: bisect.mark("good"))
    refused("bisect-marks", repo, lambda: bisect.run(lambda one: True))
    bisect.mark("good", "main~5")
    refused("bisect-marks", repo, lambda: bisect.mark("good", "main"))
    refused("bisect-marks", repo, lambda: bisect.mark("bad", "main~5"))
    refused("bisect-marks", repo, lambda: bisect.mark("skip", "main"))
    refused("not-an-ancestor", repo, lambda: bisect.mark("bad", "side"))
    refused("not-an-ancestor", repo, lambda: bisect.mark("good", "side"))
    refused("no-such-revision", repo, lambda: bisect.mark("good", "nothing"))
    assert bisect.state.status == "testing"
