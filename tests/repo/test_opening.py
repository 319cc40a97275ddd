"""Opening: what fails on the way leaves nothing open."""

from __future__ import annotations

from pathlib import Path

import pytest

from prolly.chunks import LocalStore, MemoryStore
from prolly.env import SYSTEM
from prolly.errors import AlreadyExists, NotFound, StorageFailed
from prolly.history import BRANCHES
from prolly.repo import (
    begin_history,
    create_repository,
    create_store,
    open_repository,
    open_store,
)


def closed(monkeypatch: pytest.MonkeyPatch) -> list[LocalStore]:
    """Return the list that stores go to when they are closed."""
    found: list[LocalStore] = []
    close = LocalStore.close

    def noted(store: LocalStore) -> None:
        found.append(store)
        close(store)

    monkeypatch.setattr(LocalStore, "close", noted)
    return found


@pytest.mark.parametrize("what", ["sequence", "writer"])
def test_a_store_that_fails_while_it_is_opened_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Nobody has it, so nobody else could close it."""
    LocalStore.create(tmp_path / ".prolly").close()
    stores = closed(monkeypatch)

    def fail(store: LocalStore) -> int:
        raise StorageFailed("the disk is gone", hint="Look for it.")

    with monkeypatch.context() as broken:
        broken.setattr(LocalStore, what, fail)
        with pytest.raises(StorageFailed):
            open_store(tmp_path)
    assert len(stores) == 1
    with open_repository(tmp_path) as repo:
        assert list(repo.branches) == ["main"]


def test_what_is_created_can_be_opened(tmp_path: Path) -> None:
    """In a directory that is made for it; once, and as itself."""
    with create_repository(tmp_path / "new") as repo:
        first = repo.resolve("main")
    with open_repository(tmp_path / "new", writable=False) as repo:
        assert repo.resolve("main") == first
        assert repo.path == tmp_path / "new"
    with pytest.raises(AlreadyExists) as there:
        create_store(tmp_path / "new")
    assert there.value.code == "repository-exists"
    with pytest.raises(NotFound) as caught:
        open_store(tmp_path)
    assert caught.value.code == "no-repository"


def test_every_history_begins_alike() -> None:
    """The first commit is the same in every store."""
    stores = MemoryStore(), MemoryStore()
    for store in stores:
        begin_history(store, SYSTEM)
    first, second = [store.read_ref(BRANCHES + "main") for store in stores]
    assert first == second is not None
