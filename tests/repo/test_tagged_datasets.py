"""Sets in which adding wins, through transactions, commits, merges and all between."""

from __future__ import annotations

from typing import Any

import pytest

from prolly.codec import key as key_codec
from prolly.codec.record_stamps import ELEMENT_BYTES, RecordStamps, TagSet
from prolly.datasets import Manifest
from prolly.errors import Invalid
from prolly.merge import stamps_of, stamps_root
from prolly.merge.set_tags import elements_of
from prolly.ops import check_repository
from prolly.repo import Repository, Transaction
from prolly.tables import Schema
from prolly.testing.repositories import diverged, memory_repository, write_on
from prolly.testing.stamped_world import commit_bad_stamps
from prolly.tree import NodeReader, count

POLICY = "set:add-wins"
SCHEMA = Schema.create(
    [("id", "int"), ("mail", "text"), ("tags", "json"), ("more", "json")], "id"
)


@pytest.fixture
def repo() -> Repository:
    """A map of sets, and a table with a column of sets, written under the policy."""
    repo = memory_repository()
    with repo.transaction("main", message="begin") as tx:
        tx.map("m").update(x=["a", "b"], y=["a"])
        tx.set_policy("m", POLICY)
        table = tx.table("t", schema=SCHEMA)
        for number in range(3):
            cells = {"mail": str(number), "tags": ["a", "b"], "more": ["c"]}
            table.upsert({"id": number, **cells})
        tx.set_policy("t", POLICY, column="tags")
    return repo


def put(repo: Repository, branch: str, *values: list[str] | None) -> None:
    """Commit one value of the map after the other; None deletes the record."""
    for value in values:
        with repo.transaction(branch, message="put") as tx:
            if value is None:
                tx.map("m").pop("x")
            else:
                tx.map("m")["x"] = value


def put_row(repo: Repository, branch: str, *rows: dict[str, Any]) -> None:
    """Commit cells of row 1, one after the other."""
    for cells in rows:
        with repo.transaction(branch, message="put") as tx:
            table = tx.table("t")
            table.upsert({**table[1], **cells})


def marks(
    repo: Repository, name: str = "m", key: Any = "x", *, at: str = "main"
) -> RecordStamps:
    """Return what stands beside a record; of ``working`` the working state's."""
    root = (repo.at_working() if at == "working" else repo.at(at)).root
    reader = NodeReader(repo.store.get)
    entry = Manifest(reader, root).require(name)
    return stamps_of(reader, stamps_root(entry), key_codec.encode((key,)))


def tagged(tags: TagSet, *elements: str) -> bool:
    """Tell whether just these elements have tags."""
    return {tag[:ELEMENT_BYTES] for tag in tags} == set(elements_of(list(elements)))


def is_sound(repo: Repository) -> bool:
    """Tell whether a full check finds nothing."""
    return list(check_repository(repo.store, full=True)) == []


def test_what_was_put_in_again_stays(repo: Repository) -> None:
    """Also where the record is as the base has it, on either side, in map and table."""
    repo.create_branch("feature", "main")
    put(repo, "main", ["b"], ["a", "b"])
    put(repo, "feature", ["b"])
    put_row(repo, "main", {"tags": ["b"]})
    put_row(repo, "feature", {"tags": []}, {"tags": ["a", "b"]})
    assert repo.merge("feature", into="main").status == "merged"
    assert repo.at("main").map("m")["x"] == ["a", "b"]
    assert repo.at("main").table("t")[1]["tags"] == ["a", "b"]
    assert is_sound(repo)


def test_a_plain_set_takes_it_out(repo: Repository) -> None:
    """So does the policy where it is of one merge only: nothing has tags then."""
    with repo.transaction("main", message="policy") as tx:
        tx.map("plain")["x"] = ["a", "b"]
        tx.map("never")["x"] = ["a", "b"]
        tx.set_policy("plain", "set")
    repo.create_branch("feature", "main")
    for branch, value in (
        ("main", ["b"]),
        ("main", ["a", "b", "c"]),
        ("feature", ["b", "d"]),
    ):
        with repo.transaction(branch, message="put") as tx:
            for name in ("plain", "never"):
                tx.map(name)["x"] = value
    assert repo.merge("feature", into="main", policy=POLICY).status == "merged"
    for name in ("plain", "never"):
        assert repo.at("main").map(name)["x"] == ["b", "c", "d"]


def test_a_write_tags_what_it_puts_in(repo: Repository) -> None:
    """What stays keeps its tag, an equal value is no write, and nothing stays behind of
    what was taken out."""
    before = marks(repo).tags[None]
    assert tagged(before, "a", "b")
    put(repo, "main", ["b", "a"], ["a", "a", "b"])
    assert marks(repo).tags[None] == before
    commit = repo.resolve("main")
    put(repo, "main", ["a", "a", "b"])
    assert repo.resolve("main") == commit
    put(repo, "main", ["b", "c"])
    after = marks(repo).tags[None]
    assert tagged(after, "b", "c") and len(after - before) == 1
    put(repo, "main", [])
    assert marks(repo).tags == {None: frozenset()}
    put(repo, "main", None)
    assert marks(repo) == RecordStamps()
    write_on(repo, "main", lambda tx: tx.map("m").update(x="no list"))
    assert marks(repo) == RecordStamps()


def test_only_columns_under_the_policy_are_tagged(repo: Repository) -> None:
    """A deleted row has no tags; neither has one whose set is null."""
    [tags] = marks(repo, "t", 1).tags.values()
    assert tagged(tags, "a", "b")
    put_row(repo, "main", {"more": ["d"]})
    assert list(marks(repo, "t", 1).tags.values()) == [tags]
    put_row(repo, "main", {"tags": None})
    assert marks(repo, "t", 1) == RecordStamps()
    write_on(repo, "main", lambda tx: tx.table("t").delete(2))
    assert marks(repo, "t", 2) == RecordStamps()


def test_tags_stand_beside_stamps(repo: Repository) -> None:
    """In one table the last writer wins in one column, and adding in another."""
    with repo.transaction("main", message="policy") as tx:
        tx.set_policy("t", "last-writer-wins", column="mail")
    repo.create_branch("feature", "main")
    put_row(repo, "main", {"mail": "ours", "tags": ["b", "c"]})
    put_row(repo, "feature", {"tags": ["b"]}, {"tags": ["a", "b"], "mail": "theirs"})
    assert repo.merge("feature", into="main").status == "merged"
    row = repo.at("main").table("t")[1]
    assert (row["mail"], row["tags"]) == ("theirs", ["a", "b", "c"])
    write_on(repo, "main", lambda tx: tx.table("t").delete(1))
    gone = marks(repo, "t", 1)
    assert gone.tags == {} and gone.of(None) > RecordStamps().of(None)
    assert is_sound(repo)


def test_a_deletion_and_a_change_are_in_conflict(repo: Repository) -> None:
    """Settled for either side, it is sound; what a side only put back counts not."""
    for branch in ("feature", "other", "third"):
        repo.create_branch(branch, "main")
    put(repo, "main", None)
    put(repo, "feature", ["a", "b", "c"])
    assert repo.merge("feature", into="main").status == "conflicts"
    repo.conflicts().settle("m", "x", "theirs")
    repo.working_area().commit("settled")
    assert tagged(marks(repo).tags[None], "a", "b", "c")
    put(repo, "other", ["b"], ["a", "b"])
    assert repo.merge("other", into="main").status == "merged"
    assert repo.at("main").map("m")["x"] == ["a", "b", "c"]
    put(repo, "third", ["b"], ["a", "b"])
    put(repo, "other", None)
    assert repo.merge("third", into="other").status == "merged"
    assert "x" not in repo.at("other").map("m")
    assert is_sound(repo)


def test_an_edit_that_undoes_itself_leaves_no_tag(repo: Repository) -> None:
    """In the working state nobody has seen it: it is clean again."""
    area = repo.working_area()
    for value in (["b"], ["a", "b"]):
        with area.edit("put") as workspace:
            workspace.map("m")["x"] = value
    assert area.is_clean


def test_parts_and_stashes_keep_their_tags(repo: Repository) -> None:
    """A part is committed with the tags of its edits, and a stash gives them back."""
    area = repo.working_area()
    with area.edit("put") as workspace:
        workspace.map("m").update(x=["a", "c"], y=["a", "d"])
    edited = marks(repo, at="working")
    repo.stash.push("later")
    assert area.is_clean
    repo.stash.pop()
    assert marks(repo, at="working") == edited
    area.commit("one", only={"m": ["x"]})
    assert marks(repo) == edited
    assert tagged(marks(repo, key="y").tags[None], "a")
    area.commit("two", only={"m": ["y"]})
    assert area.is_clean


def test_transactions_carry_tags_over(repo: Repository) -> None:
    """Disjoint writes keep both; with isolation ``merge`` so do writes to one set."""
    with repo.transaction("main", message="slow") as slow:
        slow.map("m")["x"] = ["a", "b", "c"]
        write_on(repo, "main", lambda tx: tx.map("m").update(y=["a", "d"]))
    assert tagged(marks(repo).tags[None], "a", "b", "c")
    assert tagged(marks(repo, key="y").tags[None], "a", "d")
    with repo.transaction("main", message="slow", isolation="merge") as slow:
        slow.map("m")["x"] = ["b", "c"]
        put(repo, "main", ["b"], ["a", "b", "e"])
    assert repo.at("main").map("m")["x"] == ["a", "b", "e"]
    assert is_sound(repo)


def test_what_is_withheld_is_settled_with_new_tags() -> None:
    """A row that breaks a unique index stands as ours, until somebody makes room."""

    def base(tx: Transaction) -> None:
        table = tx.table("t", schema=SCHEMA)
        table.upsert({"id": 1, "mail": "one", "tags": ["a", "b"], "more": None})
        table.alter().add_index("mail", ["mail"], unique=True)
        tx.set_policy("t", POLICY, column="tags")

    def row(number: int, tags: list[str]) -> Any:
        cells = {"id": number, "mail": "new", "tags": tags, "more": None}
        return lambda tx: tx.table("t").upsert(cells)

    repo = diverged(base, row(2, ["a"]), row(1, ["b", "c"]))
    assert repo.merge("feature", into="main").status == "conflicts"
    assert repo.at_working().table("t")[1]["tags"] == ["a", "b"]
    with repo.working_area().edit("make room") as workspace:
        workspace.table("t").patch(2, {"mail": "old"})
    repo.conflicts().settle("t", 1, "theirs")
    repo.working_area().commit("settled")
    assert repo.at("main").table("t")[1]["tags"] == ["b", "c"]
    [tags] = marks(repo, "t", 1).tags.values()
    assert tagged(tags, "b", "c")
    assert is_sound(repo)


@pytest.mark.parametrize("widens", ["main", "feature", "both"])
def test_tags_follow_a_widened_key(repo: Repository, widens: str) -> None:
    """Whichever side widened it, and whichever wrote before."""
    repo.create_branch("feature", "main")
    put_row(repo, "main", {"tags": ["b"]}, {"tags": ["a", "b"]})
    put_row(repo, "feature", {"tags": ["b", "c"]})
    for branch in ("main", "feature") if widens == "both" else (widens,):
        write_on(
            repo, branch, lambda tx: tx.table("t").alter().widen_column("id", "text")
        )
    assert repo.merge("feature", into="main").status == "merged"
    assert repo.at("main").table("t")["1"]["tags"] == ["a", "b", "c"]
    assert tagged(*marks(repo, "t", "1").tags.values(), "a", "b", "c")
    assert is_sound(repo)


def test_tags_go_with_their_column(repo: Repository) -> None:
    """Renamed it keeps them; dropped, a row that is written has none any more."""
    before = marks(repo, "t", 1)
    write_on(
        repo, "main", lambda tx: tx.table("t").alter().rename_column("tags", "labels")
    )
    write_on(repo, "main", lambda tx: tx.rename("t", "u"))
    assert marks(repo, "u", 1) == before
    write_on(
        repo, "main", lambda tx: tx.table("u").alter(force=True).drop_column("labels")
    )

    def touch(tx: Transaction) -> None:
        tx.set_policy("u", POLICY, column="more")
        tx.table("u").patch(1, {"more": ["c", "d"]})

    write_on(repo, "main", touch)
    [tags] = marks(repo, "u", 1).tags.values()
    assert tagged(tags, "c", "d")
    assert is_sound(repo)


def test_a_policy_that_goes_takes_the_tags_along(repo: Repository) -> None:
    """Set again, they begin with none; what has none merges as a plain set."""
    write_on(repo, "main", lambda tx: tx.set_policy("m", None))
    put(repo, "main", ["a", "c"])
    write_on(repo, "main", lambda tx: tx.set_policy("m", POLICY))
    assert marks(repo) == RecordStamps()
    repo.create_branch("feature", "main")
    put(repo, "main", ["a", "c", "d"])
    put(repo, "feature", ["c"])
    assert repo.merge("feature", into="main").status == "merged"
    assert repo.at("main").map("m")["x"] == ["c", "d"]
    assert is_sound(repo)


def test_long_sets_have_their_tags_out_of_line(repo: Repository) -> None:
    """They read back, and merge."""
    many = [f"element {number:04}" for number in range(500)]
    put(repo, "main", many)
    repo.create_branch("feature", "main")
    put(repo, "main", many[1:], many)
    put(repo, "feature", many[2:])
    assert repo.merge("feature", into="main").status == "merged"
    assert repo.at("main").map("m")["x"] == [many[0], *many[2:]]
    assert len(marks(repo).tags[None]) == len(many) - 1
    assert is_sound(repo)


def test_the_policy_is_for_lists() -> None:
    """Of a column of text, a blob or files it is refused when it is set."""
    repo = memory_repository()
    with repo.transaction("main", message="begin") as tx:
        tx.table("t", schema=SCHEMA)
        tx.blob("b", "wb").write(b"")
        for name, column in (("t", "mail"), ("t", None), ("b", None)):
            with pytest.raises(Invalid) as caught:
                tx.set_policy(name, POLICY, column=column)
            assert caught.value.code == "policy-type"


def test_a_check_reads_tags(repo: Repository) -> None:
    """What is no string of tags is found, and named."""
    commit_bad_stamps(repo, "m", "x", [b"", [None, b"no tag"]])
    assert [one.code for one in check_repository(repo.store, full=True)] == ["stamps"]


def test_a_dataset_of_records_without_lists_has_no_tags(repo: Repository) -> None:
    """A map may hold anything: what is no list is stamped by nobody."""
    with repo.transaction("main", message="numbers") as tx:
        tx.map("n").update({str(number): number for number in range(9)})
        tx.set_policy("n", POLICY)
    reader = NodeReader(repo.store.get)
    entry = Manifest(reader, repo.at("main").root).require("n")
    assert entry.stamps is not None and not count(reader, entry.stamps.address)
