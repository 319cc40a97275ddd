"""Checking the records in leaves: what decodes them, by what a dataset holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from blake3 import blake3

from prolly.codec import Referring, cbor, decode_file_entry, key
from prolly.codec.node import Leaf
from prolly.codec.record_stamps import decode_stamps
from prolly.errors import Corrupt, Error
from prolly.maps import decode_value
from prolly.tables import RecordCodec, Schema

# Returns the bytes of a chunk, or raises.
RequireChunk = Callable[[bytes], bytes]
DecodeRecords = Callable[[Sequence[bytes], Sequence[bytes]], object]

# The kind of the trees that hold stamps, beside the kinds of datasets.
STAMPS = "stamps"

# Reported where the chunk itself is looked at.
REPORTED_ELSEWHERE = "chunk-missing"


class LeafRecords(NamedTuple):
    """What the leaves of a tree hold: a kind, and a schema as canonical CBOR."""

    kind: str
    schema: bytes = b""

    @property
    def context(self) -> bytes:
        """Stands for all that the check of a leaf depends on beside the leaf."""
        return blake3(b"%s %s" % (self.kind.encode(), self.schema)).digest()

    def decoder(self, require: RequireChunk) -> DecodeRecords | None:
        """Return what decodes records, and raises where it cannot, if they are any."""
        if self.kind == "table":
            codec = RecordCodec(Schema.from_value(cbor.decode(self.schema)))
            return lambda keys, values: codec.decode_rows(keys, values, require)
        if self.kind == "map":
            return lambda keys, values: _decode_values(keys, values, require)
        if self.kind == "files":
            return _decode_files
        if self.kind == STAMPS:
            return lambda keys, values: _decode_stamps(keys, values, require)
        return None


def _decode_values(
    keys: Sequence[bytes], values: Sequence[bytes], require: RequireChunk
) -> None:
    for encoded, value in zip(keys, values, strict=True):
        key.decode(encoded)
        if type(value) is Referring:
            decode_value(value, require)
        else:
            cbor.decode(value)


def _decode_files(keys: Sequence[bytes], values: Sequence[bytes]) -> None:
    for encoded, value in zip(keys, values, strict=True):
        key.decode(encoded)
        decode_file_entry(value)


def _decode_stamps(
    keys: Sequence[bytes], values: Sequence[bytes], require: RequireChunk
) -> None:
    for encoded, value in zip(keys, values, strict=True):
        key.decode(encoded)
        decode_stamps(decode_value(value, require))


def leaf_check(
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
                if fault is not None and fault.code != REPORTED_ELSEWHERE:
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
