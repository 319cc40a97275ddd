"""Resolvers of rows that edit what they are given, or answer with odd objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from prolly.merge import Clash
from prolly.repo import Repository, Transaction
from prolly.tables import Schema
from prolly.testing.repositories import diverged

SCHEMA = Schema.create([("id", "int"), ("a", "int"), ("tags", "json")], "id")


def two_rows() -> Repository:
    """Return a repository of which two branches changed one row."""

    def row(a: int, tags: list[str], key: int = 1) -> Any:
        return {"id": key, "a": a, "tags": tags}

    def base(tx: Transaction) -> None:
        tx.table("t", schema=SCHEMA).load([row(0, ["b"]), row(0, ["x"], 2)])

    return diverged(
        base,
        lambda tx: tx.table("t").upsert(row(1, ["b"])),
        lambda tx: tx.table("t").upsert(row(2, ["t"])),
    )


def test_an_edited_argument_is_an_answer() -> None:
    """A row edited in place and handed back stands as it was edited."""

    def edit(clash: Clash) -> Any:
        clash.merged["tags"].append("both")
        clash.ours["tags"].append("lost")
        return clash.merged

    repo = two_rows()
    assert repo.merge("feature", resolve=edit).status == "merged"
    assert repo.at("main").table("t")[1]["tags"] == ["t", "both"]


def test_an_edit_without_an_answer_changes_nothing() -> None:
    """What a resolver did to its argument before it failed is forgotten."""

    def fail(clash: Clash) -> Any:
        for version in (clash.base, clash.ours, clash.theirs, clash.merged):
            version["tags"].append("half done")
        raise ValueError

    repo = two_rows()
    [found] = repo.merge("feature", resolve=fail).conflicts.values()
    assert found.theirs["tags"] == ["t"]
    with repo.working_area("main").edit("look") as edited:
        assert edited.table("t")[1] == {"id": 1, "a": 1, "tags": ["t"]}


class Silent(Exception):
    """An error that does not print."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Closed(dict[Any, Any]):
    """A mapping that cannot be looked through."""

    def __iter__(self) -> Iterator[Any]:
        raise Silent


class Unspeakable(str):
    """A name that does not print."""

    def __repr__(self) -> str:
        raise Silent


def raises(clash: Clash) -> Any:
    raise Silent


@pytest.mark.parametrize(
    "resolve",
    [
        raises,
        lambda clash: Closed(id=1, a=1, tags=[]),
        lambda clash: {Unspeakable("z"): 1},
        lambda clash: {"id": 1, "a": Unspeakable("z"), "tags": []},
        lambda clash: {"id": 1, "a": 1, "tags": {Unspeakable("z"): Silent}},
    ],
)
def test_no_answer_stops_a_merge(resolve: Any) -> None:
    """Objects whose own methods raise leave the conflict, with a reason."""
    [found] = two_rows().merge("feature", resolve=resolve).conflicts.values()
    assert found.reason
