"""Repositories in which a merge waits, and what is written and refused in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prolly.errors import Error
from prolly.repo import Conflicts, Repository, Transaction

from .repositories import Write, diverged


def sets(**values: Any) -> Write:
    """Return a write that sets keys of the map ``m``."""
    return lambda tx: tx.map("m").update(values)


def rows(*written: dict[str, Any], table: str = "t") -> Write:
    """Return a write of rows of a table with key ``id``."""

    def write(tx: Transaction) -> None:
        for row in written:
            tx.table(table, key="id").upsert(row)

    return write


def both(*writes: Write) -> Write:
    """Return all writes, one after the other."""

    def write(tx: Transaction) -> None:
        for one in writes:
            one(tx)

    return write


def merged(base: Write, ours: Write, theirs: Write) -> tuple[Repository, Conflicts]:
    """Return a repository in which a merge into ``main`` waits for its conflicts."""
    repo = diverged(base, ours, theirs)
    assert repo.merge("feature").status == "conflicts"
    return repo, repo.conflicts("main")


def refused(code: str, repo: Repository, call: Callable[[], object]) -> Error:
    """Return the error of a call, which has this code and changes no ref."""
    before = repo.store.sequence(), list(repo.store.iter_refs())
    try:
        call()
    except Error as error:
        assert error.code == code, error
        assert (repo.store.sequence(), list(repo.store.iter_refs())) == before
        return error
    raise AssertionError(f"nothing was refused as {code}")
