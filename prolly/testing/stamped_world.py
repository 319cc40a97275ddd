"""Manifests written by replicas whose clocks disagree, where the last writer wins.

A map, a table and a blob with that policy; the table also for one column alone, beside
a counter. Every write is a commit's worth, made through a workspace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from itertools import permutations
from uuid import UUID

from prolly.chunks import MemoryStore, RefMove
from prolly.codec import FORMAT_PARAMETERS, Descriptor, encode_commit
from prolly.codec import key as key_codec
from prolly.codec.record_stamps import RecordStamps
from prolly.datasets import Manifest, root_reference, write_manifest
from prolly.history import Commits
from prolly.maps import encode_value
from prolly.merge import Rules, merge_manifests, stamps_of, stamps_root
from prolly.repo import Repository, Workspace
from prolly.repo.stamp_clock import REPLICA_SETTING
from prolly.repo.storage import Storage
from prolly.tables import Schema
from prolly.tree import NodeReader, Versions, build

from .repositories import ticking_environment

Edit = Callable[[Workspace], object]

MAP, TABLE, CELLS, BLOB = "map", "table", "cells", "blob"
_SCHEMA = Schema.create([("id", "int"), ("a", "text"), ("b", "text")], "id")
_COUNTED = Schema.create([("id", "int"), ("a", "text"), ("n", "int")], "id")


class StampedWorld:
    """One store for all replicas, and what they write and merge."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.reader = NodeReader(self.store.get)
        self._storage = Storage(
            self.store,
            self.reader,
            Commits(self.store.get),
            ticking_environment(),
            lambda: UUID(int=0),
        )
        with self.store.writer() as writer:
            self.empty = build(writer, [], FORMAT_PARAMETERS)
            writer.commit()

    def first(self, keys: str = "xyz") -> bytes:
        """Return a manifest with records that nobody stamped, and then the policies."""
        root = self.write(self.empty, lambda space: _fill(space, keys))
        return self.write(root, _set_policies)

    def write(
        self, root: bytes, edit: Edit, *, now_ms: int = 0, replica: int = 0
    ) -> bytes:
        """Return the manifest after an edit by a replica whose clock shows this."""
        name = bytes([replica]) * 8
        self.store.write_setting(REPLICA_SETTING, name)
        environment = ticking_environment()._replace(now_us=lambda: now_ms * 1000)
        space = Workspace(self._storage.varied(environment=environment), root)
        try:
            edit(space)
            written = space.write()
            space.writer.commit()
            return written
        finally:
            space.close()

    def merge(self, versions: Versions) -> bytes:
        """Merge as replicas do unattended; nothing may remain open."""
        with self.store.writer() as writer:
            reader = NodeReader(writer.get, self.reader.cache)
            rules = Rules(on_conflict="keep-both")
            merged = merge_manifests(reader, writer, versions, rules)
            assert merged.conflicts is None
            writer.commit()
        return merged.root

    def merged_anyhow(self, base: bytes, sides: Sequence[bytes]) -> set[bytes]:
        """Return what sides of one base come to, in every order and grouping."""
        merged = {self.merge_all(base, order) for order in permutations(sides)}
        for one, *others in permutations(sides):
            versions = Versions(base, one, self.merge_all(base, others))
            merged.add(self.merge(versions))
        return merged

    def merge_all(self, base: bytes, sides: Iterable[bytes]) -> bytes:
        """Merge sides of one base, each into what those before came to."""
        return reduce(lambda one, other: self.merge(Versions(base, one, other)), sides)

    def entry(self, root: bytes, name: str) -> Descriptor:
        """Return the description of a dataset."""
        return Manifest(self.reader, root).require(name)

    def stamps(self, root: bytes, name: str, key: bytes) -> RecordStamps:
        """Return the stamps of a record."""
        return stamps_of(self.reader, stamps_root(self.entry(root, name)), key)


def _fill(space: Workspace, keys: str) -> None:
    space.map(MAP).update(dict.fromkeys(keys, 0))
    for name, schema, row in (
        (TABLE, _SCHEMA, {"a": "", "b": ""}),
        (CELLS, _COUNTED, {"a": "", "n": 0}),
    ):
        table = space.table(name, schema=schema)
        for number, _ in enumerate(keys):
            table.upsert({"id": number, **row})
    space.blob(BLOB).write(b"first")


def _set_policies(space: Workspace) -> None:
    for name in (MAP, TABLE, BLOB):
        space.set_policy(name, "last-writer-wins")
    space.set_policy(CELLS, "last-writer-wins", column="a")
    space.set_policy(CELLS, "counter", column="n")


def commit_bad_stamps(repo: Repository, name: str, key: str, value: object) -> None:
    """Commit on main, as a store might hold it, a value in place of stamps.

    It is the one record of the stamps of a dataset.
    """
    with repo.store.writer() as writer:
        reader = NodeReader(writer.get)
        root = repo.at("main").root
        found = Manifest(reader, root).find(name)
        assert found is not None
        identity, entry = found
        records = [key_codec.encode((key,))], [encode_value(value, writer)]
        bad = root_reference(reader, build(writer, [records], FORMAT_PARAMETERS))
        changed = entry._replace(roots=(*entry.content_roots, bad))
        made = write_manifest(reader, writer, root, {identity: changed})
        before = repo.resolve("main")
        commit = repo.commit_of("main")._replace(root=made, parents=(bytes(before),))
        commit = commit._replace(generation=commit.generation + 1)
        commit_id = writer.put(encode_commit(commit))
        writer.commit([RefMove("branches/main", bytes(before), commit_id)])
