"""Merging a version into a branch, somebody looking on: every way that it ends."""

from __future__ import annotations

from typing import Any

import pytest

import prolly.repo.merging as merging
from prolly.env import Environment
from prolly.errors import Conflicted, Error, Invalid, NotFound, Stale
from prolly.repo import Repository, Transaction
from prolly.repo.merge_result import MergeResult
from prolly.testing.repositories import diverged, memory_repository, write_on
from prolly.testing.waiting_merges import rows, sets


@pytest.fixture
def clean() -> Repository:
    """Two branches that changed different keys."""
    return diverged(sets(a=1, b=1, c=1), sets(a=2), sets(b=2))


@pytest.fixture
def clashing() -> Repository:
    """Two branches that changed ``b`` differently, and another key each."""
    return diverged(sets(a=1, b=1, c=1), sets(a=2, b=2), sets(b=3, c=3))


def values(repo: Repository, revision: str = "main") -> dict[str, Any]:
    return dict(repo.at(revision).map("m").items())


def stored(repo: Repository) -> tuple[Any, ...]:
    """Return all that a merge could have changed."""
    store = repo.store
    return store.sequence(), list(store.iter_addresses()), list(store.iter_refs())


# How it ends ----------------------------------------------------------------


def test_what_is_contained_already_is_up_to_date(clean: Repository) -> None:
    """Merging an ancestor, or the head itself, moves nothing."""
    before = stored(clean)
    for revision in ("main", "main~1"):
        result = clean.merge(revision)
        assert (result.status, result.commit_id) == ("up-to-date", clean.resolve("@"))
        assert (len(result.conflicts), result.datasets) == (0, {})
    assert stored(clean) == before


def test_a_branch_that_is_behind_moves_forward(clean: Repository) -> None:
    """No commit is made where ours is an ancestor of theirs."""
    theirs = clean.resolve("feature")
    clean.create_branch("behind", "main~1")
    result = clean.merge("feature", into="behind", message="not used")
    assert (result.status, result.commit_id) == ("fast-forward", theirs)
    assert clean.resolve("behind") == theirs
    assert result.datasets["m"].modified == 1
    [entry, *_] = clean.reflog("behind")
    assert entry.why == "merge: fast-forward"


def test_disjoint_changes_are_merged_in_a_commit(clean: Repository) -> None:
    """The commit has ours and theirs as parents, a message, and its author."""
    ours, theirs = clean.resolve("main"), clean.resolve("feature")
    base = clean.resolve("main~1")
    result = clean.merge("feature")
    assert (result.status, result.commit_id) == ("merged", clean.resolve("main"))
    commit = clean.commit_of("main")
    assert commit.parents == (ours, theirs)
    assert (commit.message, commit.author) == ("Merge feature", "tester")
    assert commit.metadata == {}
    assert commit.generation == 3
    assert values(clean) == {"a": 2, "b": 2, "c": 1}
    assert result.base == (base,)
    assert result.report["m"].event == "merged"
    assert result.datasets["m"].modified == 1
    assert len(result.conflicts) == 0
    assert result.commit() == result.commit_id
    assert clean.working_area("main").is_clean


def test_message_and_author_are_taken(clean: Repository) -> None:
    """What is given stands in the commit; a branch that is not main is named."""
    clean.create_branch("other", "main")
    clean.merge("feature", into="other")
    assert clean.commit_of("other").message == "Merge feature into other"
    clean.merge(clean.resolve("feature"), message="two\nlines", author="ada")
    commit = clean.commit_of("main")
    assert (commit.message, commit.author) == ("two\nlines", "ada")
    assert next(iter(clean.reflog("main"))).why == "merge: two"


def test_a_version_by_its_id_is_named_by_digits(clean: Repository) -> None:
    """A merge of something that has no name says so much of its id."""
    theirs = clean.resolve("feature")
    clean.merge(theirs)
    assert clean.commit_of("main").message == f"Merge {theirs.hex()[:12]}"


def test_a_merge_may_wait_to_be_committed(clean: Repository) -> None:
    """Without ``commit`` it stands in the working state, and edits may join it."""
    head = clean.resolve("main")
    result = clean.merge("feature", commit=False)
    assert (result.status, result.commit_id) == ("prepared", None)
    assert clean.resolve("main") == head
    area = clean.working_area("main")
    assert area.state.merge_parents == (clean.resolve("feature"),)
    assert dict(clean.at_working("main").map("m").items()) == {"a": 2, "b": 2, "c": 1}
    with area.edit("more") as edited:
        edited.map("m")["d"] = 4
    commit_id = result.commit("by hand")
    assert (result.status, result.commit_id) == ("merged", commit_id)
    assert clean.commit_of("main").parents == (head, clean.resolve("feature"))
    assert values(clean) == {"a": 2, "b": 2, "c": 1, "d": 4}


def test_conflicts_wait_to_be_settled(clashing: Repository) -> None:
    """Ours stands meanwhile, all else is merged, and the branch stays."""
    head = clashing.resolve("main")
    result = clashing.merge("feature")
    assert (result.status, result.commit_id) == ("conflicts", None)
    assert clashing.resolve("main") == head
    working = clashing.at_working("main").map("m")
    assert dict(working.items()) == {"a": 2, "b": 2, "c": 3}
    assert list(result.conflicts) == [("m", "b")]
    conflict = result.conflicts["m", "b"]
    assert (conflict.base, conflict.ours, conflict.theirs) == (1, 2, 3)
    with pytest.raises(Conflicted) as caught:
        result.commit()
    assert (caught.value.code, caught.value.count) == ("open-conflicts", 1)
    result.conflicts.settle("m", "b", "theirs")
    result.commit("settled")
    assert values(clashing) == {"a": 2, "b": 3, "c": 3}
    told = clashing.commit_of("main").metadata["merge"]
    assert told["settled"] == {"theirs": 1}
    assert [one[1:] for one in told["conflicts"]] == [[0, b"\x02b\0", "theirs"]]


def test_a_merge_that_is_given_up_leaves_nothing(clashing: Repository) -> None:
    """Discarding the working state ends it; it may be begun again."""
    head = clashing.resolve("main")
    clashing.merge("feature")
    clashing.working_area("main").discard("abort")
    assert clashing.working_area("main").is_clean
    assert clashing.resolve("main") == head
    assert len(clashing.conflicts("main")) == 0
    assert clashing.merge("feature").status == "conflicts"


def test_a_result_commits_its_merge_alone(clashing: Repository) -> None:
    """When the merge is over, what others edit since is not committed in its place."""
    result = clashing.merge("feature")
    area = clashing.working_area("main")
    area.discard("abort")
    with area.edit("edit") as edited:
        edited.map("m")["d"] = 4
    refused("no-merge", result.commit)
    assert clashing.at_working("main").map("m")["d"] == 4


def test_nothing_is_stored_by_a_dry_run(clashing: Repository) -> None:
    """Conflicts, counts and the base are told, and the store is as it was."""
    before = stored(clashing)
    result = clashing.merge("feature", dry_run=True)
    assert (result.status, result.commit_id) == ("conflicts", None)
    assert list(result.conflicts) == [("m", "b")]
    assert result.conflicts["m", "b"].theirs == 3
    assert result.datasets["m"].modified == 1
    assert result.base == (clashing.resolve("main~1"),)
    with pytest.raises(Invalid) as caught:
        result.commit()
    assert caught.value.code == "not-merged"
    merged = clashing.merge("feature", dry_run=True, policy="theirs")
    assert (merged.status, dict(merged.conflicts)) == ("merged", {})
    assert merged.datasets["m"].modified == 2
    assert stored(clashing) == before


def test_dry_runs_of_what_needs_no_merge(clean: Repository) -> None:
    """They tell how it would end, and where the branch would stand."""
    before = stored(clean)
    assert clean.merge("main~1", dry_run=True).status == "up-to-date"
    ahead = clean.create_branch("behind", "main~1")
    assert ahead == clean.resolve("main~1")
    result = clean.merge("feature", into="behind", dry_run=True)
    assert (result.status, result.commit_id) == (
        "fast-forward",
        clean.resolve("feature"),
    )
    assert result.datasets["m"].modified == 1
    clean.delete_branch("behind")
    assert stored(clean)[1] == before[1]


# What is refused ------------------------------------------------------------


def refused(code: str, call: Any) -> Any:
    """Return the error of a call, whose code must be this."""
    with pytest.raises(Error) as caught:
        call()
    assert caught.value.code == code
    return caught.value


def test_histories_that_share_nothing_are_refused() -> None:
    """The constant first commit is no base, unless that is allowed."""
    repo = memory_repository()
    repo.create_branch("feature")
    write_on(repo, "main", sets(a=1))
    write_on(repo, "feature", sets(b=2))
    before = stored(repo)
    for dry_run in (False, True):
        refused("unrelated", lambda dry=dry_run: repo.merge("feature", dry_run=dry))
    assert stored(repo) == before
    result = repo.merge("feature", allow_unrelated=True)
    assert result.status == "merged"
    assert values(repo) == {"a": 1, "b": 2}


def test_what_is_uncommitted_is_not_mixed_with(clean: Repository) -> None:
    """A branch with an edit that waits is refused, and the edit stays."""
    area = clean.working_area("main")
    with area.edit("edit") as edited:
        edited.map("m")["d"] = 4
    before = stored(clean)
    error = refused("uncommitted", lambda: clean.merge("feature"))
    assert error.branch == "main"
    with clean.merge("feature", dry_run=True) as tried:
        assert tried.status == "merged"
    assert stored(clean) == before
    clean.create_branch("elsewhere", "main")
    assert clean.merge("feature", into="elsewhere").status == "merged"


def test_a_merge_where_none_is_needed(clean: Repository) -> None:
    """Without fast_forward a branch that could move on gets a merge commit."""
    clean.create_branch("behind", "feature~1")
    merged = clean.merge("feature", into="behind", fast_forward=False, dry_run=True)
    assert merged.status == "merged"
    merged.close()
    result = clean.merge("feature", into="behind", fast_forward=False)
    commit = clean.commit_of(clean.branches["behind"])
    assert (result.status, len(commit.parents)) == ("merged", 2)
    assert commit.root == clean.commit_of(clean.branches["feature"]).root


def test_resolvers_that_nobody_brought(clashing: Repository) -> None:
    """Of one merge it is refused at once; of a dataset the result names them."""
    refused("unknown-policy", lambda: clashing.merge("feature", policy="app:nobody"))
    for branch in ("main", "feature"):
        with clashing.transaction(branch, message="policy") as tx:
            tx.set_policy("m", "app:nobody")
    result = clashing.merge("feature")
    assert result.status == "conflicts"
    assert result.missing_resolvers == ("nobody",)


def test_a_merge_waits_already(clashing: Repository) -> None:
    """A second one is refused, also one begun through another repository object."""
    other = Repository(clashing.store, None)
    other.merge("feature", into="main")
    before = stored(clashing)
    refused("merging", lambda: clashing.merge("feature"))
    refused("merging", lambda: clashing.merge("feature", dry_run=True))
    refused("merging", lambda: clashing.merge("main~1"))
    assert stored(clashing) == before
    assert list(clashing.conflicts("main")) == [("m", "b")]


def test_names_that_are_not_there(clean: Repository) -> None:
    """A missing branch, revision or policy is told before anything is done."""
    before = stored(clean)
    with pytest.raises(NotFound) as caught:
        clean.merge("feature", into="nowhere")
    assert caught.value.code == "no-such-branch"
    refused("no-such-revision", lambda: clean.merge("nothing"))
    refused("unknown-policy", lambda: clean.merge("feature", policy="mine"))
    refused("unknown-policy", lambda: clean.merge("feature", policy="app:"))
    assert stored(clean) == before


def test_a_merge_in_the_form_of_a_machine_is_refused(clean: Repository) -> None:
    """What replicas make by themselves has no author and one message: no person's."""
    ours, theirs = sorted([clean.resolve("main"), clean.resolve("feature")])
    clean.create_branch("low", ours)
    text = "Merge concurrent commits"
    before = stored(clean)
    refused(
        "unattended-form",
        lambda: clean.merge(theirs, into="low", message=text, author=""),
    )
    assert stored(clean) == before
    prepared = clean.merge(theirs, into="low", commit=False)
    refused("unattended-form", lambda: prepared.commit(text, author=""))
    assert prepared.status == "prepared"
    prepared.commit(text, author="ada")
    area = clean.working_area("low")
    refused("unattended-form", lambda: area.commit(text, author="", amend=True))
    assert clean.commit_of("low").author == "ada"


# Races ----------------------------------------------------------------------


def moving(monkeypatch: pytest.MonkeyPatch, act: Any, times: int) -> list[int]:
    """Let ``act`` be called during each of the first so many attempts."""
    calls: list[int] = []
    merge = merging.merge_manifests

    def racing(*given: Any) -> Any:
        calls.append(len(calls))
        if len(calls) <= times:
            act(len(calls))
        return merge(*given)

    monkeypatch.setattr(merging, "merge_manifests", racing)
    return calls


def test_a_branch_that_moves_meanwhile_is_merged_anew(
    clean: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that another makes while merging is part of the result."""
    calls = moving(monkeypatch, lambda n: write_on(clean, "main", sets(d=n)), 2)
    result = clean.merge("feature")
    assert (result.status, len(calls)) == ("merged", 3)
    assert values(clean) == {"a": 2, "b": 2, "c": 1, "d": 2}
    assert clean.commit_of("main").generation == 5


def test_a_working_state_that_comes_meanwhile_is_seen(
    clean: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit made while merging is not overwritten: the merge is refused."""

    def edit(number: int) -> None:
        with clean.working_area("main").edit("edit") as edited:
            edited.map("m")["d"] = 4

    moving(monkeypatch, edit, 1)
    refused("uncommitted", lambda: clean.merge("feature"))
    assert clean.at_working("main").map("m")["d"] == 4


def test_others_may_be_faster_again_and_again(
    clean: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the end it is given up, with the branch as the others have it."""
    moving(monkeypatch, lambda n: write_on(clean, "main", sets(d=n)), 1000)
    with pytest.raises(Stale) as caught:
        clean.merge("feature")
    assert caught.value.code == "contended"
    assert len(clean.commit_of("main").parents) == 1


# Shapes of history ----------------------------------------------------------


def crossed(repo: Repository) -> None:
    """Let both branches merge what the other was, one way each."""
    ours, theirs = repo.resolve("main"), repo.resolve("feature")
    repo.merge(theirs, into="main", policy="ours")
    repo.merge(ours, into="feature", policy="ours")


def test_a_criss_cross_is_merged_over_both_bases(clashing: Repository) -> None:
    """Two bases are merged first, and what clashes there is as their base had it."""
    bases = {clashing.resolve("main"), clashing.resolve("feature")}
    crossed(clashing)
    assert (values(clashing)["b"], values(clashing, "feature")["b"]) == (2, 3)
    result = clashing.merge("feature")
    assert set(result.base) == bases
    assert result.status == "conflicts"
    conflict = result.conflicts["m", "b"]
    assert (conflict.base, conflict.ours, conflict.theirs) == (1, 2, 3)


def test_files_and_blobs_are_merged_whole() -> None:
    """A blob that both changed is one conflict; files clash path by path."""

    def base(tx: Transaction) -> None:
        with tx.blob("b", "wb") as blob:
            blob.write(b"base")
        tx.files("f").write("x", b"base")
        tx.files("f").write("y", b"base")

    def write(text: bytes, path: str) -> Any:
        def side(tx: Transaction) -> None:
            with tx.blob("b", "wb") as blob:
                blob.write(text)
            tx.files("f").write("x", text)
            tx.files("f").write(path, text)

        return side

    repo = diverged(base, write(b"ours", "z"), write(b"theirs", "y"))
    result = repo.merge("feature")
    assert list(result.conflicts) == [("b", ()), ("f", "x")]
    assert result.conflicts["b", ()].theirs["size"] == 6
    assert result.conflicts["f", "x"].ours["size"] == 4
    result.conflicts.settle_all("theirs")
    result.commit()
    assert repo.at("main").blob("b").read() == b"theirs"
    held = repo.at("main").files("f")
    assert {path: held.read(path) for path in held} == {
        "x": b"theirs",
        "y": b"theirs",
        "z": b"ours",
    }


def test_the_rest_of_a_row_is_merged(clean: Repository) -> None:
    """Cells that one side changed are taken, and the clashing one is named."""
    base = {"id": 1, "name": "a", "age": 1, "town": "x"}
    repo = diverged(
        rows(base, table="people"),
        rows({**base, "name": "b", "age": 2}, table="people"),
        rows({**base, "name": "c", "town": "y"}, table="people"),
    )
    result = repo.merge("feature")
    conflict = result.conflicts["people", 1]
    assert conflict.fields == ("name",)
    assert conflict.theirs == {**base, "name": "c", "town": "y"}
    row = repo.at_working("main").table("people")[1]
    assert row == {"id": 1, "name": "b", "age": 2, "town": "y"}


def test_a_result_shows_how_it_ended(clean: Repository) -> None:
    """Its representation is short."""
    result = clean.merge("feature")
    assert isinstance(result, MergeResult)
    assert repr(result) == "<MergeResult merged>"


def test_a_merge_by_nobody_is_a_commit(clean: Repository) -> None:
    """An environment without a user still makes commits: the message is a person's."""
    nobody = Environment(
        now_us=lambda: 0,
        random_bytes=bytes,
        user=lambda: "",
        named_user=lambda: "",
    )
    repo = Repository(clean.store, None, environment=nobody)
    repo.merge("feature", into="main")
    assert repo.commit_of("main").author == ""
