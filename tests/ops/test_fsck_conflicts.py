"""Hostile trees of conflicts: never a bare error, never a commit, and fsck tells."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from prolly.chunks import RefMove
from prolly.codec import (
    FORMAT_PARAMETERS,
    Reference,
    Referring,
    cbor,
    encode_referring,
    encode_working,
)
from prolly.codec import key as key_codec
from prolly.datasets import Manifest
from prolly.errors import Corrupt, Error
from prolly.maps import encode_value
from prolly.ops import check_repository, export_conflicts
from prolly.repo import Conflicts, Repository
from prolly.testing.repositories import memory_repository
from prolly.testing.waiting_merges import both, merged, rows, sets
from prolly.tree import NodeReader, build

BASE = both(rows({"id": 1, "a": 1, "b": 1}), sets(k=1))
OURS = both(rows({"id": 1, "a": 2, "b": 1}), sets(k=2))
THEIRS = both(rows({"id": 1, "a": 3, "b": 1}), sets(k=3))
ROW, MAP_KEY = key_codec.encode((1,)), key_codec.encode(("k",))
OPEN: dict[str, Any] = {"fields": [], "reason": "", "settled": None}


class Group(NamedTuple):
    """The conflicts of a dataset, by name or id, and kind; ``count`` says how many."""

    dataset: str | bytes = "t"
    kind: int = 0
    count: Any = 1
    key: bytes = ROW
    entry: Any = MappingProxyType({})


HOSTILE = {
    "dataset-unknown": Group(b"x" * 16),
    "dataset-short": Group(b""),
    "kind-unknown": Group(kind=9),
    "count-negative": Group(count=-5),
    "count-forged": Group(count=0),
    "count-other": Group(count=2),
    "count-bool": Group(count=True),
    "taken-lists": Group(entry={"fields": [1], "taken": {"00000001": [1]}}),
    "taken-list": Group(entry={"fields": [1], "taken": []}),
    "taken-odd": Group(entry={"fields": [1], "taken": {"00000001": "mine"}}),
    "field-negative": Group(entry={"fields": [-5]}),
    "field-huge": Group(entry={"fields": [2**400]}),
    "settled-odd": Group(entry={"settled": "\x1b[31m" + "x" * 100_000}),
    "constraint-list": Group(kind=2, entry={"constraint": ["x"]}),
    "what-missing": Group(kind=1, key=MAP_KEY),
    "what-list": Group(kind=1, key=MAP_KEY, entry={"what": ["a"]}),
    "key-odd": Group(key=b"\xff\xfe"),
    "entry-list": Group(entry=[1]),
}
# What a newer release, or an odd one, may say: nothing is wrong with it.
ODD = {
    "what-unknown": Group(kind=1, key=MAP_KEY, entry={"what": "ke y"}),
    "what-plural": Group(kind=1, key=MAP_KEY, entry={"what": "indexe x"}),
    "policy-odd": Group(kind=1, key=MAP_KEY, entry={"what": "policy zzz"}),
    "taken-nowhere": Group(entry={"taken": {"zz": "ours"}}),
    "field-twice": Group(entry={"fields": [1, 1]}),
    "map-fields": Group("m", key=MAP_KEY, entry={"fields": [1]}),
    "key-of-two": Group(key=key_codec.encode((1, 2))),
}


def waiting(group: Group) -> tuple[Repository, Conflicts]:
    """Return a repository whose merge has just these conflicts."""
    repo, conflicts = merged(BASE, OURS, THEIRS)
    before, state = repo.working_area("main").read()
    with repo.store.writer() as writer:
        reader = NodeReader(writer.get)

        def tree(records: dict[bytes, Any]) -> bytes:
            batch = sorted(records), [records[one] for one in sorted(records)]
            return build(writer, [batch], FORMAT_PARAMETERS)

        def referring(root: bytes, payload: bytes = b"") -> Referring:
            kind = reader.read_chunk(root)[0]
            return encode_referring([Reference(root, kind)], payload)

        odd = group.entry
        told = odd if type(odd) is list else {**OPEN, **odd}
        entries = tree({group.key: encode_value(told, writer)})
        identity = group.dataset
        if isinstance(identity, str):
            [identity] = [
                one
                for one, entry in Manifest(reader, state.manifest).by_id.items()
                if entry.name == group.dataset
            ]
        place = key_codec.encode((identity, group.kind))
        conflict_tree = tree(
            {
                key_codec.encode(("base",)): referring(state.manifest),
                place: referring(entries, cbor.encode(group.count)),
            }
        )
        address = writer.put(encode_working(state._replace(conflicts=conflict_tree)))
        writer.commit([RefMove("working/main", before, address)])
    return repo, conflicts


ACTS: list[Callable[[Conflicts], object]] = [
    lambda one: list(one.of(open_only=False)),
    len,
    dict,
    lambda one: one.counts(),
    lambda one: one.settle("t", 1, "theirs"),
    lambda one: one.settle("t", 1, "theirs", fields=["a"]),
    lambda one: one.settle_value("t", 1, {"a": 5}),
    lambda one: one.settle("m", "k", "theirs"),
    lambda one: [one.settle_schema(*name[:2], "theirs") for name in one],
    lambda one: export_conflicts(one, io.BytesIO()),
    lambda one: one.settle_all("base"),
]


@pytest.mark.parametrize("name", [*HOSTILE, *ODD])
def test_nothing_but_our_errors_comes_of_it(name: str) -> None:
    """Whatever is asked of such conflicts, each on its own repository."""
    for act in ACTS:
        with suppress(Error):
            act(waiting({**HOSTILE, **ODD}[name])[1])


@pytest.mark.parametrize("name", HOSTILE)
def test_such_a_merge_is_not_committed_and_the_check_tells(name: str) -> None:
    """Not even where the tree says that all is settled."""
    repo, conflicts = waiting(HOSTILE[name])
    head = repo.branches["main"]
    with pytest.raises(Error):
        conflicts.commit("x")
    assert repo.branches["main"] == head
    found = {one.code for one in check_repository(repo.store, full=True)}
    assert found & {"conflict-tree", "conflict-entry", "key-spelling"}


def test_open_conflicts_behind_a_forged_count() -> None:
    """The count is taken at the commit: Corrupt ``conflict-tree``."""
    _, conflicts = waiting(HOSTILE["count-forged"])
    with pytest.raises(Corrupt) as caught:
        conflicts.commit("x")
    assert caught.value.code == "conflict-tree"


def test_honest_conflicts_have_no_faults() -> None:
    """Neither open nor settled, nor what is odd and no harm; none without a merge."""
    repo, conflicts = merged(BASE, OURS, THEIRS)
    assert not list(check_repository(repo.store, full=True))
    conflicts.settle("t", 1, "theirs", fields=["a"])
    conflicts.settle("m", "k", "keep")
    assert not list(check_repository(repo.store, full=True))
    assert not list(check_repository(memory_repository().store, full=True))
    for group in ODD.values():
        assert not list(check_repository(waiting(group)[0].store, full=True))
