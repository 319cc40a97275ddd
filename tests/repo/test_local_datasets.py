"""Local datasets: they stand beside history, and behave as others do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import prolly
from prolly.codec import Descriptor
from prolly.errors import AlreadyExists, Invalid, NotFound, Stale
from prolly.history import LOCAL_DATASETS
from prolly.ops import check_repository
from prolly.repo import Repository, Transaction, restore
from prolly.repo.local_datasets import read_beside, read_local
from prolly.testing.repositories import memory_repository, write_on


@pytest.fixture
def repo() -> Repository:
    repo = memory_repository()
    with repo.transaction("main") as tx:
        tx.map("m", local=True)["k"] = 1
        tx.table("t", key="id", local=True).insert({"id": 1})
        tx.blob("b", local=True).write(b"x")
        tx.files("f", local=True).write("a", b"x")
        tx.map("shared")["k"] = 1
    return repo


def test_every_kind_can_be_local(repo: Repository) -> None:
    """They are told by the mark; the commit has only what is shared."""
    found = {name: info.local for name, info in repo.at("main").datasets.items()}
    assert found == {"b": True, "f": True, "m": True, "shared": False, "t": True}
    assert list(repo.at("main", local=False).datasets) == ["shared"]
    assert repo.at("main").table("t")[1] == {"id": 1}
    assert repo.at("main").blob("b").read() == b"x"
    assert repo.at("main").files("f").read("a") == b"x"


def test_the_mark_stays(repo: Repository) -> None:
    """Later edits need not repeat it, and it survives them."""
    before = repo.resolve("main")
    with repo.transaction("main") as tx:
        tx.map("m")["k"] = 2
        tx.map("m", local=True)["l"] = 2
    assert tx.commit_id == before
    assert repo.at("main").datasets["m"].local


def test_it_must_be_as_asked(repo: Repository) -> None:
    """A dataset that is there otherwise is refused, both ways."""
    for name, local in (("m", False), ("shared", True)):
        with (
            pytest.raises(Invalid) as caught,
            repo.transaction("main") as tx,
        ):
            tx.map(name, local=local)
        assert caught.value.code == "local-mismatch"
        assert caught.value.dataset == name
    with repo.transaction("main") as tx, pytest.raises(AlreadyExists):
        tx.rename("shared", "m")


def test_history_does_not_see_it(repo: Repository) -> None:
    """No difference, no log entry, no blame, and nothing to prove or to commit."""
    with repo.transaction("main") as tx:
        tx.map("m")["k"] = 2
        tx.map("shared")["k"] = 2
    assert [one.dataset for one in repo.diff("main~1", "main")] == ["shared"]
    old, new = repo.at("main~1"), repo.at("main")
    assert list(repo.compare(old, new, local=True)) == []
    for about in (repo.blame_all, lambda name: repo.history(name, "k")):
        with pytest.raises(NotFound):
            list(about("m"))
    with pytest.raises(Invalid) as caught:
        repo.at("main").prove("m", "k")
    assert caught.value.code == "local-dataset"
    area = repo.working_area()
    for act in (lambda: area.commit("m", only={"m": None}), lambda: restore_m(area)):
        with area.edit("both") as workspace:
            workspace.map("shared")["k"] = 3
        with pytest.raises(Invalid) as caught:
            act()
        assert caught.value.code == "local-dataset"


def restore_m(area: Any) -> None:
    """Try to give up what is uncommitted of ``m``."""
    restore(area, {"m": None})


def test_reads_of_local_data_count(repo: Repository) -> None:
    """A serializable transaction is refused when they would differ, and only then."""

    def race(ours: Callable[[Transaction], object], name: str, **more: bool) -> bool:
        tx = repo.transaction("main", isolation="serializable")
        ours(tx)
        write_on(repo, "main", lambda tx: tx.map(name, **more).update(k=object_of()))
        try:
            tx.commit()
        except Stale as error:
            assert error.code == "read-conflict"
            return False
        return True

    numbers = iter(range(100, 200))

    def object_of() -> int:
        return next(numbers)

    def copy(tx: Transaction) -> None:
        tx.map("shared")["copy"] = tx.map("m")["k"]

    def back(tx: Transaction) -> None:
        tx.map("m")["back"] = tx.map("shared")["k"]

    def unseen(tx: Transaction) -> None:
        assert tx.find("new") is None
        tx.map("shared")["n"] = object_of()

    assert not race(copy, "m")
    assert race(copy, "other")
    assert not race(back, "shared")
    assert race(back, "another")
    assert not race(unseen, "new", local=True)


def test_concurrent_changes_are_merged_where_that_is_asked(repo: Repository) -> None:
    """The isolation ``merge`` goes by the policies of local datasets, too."""
    write_on(repo, "main", lambda tx: tx.set_policy("m", "counter"))
    tx = repo.transaction("main", isolation="merge")
    tx.map("m")["k"] += 10
    write_on(repo, "main", lambda tx: tx.map("m").update(k=101))
    tx.commit()
    assert repo.at("main").map("m")["k"] == 111
    assert repo.at("main").datasets["m"].local


def test_tables_refer_within_their_part(repo: Repository) -> None:
    """A local table refers to local ones, and follows when one is renamed."""
    schema = {
        "columns": [{"name": "id", "type": "int"}, {"name": "t", "type": "int"}],
        "key": ["id"],
        "references": [{"name": "to", "columns": ["t"], "table": "t"}],
    }
    with repo.transaction("main") as tx:
        tx.table("child", schema=schema, local=True).insert({"id": 1, "t": 1})
        tx.rename("t", "parents")
    child = repo.at("main").table("child").schema
    assert [one.table for one in child.references] == ["parents"]
    with pytest.raises(Invalid) as caught, repo.transaction("main") as tx:
        tx.table("child").upsert({"id": 1, "t": 9})
    assert caught.value.code == "reference-missing"
    with pytest.raises(Invalid) as caught, repo.transaction("main") as tx:
        schema["references"] = [{"name": "to", "columns": ["t"], "table": "parents"}]
        tx.table("shared child", schema=schema).insert({"id": 1, "t": 1})
    assert caught.value.code == "reference-missing"


def test_half_of_a_step_is_never_seen(repo: Repository) -> None:
    """Branch and local datasets are read as one step left them."""
    moves = 3

    def read() -> bytes:
        nonlocal moves
        head = bytes(repo.resolve("main"))
        if moves:
            moves -= 1
            write_on(repo, "main", both)
        return head

    def both(tx: Transaction) -> None:
        tx.map("m")["n"] = tx.map("shared")["n"] = moves

    head, local = read_beside(repo.storage, read)
    seen = repo.at_once(head, local.commit_id)
    assert seen.map("m")["n"] == seen.map("shared")["n"] == 0
    assert local == read_local(repo.storage)


def test_dropping_the_last_leaves_the_ref(repo: Repository) -> None:
    """Once it is there it stays, so that none means none yet."""
    with repo.transaction("main") as tx:
        for name in ("b", "f", "m", "t"):
            tx.drop(name)
    assert list(repo.at("main").datasets) == ["shared"]
    assert repo.store.read_ref(LOCAL_DATASETS) is not None
    with repo.transaction("main") as tx:
        tx.map("m")["k"] = 1
    assert not repo.at("main").datasets["m"].local


def named_alike(repo: Repository) -> None:
    """Let a merge bring a shared dataset of the name of a local one."""
    with repo.transaction("main") as tx:
        tx.map("drafts")["of"] = "all"
    repo.create_branch("there")
    with repo.transaction("main") as tx:
        tx.drop("drafts")
    with repo.transaction("main") as tx:
        tx.map("drafts", local=True)["of"] = "mine"
    write_on(repo, "there", lambda tx: tx.map("drafts", local=False).update(more=1))
    write_on(repo, "main", lambda tx: tx.map("shared").update(k=5))


def test_both_of_a_name_are_kept(repo: Repository) -> None:
    """The local one keeps its name; the other is seen beside, and writes part."""
    named_alike(repo)
    there = repo.at("there")
    assert dict(there.map("drafts")) == {"of": "mine"}
    assert dict(there.map("drafts~shared")) == {"of": "all", "more": 1}
    with repo.transaction("there") as tx:
        tx.map("drafts")["at"] = 1
        tx.map("drafts", local=True)["mine"] = 1
        tx.map("drafts", local=False)["all"] = 1
        tx.map("drafts~shared")["all"] += 1
    assert dict(repo.at("there", local=False).map("drafts"))["all"] == 2
    assert dict(repo.at("main").map("drafts")) == {"of": "mine", "at": 1, "mine": 1}
    assert there.prove("drafts~shared", "of").dataset == "drafts"
    with repo.transaction("there") as tx:
        tx.rename("drafts", "mine")
        assert sorted(tx) == sorted(["b", "drafts", "f", "m", "mine", "shared", "t"])
    assert dict(repo.at("there").map("drafts"))["all"] == 2
    assert dict(repo.at("there").map("mine"))["of"] == "mine"


def test_conflicts_of_a_name_are_settled_in_the_commit(repo: Repository) -> None:
    """Settling writes what is shared, never the local dataset of that name."""
    named_alike(repo)
    repo.create_branch("one", "there")
    write_on(repo, "one", lambda tx: tx.map("drafts", local=False).update(of=1))
    write_on(repo, "there", lambda tx: tx.map("drafts", local=False).update(of=2))
    merge = repo.merge("one", into="there")
    assert merge.status == "conflicts"
    merge.conflicts.settle_value("drafts", "of", 3)
    merge.conflicts.commit()
    assert repo.at("there", local=False).map("drafts")["of"] == 3
    assert dict(repo.at("there").map("drafts")) == {"of": "mine"}


def test_part_of_the_working_state_is_given_up_by_the_commits_name(
    repo: Repository,
) -> None:
    """Restoring goes by what commits call a dataset."""
    named_alike(repo)
    area = repo.working_area("there")
    with area.edit("both") as workspace:
        workspace.map("drafts", local=False)["of"] = "edited"
        workspace.map("drafts", local=True)["of"] = "edited"
    restore(area, {"drafts": None})
    assert area.is_clean
    assert repo.at("there").map("drafts")["of"] == "edited"
    assert repo.at("there").map("drafts~shared")["of"] == "all"


@pytest.mark.parametrize("local", [True, False])
def test_a_check_tells_what_is_out_of_place(repo: Repository, local: bool) -> None:
    """A local dataset in a commit, and one of a commit beside them, are faults."""

    from prolly.chunks import RefMove
    from prolly.codec import encode_commit
    from prolly.datasets import write_manifest

    ref = "branches/main" if local else LOCAL_DATASETS
    old = repo.store.read_ref(ref)
    assert old is not None
    storage = repo.storage
    commit = storage.commits.read(old)
    entry: Descriptor = repo.at("main").entries["m" if local else "shared"]
    identity = b"12345678" if local else b"\0" + b"12345678"
    with repo.store.writer() as writer:
        planted = {identity: entry._replace(name="planted")}
        root = write_manifest(storage.reader, writer, commit.root, planted)
        made = writer.put(encode_commit(commit._replace(root=root)))
        writer.commit([RefMove(ref, old, made)])
    for full in (False, True):
        found = list(check_repository(repo.store, full=full))
        assert [(one.code, one.ref) for one in found] == [("local-dataset", ref)]
        assert "planted" in found[0].detail


def test_a_tag_on_what_is_local_is_a_fault(repo: Repository) -> None:
    """Whatever name leads to it, it is out of place there."""
    beside = repo.store.read_ref(LOCAL_DATASETS)
    assert beside is not None
    repo.tags.create("oops", prolly.Address(beside), why="tag")
    found = check_repository(repo.store)
    assert {(one.code, one.ref) for one in found} == {("local-dataset", "tags/oops")}


def test_what_has_none_pays_next_to_nothing(tmp_path: Path) -> None:
    """One look for a ref; local writes wait once, and both parts wait together."""
    prolly.init(tmp_path).close()
    with prolly.open(tmp_path, count=True) as repo:
        costs = repo.costs
        assert costs is not None

        def cost(write: Callable[[Transaction], object]) -> tuple[int, ...]:
            costs.reset()
            with repo.transaction("main", message="m") as tx:
                write(tx)
            return costs.fsyncs, costs.commits, costs.ref_moves, costs.ref_reads

        def shared(tx: Transaction) -> None:
            tx.map("m")["k"] = costs.ref_reads + len(tx.map("m"))

        cost(lambda tx: tx.map("m").update(a=1))
        # The branch as it begins and as it ends, and once what stands beside it.
        assert cost(lambda tx: tx.map("m").update(a=2)) == (1, 1, 1, 3)
        assert cost(lambda tx: tx.map("x", local=True).update(a=1))[:3] == (1, 1, 1)
        assert cost(lambda tx: tx.map("x").update(a=2))[:3] == (1, 1, 1)
        assert cost(lambda tx: tx.map("m").update(a=3))[:3] == (1, 1, 1)
        assert cost(lambda tx: (tx.map("m").update(a=4), tx.map("x").update(a=4)))[
            :3
        ] == (1, 1, 2)
