"""Commits made again: revert, cherry-pick and rebase, with and without conflicts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import prolly
from prolly.chunks import MemoryStore
from prolly.codec.record_stamps import RecordStamps
from prolly.datasets import Manifest
from prolly.errors import Conflicted, Invalid, Stale
from prolly.merge import stamps_of, stamps_root
from prolly.ops import check_repository
from prolly.repo import ReplayResult, Repository, Transaction
from prolly.testing.failing_store import FailingStore
from prolly.testing.repositories import (
    Write,
    diverged,
    memory_repository,
    ticking_environment,
    write_on,
)
from prolly.testing.waiting_merges import refused, rows, sets

Values = dict[str, int]


def values(repo: Repository, revision: str = "main") -> dict[str, Any]:
    return dict(repo.at(revision).map("m").items())


def three() -> Repository:
    """Return a branch ``feature`` of three commits, the first clashing with main."""
    repo = diverged(sets(a=1, b=1), sets(a=2, b=2), sets(b=3))
    write_on(repo, "feature", sets(d=4))
    write_on(repo, "feature", sets(e=5))
    return repo


def writes(changes: dict[str, int | None]) -> Write:
    """Return a write that sets keys, and deletes those that get None."""

    def write(tx: Transaction) -> None:
        m = tx.map("m")
        for key, value in changes.items():
            if value is None:
                m.pop(key, None)
            else:
                m[key] = value

    return write


KEYS = st.sampled_from("abcdef")
CHANGES = st.dictionaries(KEYS, st.one_of(st.none(), st.integers(0, 3)), max_size=4)


# Laws -----------------------------------------------------------------------


@given(CHANGES, CHANGES)
def test_a_revert_of_the_newest_commit_gives_the_data_before_it(
    before: dict[str, int | None], change: dict[str, int | None]
) -> None:
    """Root for root; and its own revert gives the data back."""
    repo = memory_repository()
    write_on(repo, "main", writes(before))
    first = repo.at("main").root
    write_on(repo, "main", writes({**change, "always": 1}))
    second = repo.at("main").root
    assert repo.revert("main").status == "replayed"
    assert repo.at("main").root == first
    assert repo.revert("main").status == "replayed"
    assert repo.at("main").root == second


@given(CHANGES, CHANGES, st.lists(CHANGES, min_size=1, max_size=3))
def test_a_rebase_without_conflicts_gives_the_data_of_a_merge(
    base: dict[str, int | None],
    ours: dict[str, int | None],
    theirs: list[dict[str, int | None]],
) -> None:
    """What both sides changed in different keys ends alike, commit by commit."""
    apart = [
        {key: one for key, one in change.items() if key not in ours}
        for change in theirs
    ]
    repo = diverged(writes(base), writes({**ours, "here": 1}), sets(there=0))
    for number, change in enumerate(apart):
        write_on(repo, "feature", writes({**change, "there": number + 1}))
    merged = repo.merge("feature", dry_run=True)
    result = repo.rebase("main", "feature")
    assert merged.status == "merged" and result.status == "replayed"
    assert len(result.made) == len(apart) + 1
    repo.merge("feature", message="not needed")
    assert repo.resolve("main") == repo.resolve("feature") == result.commit_id


@given(CHANGES, CHANGES)
def test_a_pick_onto_its_own_parent_is_the_same_data(
    base: dict[str, int | None], change: dict[str, int | None]
) -> None:
    """Picked where it was made, a commit gives its own manifest."""
    repo = diverged(writes(base), lambda tx: None, writes({**change, "x": 1}))
    assert repo.cherry_pick("feature").status == "replayed"
    assert repo.at("main").root == repo.at("feature").root


# How it ends ----------------------------------------------------------------


def test_a_revert_keeps_what_came_later() -> None:
    """It has one parent, says what it takes back, and names it in its metadata."""
    repo = three()
    undone = repo.resolve("feature~1")
    result = repo.revert("feature~1", "feature")
    assert (result.status, result.commit_id) == ("replayed", repo.resolve("feature"))
    assert values(repo, "feature") == {"a": 1, "b": 3, "e": 5}
    commit = repo.commit_of("feature")
    assert commit.parents == (repo.resolve("feature@{1}"),)
    assert commit.message == f'Revert "on feature"\n\nThis reverts commit {undone}.'
    assert commit.metadata == {"reverted": bytes(undone)}


def test_a_revert_of_what_is_undone_already_changes_nothing() -> None:
    """The status says so, and the branch stays."""
    repo = three()
    write_on(repo, "feature", writes({"d": None}))
    before = repo.resolve("feature")
    result = repo.revert("feature~2", "feature")
    assert (result.status, result.commit_id) == ("up-to-date", before)
    assert repo.working_area("feature").is_clean


def test_a_pick_keeps_author_time_and_message() -> None:
    """Its metadata names the commit that it was made of."""
    repo = three()
    with repo.transaction("feature", message="by Bob", author="Bob") as tx:
        tx.map("m")["f"] = 6
    repo.cherry_pick(["feature~1", "feature"])
    old, new = repo.commit_of("feature"), repo.commit_of("main")
    assert (new.author, new.time_us, new.message) == ("Bob", old.time_us, "by Bob")
    assert new.metadata == {"picked": bytes(repo.resolve("feature"))}
    assert values(repo) == {"a": 2, "b": 2, "e": 5, "f": 6}


def test_a_rebase_moves_the_branch_once() -> None:
    """At the end of all: the old tip is one move back, with a line of its own."""
    repo = three()
    old = repo.resolve("feature")
    result = repo.rebase("main", "feature")
    assert (result.status, result.todo, result.commit_id) == ("conflicts", 2, None)
    assert repo.resolve("feature") == old
    result.conflicts.settle("m", "b", "theirs")
    assert result.commit() == repo.resolve("feature")
    assert (result.status, len(result.made)) == ("replayed", 3)
    assert repo.resolve("feature@{1}") == old
    assert repo.resolve("feature~3") == repo.resolve("main")
    assert values(repo, "feature") == {"a": 2, "b": 3, "d": 4, "e": 5}
    [entry, *_] = repo.reflog("feature")
    assert entry.why == "rebase: on feature"
    assert list(check_repository(repo.store, full=True)) == []


def test_a_step_that_becomes_empty_is_left_out() -> None:
    """What stands there already makes no commit; the result names it."""
    repo = three()
    write_on(repo, "main", sets(d=4))
    emptied = repo.resolve("feature~1")
    result = repo.rebase("main", "feature")
    result.conflicts.settle("m", "b", "ours")
    first = repo.resolve("feature~2")
    result.commit()
    assert result.dropped == (first, emptied)
    assert len(result.made) == 1
    assert values(repo, "feature") == {"a": 2, "b": 2, "d": 4, "e": 5}


def test_a_rebase_onto_an_ancestor_or_a_descendant_makes_nothing() -> None:
    """The branch stays, or just moves on."""
    repo = three()
    assert repo.rebase("feature~1", "feature").status == "up-to-date"
    repo.create_branch("behind", "feature~2")
    result = repo.rebase("feature", "behind")
    assert (result.status, result.made) == ("fast-forward", ())
    assert repo.resolve("behind") == repo.resolve("feature")


def test_a_merge_in_a_rebase_leaves_how_it_was_settled() -> None:
    """What it brought from below the new place is no change: counters stay right."""

    def counts(value: int) -> Write:
        return lambda tx: tx.map("m").update(n=value)

    def begin(tx: Transaction) -> None:
        tx.map("m").update(n=0, k=0)
        tx.set_policy("m", "counter", prefix="n")

    repo = diverged(begin, counts(5), counts(1))
    write_on(repo, "main", sets(k=1))
    write_on(repo, "feature", sets(k=2))
    result = repo.merge("main~1", into="feature")
    assert (result.status, values(repo, "feature")["n"]) == ("merged", 6)
    settled = repo.merge("main", into="feature")
    settled.conflicts.settle_value("m", "k", 3)
    settled.commit()
    rebased = repo.rebase("main", "feature")
    while rebased.status == "conflicts":
        rebased.conflicts.settle_all("theirs")
        rebased.commit()
    assert values(repo, "feature") == {"n": 6, "k": 3}
    assert all(len(repo.commit_of(one).parents) == 1 for one in rebased.made)


# What waits -----------------------------------------------------------------


def test_a_replay_survives_a_restart() -> None:
    """Another process, which knows only the store, settles, goes on and ends it."""
    store = MemoryStore()
    repo = memory_repository(store)
    write_on(repo, "main", sets(a=1))
    repo.create_branch("feature", "main")
    write_on(repo, "main", sets(a=2, b=2))
    for value in (3, 4):
        write_on(repo, "feature", sets(a=value))
    write_on(repo, "feature", sets(b=5))
    assert repo.rebase("main", "feature").status == "conflicts"
    again = Repository(store, None, environment=ticking_environment())
    again.conflicts("feature").settle_all("theirs")
    result = again.resume("feature")
    assert (result.status, result.todo) == ("conflicts", 0)
    again.conflicts("feature").settle_all("theirs")
    # Any way to commit ends the step.
    again.working_area("feature").commit(None)
    assert values(again, "feature") == {"a": 4, "b": 5}
    assert [one.commit.message for one in again.log("feature")][:3] == 3 * [
        "on feature"
    ]


def test_what_waits_can_be_given_up_or_left_out() -> None:
    """Given up, nothing has changed; left out, the others are made."""
    repo = three()
    before = repo.resolve("feature")
    repo.rebase("main", "feature").conflicts.settle_all("theirs")
    repo.conflicts("feature").abort()
    assert repo.resolve("feature") == before
    assert repo.working_area("feature").is_clean
    repo.rebase("main", "feature")
    result = repo.skip("feature")
    assert (result.status, result.dropped) == ("replayed", ())
    assert result.skipped == (repo.resolve("feature@{1}~2"),)
    assert values(repo, "feature") == {"a": 2, "b": 2, "d": 4, "e": 5}


def test_open_conflicts_keep_a_step_from_being_committed() -> None:
    """As those of a merge; what settles them is told by the commit."""
    repo = three()
    result = repo.rebase("main", "feature")
    with pytest.raises(Conflicted) as caught:
        result.commit()
    assert (caught.value.code, caught.value.count) == ("open-conflicts", 1)
    result.conflicts.settle_all("theirs")
    result.commit("another text", author="Cy")
    commit = repo.commit_of(result.made[0])
    assert (commit.message, commit.author) == ("another text", "Cy")
    assert commit.metadata["merge"]["settled"] == {"theirs": 1}
    assert repo.commit_of(result.made[1]).message == "on feature"


def test_a_revert_can_wait_without_conflicts() -> None:
    """Edits go on in the working state, and belong to the commit."""
    repo = three()
    result = repo.revert("feature~1", "feature", commit=False)
    assert result.status == "prepared"
    assert result.datasets["m"].removed == 1
    with repo.working_area("feature").edit("put") as workspace:
        workspace.map("m")["z"] = 1
    result.commit()
    assert values(repo, "feature") == {"a": 1, "b": 3, "e": 5, "z": 1}


def test_a_first_step_goes_over_to_a_branch_that_moved() -> None:
    """A commit made meanwhile stays; with steps made already that is refused."""
    repo = diverged(sets(a=1), sets(a=2), sets(a=3))
    write_on(repo, "feature", sets(a=4))
    result = repo.cherry_pick("feature~1")
    write_on(repo, "main", sets(z=1))
    result.conflicts.settle_all("theirs")
    result.commit()
    assert values(repo) == {"a": 3, "z": 1}
    rebased = repo.cherry_pick(["feature", "feature~1"])
    assert (rebased.status, rebased.todo) == ("conflicts", 0)
    write_on(repo, "main", sets(z=2))
    rebased.conflicts.settle_all("theirs")
    error = refused("branch-moved", repo, rebased.commit)
    assert isinstance(error, Stale)


def test_only_one_thing_waits_on_a_branch() -> None:
    """No other merge, stash, amendment, rebase or part of a commit beside it."""
    repo = three()
    result = repo.rebase("main", "feature")
    area = repo.working_area("feature")
    for call in (
        lambda: repo.rebase("main", "feature"),
        lambda: repo.merge("main", into="feature"),
        lambda: repo.revert("feature", "feature"),
        lambda: repo.squash("main~1", "feature"),
        lambda: repo.stash.push("x", branch="feature"),
        lambda: area.commit("x", amend=True),
        lambda: area.move_head(repo.resolve("main"), keep=True, why="reset"),
    ):
        refused("merging", repo, call)
    result.conflicts.settle_all("ours")
    refused("merging", repo, lambda: area.commit("x", only={"m": None}))


def test_whoever_looks_at_one_step_settles_no_other() -> None:
    """The conflicts of a step that is over are empty, and cannot be committed."""
    repo = diverged(sets(a=1, b=1), sets(a=2, b=2), sets(a=3))
    write_on(repo, "feature", sets(b=4))
    first = repo.rebase("main", "feature").conflicts
    first.settle_all("theirs")
    result = repo.resume("feature")
    assert (result.status, len(result.conflicts)) == ("conflicts", 1)
    assert len(first) == 0
    with pytest.raises((Stale, Invalid)):
        first.commit()


# What is refused ------------------------------------------------------------


def test_what_cannot_be_made_again_is_refused() -> None:
    """Merges without -m, the first commit, what is elsewhere, uncommitted edits."""
    repo = three()
    repo.create_branch("joined", "feature")
    repo.merge("main", into="joined", policy="ours")
    refused("merge-commit", repo, lambda: repo.revert("joined", "joined"))
    refused("merge-commit", repo, lambda: repo.cherry_pick("joined"))
    for number in (0, 3, "1"):
        refused(
            "mainline",
            repo,
            lambda number=number: repo.revert("joined", "joined", mainline=number),
        )
    refused("first-commit", repo, lambda: repo.revert("main~2"))
    refused("first-commit", repo, lambda: repo.cherry_pick("main~2"))
    refused("not-an-ancestor", repo, lambda: repo.revert("feature"))
    refused("one-message", repo, lambda: repo.cherry_pick(["main"] * 2, message="x"))
    refused("no-merge", repo, lambda: repo.resume("feature"))
    refused("no-merge", repo, lambda: repo.skip("feature"))
    with repo.working_area("feature").edit("put") as workspace:
        workspace.map("m")["z"] = 1
    refused("uncommitted", repo, lambda: repo.rebase("main", "feature"))


def test_histories_that_share_nothing_are_not_rebased() -> None:
    """Nothing tells which commits are the branch's own change."""
    repo = memory_repository()
    repo.create_branch("other", "main")
    write_on(repo, "main", sets(a=1))
    write_on(repo, "other", sets(b=1))
    refused("unrelated", repo, lambda: repo.rebase("main", "other"))


def test_a_merge_is_reverted_to_either_parent() -> None:
    """-m 1 takes back what it brought, -m 2 what it was merged into."""
    repo = diverged(sets(a=1, b=1), sets(a=2), sets(b=2))
    repo.merge("feature")
    assert repo.revert("main", mainline=1, commit=True).status == "replayed"
    assert values(repo) == {"a": 2, "b": 1}
    repo.revert("main")
    repo.revert("main~2", mainline=2)
    assert values(repo) == {"a": 1, "b": 2}


def test_what_waits_as_a_merge_is_no_step() -> None:
    """``resume`` does not commit a merge."""
    repo = three()
    result = repo.merge("feature")
    result.conflicts.settle_all("ours")
    refused("merging", repo, lambda: repo.resume("main"))


def test_a_failing_disk_changes_nothing() -> None:
    """Whichever call fails, at the beginning or at the end of a rebase."""
    store = FailingStore(MemoryStore())
    repo = memory_repository(store)
    write_on(repo, "main", sets(a=1, b=1))
    repo.create_branch("feature", "main")
    write_on(repo, "main", sets(a=2))
    for value in (3, 4):
        write_on(repo, "feature", sets(a=value))

    def begin() -> object:
        return repo.rebase("main", "feature")

    def resume() -> object:
        return repo.resume("feature")

    for act in (begin, resume):
        for operation in ("put", "commit"):
            store.fail(operation)
            refused("io-error", repo, act)
        act()
        repo.conflicts("feature").settle_all("theirs") if act is begin else None
    assert values(repo, "feature") == {"a": 4, "b": 1}
    assert list(check_repository(store, full=True)) == []


def test_a_collection_keeps_what_is_still_to_come(tmp_path: Path) -> None:
    """Nothing but the working state names the commits that are to be made again."""
    with prolly.init(tmp_path / "repo") as repo:
        write_on(repo, "main", sets(a=1))
        repo.create_branch("feature", "main")
        write_on(repo, "main", sets(a=2))
        for number in range(3):
            write_on(repo, "feature", sets(a=3, **{f"k{number}": number}))
        assert repo.rebase("main", "feature").status == "conflicts"
        repo.branches.delete("main", force=True)
        repo.gc(grace=timedelta(0))
        assert list(repo.fsck(full=True)) == []
        repo.conflicts("feature").settle_all("theirs")
        assert repo.resume("feature").status == "replayed"
        assert values(repo, "feature") == {"a": 3, "k0": 0, "k1": 1, "k2": 2}


def test_a_patch_that_waits_is_whole() -> None:
    """Its base stands in no commit, and is kept with its conflicts all the same."""
    repo = diverged(sets(a=1), sets(a=2), sets(a=3))
    lines = list(repo.patch("feature~1", "feature"))
    other = memory_repository()
    write_on(other, "main", sets(a=9, z=1))
    assert other.apply(lines).status == "conflicts"
    assert list(check_repository(other.store, full=True)) == []


# Stamps, tables -------------------------------------------------------------


def stamps(repo: Repository, key: bytes, branch: str = "main") -> RecordStamps:
    [entry] = Manifest(repo.storage.reader, repo.at(branch).root).by_id.values()
    return stamps_of(repo.storage.reader, stamps_root(entry), key)


def test_a_revert_is_a_new_write_and_a_pick_is_none() -> None:
    """What is taken back is stamped as of now; what is picked keeps its stamps."""

    def begin(tx: Transaction) -> None:
        tx.map("m").update(a=1)
        tx.set_policy("m", "last-writer-wins")

    repo = diverged(begin, lambda tx: None, sets(a=2, b=2))
    key = repo.at("main").map("m").encode_key("a")
    written = stamps(repo, key, "feature")
    repo.cherry_pick("feature")
    assert stamps(repo, key) == written
    repo.revert("main")
    assert values(repo) == {"a": 1}
    assert stamps(repo, key).of(None) > written.of(None)
    # So it stands against the write that it took back.
    write_on(repo, "feature", sets(z=1))
    repo.merge("feature")
    assert values(repo)["a"] == 1
    assert list(check_repository(repo.store, full=True)) == []


def test_rows_are_picked_field_by_field() -> None:
    """A field that only the commit changed is taken, beside others of the row."""
    base = rows({"id": 1, "x": 1, "y": 1})
    ours, theirs = rows({"id": 1, "x": 2, "y": 1}), rows({"id": 1, "x": 1, "y": 3})
    repo = diverged(base, ours, theirs)
    result = repo.cherry_pick("feature")
    assert isinstance(result, ReplayResult)
    assert dict(repo.at("main").table("t")[1]) == {"id": 1, "x": 2, "y": 3}
