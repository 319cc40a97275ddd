"""Repositories that break the format and are served as if they were right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from prolly.chunks import RefMove
from prolly.codec import (
    DEFAULT_PARAMETERS,
    FORMAT_PARAMETERS,
    ChunkType,
    Commit,
    Descriptor,
    Reference,
    cbor,
    dataset_id,
    encode_commit,
    encode_descriptor,
    key,
    manifest_key,
)
from prolly.codec.node import Child, decode_node, encode_inner, encode_leaf
from prolly.codec.wire import FrameDecoder, FrameType, WireFrame, encode_wire_frame
from prolly.datasets import Manifest, write_manifest
from prolly.errors import Error
from prolly.repo import Repository
from prolly.sync import Remote, fetch
from prolly.tree import NodeReader, build
from prolly.tree.operations import node_weight

from .repositories import memory_repository

# Records that make a tree of two levels.
KEYS = [f"key:{number:05d}" for number in range(400)]
VALUES = [cbor.encode(bytes([number % 256]) * 90) for number in range(400)]
ONE = cbor.encode(1)

Change = Callable[[WireFrame], Iterable[tuple[int, bytes]]]


class Forger:
    """A repository whose chunks are put by hand."""

    def __init__(self) -> None:
        self.repo: Repository = memory_repository()

    def put(self, chunk: bytes) -> bytes:
        """Store any chunk."""
        with self.repo.store.writer() as writer:
            address = writer.put(chunk)
            writer.commit()
        return address

    def leaf(self, keys: Sequence[str], values: Sequence[bytes]) -> tuple[bytes, Child]:
        """Store a leaf of text keys; return its last key and its entry."""
        encoded = [key.encode_key(one) for one in keys]
        return self.entry(encode_leaf(encoded, values))

    def entry(self, chunk: bytes) -> tuple[bytes, Child]:
        """Store a node; return its last key and what its parent says of it."""
        node = decode_node(chunk)
        keys = node.keys()
        child = Child(self.put(chunk), node.count(), node_weight(node))
        return keys[-1] if keys else b"", child

    def inner(self, level: int, entries: Sequence[tuple[bytes, Child]]) -> bytes:
        """Store an inner node over entries; return its address."""
        keys, children = zip(*entries, strict=True)
        return self.put(encode_inner(level, list(keys), list(children)))

    def tree(self, keys: Sequence[str], values: Sequence[bytes]) -> bytes:
        """Store the right tree of some records; return its root."""
        with self.repo.store.writer() as writer:
            encoded = [key.encode_key(one) for one in keys]
            root = build(writer, [(encoded, values)], DEFAULT_PARAMETERS)
            writer.commit()
        return root

    def serve(self, root: bytes, kind: str = "map", **changes: Any) -> None:
        """Let ``main`` stand on a commit whose one dataset has this root."""
        chunk = self.repo.store.get(root)
        level = ChunkType.LEAF if chunk is None else chunk[0]
        fields: dict[str, Any] = {"roots": (Reference(root, level),), **changes}
        entry = Descriptor("m", kind, **fields)
        value, piece = encode_descriptor(entry)
        with self.repo.store.writer() as writer:
            if piece is not None:
                writer.put(piece)
            encoded = manifest_key(dataset_id("m", kind, ()))
            manifest = build(writer, [([encoded], [value])], FORMAT_PARAMETERS)
            writer.commit()
        self.commit(manifest)

    def replace(self, name: str, **changes: Any) -> None:
        """Let ``main`` stand on a commit that describes a dataset otherwise."""
        storage = self.repo.storage
        root = self.repo.commit_of("main").root
        identity, entry = _found(storage.reader, root, name)
        with self.repo.store.writer() as writer:
            changed = {identity: entry._replace(**changes)}
            reader = NodeReader(writer.get)
            manifest = write_manifest(reader, writer, root, changed)
            writer.commit()
        self.commit(manifest)

    def commit(self, manifest: bytes, generation: int | None = None) -> None:
        """Let ``main`` stand on a commit of a manifest."""
        tip = bytes(self.repo.resolve("main"))
        due = self.repo.commit_of(tip).generation + 1
        made = Commit((tip,), manifest, "", 0, "", {}, generation or due)
        self.point(encode_commit(made))

    def point(self, chunk: bytes) -> None:
        """Let ``main`` stand on any chunk."""
        tip = bytes(self.repo.resolve("main"))
        with self.repo.store.writer() as writer:
            commit_id = writer.put(chunk)
            writer.commit([RefMove("branches/main", tip, commit_id)])


def forge_first_child(forger: Forger, change: Callable[[Child], Child]) -> None:
    """Serve a tree whose root says something else of its first child."""
    node = forger.repo.storage.reader.read_inner(forger.tree(KEYS, VALUES), 1)
    entries = list(zip(node.keys(), node.children(), strict=True))
    entries[0] = (entries[0][0], change(entries[0][1]))
    forger.serve(forger.inner(1, entries))


def wrong_count(forger: Forger) -> None:
    """Serve a tree whose root tells of a record more than its first child has."""
    forge_first_child(forger, lambda one: one._replace(records=one.records + 1))


def wrong_weight(forger: Forger) -> None:
    """Serve a tree whose root tells another weight of its first child."""
    forge_first_child(forger, lambda one: one._replace(weight=one.weight + 1))


def wrong_cut(forger: Forger) -> None:
    """Serve a tree whose leaves end where no cut is due."""
    halves = [forger.leaf(KEYS[:70], VALUES[:70]), forger.leaf(KEYS[70:], VALUES[70:])]
    forger.serve(forger.inner(1, halves))


def contents(repo: Repository) -> tuple[set[bytes], dict[str, bytes]]:
    """Return all that a store holds."""
    return set(repo.store.iter_addresses()), dict(repo.store.iter_refs())


def victim() -> Repository:
    """Return a repository that will be lied to."""
    repo = memory_repository()
    repo.remotes["origin"] = "test:"
    return repo


def refused(line: Remote, ours: Repository | None = None) -> Error:
    """Fetch over a line, and return the error; nothing may have changed."""
    ours = victim() if ours is None else ours
    before = contents(ours)
    try:
        fetch(ours, remote=line)
    except Error as error:
        assert contents(ours) == before
        return error
    raise AssertionError("it was taken")


def _found(reader: NodeReader, root: bytes, name: str) -> tuple[bytes, Descriptor]:
    found = Manifest(reader, root).find(name)
    assert found is not None
    return found


def rewrite(change: Change, reply: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a reply whose frames were changed: each for any number of others."""
    decoder = FrameDecoder()
    for piece in reply:
        for frame in decoder.feed(piece):
            for kind, payload in change(frame):
                yield encode_wire_frame(FrameType(kind), payload)
