"""The datasets of a version as commits keep them, and as they are read anew."""

from __future__ import annotations

from prolly.chunks import CountingStore, MemoryStore
from prolly.datasets import Manifest, stored_table
from prolly.repo import Transaction
from prolly.tables import Schema
from prolly.testing.repositories import memory_repository, write_on
from prolly.tree import NodeReader

ROW = {"id": 1, "name": "one"}


def _begin(tx: Transaction) -> None:
    tx.map("map")["key"] = 1
    tx.table("table", key="id").insert(ROW)
    tx.blob("blob", "wb").write(b"content")


def _write_map(tx: Transaction) -> None:
    tx.map("map")["key"] = 2


def _write_row(tx: Transaction) -> None:
    tx.table("table").upsert({"id": 2, "name": "two"})


def _alter(tx: Transaction) -> None:
    tx.table("table").alter().add_index("by_name", ("name",))


def _policy(tx: Transaction) -> None:
    tx.set_policy("map", "last-writer-wins")


def _drop(tx: Transaction) -> None:
    tx.drop("blob")


def test_what_a_commit_keeps_of_datasets_is_what_it_stored() -> None:
    """After commits of every kind, descriptors kept are those that are read."""
    store = MemoryStore()
    repo = memory_repository(store)
    for write in (_begin, _write_map, _write_row, _policy, _write_map, _alter, _drop):
        write_on(repo, "main", write)
        snapshot = repo.at("main")
        read = Manifest(NodeReader(store.get), snapshot.root).by_id
        assert dict(snapshot.entries) == {one.name: one for one in read.values()}
        for entry in read.values():
            if entry.kind == "table":
                kept = stored_table(snapshot.entries[entry.name])
                assert kept.schema == Schema.from_value(entry.schema)


def test_the_next_commit_reads_no_manifest() -> None:
    """Where only roots changed, what was written is known without reading it."""
    store = CountingStore(MemoryStore())
    repo = memory_repository(store)
    for write in (_begin, _write_map, _write_row):
        write_on(repo, "main", write)
    store.costs.reset()
    write_on(repo, "main", _write_map)
    assert store.costs.gets == 0
