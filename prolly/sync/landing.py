"""Landing: what is in quarantine becomes part of the store, in one step, or not at all.

The root of a tree is a function of its records. So a tree that came is checked by being
made: its edits, from the stream or found between its nodes and those of a tree that is
here, are applied; or where there is nothing to compare with it is made again over its
leaves. If the root is the one that the commit names, then every node was right:
levels, order, counts, weights and cuts. What remains to be checked is records, and how
trees and commits hang together. What goes into the batch of the store comes from our
own hands, or is a leaf whose spelling was checked; one commit of it moves the refs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from prolly.chunks import RefMove, RefNote
from prolly.codec import (
    FORMAT_PARAMETERS,
    Commit,
    Coverage,
    Descriptor,
    TreeParameters,
    cbor,
    encode_commit,
)
from prolly.codec.node import Leaf, decode_node
from prolly.codec.received_node import EMPTY_LEAF
from prolly.datasets import changed_datasets, stored_table, verify_references
from prolly.errors import Corrupt, Error
from prolly.history import Commits
from prolly.maps import iter_path_clashes
from prolly.merge import Policies, require_stamps_in_time
from prolly.repo import Storage
from prolly.tables import StoredTable, Trees, carry_indexes
from prolly.tree import (
    Edits,
    NodeCache,
    NodeReader,
    apply_batches,
    diff,
    iter_columns,
    recut,
)

from .delivery import EMPTY_TREE, base_of, require_shared, stamps_base_of
from .intake import Intake
from .node_walk import Role, bad_shape
from .part_walk import Part
from .record_checks import Check, RecordChecks, corrupt_only
from .record_order import InOrder

# Inner nodes, and leaves that are compared: a few paths of each tree at a time.
CACHE_BYTES = 24 * 1024 * 1024
# Edits applied in one pass; each pass but the last leaves a path that nothing keeps.
PASS_EDITS = 65_536


class OpsMismatch(Exception):
    """Edits led to another root than they said; the tree is wanted as nodes."""

    def __init__(self, root: bytes, role: Role) -> None:
        super().__init__(root, role)
        self.root = root
        self.role = role


class Parts(NamedTuple):
    """What a partial replica has, and what was fetched of trees that it has in part.

    ``opened`` are parts of trees with the nodes that were looked at; ``near`` is the
    manifest of a version that is here, much as those that land.
    """

    coverage: Coverage
    opened: Sequence[tuple[Part, bytes]] = ()
    near: bytes = EMPTY_TREE


class Landing:
    """One attempt to land what an intake has. Close it.

    ``refused`` are roots whose edits are not to be used. With ``parts`` datasets are
    landed as far as they are covered.
    """

    def __init__(
        self,
        storage: Storage,
        intake: Intake,
        refused: set[bytes],
        parts: Parts | None = None,
    ) -> None:
        storage = storage.here
        self._parts = parts
        self._storage = storage
        self._intake = intake
        self._refused = refused
        self._quarantine = intake.quarantine
        self._writer = storage.store.writer()
        # What all versions begin with, be it here or not.
        self._writer.put(EMPTY_LEAF)
        self._reader = NodeReader(self._read, NodeCache(CACHE_BYTES), self._read_many)
        self._checks = RecordChecks(self._read, self._writer)
        # Trees that were found right here: root and what it was checked as.
        self._right: set[tuple[Any, ...]] = set()
        self._landed: set[bytes] = set()
        # The manifest of a version that landed, to begin with where parents lack.
        self._latest = EMPTY_TREE if parts is None else parts.near
        self.used_edits = False
        self.objects = 0
        # All commits, those that landed among them.
        self.commits = Commits(self._read)

    def close(self) -> None:
        """Forget what was not committed."""
        self._writer.abort()

    def land_all(self) -> None:
        """Check all commits and what they hold, and put it into the batch.

        Raises Corrupt, Invalid ``local-dataset``, OpsMismatch.
        """
        if self._parts is not None:
            for part, address in self._parts.opened:
                self._land_node(part, address)
        for commit_id in reversed(self._intake.commits):
            self._land_commit(commit_id, self._intake.commits[commit_id])

    def require_stamps(self, tips: Iterable[tuple[bytes | None, bytes]]) -> None:
        """Raise Invalid ``stamp-ahead`` where a new tip has stamps from the future.

        Each comes with a commit that is here, or None where there is none.
        """
        now_us = self._storage.environment.now_us
        for known, tip in tips:
            before = EMPTY_TREE
            if known is not None:
                before = self._storage.commits.read(known).root
            root = self.commit_of(tip).root
            with self._passing_over_absent():
                require_stamps_in_time(self._reader, before, root, now_us)

    def commit_of(self, commit_id: bytes) -> Commit:
        """Return a commit that came or was here."""
        found = self._intake.commits.get(commit_id)
        return self._storage.commits.read(commit_id) if found is None else found

    def put(self, chunk: bytes) -> bytes:
        """Put a chunk of our own into the batch; return its address."""
        return self._writer.put(chunk)

    def cut_commits(self) -> frozenset[bytes]:
        """Return the commits that lack parents, of those that came or did before.

        Raises Corrupt ``commit-generation`` if one does not stand above parents that
        came for it now.
        """
        assert self._parts is not None
        before = self._parts.coverage.shallow
        cut: set[bytes] = set()
        for commit_id in {*before, *self._intake.cut_commits()}:
            commit = self.commit_of(commit_id)
            found = [self._find_commit(one) for one in commit.parents]
            parents = [one for one in found if one is not None]
            due = 1 + max((one.generation for one in parents), default=-1)
            if len(parents) < len(found):
                cut.add(commit_id)
            elif commit.generation != due:
                reason = f"generation {commit.generation}, not {due}"
                raise _bad_commit(commit_id, reason)
        return frozenset(cut)

    def _find_commit(self, commit_id: bytes) -> Commit | None:
        """Return a parent; ``None`` only where history may be cut off."""
        if commit_id in self._intake.commits:
            return self._intake.commits[commit_id]
        found = self._storage.commits.get(commit_id)
        return self.commit_of(commit_id) if found is None and not self._parts else found

    def commit(self, moves: Sequence[RefMove], note: RefNote) -> int:
        """Make everything durable, and move refs. Raises Stale: nothing is visible."""
        return self._writer.commit(moves, note)

    def _read(self, address: bytes) -> bytes | None:
        chunk = self._quarantine.get(address)
        return self._writer.get(address) if chunk is None else chunk

    def _read_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        found = self._quarantine.get_many(addresses)
        pairs = list(zip(addresses, found, strict=True))
        rest = [address for address, chunk in pairs if chunk is None]
        others = iter(self._writer.get_many(rest) if rest else ())
        return [next(others) if chunk is None else chunk for _, chunk in pairs]

    def _land_commit(self, commit_id: bytes, commit: Commit) -> None:
        for parent in commit.parents:
            if parent in self._intake.commits and parent not in self._landed:
                raise _bad_commit(commit_id, "it came before its parent")
        found = [self._find_commit(one) for one in commit.parents]
        parents = [one for one in found if one is not None]
        due = 1 + max((one.generation for one in parents), default=-1)
        is_cut = len(parents) < len(found)
        if commit.generation < due or (commit.generation > due and not is_cut):
            raise _bad_commit(commit_id, f"generation {commit.generation}, not {due}")
        # One without parents holds nothing, or is built from nothing.
        base = parents[0].root if parents and found[0] else EMPTY_TREE
        self._land_version(self._latest if is_cut else base, commit.root)
        self._latest = commit.root
        self._writer.put(encode_commit(commit))
        self._landed.add(commit_id)
        self.objects += 1

    def _land_version(self, old: bytes, new: bytes) -> None:
        if old == new or ("version", new) in self._right:
            return
        check = self._checks.of_manifest
        self._land_tree((old, new), FORMAT_PARAMETERS, check, Role.MANIFEST)
        changed = changed_datasets(self._reader, old, new)
        for identity, (before, after) in changed.items():
            if after is not None:
                self.land_dataset(identity, before, after)
        with corrupt_only(), self._passing_over_absent():
            verify_references(self._reader, old, new)
        self._right.add(("version", new))

    @contextmanager
    def _passing_over_absent(self) -> Iterator[None]:
        """Pass over what cannot be looked at, in a replica that lacks records."""
        try:
            yield
        except Corrupt as error:
            parts = self._parts
            is_whole = parts is None or parts.coverage.ranges is None
            if error.code != "chunk-missing" or is_whole:
                raise

    def _land_node(self, part: Part, address: bytes) -> None:
        """Check the records of a node of a part, and put it into the batch."""
        chunk = self._reader.read_chunk(address)
        node = decode_node(chunk)
        if isinstance(node, Leaf) and len(node):
            checks = self._checks
            check = checks.of(part.entry) if part.is_records else checks.of_stamps
            for _ in InOrder(check).checked([(node.keys(), list(node.values))]):
                continue
        self._writer.put(chunk)

    def land_dataset(
        self, identity: bytes, before: Descriptor | None, after: Descriptor
    ) -> None:
        """Land what a version has of a dataset, that differs from one before."""
        require_shared(after)
        Policies(after.policies)
        if self._parts and not self._parts.coverage.has_whole(identity):
            return
        if before is not None and before.kind != after.kind:
            before = None
        roots = after.content_roots
        if after.kind != "table" and len(roots) != 1:
            raise _bad_dataset(after, f"{len(roots)} trees")
        if after.kind == "blob":
            self._checks.blob(roots[0])
        else:
            self._land_records(before, after)
        if after.stamps is not None:
            self._land_stamps(before, after)
        for reference in after.roots:
            if self._reader.read_chunk(reference.address)[0] != reference.kind:
                raise _bad_dataset(after, "a root is of another kind than told")

    def _land_records(self, before: Descriptor | None, after: Descriptor) -> None:
        """Land the records of a dataset, and what is derived from them."""
        base, new = base_of(before, after), after.roots[0].address
        check = self._checks.of(after)
        shape = (after.kind, _shape(after))
        token = (new, after.parameters, *shape)
        if token not in self._right:
            self._land_tree((base, new), after.parameters, check)
            if before is not None and _shape(before) != _shape(after):
                in_order = InOrder(check)
                for keys, values in iter_columns(self._reader, new, (None, None)):
                    in_order.inspect(keys.apart(), keys, values)
            if after.kind == "files":
                self._refuse_clashes(after, base)
        self._right.add(token)
        if after.kind == "table":
            self._land_indexes(before, after)

    def _land_indexes(self, before: Descriptor | None, after: Descriptor) -> None:
        table = stored_table(after)
        assert table.records is not None
        known = StoredTable(table.schema, None, ())
        if before is not None and before.parameters == after.parameters:
            known = stored_table(before)
        trees = Trees(self._reader, self._writer, after.parameters)
        with corrupt_only():
            due = carry_indexes(trees, known, table.schema, table.records)
        if due != table.indexes:
            raise Corrupt(
                f"an index of {after.name!r} is not what the records give",
                code="index-content",
                hint="The other side breaks the format; nothing was changed.",
                dataset=after.name,
            )

    def _refuse_clashes(self, after: Descriptor, base: bytes) -> None:
        new = after.roots[0].address
        for _ in iter_path_clashes(self._reader, base, new):
            raise _bad_dataset(after, "a path is a file and a directory")

    def _land_stamps(self, before: Descriptor | None, after: Descriptor) -> None:
        assert after.stamps is not None
        token = (after.stamps.address, "stamps")
        if token not in self._right:
            roots = (stamps_base_of(before, after), after.stamps.address)
            self._land_tree(roots, FORMAT_PARAMETERS, self._checks.of_stamps)
        self._right.add(token)

    def _land_tree(
        self,
        roots: tuple[bytes, bytes],
        parameters: TreeParameters,
        check: Check,
        role: Role = Role.RECORDS,
    ) -> None:
        """Make a tree from the one before, and compare the roots."""
        base, new = roots
        if base == new:
            return
        edits = None
        if new not in self._refused:
            edits = self._intake.edits(base, new, parameters)
        if edits is None and base == EMPTY_TREE:
            in_order = InOrder(check)
            made = recut(self._reader, self._writer, new, parameters, in_order.inspect)
        else:
            found = self._found(base, new) if edits is None else edits
            batches = _gathered(InOrder(check).checked(found))
            made = apply_batches(self._reader, self._writer, base, batches, parameters)
        self.used_edits |= edits is not None
        if made != new and edits is not None:
            raise OpsMismatch(new, role)
        if made != new:
            raise bad_shape(new, "it is not the tree that its records make")

    def _found(self, base: bytes, new: bytes) -> Iterator[Edits]:
        """Yield the edits between two trees of which all nodes are at hand."""
        differences = diff(self._reader, base, new)
        while batch := list(islice(differences, PASS_EDITS)):
            yield [one[0] for one in batch], [one[2] for one in batch]


def _gathered(batches: Iterable[Edits]) -> Iterator[Edits]:
    """Join small batches, so that few passes apply them all."""
    keys: list[bytes] = []
    values: list[bytes | None] = []
    for more_keys, more_values in batches:
        keys += more_keys
        values += more_values
        if len(keys) >= PASS_EDITS:
            yield keys, values
            keys, values = [], []
    if keys:
        yield keys, values


def _shape(entry: Descriptor) -> bytes:
    """Return what decides whether rows are right: all of columns but their names."""
    if entry.kind != "table":
        return b""
    columns = entry.schema["columns"]
    ids = {one[1]: one[0] for one in columns}
    keys = [ids[name] for name in entry.schema["key"]]
    return cbor.encode([[[one[0], *one[2:]] for one in columns], keys])


def _bad_commit(commit_id: bytes, reason: str) -> Corrupt:
    return Corrupt(
        f"commit {commit_id.hex()[:12]}: {reason}",
        code="commit-generation",
        hint="The other side breaks the format; nothing was changed.",
        address=commit_id,
    )


def _bad_dataset(entry: Descriptor, reason: str) -> Error:
    return Corrupt(
        f"dataset {entry.name!r}: {reason}",
        code="descriptor",
        hint="The other side breaks the format; nothing was changed.",
        dataset=entry.name,
    )
