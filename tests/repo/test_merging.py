"""Merging a version into a branch, somebody looking on: every way that it ends."""

from __future__ import annotations

from typing import Any

import pytest

import prolly.repo.merging as merging
from prolly.env import Environment
from prolly.errors import Conflicted, Error, Invalid, NotFound, Stale
from prolly.maps import ABSENT
from prolly.merge import UNRESOLVED, Clash
from prolly.repo import App, Repository, Snapshot, Transaction
from prolly.repo.merge_result import MergeResult
from prolly.testing.repositories import diverged, memory_repository, write_on


def sets(**values: Any) -> Any:
    """Return a write that sets keys of the map ``m``."""
    return lambda tx: tx.map("m").update(values)


def drops(*keys: str) -> Any:
    """Return a write that removes keys of the map ``m``."""

    def write(tx: Transaction) -> None:
        for key in keys:
            del tx.map("m")[key]

    return write


def people(*rows: dict[str, Any]) -> Any:
    """Return a write of rows of the table ``people``."""

    def write(tx: Transaction) -> None:
        table = tx.table("people", key="id")
        for row in rows:
            table.upsert(row)

    return write


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
    for dry_run in (False, True):
        error = refused(
            "uncommitted", lambda dry=dry_run: clean.merge("feature", dry_run=dry)
        )
        assert error.branch == "main"
    assert stored(clean) == before
    clean.create_branch("elsewhere", "main")
    assert clean.merge("feature", into="elsewhere").status == "merged"


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
    call = lambda **given: clean.merge(theirs, into="low", **given)  # noqa: E731
    refused("unattended-form", lambda: call(message=text, author=""))
    assert stored(clean) == before
    prepared = call(commit=False)
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
    act = lambda number: write_on(clean, "main", sets(d=number))  # noqa: E731
    calls = moving(monkeypatch, act, 2)
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
    act = lambda number: write_on(clean, "main", sets(d=number))  # noqa: E731
    moving(monkeypatch, act, 1000)
    with pytest.raises(Stale) as caught:
        clean.merge("feature")
    assert caught.value.code == "contended"
    assert len(clean.commit_of("main").parents) == 1


# Who settles ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("x", "x"), (None, None), (ABSENT, ABSENT), ([1, {"k": b""}], [1, {"k": b""}])],
)
def test_a_resolver_says_what_stands(
    clashing: Repository, answer: Any, expected: Any
) -> None:
    """A value, null, or nothing at all; how many it settled stands in the commit."""
    seen: list[Clash] = []
    result = clashing.merge("feature", resolve=lambda one: seen.append(one) or answer)
    assert result.status == "merged"
    assert clashing.at("main").map("m").get("b", ABSENT) == expected
    [clash] = seen
    assert (clash.dataset, clash.key) == ("m", "b")
    assert (clash.base, clash.ours, clash.theirs) == (1, 2, 3)
    assert clashing.commit_of("main").metadata == {"merge": {"answers": {"resolve": 1}}}


def test_a_resolver_may_leave_a_conflict(clashing: Repository) -> None:
    """UNRESOLVED is no error, and no reason."""
    result = clashing.merge("feature", resolve=lambda clash: UNRESOLVED)
    assert result.status == "conflicts"
    assert result.conflicts["m", "b"].reason == ""


def test_a_resolver_that_raises_leaves_the_conflict(clashing: Repository) -> None:
    """The error is named with the conflict, and the merge goes on."""

    def broken(clash: Clash) -> Any:
        raise ZeroDivisionError(f"of {clash.key}")

    result = clashing.merge("feature", resolve=broken)
    assert result.status == "conflicts"
    assert result.conflicts["m", "b"].reason == "ZeroDivisionError: of b"
    assert clashing.at_working("main").map("m")["c"] == 3


@pytest.mark.parametrize(
    "rubbish", [object(), float, {1: 2}, {"a": {3}}, [[[]]] * 2 + [...]]
)
def test_a_resolver_that_answers_rubbish_leaves_the_conflict(
    clashing: Repository, rubbish: Any
) -> None:
    """What cannot be stored is told with the conflict."""
    result = clashing.merge("feature", resolve=lambda clash: rubbish)
    assert result.status == "conflicts"
    assert result.conflicts["m", "b"].reason


def test_rows_that_cannot_stand_leave_the_conflict() -> None:
    """An answer for a table is a row of it; all else is told."""
    base, ours = {"id": 1, "name": "a", "age": 1}, {"id": 1, "name": "b", "age": 1}
    repo = diverged(people(base), people(ours), people({**base, "name": "c"}))
    for answer in (7, {"id": 1}, {**ours, "age": "x"}, {**ours, "id": 2}, {**ours, 0: 0}):
        result = repo.merge("feature", resolve=lambda clash, it=answer: it, dry_run=True)
        assert result.status == "conflicts"
        assert result.conflicts["people", 1].reason
        assert result.conflicts["people", 1].fields == ("name",)
    result = repo.merge("feature", resolve=lambda clash: {**clash.merged, "name": "d"})
    assert result.status == "merged"
    assert repo.at("main").table("people")[1] == {"id": 1, "name": "d", "age": 1}


def test_resolvers_look_into_the_three_versions(clashing: Repository) -> None:
    """Snapshots of base, ours and theirs come with each clash."""
    seen: list[tuple[Any, ...]] = []

    def look(clash: Clash) -> Any:
        three = [clash.snapshots.base, clash.snapshots.ours, clash.snapshots.theirs]
        assert all(isinstance(one, Snapshot) for one in three)
        seen.append(tuple([dict(one.map("m").items()) for one in three]))
        return three[2].map("m")["c"]

    for dry_run in (True, False):
        clashing.merge("feature", resolve=look, dry_run=dry_run)
    first = {"a": 1, "b": 1, "c": 1}, {"a": 2, "b": 2, "c": 1}, {"a": 1, "b": 3, "c": 3}
    assert seen == [first, first]
    assert values(clashing) == {"a": 2, "b": 3, "c": 3}


def test_histories_without_a_base_give_no_snapshot_of_it() -> None:
    """Where all that is shared is the first commit, the base is that or nothing."""
    repo = memory_repository()
    repo.create_branch("feature")
    write_on(repo, "main", sets(a=1))
    write_on(repo, "feature", sets(a=2))
    seen: list[Any] = []

    def look(clash: Clash) -> Any:
        seen.append((clash.base, list(clash.snapshots.base.datasets)))
        return clash.theirs

    repo.merge("feature", resolve=look, allow_unrelated=True)
    assert seen == [(ABSENT, [])]
    assert values(repo) == {"a": 2}


@pytest.mark.parametrize(("policy", "value"), [("ours", 2), ("theirs", 3), ("max", 3)])
def test_one_policy_for_one_merge(
    clashing: Repository, policy: str, value: int
) -> None:
    """It holds where a dataset has none, and the commit names it."""
    result = clashing.merge("feature", policy=policy)
    assert result.status == "merged"
    assert values(clashing) == {"a": 2, "b": value, "c": 3}
    assert clashing.commit_of("main").metadata == {"merge": {"policy": policy}}


def test_the_policies_of_a_dataset_come_first() -> None:
    """What the base says of keys settles them, whatever the merge asks for."""

    def base(tx: Transaction) -> None:
        tx.map("m").update({"n/x": 5, "m/x": 1})
        tx.set_policy("m", "counter", prefix="n/")

    repo = diverged(base, sets(**{"n/x": 7, "m/x": 2}), sets(**{"n/x": 6, "m/x": 3}))
    result = repo.merge("feature", policy="theirs")
    assert result.status == "merged"
    assert values(repo) == {"n/x": 8, "m/x": 3}


# The application ------------------------------------------------------------


def app_repository(app: App | None) -> Repository:
    """Return two branches that clash under the policy ``app:longest``."""

    def base(tx: Transaction) -> None:
        tx.map("m")["t"] = "a"
        tx.set_policy("m", "app:longest")

    repo = diverged(base, sets(t="long"), sets(t="longer"))
    repo.app = app
    return repo


def test_resolvers_of_the_application_settle_what_names_them() -> None:
    """A policy ``app:NAME`` asks the function of the name."""
    app = App()
    app.resolver("longest")(lambda clash: max(clash.ours, clash.theirs, key=len))
    repo = app_repository(app)
    assert repo.merge("feature").status == "merged"
    assert values(repo) == {"t": "longer"}
    assert repo.commit_of("main").metadata == {"merge": {"answers": {"app:longest": 1}}}


def test_a_resolver_that_is_not_there_leaves_the_conflict() -> None:
    """The reason names it; ``resolve`` is asked instead, where there is one."""
    repo = app_repository(None)
    result = repo.merge("feature", dry_run=True)
    assert result.status == "conflicts"
    assert "longest" in result.conflicts["m", "t"].reason
    result = repo.merge("feature", resolve=lambda clash: clash.base)
    assert result.status == "merged"
    assert values(repo) == {"t": "a"}


def test_a_policy_of_the_application_for_one_merge(clashing: Repository) -> None:
    """``app:NAME`` may be asked for as any policy."""
    clashing.app = App()
    clashing.app.resolver("sum")(lambda clash: clash.ours + clash.theirs)
    assert clashing.merge("feature", policy="app:sum").status == "merged"
    assert values(clashing)["b"] == 5


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
        people(base),
        people({**base, "name": "b", "age": 2}),
        people({**base, "name": "c", "town": "y"}),
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
