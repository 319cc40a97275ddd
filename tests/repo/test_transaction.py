"""Transactions: atomic, isolated, read-your-writes, first committer wins per key."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from prolly.chunks import CountingStore, MemoryStore
from prolly.codec import Address
from prolly.errors import Invalid, NotFound, Stale
from prolly.repo import Repository, Transaction
from prolly.testing.repositories import memory_repository


@pytest.fixture
def repo() -> Repository:
    repo = memory_repository()
    with repo.transaction("main", message="base") as tx:
        tx.map("m").update({"a": 1, "b": 2, "c": 3})
    return repo


def test_a_block_makes_one_commit(repo: Repository) -> None:
    """All edits of a block are one commit with its author, time, message and parent."""
    before = repo.resolve("main")
    with repo.transaction("main", message="two", author="ann") as tx:
        tx.map("m")["a"] = 10
        tx.map("other")["x"] = True
    commit = repo.commit_of("main")
    assert tx.commit_id == repo.resolve("main")
    assert (commit.parents, commit.author, commit.message) == ((before,), "ann", "two")
    assert repo.at("main").map("m")["a"] == 10
    assert list(repo.at("main").datasets) == ["m", "other"]
    assert repo.at(before).map("m")["a"] == 1


def test_an_exception_discards_everything(repo: Repository) -> None:
    """When the block raises, branch and datasets are as they were."""
    before = repo.resolve("main")
    with pytest.raises(ZeroDivisionError), repo.transaction("main") as tx:
        tx.map("m")["a"] = 10
        _ = 1 / 0
    assert repo.resolve("main") == before
    with pytest.raises(Invalid) as caught:
        tx.map("m")
    assert caught.value.code == "closed"


def test_nothing_changed_makes_no_commit(repo: Repository) -> None:
    """Writing what stands there keeps the head, and commit_id tells it."""
    before = repo.resolve("main")
    with repo.transaction("main") as tx:
        tx.map("m")["a"] = 1
    assert tx.commit_id == before == repo.resolve("main")


def test_reads_see_own_writes_and_no_others(repo: Repository) -> None:
    """Inside, the transaction's writes and the base; outside, nothing until commit."""
    with repo.transaction("main") as tx:
        m = tx.map("m")
        m["d"] = 4
        del m["a"]
        with repo.transaction("main") as other:
            other.map("m")["b"] = 20
        assert dict(m.items()) == {"b": 2, "c": 3, "d": 4}
        assert "d" not in repo.at("main").map("m")
    assert dict(repo.at("main").map("m").items()) == {"b": 20, "c": 3, "d": 4}


def test_disjoint_writes_are_carried_over(repo: Repository) -> None:
    """Two transactions from one base that write different keys both commit."""
    first = repo.transaction("main", message="first")
    second = repo.transaction("main", message="second")
    first.map("m")["a"] = 10
    second.map("m")["b"] = 20
    second.map("new")["x"] = 1
    first.commit()
    second.commit()
    assert dict(repo.at("main").map("m").items()) == {"a": 10, "b": 20, "c": 3}
    assert [e.commit.message for e in repo.log()][:2] == ["second", "first"]


@pytest.mark.parametrize("mine", ["change", "delete"])
@pytest.mark.parametrize("theirs", ["change", "delete"])
def test_the_second_writer_of_a_key_is_stale(
    repo: Repository, mine: str, theirs: str
) -> None:
    """Whoever commits second on one key gets Stale naming it; nothing is stored."""
    first, second = repo.transaction("main"), repo.transaction("main")
    for tx, kind, value in ((first, theirs, 10), (second, mine, 11)):
        if kind == "delete":
            del tx.map("m")["a"]
        else:
            tx.map("m")["a"] = value
    first.commit()
    after = repo.resolve("main")
    with pytest.raises(Stale) as caught:
        second.commit()
    assert caught.value.code == "write-conflict"
    assert (caught.value.dataset, caught.value.key) == ("m", "a")
    assert repo.resolve("main") == after


def test_equal_writes_conflict_too(repo: Repository) -> None:
    """Two that count from one value do not lose a count: the second one is Stale."""

    def count_up(tx: Transaction) -> None:
        tx.map("m")["a"] = tx.map("m")["a"] + 1

    first, second = repo.transaction("main"), repo.transaction("main")
    count_up(first)
    count_up(second)
    first.commit()
    with pytest.raises(Stale):
        second.commit()
    repo.run("main", count_up)
    assert repo.at("main").map("m")["a"] == 3


def test_datasets_conflict_as_a_whole(repo: Repository) -> None:
    """Dropping what another changed, or altering it in another way, is Stale."""
    first, second = repo.transaction("main"), repo.transaction("main")
    first.map("m")["a"] = 10
    second.drop("m")
    first.commit()
    with pytest.raises(Stale) as caught:
        second.commit()
    assert caught.value.code == "dataset-conflict"


def test_a_rename_and_an_edit_both_stay(repo: Repository) -> None:
    """Renaming a dataset and writing its records at once loses neither."""
    first, second = repo.transaction("main"), repo.transaction("main")
    first.rename("m", "n")
    second.map("m")["a"] = 10
    first.commit()
    second.commit()
    assert repo.at("main").map("n")["a"] == 10


def test_the_same_dataset_created_twice_is_one(repo: Repository) -> None:
    """Two transactions that create one dataset with other keys share it."""
    first, second = repo.transaction("main"), repo.transaction("main")
    first.map("fresh")["a"] = 1
    second.map("fresh")["b"] = 2
    first.commit()
    second.commit()
    assert dict(repo.at("main").map("fresh").items()) == {"a": 1, "b": 2}


def test_run_retries_and_gives_up(repo: Repository) -> None:
    """run repeats the function on a fresh head, and raises after its attempts."""
    tries = []

    def collide(tx: Transaction) -> int:
        tries.append(1)
        value: int = tx.map("m")["a"]
        if len(tries) < 3:
            with repo.transaction("main") as other:
                other.map("m")["a"] = value + 100
        tx.map("m")["a"] = value + 1
        return value

    assert repo.run("main", collide) == 201
    assert repo.at("main").map("m")["a"] == 202
    tries.clear()
    with pytest.raises(Stale):
        repo.run("main", collide, attempts=2)


def test_missing_branch_and_wrong_kind(repo: Repository) -> None:
    """An unknown branch is NotFound; a map opened as a table is Invalid."""
    with pytest.raises(NotFound) as missing:
        repo.transaction("nope")
    assert missing.value.code == "no-such-branch"
    with repo.transaction("main") as tx, pytest.raises(Invalid) as wrong:
        tx.table("m", key="id")
    assert wrong.value.code == "wrong-kind"


def test_an_abort_inside_the_block_ends_it_quietly(repo: Repository) -> None:
    """After abort the end of the block commits nothing and raises nothing."""
    before = repo.resolve("main")
    with repo.transaction("main") as tx:
        tx.map("m")["a"] = 99
        tx.abort()
    assert repo.resolve("main") == before


def test_commit_id_before_the_end_is_invalid(repo: Repository) -> None:
    """The id is known only once there is a commit."""
    with repo.transaction("main") as tx, pytest.raises(Invalid) as caught:
        _ = tx.commit_id
    assert caught.value.code == "not-committed"
    assert isinstance(tx.commit_id, Address)


def test_a_commit_stores_only_what_it_needs() -> None:
    """A one-record commit puts its path, the manifest and the commit, and one move."""
    store = CountingStore(MemoryStore())
    repo = memory_repository(store)
    with repo.transaction("main") as tx:
        tx.map("m").update((f"k{n:06d}", n) for n in range(20_000))
    store.costs.reset()
    with repo.transaction("main") as tx:
        tx.map("m")["k010000"] = 99_999
    assert store.costs.puts <= 5
    assert (store.costs.commits, store.costs.ref_moves) == (1, 1)
    assert store.costs.gets <= 8


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (lambda tx: tx.map("X"), lambda tx: tx.table("X", key="id")),
        (lambda tx: tx.rename("m", "c"), lambda tx: tx.rename("n", "c")),
        (lambda tx: tx.rename("m", "c"), lambda tx: tx.map("c")),
    ],
)
def test_two_datasets_never_get_one_name(
    repo: Repository,
    first: Callable[[Transaction], object],
    second: Callable[[Transaction], object],
) -> None:
    """Whoever gives a name second that another commit has given is Stale."""
    with repo.transaction("main") as tx:
        tx.map("n")["x"] = 1
    one, two = repo.transaction("main"), repo.transaction("main")
    first(one)
    second(two)
    one.commit()
    with pytest.raises(Stale) as caught:
        two.commit()
    assert caught.value.code == "dataset-conflict"
