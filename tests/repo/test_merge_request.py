"""Who is asked while a merge runs: policies, ``resolve=``, the application."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from prolly.codec import cbor
from prolly.maps import ABSENT
from prolly.merge import UNRESOLVED, Clash
from prolly.repo import App, Repository, Snapshot, Transaction
from prolly.repo.merge_request import ANSWERS_BYTES_MAX, OTHERS, _bounded
from prolly.testing.repositories import diverged, memory_repository, write_on
from prolly.testing.waiting_merges import rows, sets


@pytest.fixture
def clashing() -> Repository:
    """Two branches that changed ``b`` differently, and another key each."""
    return diverged(sets(a=1, b=1, c=1), sets(a=2, b=2), sets(b=3, c=3))


def values(repo: Repository, revision: str = "main") -> dict[str, Any]:
    return dict(repo.at(revision).map("m").items())


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
    repo = diverged(
        rows(base, table="people"),
        rows(ours, table="people"),
        rows({**base, "name": "c"}, table="people"),
    )
    for answer in (
        7,
        {"id": 1},
        {**ours, "age": "x"},
        {**ours, "id": 2},
        {**ours, 0: 0},
    ):
        result = repo.merge(
            "feature", resolve=lambda clash, it=answer: it, dry_run=True
        )
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


@pytest.mark.parametrize("past", [0, 1])
def test_the_names_of_resolvers_are_bounded(past: int) -> None:
    """At the limit all are named; past it those that settled most, others together."""
    names = [f"{number:04}" + "n" * 251 for number in range(300)]
    size = len(cbor.encode([f"app:{names[0]}", 1]))
    number = ANSWERS_BYTES_MAX // size + past
    app = App()
    for name in names[:number]:
        app.resolver(name)(lambda clash: clash.theirs)

    def base(tx: Transaction) -> None:
        for place, name in enumerate(names[:number]):
            tx.map("m")[f"{place:03}"] = 0
            tx.set_policy("m", f"app:{name}", prefix=f"{place:03}")

    keys = [f"{place:03}" for place in range(number)]
    ours, theirs = (sets(**dict.fromkeys(keys, value)) for value in (1, 2))
    repo = diverged(base, ours, theirs)
    repo.app = app
    assert repo.merge("feature").status == "merged"
    answers = repo.commit_of("main").metadata["merge"]["answers"]
    assert sum(answers.values()) == number
    assert answers.get(OTHERS, 0) == past
    assert len(answers) == number


def test_a_merge_of_hundreds_of_resolvers_can_wait_and_be_committed() -> None:
    """Their counts and conflicts on long keys leave room for each other."""
    counts = Counter({f"app:{number:03}" + "n" * 250: 1 for number in range(300)})
    told = _bounded(counts)
    assert sum(told.values()) == 300
    assert len(cbor.encode(told)) <= ANSWERS_BYTES_MAX + 20
