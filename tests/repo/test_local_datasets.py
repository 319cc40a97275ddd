"""Local datasets: marked when they are made, and told by every version."""

from __future__ import annotations

import pytest

from prolly.errors import Invalid
from prolly.repo import Repository
from prolly.testing.repositories import memory_repository


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
    """The mark is part of the version; without it a dataset is shared."""
    found = {name: info.local for name, info in repo.at("main").datasets.items()}
    assert found == {"b": True, "f": True, "m": True, "shared": False, "t": True}


def test_the_mark_stays(repo: Repository) -> None:
    """Later edits need not repeat it, and it survives them."""
    with repo.transaction("main") as tx:
        tx.map("m")["k"] = 2
        tx.map("m", local=True)["l"] = 2
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
