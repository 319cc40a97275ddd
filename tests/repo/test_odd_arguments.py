"""What programs give by mistake: refused by name, with a hint, and nothing is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prolly import Address, Proof, Schema
from prolly.chunks import RefMove, RefNote
from prolly.errors import Error, Invalid, NotFound, StorageFailed
from prolly.repo import (
    App,
    Repository,
    Transaction,
    create_repository,
    find_repository,
    open_repository,
)
from prolly.testing.repositories import memory_repository

HUGE = 10**5000


def nested() -> Any:
    """Return a list nested deeper than ``repr`` goes."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    return deep


@pytest.fixture(scope="module")
def repo() -> Iterator[Repository]:
    with memory_repository() as repo:
        with repo.transaction("main") as tx:
            columns = [("k", "int"), ("float", "float"), ("text", "text")]
            columns += [("json", "json"), ("bytes", "bytes")]
            table = tx.table("t", schema=Schema.create(columns, "k"))
            table.insert({"k": 1, "text": "a"})
            table.alter().add_index("i", "text")
            tx.map("m")["a"] = 1
            tx.files("f").write("p", b"x")
            tx.blob("b").write(b"abc")
        yield repo


READS: list[Callable[[Repository, Any], Any]] = [
    lambda repo, odd: repo.at("main").map("m")[odd],
    lambda repo, odd: repo.at("main").table("t")[odd],
    lambda repo, odd: repo.at("main").files("f")[odd],
    lambda repo, odd: list(repo.at("main").table("t").index("i").rows(odd)),
    lambda repo, odd: repo.at("main").table("t").index(odd),
    lambda repo, odd: repo.at("main").map(odd),
    lambda repo, odd: repo.at("main").prove("m", odd),
    lambda repo, odd: repo.config[odd],
    lambda repo, odd: repo.config.update({"user.name": odd}),
    lambda repo, odd: repo.at(odd),
    lambda repo, odd: repo.at_working(odd),
    lambda repo, odd: repo.transaction(odd),
    lambda repo, odd: repo.transaction("main", isolation=odd),
    lambda repo, odd: repo.transaction("main", message=odd),
    lambda repo, odd: repo.transaction("main", author=odd),
    lambda repo, odd: repo.working_area().commit(odd),
    lambda repo, odd: repo.working_area().commit("", author=odd),
    lambda repo, odd: repo.create_branch(odd),
    lambda repo, odd: repo.delete_branch(odd),
    lambda repo, odd: repo.switch(odd),
    lambda repo, odd: repo.branches[odd],
    lambda repo, odd: repo.branches.update({"x": odd}),
    lambda repo, odd: list(repo.log(dataset=odd)),
    lambda repo, odd: Address.parse(odd),
    lambda repo, odd: Schema.of(odd),
]

WRITES: list[Callable[[Transaction, Any], Any]] = [
    lambda tx, odd: tx.table("t").insert({"k": 2, "float": odd}),
    lambda tx, odd: tx.table("t").insert({"k": 2, "text": odd}),
    lambda tx, odd: tx.table("t").insert({"k": 2, "json": odd}),
    lambda tx, odd: tx.table("t").insert({"k": 2, "bytes": odd}),
    lambda tx, odd: tx.table("t").insert(odd),
    lambda tx, odd: tx.table("t").alter().add_index("j", "text", prefix=odd),
    lambda tx, odd: tx.table("t").alter().add_index("j", odd),
    lambda tx, odd: tx.table("new", key=odd),
    lambda tx, odd: tx.map("m").update([odd]),
    lambda tx, odd: tx.map(odd),
    lambda tx, odd: tx.files("f").write(odd, b""),
    lambda tx, odd: tx.blob("b", odd),
    lambda tx, odd: tx.drop(odd),
    lambda tx, odd: tx.rename("m", odd),
    lambda tx, odd: tx.set_policy("m", odd),
    lambda tx, odd: tx.set_policy("t", "ours", column=odd),
]


ODD = {"huge": HUGE, "nested": nested(), "list": [1], "object": object()}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("read", range(len(READS)))
def test_odd_values_are_refused_by_name(repo: Repository, read: int, odd: str) -> None:
    """Whatever is given for a name, key or text is an error of ours, with a hint."""
    with pytest.raises(Error) as caught:
        READS[read](repo, ODD[odd])
    assert caught.value.code and caught.value.hint
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("odd", ["huge", "nested", "object"])
@pytest.mark.parametrize("write", range(len(WRITES)))
def test_odd_values_change_nothing(repo: Repository, write: int, odd: str) -> None:
    """So it is for what is written, and the branch stays where it was."""
    before = repo.resolve("main")
    with pytest.raises(Error) as caught, repo.transaction("main") as tx:
        WRITES[write](tx, ODD[odd])
    assert caught.value.code and caught.value.hint
    assert len(str(caught.value)) < 300
    assert repo.resolve("main") == before


def test_numbers_past_all_counts_are_refused(repo: Repository) -> None:
    """A number of 5,000 digits for a record, a position or a length."""
    with pytest.raises(NotFound):
        repo.at("main").map("m").nth(HUGE)
    with pytest.raises(NotFound):
        repo.stash.pop(HUGE)
    with repo.transaction("main") as tx:
        calls: list[Callable[[], Any]] = [
            lambda: tx.blob("b").truncate(HUGE),
            lambda: tx.blob("b").truncate(-HUGE),
            lambda: tx.blob("b").seek(-HUGE),
        ]
        for call in calls:
            with pytest.raises(Error) as caught:
                call()
            assert caught.value.hint


def test_a_message_that_is_no_text_is_refused_at_once(repo: Repository) -> None:
    """``message=5`` fails before anything is edited, not when it is to be stored."""
    with pytest.raises(Invalid) as caught:
        repo.transaction("main", message=5)  # type: ignore[arg-type]  # The mistake.
    assert caught.value.code == "value-type"
    assert "message" in str(caught.value) and "5" in str(caught.value)


@pytest.mark.parametrize("only", [True, "m", {"m": "a"}, {"m": 5}, ["m"]])
def test_a_choice_of_another_form_is_refused(repo: Repository, only: Any) -> None:
    """``only`` is a mapping to lists of keys; one key as text would be its letters."""
    area = repo.working_area()
    with area.edit("edit") as workspace:
        workspace.map("m")["b"] = 2
    with pytest.raises(Invalid) as caught:
        area.commit("part", only=only)
    assert (caught.value.code, bool(caught.value.hint)) == ("option", True)
    assert not area.is_clean
    area.discard()


def test_no_attempts_are_refused_with_a_hint(repo: Repository) -> None:
    """``run(attempts=0)`` calls nothing and says what to give."""
    called: list[Transaction] = []
    with pytest.raises(Invalid) as caught:
        repo.run("main", called.append, attempts=0)
    assert (caught.value.code, caught.value.hint) == ("attempts", "Give 1 or more.")
    assert not called


def test_what_is_no_bytes_is_no_proof() -> None:
    """Another type is Python's TypeError, any bytes-like object is read."""
    for odd in (None, 5, "text"):
        with pytest.raises(TypeError):
            Proof.decode(odd)  # type: ignore[arg-type]  # The mistake.


def test_a_proof_wants_an_id(repo: Repository) -> None:
    """None in the place of a commit id is Invalid ``address``."""
    proof = repo.at("main").prove("m", "a")
    with pytest.raises(Invalid) as caught:
        proof.verify(None, "m", "a")  # type: ignore[arg-type]  # The mistake.
    assert caught.value.code == "address"


def test_a_directory_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """A name past the system's limit, and a NUL in it, are errors of ours."""
    long = tmp_path / ("x" * 100_000)
    for call in (open_repository, create_repository, find_repository):
        with pytest.raises(StorageFailed) as caught:
            call(long)
        assert caught.value.code == "io-error" and caught.value.hint
    with pytest.raises(Invalid) as invalid:
        create_repository("a\0b")
    assert invalid.value.code == "file-path"
    with pytest.raises(NotFound):
        open_repository("a\0b")


HIDDEN = ["a\u200bb", "a\u202eb", "a\u2028b", "\ufeffa"]


@pytest.mark.parametrize("name", HIDDEN)
def test_new_names_have_no_marks_that_nobody_sees(repo: Repository, name: str) -> None:
    """Branches, tags, datasets and resolvers: with them two names look equal."""
    address = repo.resolve("main")
    calls: list[Callable[[], Any]] = [
        lambda: repo.create_branch(name),
        lambda: repo.tags.create(name, address),
        lambda: repo.branches.update({name: address}),
        lambda: App().resolver(name),
    ]
    for call in calls:
        with pytest.raises(Invalid) as caught:
            call()
        assert caught.value.code in ("ref-name", "unknown-policy")
        assert "U+" in str(caught.value) and caught.value.hint
    with repo.transaction("main") as tx:
        edits: list[Callable[[], Any]] = [
            lambda: tx.map(name),
            lambda: tx.rename("m", name),
            lambda: tx.set_policy("m", f"app:{name}"),
        ]
        for edit in edits:
            with pytest.raises(Invalid) as caught:
                edit()
            assert caught.value.hint


@pytest.mark.parametrize("name", HIDDEN[:2])
def test_old_names_with_such_marks_stay_usable(name: str) -> None:
    """What was named before is read, written, moved, renamed and deleted."""
    with memory_repository() as repo:
        first = repo.resolve("main")
        note = RefNote("", "", 0)
        repo.store.move_refs([RefMove(f"branches/{name}", None, bytes(first))], note)
        with repo.transaction(name) as tx:
            tx.map("m")[1] = 2
        assert repo.at(name).map("m")[1] == 2
        repo.branches[name] = first
        repo.switch(name)
        repo.switch("main")
        repo.delete_branch(name)
        assert list(repo.branches) == ["main"]
