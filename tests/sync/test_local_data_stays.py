"""What is local leaves over no line, and nothing that comes can pass for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import prolly
from prolly.codec import dataset_id
from prolly.datasets import write_manifest
from prolly.history import LOCAL, LOCAL_DATASETS
from prolly.ops import check_repository, create_bundle
from prolly.repo import Repository
from prolly.sync import Service, fetch, pull, push
from prolly.testing.repositories import memory_repository, write_on
from prolly.testing.sync_forgery import Forger, contents, refused
from prolly.testing.sync_lines import NodesRemote, ServiceRemote, line_to
from prolly.tree import reachable

SECRET = "nobody else's"


def keep_local(repo: Repository, **records: Any) -> None:
    """Write to a local map, beside something shared."""

    def write(tx: Any) -> None:
        tx.map("drafts", local=True).update({**records, "secret": SECRET})
        tx.map("shared").update(records)

    write_on(repo, "main", write)


def local_chunks(repo: Repository) -> set[bytes]:
    """Return the addresses of what only local datasets reach."""
    store = repo.store
    refs = dict(store.iter_refs())
    beside = refs.pop(LOCAL_DATASETS)
    shared = {one for one, _ in reachable(store.get_many, refs.values())}
    return {one for one, _ in reachable(store.get_many, [beside])} - shared


def assert_kept(theirs: Repository, *others: Repository) -> None:
    """Fail unless nothing local of ``theirs`` is with others."""
    own = local_chunks(theirs)
    assert len(own) >= 3
    for other in others:
        addresses, refs = contents(other)
        assert not own & addresses
        found = [other.store.get(one) or b"" for one in addresses]
        assert not any(SECRET.encode() in chunk for chunk in found)
        assert not any(name.startswith(LOCAL) for name in refs)
        assert "drafts" not in other.at("main").datasets


def test_no_line_takes_it_along(tmp_path: Path) -> None:
    """Clone, fetch, push and bundle carry the commits alone."""
    with prolly.init(tmp_path / "a") as ours:
        keep_local(ours, a=1)
        with prolly.clone(str(tmp_path / "a"), tmp_path / "b") as cloned:
            assert_kept(ours, cloned)
            keep_local(ours, a=2, b="x" * 5000)
            cloned.pull()
            assert_kept(ours, cloned)
            assert cloned.at("main").map("shared")["a"] == 2
        pushed = memory_repository()
        push(ours, remote=line_to(pushed))
        assert_kept(ours, pushed)
        create_bundle(ours, tmp_path / "all", everything=True)
        with prolly.clone(f"bundle:{tmp_path / 'all'}", tmp_path / "c") as unpacked:
            assert_kept(ours, unpacked)


def test_what_is_called_alike_is_kept_on_both_sides() -> None:
    """A pull brings a shared dataset of the name: both are there, and each replica
    goes on with its own."""
    theirs, ours = memory_repository(), memory_repository()
    ours.remotes["origin"] = "test:"
    write_on(theirs, "main", lambda tx: tx.map("drafts").update(of="all"))
    keep_local(ours, of="mine")
    pull(ours, remote=line_to(theirs), allow_unrelated=True)
    assert ours.at("main").map("drafts")["of"] == "mine"
    assert dict(ours.at("main").map("drafts~shared")) == {"of": "all"}
    write_on(ours, "main", lambda tx: tx.map("drafts").update(more=1))
    write_on(ours, "main", lambda tx: tx.map("drafts", local=False).update(ours=1))
    push(ours, remote=line_to(theirs))
    assert dict(theirs.at("main").map("drafts")) == {"of": "all", "ours": 1}
    assert "more" in ours.at("main").map("drafts")
    assert list(check_repository(ours.store, full=True)) == []


@pytest.mark.parametrize("kind", [ServiceRemote, NodesRemote])
def test_what_has_the_id_of_a_local_dataset_is_refused(
    kind: type[ServiceRemote],
) -> None:
    """A peer cannot put a dataset where a local one stands, marked as it may be."""
    forger = Forger()
    write_on(forger.repo, "main", lambda tx: tx.map("m").update(a=1))
    storage = forger.repo.storage
    entry = forger.repo.at("main").entries["m"]
    root = forger.repo.commit_of("main").root
    with forger.repo.store.writer() as writer:
        planted = {dataset_id("m", "map", (), local=True): entry}
        manifest = write_manifest(storage.reader, writer, root, planted)
        writer.commit()
    forger.commit(manifest)
    line = kind(Service(forger.repo))
    assert refused(line).code == "record-spelling"


def test_local_data_does_not_hinder_a_fetch() -> None:
    """It is nobody's change: replicas that differ in it alone have nothing to do."""
    theirs, ours = memory_repository(), memory_repository()
    ours.remotes["origin"] = "test:"
    keep_local(theirs, a=1)
    pull(ours, remote=line_to(theirs))
    write_on(ours, "main", lambda tx: tx.map("mine", local=True).update(a=1))
    write_on(theirs, "main", lambda tx: tx.map("drafts").update(a=2))
    before = contents(ours)
    assert fetch(ours, remote=line_to(theirs)).updated == {}
    assert contents(ours) == before
