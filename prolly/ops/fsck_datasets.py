"""Checking the datasets of versions: descriptors, and in full their trees and records.

Versions share datasets, and datasets share nodes: each descriptor is checked once, and
``TreeCheck`` passes over what it has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from blake3 import blake3

from prolly.codec import (
    FORMAT_PARAMETERS,
    ChunkType,
    Descriptor,
    Referring,
    cbor,
    decode_commit,
    decode_descriptor,
    decode_file_entry,
    decode_working,
    key,
)
from prolly.codec.node import Inner, Leaf, Node, decode_node
from prolly.codec.record_stamps import decode_stamps
from prolly.errors import Corrupt, Error
from prolly.maps import decode_value
from prolly.tables import RecordCodec, Schema
from prolly.tree import AddressSet, TreeCheck

from .fsck_conflicts import conflict_faults
from .fsck_derived import DerivedCheck

ReadChunk = Callable[[bytes], bytes | None]
DecodeRecords = Callable[[Sequence[bytes], Sequence[bytes]], object]

_NODES = (ChunkType.LEAF, ChunkType.INNER)

# The context of leaves that hold stamps: no record has just these bytes before it.
_STAMPS = b"stamps"

# Reported where the chunk itself is looked at.
_REPORTED_ELSEWHERE = "chunk-missing"


class DatasetCheck:
    """Checks the versions that commits and working states name. Not thread-safe.

    ``read`` gives the bytes of a chunk, or ``None`` for one that is missing or damaged,
    which the caller reports.
    """

    def __init__(self, read: ReadChunk, derived: DerivedCheck, *, full: bool) -> None:
        self._read = read
        self._derived = derived
        self._full = full
        self._manifest_nodes = AddressSet()
        self._descriptors = AddressSet()
        self._trees = TreeCheck(self._read_node)

    def iter_faults(self, chunk: bytes) -> Iterator[Error]:
        """Yield what is wrong with the version of a commit or working state."""
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
            for error in self._manifest_faults(root):
                is_right = False
                yield error
            if self._full and is_right:
                yield from self._derived.reference_faults(root)

    def _manifest_faults(self, root: bytes) -> Iterator[Error]:
        front = [root]
        while front:
            address = front.pop()
            if address in self._manifest_nodes:
                continue
            self._manifest_nodes.add(address)
            node = self._read_node(address)
            if isinstance(node, Inner):
                front += node.child_addresses()
            elif node is not None:
                for dataset, value in zip(node.keys(), node.values, strict=True):
                    yield from self._descriptor_faults(dataset, value, address)

    def _descriptor_faults(
        self, dataset: bytes, value: bytes, address: bytes
    ) -> Iterator[Error]:
        token = blake3(value).digest()
        if token in self._descriptors:
            return
        self._descriptors.add(token)
        try:
            key.decode(dataset)
            descriptor = decode_descriptor(value, self._require)
            if self._full:
                yield from self._content_faults(dataset, descriptor)
        except Error as error:
            if error.code != _REPORTED_ELSEWHERE:
                error.facts.setdefault("address", address)
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
        decode = self._decoder_of(entry)
        context = blake3(cbor.encode([entry.kind, entry.schema])).digest()
        for number, root in enumerate(entry.content_roots):
            if root.kind not in _NODES:
                continue
            check = None
            if decode is not None and number == 0:
                check = _leaf_check(decode, entry.name)
            yield from self._trees.faults(
                root.address, entry.parameters, check, context if check else b""
            )
        if entry.stamps is not None:
            check = _leaf_check(self._decode_stamps, entry.name)
            yield from self._trees.faults(
                entry.stamps.address, FORMAT_PARAMETERS, check, _STAMPS
            )

    def _decoder_of(self, entry: Descriptor) -> DecodeRecords | None:
        """Return what decodes records of a dataset, and raises where it cannot."""
        if entry.kind == "table":
            codec = RecordCodec(Schema.from_value(entry.schema))
            return lambda keys, values: codec.decode_rows(keys, values, self._require)
        if entry.kind == "map":
            return self._decode_values
        if entry.kind == "files":
            return _decode_files
        return None

    def _decode_values(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        for encoded, value in zip(keys, values, strict=True):
            key.decode(encoded)
            if type(value) is Referring:
                decode_value(value, self._require)
            else:
                cbor.decode(value)

    def _decode_stamps(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        for encoded, value in zip(keys, values, strict=True):
            key.decode(encoded)
            decode_stamps(decode_value(value, self._require))

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
            raise Corrupt("a chunk is missing", code=_REPORTED_ELSEWHERE)
        return chunk


def _decode_files(keys: Sequence[bytes], values: Sequence[bytes]) -> None:
    for encoded, value in zip(keys, values, strict=True):
        key.decode(encoded)
        decode_file_entry(value)


def _leaf_check(
    decode: DecodeRecords, dataset: str
) -> Callable[[Leaf, bytes], Iterator[Corrupt]]:
    """Return what yields the faults of a leaf's records, each record by itself."""

    def faults(leaf: Leaf, address: bytes) -> Iterator[Corrupt]:
        keys, values = leaf.keys(), leaf.values
        try:
            decode(keys, values)
        except Error:
            for one, value in zip(keys, values, strict=True):
                fault = _record_fault(decode, one, value)
                if fault is not None and fault.code != _REPORTED_ELSEWHERE:
                    yield Corrupt(
                        f"dataset {dataset!r}, key {one.hex()}: {fault.message}",
                        code=fault.code,
                        address=address,
                    )

    return faults


def _record_fault(decode: DecodeRecords, key_: bytes, value: bytes) -> Error | None:
    try:
        decode([key_], [value])
    except Error as error:
        return error
    return None
