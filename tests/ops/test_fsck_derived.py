"""The full check derives indexes, cuts and references anew, and tells what differs."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from prolly.chunks import ChunkWriter, RefMove
from prolly.codec import (
    Commit,
    Descriptor,
    Reference,
    encode_blob_node,
    encode_commit,
)
from prolly.codec.node import encode_leaf
from prolly.datasets import Manifest, write_manifest
from prolly.ops import check_repository
from prolly.repo import Repository
from prolly.tables import Index, Schema
from prolly.tables import Reference as TableReference
from prolly.testing.repositories import memory_repository
from prolly.tree import NodeReader, apply

COLUMNS = [("id", "int"), ("group", "text"), ("code", "int"), ("parent", "int")]
SCHEMA = Schema.create(
    COLUMNS,
    key="id",
    indexes=[Index("by_code", ("code",), unique=True), Index("by_group", ("group",))],
    references=[TableReference("to_parent", ("parent",), "t")],
)


def row(number: int, **cells: Any) -> dict[str, Any]:
    """Return a row that breaks nothing."""
    plain = {"id": number, "group": "abc"[number % 3], "code": number, "parent": None}
    return {**plain, **cells}


@pytest.fixture
def repo() -> Repository:
    repo = memory_repository()
    with repo.transaction("main", message="base") as tx:
        tx.table("t", schema=SCHEMA).load(row(number) for number in range(500))
    return repo


def codes(repo: Repository, *, full: bool = True) -> list[str]:
    """Return the codes of all faults, in the order of the check."""
    return [fault.code for fault in check_repository(repo.store, full=full)]


Change = Callable[[ChunkWriter, NodeReader, Descriptor], Descriptor]


def plant(repo: Repository, change: Change) -> None:
    """Commit a version whose table was changed behind the back of all checks."""
    root = repo.at("main").root
    parent = bytes(repo.resolve("main"))
    with repo.store.writer() as writer:
        reader = NodeReader(writer.get)
        found = Manifest(reader, root).find("t")
        assert found is not None
        identity, entry = found
        changed = change(writer, reader, entry)
        manifest = write_manifest(reader, writer, root, {identity: changed})
        generation = repo.commit_of(parent).generation + 1
        commit = Commit((parent,), manifest, "", 0, "", generation=generation)
        commit_id = writer.put(encode_commit(commit))
        writer.commit([RefMove("branches/main", parent, commit_id)])


def with_root(
    writer: ChunkWriter, entry: Descriptor, place: int, root: bytes
) -> Descriptor:
    """Return the description of a table with another tree at one place."""
    roots = list(entry.roots)
    chunk = writer.get(root)
    assert chunk is not None
    roots[place] = Reference(root, chunk[0])
    return entry._replace(roots=tuple(roots))


def without_first(place: int) -> Change:
    """Return the change that takes the first entry out of one tree of the table."""

    def change(
        writer: ChunkWriter, reader: NodeReader, entry: Descriptor
    ) -> Descriptor:
        root = entry.roots[place].address
        node: Any = reader.read(root)
        while hasattr(node, "child_addresses"):
            node = reader.read(node.child_addresses()[0])
        edits = [node.keys()[0]], [None]
        parameters = entry.parameters
        return with_root(
            writer, entry, place, apply(reader, writer, root, edits, parameters)
        )

    return change


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_tree_that_lacks_an_entry(repo: Repository, place: int) -> None:
    """An index without one of its entries is found; so are entries without a record."""
    plant(repo, without_first(place))
    assert codes(repo, full=False) == []
    # Without a record, two indexes have one entry too many: that of the reference
    # holds nulls too, the unique one no row of none.
    assert codes(repo) == ["index-content"] * (3 if place == 0 else 1)


def test_versions_after_a_wrong_index_are_still_checked(repo: Repository) -> None:
    """What was found wrong is no base for the next: each version is told, and why."""
    plant(repo, without_first(2))
    with repo.transaction("main") as tx:
        tx.table("t").upsert(row(1000))
    assert codes(repo) == ["index-content"] * 2
    with repo.transaction("main") as tx:
        tx.table("t").alter().drop_index("by_group").add_index("by_group", "group")
    assert codes(repo) == ["index-content"] * 2


def test_an_index_that_is_empty(repo: Repository) -> None:
    """An index of nothing over records is found."""
    plant(
        repo,
        lambda writer, _, entry: with_root(
            writer, entry, 1, writer.put(encode_leaf([], []))
        ),
    )
    assert codes(repo) == ["index-content"]


def test_an_index_without_a_tree(repo: Repository) -> None:
    """A description with fewer trees than the schema has indexes is found."""
    plant(repo, lambda _, __, entry: entry._replace(roots=entry.roots[:-1]))
    assert codes(repo) == ["descriptor"]


def test_rows_that_break_a_unique_index(repo: Repository) -> None:
    """Two rows of one code, planted below a unique index, are named."""
    schema = Schema.create(COLUMNS, key="id")
    with repo.transaction("main") as tx:
        tx.table("u", schema=schema).load([row(1, code=7), row(2, code=7)])
    other = repo.at("main")._manifest.require("u")

    def change(
        writer: ChunkWriter, reader: NodeReader, entry: Descriptor
    ) -> Descriptor:
        return with_root(writer, entry, 0, other.roots[0].address)

    plant(repo, change)
    (fault,) = [
        one
        for one in check_repository(repo.store, full=True)
        if one.code == "unique-violation"
    ]
    assert "by_code" in fault.detail


def test_a_reference_to_no_row(repo: Repository) -> None:
    """A row that names no row is found once, and not again in later versions."""
    free = Schema.create(COLUMNS, key="id")
    with repo.transaction("main") as tx:
        table = tx.table("free", schema=replace(free, indexes=SCHEMA.indexes))
        table.load([row(1, parent=77)])
    planted = repo.at("main")._manifest.require("free")
    plant(
        repo,
        lambda writer, reader, entry: entry._replace(roots=planted.roots),
    )
    with repo.transaction("main") as tx:
        tx.table("t").upsert(row(2))
    assert codes(repo, full=False) == []
    assert codes(repo) == ["reference-missing"]


def test_a_blob_that_is_cut_at_will(repo: Repository) -> None:
    """Pieces of good hashes and lengths, cut where content does not cut, are found."""
    data = random.Random(5).randbytes(300_000)
    with repo.transaction("main") as tx:
        tx.blob("b").write(data)
        tx.map("m")["long"] = data
        tx.files("f").write("a.bin", data)
    assert codes(repo) == []

    def change(
        writer: ChunkWriter, reader: NodeReader, entry: Descriptor
    ) -> Descriptor:
        parts = data[:150_000], data[150_000:]
        pieces = [writer.put(b"\3" + part) for part in parts]
        node = writer.put(encode_blob_node(1, pieces, [len(one) for one in parts]))
        return Descriptor("t", "blob", (Reference(node, 4),))

    plant(repo, change)
    assert codes(repo, full=False) == []
    assert codes(repo) == ["blob-cut"]


def test_a_history_of_edits_is_well() -> None:
    """Whatever edits, alterations and blobs a history has, nothing is told."""
    chance = random.Random(3)
    repo = memory_repository()
    with repo.transaction("main") as tx:
        tx.table("t", schema=SCHEMA).load(row(number) for number in range(300))
        tx.files("f").write("a", chance.randbytes(100_000))
    for step in range(12):
        with repo.transaction("main") as tx:
            table = tx.table("t")
            for _ in range(5):
                number = chance.randrange(400)
                parent = chance.choice([None, 0, 1, 2])
                group = chance.choice(["a", "b", "c", None])
                table.upsert(row(number, group=group, parent=parent))
            table.delete(chance.choice(list(table.keys(start=250))))
            tx.files("f").write(str(step), chance.randbytes(90_000) + b"x" * step)
        if step == 4:
            with repo.transaction("main") as tx:
                tx.table("t").alter().add_index("by_both", ["group", "code"])
        if step == 8:
            with repo.transaction("main") as tx:
                tx.table("t").alter().drop_index("by_group")
    assert codes(repo) == []
