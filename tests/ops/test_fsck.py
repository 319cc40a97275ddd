"""The check of a repository: silent where all is well, and every damage is found."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import prolly
from prolly.chunks import LocalStore, RefMove
from prolly.codec import (
    DEFAULT_PARAMETERS,
    FORMAT_PARAMETERS,
    Commit,
    Descriptor,
    Reference,
    encode_blob_node,
    encode_commit,
    encode_descriptor,
    encode_referring,
    manifest_key,
)
from prolly.codec.node import Child, encode_inner, encode_leaf
from prolly.codec.store_entry import decode_location, encode_location
from prolly.ops import Fault, check_repository
from prolly.testing.direct_executor import DirectExecutor
from prolly.testing.repositories import memory_repository
from prolly.tree import NodeReader, build

# Enough that the commit goes into a pack, and its tree has two levels.
RECORDS = 4000

CHUNKS = b"chunks"


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[prolly.Repository]:
    """A repository with a bulk commit in a pack, and a small one in the index."""
    source = random.Random(1)
    with prolly.init(tmp_path / "r") as repo:
        with repo.transaction("main", message="bulk") as tx:
            tx.map("m").update(
                (f"k{n:05d}", source.randbytes(90)) for n in range(RECORDS)
            )
            tx.map("m")["blob"] = source.randbytes(200_000)
        with repo.transaction("main", message="small") as tx:
            tx.table("t", key="id").insert({"id": 1, "name": "Ada"})
        with repo.working_area().edit("test") as workspace:
            workspace.map("m")["k00001"] = "edited"
        yield repo


def faults(repo: prolly.Repository, *, full: bool = True) -> list[Fault]:
    """Return the faults that a check finds, whoever looks, with fresh eyes."""
    found = list(check_repository(repo.store, full=full))
    shared = check_repository(repo.store, full=full, jobs=DirectExecutor())
    assert list(shared) == found
    return found


def codes(repo: prolly.Repository, *, full: bool = True) -> set[str]:
    """Return the codes of the faults."""
    return {fault.code for fault in faults(repo, full=full)}


def local(repo: prolly.Repository) -> LocalStore:
    """Return the store in the directory."""
    store = repo.store.inner  # type: ignore[attr-defined]  # It is a wrapper.
    assert isinstance(store, LocalStore)
    return store


def pack_of(repo: prolly.Repository) -> Path:
    """Return the file of the one pack."""
    (path,) = Path(local(repo).path, "packs").iterdir()
    return path


def write_entry(repo: prolly.Repository, address: bytes, entry: bytes | None) -> None:
    """Put an entry of a chunk into the index, or take it out."""
    local(repo)._index.change(lambda step: None)
    environment = local(repo)._environment
    table = environment.databases[CHUNKS]
    if entry is None:
        environment.write(lambda changing: changing.delete(address, db=table))
    else:
        environment.write(lambda changing: changing.put(address, entry, db=table))


def entry_of(repo: prolly.Repository, address: bytes) -> bytes:
    """Return the entry of a chunk in the index."""
    entry = local(repo)._index.chunk_entry(address)
    assert entry is not None
    return entry


def test_nothing_is_found_where_all_is_well(repo: prolly.Repository) -> None:
    """Neither check finds a fault; both count the chunks that there are."""
    for full in (False, True):
        check = check_repository(repo.store, full=full)
        assert list(check) == []
        assert check.objects == sum(1 for _ in repo.store.iter_addresses())
        assert check.bytes > 90 * RECORDS and check.faults == 0
    assert list(check_repository(memory_repository().store, full=True)) == []


@pytest.mark.parametrize("place", [20, 150_000, 300_000])
def test_a_flipped_byte_in_a_pack(repo: prolly.Repository, place: int) -> None:
    """A bit that changed anywhere in a frame is found by the full check."""
    path = pack_of(repo)
    data = bytearray(path.read_bytes())
    data[place] ^= 0x10
    path.write_bytes(data)
    found = faults(repo)
    assert {"hash-mismatch", "pack-name"} <= {fault.code for fault in found}
    (damaged,) = [fault for fault in found if fault.code == "hash-mismatch"]
    assert damaged.address is not None and damaged.ref == "branches/main"
    (renamed,) = [fault for fault in found if fault.code == "pack-name"]
    assert renamed.path == str(path)


def test_a_pack_that_is_gone(repo: prolly.Repository) -> None:
    """Each chunk of a missing pack is named, and so is the file."""
    pack_of(repo).unlink()
    for full in (False, True):
        # A store that had the file open would still read it.
        with prolly.open(repo.path or "") as fresh:
            found = faults(fresh, full=full)
        assert {fault.code for fault in found} == {"pack-missing"}
        assert [fault for fault in found if fault.path and not fault.address]
        assert [fault for fault in found if fault.address]


def test_a_pack_that_is_cut(repo: prolly.Repository) -> None:
    """A pack without its end is found by the basic check."""
    path = pack_of(repo)
    path.write_bytes(path.read_bytes()[:-1000])
    assert codes(repo, full=False) & {"pack-truncated", "pack-footer"}


def test_an_index_entry_that_is_gone(repo: prolly.Repository) -> None:
    """A chunk that the index lost is missing, for the basic check too."""
    root = bytes(repo.at("main").datasets["m"].root)
    write_entry(repo, root, None)
    for full in (False, True):
        found = faults(repo, full=full)
        assert {fault.code for fault in found} == {"chunk-missing"}
        assert {fault.address for fault in found} == {root}


def test_index_entries_that_lie(repo: prolly.Repository) -> None:
    """An entry with another place, another pack or no form is found."""
    root = bytes(repo.at("main").datasets["m"].root)
    right = entry_of(repo, root)
    number, offset, length = decode_location(right)
    for wrong in (
        encode_location(number, offset + 1, length),
        encode_location(number + 9, offset, length),
        b"\7abc",
        b"\0",
    ):
        write_entry(repo, root, wrong)
        assert "store-entry" in codes(repo, full=False)
    write_entry(repo, root, right)
    assert codes(repo) == set()


def test_refs_to_nothing_and_to_the_wrong_thing(repo: prolly.Repository) -> None:
    """A ref to an absent chunk, and a branch at something that is no commit."""
    root = bytes(repo.at("main").root)
    repo.store.move_refs(
        [RefMove("tags/gone", None, bytes(32)), RefMove("branches/odd", None, root)]
    )
    found = {(fault.code, fault.ref) for fault in faults(repo, full=False)}
    assert found == {("ref-dangling", "tags/gone"), ("chunk-type", "branches/odd")}


def test_a_swapped_inline_chunk(repo: prolly.Repository) -> None:
    """Other bytes under an address are found, reachable or not."""
    with repo.store.writer() as writer:
        stray = writer.put(b"\3stray")
        writer.commit()
    write_entry(repo, stray, b"\0\3other")
    (fault,) = faults(repo)
    assert (fault.code, fault.address, fault.ref) == ("hash-mismatch", stray, None)
    assert codes(repo, full=False) == set()


def plant(repo: prolly.Repository, build_root: Any, **descriptor: Any) -> None:
    """Commit a version whose one dataset is what ``build_root`` writes."""
    with repo.store.writer() as writer:
        root = build_root(writer)
        if not isinstance(root, Reference):
            root = Reference(root, writer.get(root)[0])
        settings = {"name": "x", "kind": "map", **descriptor}
        value, _piece = encode_descriptor(Descriptor(roots=(root,), **settings))
        batch = [manifest_key(b"12345678")], [value]
        manifest = build(writer, [batch], FORMAT_PARAMETERS)
        commit_over(repo, writer, manifest)


def commit_over(repo: prolly.Repository, writer: Any, manifest: bytes) -> None:
    """Move a new branch to a commit above a manifest."""
    parent = bytes(repo.branches["main"])
    generation = repo.commit_of(parent).generation + 1
    commit = Commit((parent,), manifest, "", 0, "", generation=generation)
    commit_id = writer.put(encode_commit(commit))
    writer.commit([RefMove("branches/planted", None, commit_id)])


def hostile(change: Any) -> Any:
    """Return what writes a tree of two levels whose first entry is changed."""

    def write(writer: Any) -> bytes:
        records = [b"\2k%05d\0" % n for n in range(800)], [b"\x41v"] * 800
        root = build(writer, [records], DEFAULT_PARAMETERS)
        node = NodeReader(writer.get).read_inner(root, 1)
        children: list[Child] = list(node.children())
        children[0] = change(children[0])
        return bytes(writer.put(encode_inner(1, node.keys(), children)))

    return write


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("node-count", lambda child: child._replace(records=child.records + 1)),
        ("node-weight", lambda child: child._replace(weight=child.weight + 1)),
    ],
)
def test_planted_counts_and_weights(
    repo: prolly.Repository, code: str, change: Any
) -> None:
    """Hostile nodes with the right hashes and a lie in them are found."""
    plant(repo, hostile(change))
    assert codes(repo, full=False) == set()
    assert codes(repo) == {code}


def test_a_planted_cut(repo: prolly.Repository) -> None:
    """A tree cut where the splitter would not cut is found."""

    def write(writer: Any) -> bytes:
        keys = [b"\2k%05d\0" % n for n in range(600)]
        halves = keys[:300], keys[300:]
        children = []
        for half in halves:
            values = [b"\x41v"] * 300
            address = writer.put(encode_leaf(half, values))
            weight = sum(map(len, half)) + 300 * (2 + 8)
            children.append(Child(address, 300, weight))
        lasts = [half[-1] for half in halves]
        return bytes(writer.put(encode_inner(1, lasts, children)))

    plant(repo, write)
    assert codes(repo) == {"node-cut"}


def leaf(keys: list[bytes], values: list[bytes]) -> Any:
    """Return what writes one leaf."""
    return lambda writer: writer.put(encode_leaf(keys, values))


SCHEMA = {"columns": [{"name": "id", "type": "int"}], "key": ["id"]}


def test_planted_records_that_are_none(repo: prolly.Repository) -> None:
    """A value that is no CBOR, and a key that is no key, are found with their leaf."""
    plant(repo, leaf([b"\2a\0"], [b"\xff"]))
    (fault,) = faults(repo)
    assert "'x'" in fault.detail and fault.address is not None
    repo.delete_branch("planted")
    plant(repo, leaf([b"\2a"], [b"\x01"]))
    assert codes(repo) == {"key-spelling"}


def test_planted_spelling(repo: prolly.Repository) -> None:
    """A node that is spelt in another way than the one is found."""
    right = encode_leaf([b"\2a\0"], [b"\x01"])
    # The prefix as a byte string of one more length byte.
    at = right.index(b"\x43\x02a\x00")
    wrong = right[:at] + b"\x58\x03" + right[at + 1 :]
    plant(repo, lambda writer: writer.put(wrong))
    assert codes(repo, full=False) == set()
    assert codes(repo) == {"node-form"}


def test_a_planted_descriptor(repo: prolly.Repository) -> None:
    """A value of the manifest that is no descriptor is found by both checks."""
    with repo.store.writer() as writer:
        piece = writer.put(b"\3piece")
        value = encode_referring([Reference(piece, 3)], b"\x01")
        batch = [manifest_key(b"12345678")], [value]
        commit_over(repo, writer, build(writer, [batch], FORMAT_PARAMETERS))
    for full in (False, True):
        assert codes(repo, full=full) == {"descriptor"}


def test_a_planted_blob(repo: prolly.Repository) -> None:
    """A blob node that tells another length than its piece has is found."""

    def write(writer: Any) -> bytes:
        piece = writer.put(b"\3" + b"x" * 100)
        node = writer.put(encode_blob_node(1, [piece], [99]))
        value = encode_referring([Reference(node, 4)])
        return bytes(writer.put(encode_leaf([b"\2a\0"], [value])))

    plant(repo, write)
    assert "blob-form" in codes(repo)


def test_a_planted_generation(repo: prolly.Repository) -> None:
    """A commit whose generation is not one more than its parents' is found."""
    parent = bytes(repo.branches["main"])
    root = repo.commit_of(parent).root
    with repo.store.writer() as writer:
        commit = Commit((parent,), root, "", 0, "", generation=77)
        commit_id = writer.put(encode_commit(commit))
        writer.commit([RefMove("branches/planted", None, commit_id)])
    (fault,) = faults(repo)
    assert (fault.code, fault.address) == ("commit-generation", commit_id)


def test_every_fault_is_found(repo: prolly.Repository) -> None:
    """Three damages at once are three faults: none hides another."""
    repo.store.move_refs([RefMove("tags/gone", None, bytes(32))])
    with repo.store.writer() as writer:
        stray = writer.put(b"\3stray")
        writer.commit()
    write_entry(repo, stray, b"\0\3other")
    write_entry(repo, bytes(repo.at("main").datasets["m"].root), None)
    check = check_repository(repo.store, full=True)
    found = [fault.code for fault in check]
    assert sorted(found) == ["chunk-missing", "hash-mismatch", "ref-dangling"]
    assert check.faults == 3
