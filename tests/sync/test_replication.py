"""After an exchange both sides have the same, wherever they began."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prolly
from prolly.errors import AlreadyExists, Invalid, NotFound, ReadOnly, Stale
from prolly.ops import check_repository
from prolly.repo import Repository
from prolly.sync import fetch, pull, push
from prolly.testing.repositories import memory_repository, write_on
from prolly.testing.sync_histories import RandomHistory
from prolly.testing.sync_lines import line_to

EXAMPLES = settings(max_examples=12)


def tips(repo: Repository) -> dict[str, bytes]:
    """Return the branches of a repository."""
    return {name: bytes(tip) for name, tip in repo.branches.items()}


def tracked(repo: Repository, name: str) -> dict[str, bytes]:
    """Return the tracking refs of a remote, by branch."""
    prefix = f"{name}/"
    return {
        ref.removeprefix(prefix): bytes(tip)
        for ref, tip in repo.tracking.items()
        if ref.startswith(prefix)
    }


def faults(repo: Repository) -> list[object]:
    """Return what a full check finds."""
    return list(check_repository(repo.store, full=True))


def replica() -> Repository:
    """Return a repository that knows a remote of the name ``origin``."""
    repo = memory_repository()
    repo.remotes["origin"] = "test:"
    return repo


@EXAMPLES
@given(st.integers(0, 2**32))
def test_a_fetch_brings_everything(seed: int) -> None:
    """Fetched again and again from a random history: equal refs, nothing wrong."""
    source = random.Random(seed)
    theirs, ours = memory_repository(), replica()
    history = RandomHistory(theirs, source)
    for _ in range(3):
        history.run(source.choice([1, 4, 8]))
        fetch(ours, remote=line_to(theirs))
        assert tracked(ours, "origin") == tips(theirs)
        assert dict(ours.tags) == dict(theirs.tags)
        again = fetch(ours, remote=line_to(theirs))
        assert (again.updated, again.round_trips) == ({}, 1)
    assert faults(ours) == []


@EXAMPLES
@given(st.integers(0, 2**32))
def test_histories_that_part_come_together(seed: int) -> None:
    """Two replicas that both commit exchange through a third, and end up equal."""
    source = random.Random(seed)
    hub, sides = memory_repository(), [replica(), replica()]
    RandomHistory(hub, source).commit("main")
    for _ in range(2):
        for side in sides:
            RandomHistory(side, source).commit("main")
            pulled = pull(
                side, remote=line_to(hub), policy="keep-both", allow_unrelated=True
            )
            assert pulled.merge is not None and pulled.merge.commit_id is not None
            push(side, remote=line_to(hub))
            assert side.resolve("main") == hub.resolve("main")
    assert faults(hub) == []


@EXAMPLES
@given(st.integers(0, 2**32))
def test_a_push_brings_everything(seed: int) -> None:
    """Branches pushed to a replica that has part of them or nothing stand there."""
    source = random.Random(seed)
    ours, theirs = replica(), memory_repository()
    history = RandomHistory(ours, source)
    for _ in range(2):
        history.run(source.choice([1, 6]))
        for branch in ours.branches:
            push(ours, branch=branch, remote=line_to(theirs))
    assert tips(ours) == tips(theirs) == tracked(ours, "origin")
    assert faults(theirs) == []
    assert push(ours, remote=line_to(theirs)).round_trips == 1


def test_equal_records_do_not_move() -> None:
    """Two replicas that loaded the same records on their own move commits alone."""
    records = {f"key:{number:06d}": number for number in range(5_000)}
    theirs, ours = memory_repository(), replica()
    for repo in (theirs, ours):
        write_on(repo, "main", lambda tx: tx.map("m").update(records))
    write_on(theirs, "main", lambda tx: tx.map("theirs").update(a=1))
    write_on(ours, "main", lambda tx: tx.map("ours").update(a=1))
    report = fetch(ours, remote=line_to(theirs))
    assert report.records <= 3
    assert report.bytes_received < 2_500


def test_a_change_costs_its_bytes() -> None:
    """A hundred scattered changes take two round trips, and little more than
    themselves; a thousand neighbours at most 1.3 times that."""
    source = random.Random(1)
    keys = [f"key:{number:013d}" for number in range(20_000)]
    theirs, ours = memory_repository(), replica()
    write_on(
        theirs, "main", lambda tx: tx.map("m").update(dict.fromkeys(keys, b"." * 100))
    )
    pull(ours, remote=line_to(theirs))
    for chosen in (source.sample(keys, 100), keys[7_000:8_000]):
        with theirs.transaction("main", message="changes") as tx:
            tx.map("m").update({key: source.randbytes(100) for key in chosen})
        report = pull(ours, remote=line_to(theirs))
        moved = report.bytes_received + report.bytes_sent
        assert moved <= 1.3 * 117 * len(chosen) + 2_000
        assert (report.round_trips, report.mode) == (2, "ops")


def test_a_pull_merges_and_keeps_conflicts() -> None:
    """What both sides wrote waits to be settled, as after any merge."""
    theirs, ours = memory_repository(), replica()
    write_on(theirs, "main", lambda tx: tx.map("m").update(a=1, b=1))
    pull(ours, remote=line_to(theirs))
    write_on(theirs, "main", lambda tx: tx.map("m").update(a=2))
    write_on(ours, "main", lambda tx: tx.map("m").update(a=3, b=3))
    report = pull(ours, remote=line_to(theirs))
    assert report.merge is not None and report.merge.status == "conflicts"
    assert len(report.merge.conflicts) == 1
    assert "branches/main" not in report.updated


def test_a_branch_that_is_new_here_begins_where_it_stands_there() -> None:
    """A pull of a branch that we have not makes it."""
    theirs, ours = memory_repository(), replica()
    theirs.create_branch("side", "main")
    write_on(theirs, "side", lambda tx: tx.map("m").update(a=1))
    report = pull(ours, branch="side", remote=line_to(theirs))
    assert report.updated["branches/side"].old is None
    assert ours.resolve("side") == theirs.resolve("side")


def test_a_push_leaves_no_commit_behind() -> None:
    """It is refused where the other side went on, and says what to do; a lease that
    was seen last allows it, one that was not does not."""
    theirs, ours = memory_repository(), replica()
    write_on(ours, "main", lambda tx: tx.map("m").update(a=1))
    push(ours, remote=line_to(theirs))
    write_on(theirs, "main", lambda tx: tx.map("m").update(a=2))
    write_on(ours, "main", lambda tx: tx.map("m").update(a=3))
    with pytest.raises(Stale) as caught:
        push(ours, remote=line_to(theirs))
    assert caught.value.code == "not-fast-forward" and "pull" in caught.value.hint
    with pytest.raises(Stale) as caught:
        push(ours, remote=line_to(theirs), force_with_lease=True)
    assert caught.value.code == "lease"
    fetch(ours, remote=line_to(theirs))
    push(ours, remote=line_to(theirs), force_with_lease=True)
    assert theirs.resolve("main") == ours.resolve("main")


def test_a_push_to_the_current_branch_keeps_what_is_uncommitted() -> None:
    """Edits that wait over there are carried over when they are committed."""
    theirs, ours = memory_repository(), replica()
    write_on(theirs, "main", lambda tx: tx.map("m").update(a=1))
    pull(ours, remote=line_to(theirs))
    with theirs.working_area().edit("put") as space:
        space.map("m")["waiting"] = True
    write_on(ours, "main", lambda tx: tx.map("m").update(b=2))
    push(ours, remote=line_to(theirs))
    theirs.working_area().commit("what waited")
    assert dict(theirs.at("main").map("m")) == {"a": 1, "b": 2, "waiting": True}


def test_local_datasets_do_not_leave() -> None:
    """A version with one is neither sent nor taken."""
    theirs, ours = memory_repository(), replica()

    from prolly.codec import Commit, encode_commit
    from prolly.datasets import Manifest, write_manifest

    write_on(theirs, "main", lambda tx: tx.map("m").update(a=1))
    storage, tip = theirs.storage, bytes(theirs.resolve("main"))
    commit = storage.commits.read(tip)
    (identity,) = Manifest(storage.reader, commit.root).by_id
    entry = Manifest(storage.reader, commit.root).by_id[identity]
    with theirs.store.writer() as writer:
        changed = {identity: entry._replace(local=True)}
        root = write_manifest(storage.reader, writer, commit.root, changed)
        made = Commit((tip,), root, "", 0, "", {}, commit.generation + 1)
        commit_id = writer.put(encode_commit(made))
        writer.commit([prolly.chunks.RefMove("branches/main", tip, commit_id)])
    with pytest.raises(Invalid) as caught:
        fetch(ours, remote=line_to(theirs))
    assert caught.value.code == "local-dataset"
    assert tracked(ours, "origin") == {}


def test_a_remote_is_named_or_spelt() -> None:
    """Names without a URL are not found; read-only sides take no pushes."""
    ours = memory_repository()
    with pytest.raises(NotFound) as caught:
        fetch(ours, "elsewhere")
    assert caught.value.code == "no-such-remote"
    with pytest.raises(ReadOnly):
        write_on(ours, "main", lambda tx: tx.map("m").update(a=1))
        push(ours, remote=line_to(memory_repository(), read_only=True))


def test_a_clone_is_whole(tmp_path: Path) -> None:
    """It has the remote's current branch, its tags, and tracks the others."""
    with prolly.init(tmp_path / "a") as theirs:
        RandomHistory(theirs, random.Random(3)).run(12)
        with prolly.clone(str(tmp_path / "a"), tmp_path / "b") as ours:
            assert tips(ours) == {"main": bytes(theirs.resolve("main"))}
            assert tracked(ours, "origin") == tips(theirs)
            assert ours.remotes == {"origin": str(tmp_path / "a")}
            assert list(ours.fsck(full=True)) == []
            with ours.transaction("main", message="more") as tx:
                tx.map("things")["more"] = 1
            ours.push()
        assert theirs.resolve("main") == tx.commit_id
        with pytest.raises(AlreadyExists):
            prolly.clone(f"file://{tmp_path}/a", tmp_path / "b")


def test_a_clone_of_nothing_leaves_nothing(tmp_path: Path) -> None:
    """Where there is no repository none is made, and no scheme is guessed."""
    with pytest.raises(NotFound):
        prolly.clone(str(tmp_path / "nothing"), tmp_path / "b")
    with pytest.raises(Invalid) as caught:
        prolly.clone("gopher://host/path", tmp_path / "b")
    assert caught.value.code == "remote-url"
    assert not (tmp_path / "b").exists()
