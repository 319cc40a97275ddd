"""Checking the datasets of versions: descriptors, and in full their trees and records.

Versions share datasets, and datasets share nodes: each descriptor is checked once, and
``TreeCheck`` passes over what it has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from blake3 import blake3

from prolly.codec import (
    DATASET_ID_BYTES,
    FORMAT_PARAMETERS,
    ChunkType,
    Descriptor,
    TreeParameters,
    cbor,
    decode_commit,
    decode_descriptor,
    decode_working,
    is_local_id,
    key,
    shown,
)
from prolly.codec.node import Inner, Node, decode_node
from prolly.errors import Corrupt, Error
from prolly.merge import Policies
from prolly.tree import AddressSet, TreeCheck

from .fsck_conflicts import conflict_faults
from .fsck_derived import DerivedCheck
from .fsck_records import REPORTED_ELSEWHERE, STAMPS, LeafRecords, leaf_check

ReadChunk = Callable[[bytes], bytes | None]
CheckAhead = Callable[[TreeCheck, bytes, TreeParameters, LeafRecords | None], None]

_NODES = (ChunkType.LEAF, ChunkType.INNER)


class DatasetCheck:
    """Checks the versions that commits and working states name. Not thread-safe.

    ``read`` gives the bytes of a chunk, or ``None`` for one that is missing or damaged,
    which the caller reports.
    """

    def __init__(self, read: ReadChunk, derived: DerivedCheck, *, full: bool) -> None:
        self._read = read
        self._derived = derived
        self._full = full
        # By whether they are looked at as those of local datasets.
        self._manifest_nodes = AddressSet(), AddressSet()
        self._descriptors = AddressSet()
        self._trees = TreeCheck(self._read_node)
        # Lets others look at the leaves of a tree before this check comes to it.
        self.check_ahead: CheckAhead | None = None

    def iter_faults(self, chunk: bytes, *, local: bool = False) -> Iterator[Error]:
        """Yield what is wrong with the version of a commit or working state.

        With ``local`` it is the commit that the local datasets stand in.
        """
        try:
            if chunk[0] == ChunkType.COMMIT:
                roots = [decode_commit(chunk).root]
            else:
                state = decode_working(chunk)
                roots = [state.manifest]
                if state.conflicts is not None and self._full:
                    yield from conflict_faults(self._read, self._trees, state)
        except Corrupt:
            return
        for root in roots:
            if self._full:
                yield from self._trees.faults(root, FORMAT_PARAMETERS)
            is_right = True
            for error in self._manifest_faults(root, local):
                is_right = False
                yield error
            if self._full and is_right:
                yield from self._derived.reference_faults(root)

    def _manifest_faults(self, root: bytes, local: bool) -> Iterator[Error]:
        seen = self._manifest_nodes[local]
        front = [root]
        while front:
            address = front.pop()
            if address in seen:
                continue
            seen.add(address)
            node = self._read_node(address)
            if isinstance(node, Inner):
                front += node.child_addresses()
            elif node is not None:
                for dataset, value in zip(node.keys(), node.values, strict=True):
                    for error in self._descriptor_faults(dataset, value, local):
                        error.facts.setdefault("address", address)
                        yield error

    def _descriptor_faults(
        self, dataset: bytes, value: bytes, local: bool
    ) -> Iterator[Error]:
        token = blake3(bytes((local, len(dataset))) + dataset + value).digest()
        if token in self._descriptors:
            return
        self._descriptors.add(token)
        try:
            identity = _identity_of(dataset)
            descriptor = decode_descriptor(value, self._require)
            if {descriptor.local, is_local_id(identity)} != {local}:
                yield _out_of_place(descriptor.name, local)
            yield from _policy_faults(descriptor)
            if self._full:
                yield from self._content_faults(dataset, descriptor)
        except Error as error:
            if error.code != REPORTED_ELSEWHERE:
                yield error

    def _content_faults(self, dataset: bytes, entry: Descriptor) -> Iterator[Error]:
        is_right = True
        for error in self._tree_faults(entry):
            is_right = False
            yield error
        if is_right and entry.kind == "table":
            yield from self._derived.index_faults(dataset, entry)
        elif is_right and entry.kind == "files":
            yield from self._derived.path_faults(dataset, entry)

    def _tree_faults(self, entry: Descriptor) -> Iterator[Error]:
        records = LeafRecords(entry.kind, cbor.encode(entry.schema))
        for number, root in enumerate(entry.content_roots):
            if root.kind not in _NODES:
                continue
            held = records if number == 0 else None
            yield from self._one_tree(root.address, entry.parameters, entry, held)
        if entry.stamps is not None:
            yield from self._one_tree(
                entry.stamps.address, FORMAT_PARAMETERS, entry, LeafRecords(STAMPS)
            )

    def _one_tree(
        self,
        root: bytes,
        parameters: TreeParameters,
        entry: Descriptor,
        records: LeafRecords | None,
    ) -> Iterator[Error]:
        """Check one tree of a dataset; what others found right is passed over."""
        context, check = b"", None
        decode = None if records is None else records.decoder(self._require)
        if records is not None and decode is not None:
            context = records.context
            check = leaf_check(decode, entry.name)
        if self.check_ahead is not None:
            self.check_ahead(self._trees, root, parameters, records if check else None)
        yield from self._trees.faults(root, parameters, check, context)

    def _read_node(self, address: bytes) -> Node | None:
        chunk = self._read(address)
        if chunk is None or chunk[0] not in _NODES:
            return None
        try:
            return decode_node(chunk)
        except Corrupt:
            return None

    def _require(self, address: bytes) -> bytes:
        chunk = self._read(address)
        if chunk is None:
            raise Corrupt("a chunk is missing", code=REPORTED_ELSEWHERE)
        return chunk


def _identity_of(dataset: bytes) -> bytes:
    """Return the id that a key of a manifest spells. Raises Corrupt."""
    parts = key.decode(dataset)
    identity = parts[0] if len(parts) == 1 else None
    size = DATASET_ID_BYTES
    if type(identity) is not bytes or len(identity) not in (size, size + 1):
        raise Corrupt(
            "a key of the manifest is no dataset's id",
            code="key-spelling",
            hint="The bytes are damaged, or a newer version wrote them.",
        )
    return identity


def _policy_faults(entry: Descriptor) -> Iterator[Error]:
    """Yield what is wrong with the policies of a dataset, one after the other."""
    for scope, policy in entry.policies.items():
        try:
            Policies({scope: policy})
        except Corrupt as error:
            yield Corrupt(
                f"dataset {entry.name!r} has under {shown(scope)} the policy "
                f"{shown(policy)}: {error.message}",
                code=error.code,
                hint="Merges of this dataset are refused. `prolly policy DATASET NAME` "
                "sets that of all of it anew; else copy its records to a new dataset.",
                dataset=entry.name,
            )


def _out_of_place(name: str, local: bool) -> Corrupt:
    if local:
        what = f"dataset {name!r} takes part in sync, and stands beside the commits"
    else:
        what = f"dataset {name!r} is local, and stands in a commit, or its id says so"
    return Corrupt(
        what,
        code="local-dataset",
        hint="Copy its records to a new dataset and drop this one; a commit that holds "
        "it cannot be pushed.",
    )
