"""A merge that waits: what keeps it from being committed, and what its commit tells."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.chunks import RefMove
from prolly.codec import COMMIT_METADATA_BYTES_MAX, cbor, encode_working
from prolly.codec import key as key_codec
from prolly.errors import Conflicted, Invalid
from prolly.history import WORKING
from prolly.merge import (
    UNATTENDED_MESSAGE,
    UNRESOLVED,
    Clash,
    Rules,
    merge_manifests,
    unattended_merge,
)
from prolly.repo import SETTLED_LISTED_MAX, Conflicts, Repository
from prolly.repo.storage import Storage
from prolly.repo.waiting_merge import _fitting, require_authored
from prolly.testing.repositories import Write, diverged, write_on
from prolly.tree import NodeReader, Versions


def numbers(count: int, value: int) -> Write:
    return lambda tx: tx.map("m").update(dict.fromkeys(range(count), value))


def waiting(count: int) -> tuple[Repository, Conflicts]:
    """Return a repository in which a merge waits with so many conflicts."""
    repo = diverged(numbers(count, 0), numbers(count, 1), numbers(count, 2))
    repo.merge("feature")
    return repo, repo.conflicts("main")


@pytest.mark.parametrize("count", [1, 2])
def test_open_conflicts_keep_it_from_being_committed(count: int) -> None:
    """How many there are is told, in words and as a fact; nothing changes."""
    repo, conflicts = waiting(count)
    before = repo.store.sequence()
    with pytest.raises(Conflicted) as caught:
        repo.working_area("main").commit("too early")
    assert (caught.value.code, caught.value.count) == ("open-conflicts", count)
    assert caught.value.message.startswith(f"{count} conflict")
    assert repo.store.sequence() == before
    conflicts.settle_all("ours")
    conflicts.commit("done")


def test_a_merge_is_one_commit_and_whole() -> None:
    """It is neither amended into another, nor committed in part, nor put aside."""
    repo, conflicts = waiting(1)
    conflicts.settle_all("theirs")
    area = repo.working_area("main")
    for call in (
        lambda: area.commit("x", amend=True),
        lambda: area.commit("x", only={"m": None}),
        lambda: repo.stash.push("x"),
    ):
        with pytest.raises(Invalid) as caught:
            call()
        assert caught.value.code == "merging"
    commit_id = area.commit(None)
    assert repo.commit_of(commit_id).message == "Merge feature"
    assert len(repo.commit_of(commit_id).parents) == 2
    amended = area.commit("said better", amend=True)
    assert repo.commit_of(amended).parents == repo.commit_of(commit_id).parents


def test_the_commit_tells_how_conflicts_were_settled() -> None:
    """By number and, the first hundred, one by one; that is the limit."""
    repo, conflicts = waiting(SETTLED_LISTED_MAX + 1)
    conflicts.settle("m", 0, "base")
    conflicts.settle_value("m", 1, "own")
    conflicts.settle_all("theirs")
    told = repo.commit_of(conflicts.commit("done")).metadata["merge"]
    assert told["settled"] == {"base": 1, "value": 1, "theirs": SETTLED_LISTED_MAX - 1}
    listed = told["conflicts"]
    assert len(listed) == SETTLED_LISTED_MAX
    assert [one[3] for one in listed[:3]] == ["base", "value", "theirs"]
    assert len({one[0] for one in listed}) == 1
    assert [one[1] for one in listed] == [0] * SETTLED_LISTED_MAX


def test_as_many_as_are_listed_are_listed_all() -> None:
    """At the limit none is left out."""
    _, conflicts = waiting(SETTLED_LISTED_MAX)
    conflicts.settle_all("ours")
    told = conflicts._storage.commits.read(conflicts.commit("done")).metadata["merge"]
    assert len(told["conflicts"]) == SETTLED_LISTED_MAX


@pytest.mark.parametrize("size", [10, 400, 1000])
def test_long_keys_are_listed_as_far_as_there_is_room(size: int) -> None:
    """A merge can be committed whatever its keys: fewer are named, all are counted."""
    keys = [f"{number:03}".ljust(size, "k") for number in range(SETTLED_LISTED_MAX)]
    repo = diverged(
        *[
            lambda tx, value=value: tx.map("m").update(dict.fromkeys(keys, value))
            for value in (0, 1, 2)
        ]
    )
    result = repo.merge("feature", policy="text")
    repo.conflicts("main").settle_all("ours")
    metadata = repo.commit_of(result.commit("done")).metadata
    told = metadata["merge"]
    assert told["settled"] == {"ours": SETTLED_LISTED_MAX}
    assert told["policy"] == "text"
    shown = [key_codec.decode_key(one[2]) for one in told["conflicts"]]
    assert shown == keys[: len(shown)]
    listed = len(shown)
    used = len(cbor.encode(metadata))
    assert used <= COMMIT_METADATA_BYTES_MAX
    if listed < SETTLED_LISTED_MAX:
        assert (
            used + len(cbor.encode(told["conflicts"][-1])) >= COMMIT_METADATA_BYTES_MAX
        )


def test_the_room_for_the_list_is_used_to_the_byte() -> None:
    """An entry that fits just so is listed; with a byte less it is not."""
    entry = [b"d" * 8, 0, b"k" * 90, "ours"]
    size = len(cbor.encode(entry))
    for number in (1, 23, 24, 100):
        listed = [entry] * number
        around = len(cbor.encode({"x": listed})) - len(cbor.encode({"x": []}))
        assert _fitting(listed, size * number + 1) == listed
        assert _fitting(listed, size * number) == listed[1:]
        assert around <= size * number + 1
    assert _fitting([], 0) == _fitting([entry], 0) == []


def test_what_a_merge_was_made_with_waits_with_it() -> None:
    """Policy and answers stand in the commit in the end, beside how it was settled."""

    def two(value: int) -> Write:
        return lambda tx: tx.map("m").update({"a": value, "b": value})

    def answer(clash: Clash) -> Any:
        return 9 if clash.key == "a" else UNRESOLVED

    repo = diverged(two(0), two(1), two(2))
    for commit in (True, False):
        result = repo.merge("feature", resolve=answer, commit=commit)
        assert result.status == "conflicts"
        state = repo.working_area("main").state
        assert state.metadata == {"merge": {"answers": {"resolve": 1}}}
        if commit:
            result.conflicts.abort()
    with repo.working_area("main").edit("more") as edited:
        edited.map("n")["edits"] = "keep it"
    repo.conflicts("main").settle("m", "b", "theirs")
    commit_id = repo.conflicts("main").commit("done")
    told = repo.commit_of(commit_id).metadata["merge"]
    assert (told["answers"], told["settled"]) == ({"resolve": 1}, {"theirs": 1})
    assert len(told["conflicts"]) == 1
    amended = repo.working_area("main").commit("said better", amend=True)
    assert repo.commit_of(amended).metadata["merge"] == told


def test_a_merge_that_was_prepared_tells_its_policy() -> None:
    """What waits without conflicts tells what one committed at once tells."""
    repo = diverged(numbers(2, 0), numbers(2, 1), numbers(2, 2))
    result = repo.merge("feature", policy="ours", commit=False)
    assert result.status == "prepared"
    told = repo.commit_of(result.commit("done")).metadata
    assert told == {"merge": {"policy": "ours"}}


def test_metadata_of_another_form_waits_too() -> None:
    """Whatever a state holds under ``merge``, its merge can be committed."""
    repo, _ = waiting(1)
    area = repo.working_area("main")
    address, state = area.read()
    odd = state._replace(metadata={"merge": 5})
    with repo.store.writer() as writer:
        moved = writer.put(encode_working(odd))
        writer.commit([RefMove(WORKING + "main", address, moved)])
    repo.conflicts("main").settle_all("ours")
    told = repo.commit_of(repo.conflicts("main").commit("done")).metadata
    assert told["merge"]["settled"] == {"ours": 1}


def test_a_merge_without_conflicts_tells_nothing() -> None:
    """There is no metadata of one that was only prepared."""
    repo = diverged(numbers(1, 0), lambda tx: tx.map("a").update({1: 1}), numbers(2, 2))
    result = repo.merge("feature", commit=False)
    assert repo.commit_of(result.commit("done")).metadata == {}


def test_a_branch_that_moved_is_carried_over() -> None:
    """A commit made beside a waiting merge is its first parent then."""
    repo, conflicts = waiting(1)
    moved = write_on(repo, "main", lambda tx: tx.map("n").update({1: 1}))
    conflicts.settle_all("theirs")
    commit = repo.commit_of(conflicts.commit("done"))
    assert commit.parents == (moved, repo.resolve("feature"))
    assert repo.at("main").map("m")[0] == 2
    assert repo.at("main").map("n")[1] == 1


def test_nobodys_merges_have_a_form_of_their_own() -> None:
    """A person's is refused in just that form; each difference makes it somebody's."""
    repo = diverged(numbers(1, 0), numbers(2, 0), lambda tx: tx.map("n").update({1: 1}))
    storage: Storage = repo.conflicts("main")._storage
    parents = [bytes(repo.resolve(name)) for name in ("main", "feature")]
    root = repo.commit_of("main").root
    commit = unattended_merge(storage.commits, parents, root)
    assert commit.message == UNATTENDED_MESSAGE
    with pytest.raises(Invalid) as caught:
        require_authored(commit)
    assert caught.value.code == "unattended-form"
    for change in (
        {"author": "ada"},
        {"message": "other words"},
        {"metadata": {"merge": {}}},
        {"parents": commit.parents[::-1]},
        {"parents": commit.parents[:1]},
    ):
        require_authored(commit._replace(**change))


def test_rules_of_a_merge_are_what_they_say() -> None:
    """The state that waits is that of the pure function, with ours meanwhile."""
    repo, _ = waiting(3)
    state = repo.working_area("main").state
    storage: Storage = repo.conflicts("main")._storage
    base, ours, theirs = (
        repo.commit_of(one).root for one in ("main~1", "main", "feature")
    )
    with storage.store.writer() as writer:
        reader = NodeReader(writer.get)
        merged = merge_manifests(reader, writer, Versions(base, ours, theirs), Rules())
    assert (merged.root, merged.conflicts) == (state.manifest, state.conflicts)
    assert merged.conflict_count == 3
