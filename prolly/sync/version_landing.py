"""Landing of a version: its manifest, then of each dataset what differs from before.

Trees are made (:class:`TreeLanding`); here is what hangs together between them. A table
has the indexes that its records give, a blob is cut where its bytes say, a dataset is
shared and of its kind, and references between tables hold. What was found right once is
not looked at again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prolly.chunks import ChunkWriter
from prolly.codec import FORMAT_PARAMETERS, Coverage, Descriptor, cbor
from prolly.codec.node import Leaf, decode_node
from prolly.datasets import changed_datasets, stored_table, verify_references
from prolly.errors import Corrupt
from prolly.maps import iter_path_clashes
from prolly.merge import Policies
from prolly.tables import StoredTable, Trees, carry_indexes
from prolly.tree import NodeReader, iter_columns

from .delivery import base_of, require_shared, stamps_base_of
from .node_walk import Role
from .part_walk import Part
from .record_checks import RecordChecks, corrupt_only
from .record_order import InOrder
from .tree_landing import TreeLanding


class VersionLanding:
    """Checks versions and their datasets, and puts them into a batch.

    ``reader`` reads what came, what is here and the batch. With ``coverage`` datasets
    are landed as far as they are covered.
    """

    def __init__(
        self,
        trees: TreeLanding,
        reader: NodeReader,
        writer: ChunkWriter,
        coverage: Coverage | None,
    ) -> None:
        self._trees = trees
        self._reader = reader
        self._writer = writer
        self._coverage = coverage
        self._checks = RecordChecks(reader.get_chunk, writer)
        # Trees that were found right here: root and what it was checked as.
        self._right: set[tuple[Any, ...]] = set()

    def land(self, old: bytes, new: bytes) -> None:
        """Land a manifest and what its datasets have, beside a version before.

        Raises Corrupt, Invalid ``local-dataset``, OpsMismatch.
        """
        if old == new or ("version", new) in self._right:
            return
        check = self._checks.of_manifest
        self._trees.land((old, new), FORMAT_PARAMETERS, check, Role.MANIFEST)
        changed = changed_datasets(self._reader, old, new)
        for identity, (before, after) in changed.items():
            if after is not None:
                self.land_dataset(identity, before, after)
        with corrupt_only(), self.passing_over_absent():
            verify_references(self._reader, old, new)
        self._right.add(("version", new))

    def land_node(self, part: Part, address: bytes) -> None:
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
        if self._coverage is not None and not self._coverage.has_whole(identity):
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
            self._trees.land((base, new), after.parameters, check)
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
            self._trees.land(roots, FORMAT_PARAMETERS, self._checks.of_stamps)
        self._right.add(token)

    @contextmanager
    def passing_over_absent(self) -> Iterator[None]:
        """Pass over what cannot be looked at, in a replica that lacks records."""
        try:
            yield
        except Corrupt as error:
            is_whole = self._coverage is None or self._coverage.ranges is None
            if error.code != "chunk-missing" or is_whole:
                raise


def _shape(entry: Descriptor) -> bytes:
    """Return what decides whether rows are right: all of columns but their names."""
    if entry.kind != "table":
        return b""
    columns = entry.schema["columns"]
    ids = {one[1]: one[0] for one in columns}
    keys = [ids[name] for name in entry.schema["key"]]
    return cbor.encode([[[one[0], *one[2:]] for one in columns], keys])


def _bad_dataset(entry: Descriptor, reason: str) -> Corrupt:
    return Corrupt(
        f"dataset {entry.name!r}: {reason}",
        code="descriptor",
        hint="The other side breaks the format; nothing was changed.",
        dataset=entry.name,
    )
