"""The upper one of the two levels of conflicts: a group a dataset and kind.

    key ("base",)              reference: the root of the base's manifest
    key (dataset id, kind)     reference: the root of a tree of entries | CBOR open

``kind`` is 0 for records, 1 for parts of a dataset's description, 2 for constraints;
``open`` says how many of the group are not settled. Page: docs/spec/conflicts.md.
"""

from __future__ import annotations

from typing import NamedTuple

from prolly.codec import Reference, Referring, cbor, decode_referring, encode_referring
from prolly.codec import key as key_codec
from prolly.errors import Corrupt, Error

from .conflict_entry import ConflictKind

BASE_KEY = key_codec.encode(("base",))


class ConflictGroup(NamedTuple):
    """The conflicts of one dataset and kind: the root of their entries."""

    dataset: bytes
    kind: ConflictKind
    root: bytes
    open_count: int


def group_key(dataset: bytes, kind: int) -> bytes:
    """Return the key under which the conflicts of a dataset and kind stand."""
    return key_codec.encode((dataset, int(kind)))


def group_value(root: Reference, open_count: int) -> Referring:
    """Return the reference to the conflicts of a dataset and kind."""
    return encode_referring([root], cbor.encode(open_count))


def base_value(root: Reference) -> Referring:
    """Return the reference to the manifest of the base."""
    return encode_referring([root])


def read_group(encoded: bytes, stored: bytes) -> ConflictGroup:
    """Return the group of a key and its value; raises Corrupt ``conflict-tree``."""
    parts = key_codec.decode(encoded)
    references, payload = _referring(stored)
    try:
        dataset, kind = parts
        number = cbor.decode(payload)
        if (
            type(dataset) is not bytes
            or type(kind) is not int
            or type(number) is not int
        ):
            raise ValueError("its parts are of other types")
        if number < 0:
            raise ValueError(f"it says that {number} are open")
        return ConflictGroup(dataset, ConflictKind(kind), references[0].address, number)
    except (ValueError, Error) as error:
        raise bad_conflict_tree(str(error)) from error


def read_base(stored: bytes) -> bytes:
    """Return the root of the base's manifest; raises Corrupt ``conflict-tree``."""
    references, _ = _referring(stored)
    return references[0].address


def _referring(stored: bytes) -> tuple[tuple[Reference, ...], bytes]:
    if type(stored) is not Referring:
        raise bad_conflict_tree("a value refers to nothing")
    return decode_referring(stored)


def bad_conflict_tree(reason: str) -> Corrupt:
    """Return (not raise) the error for a tree that is none of conflicts."""
    return Corrupt(
        f"not a tree of conflicts: {reason}",
        code="conflict-tree",
        hint="`prolly reset --hard` ends what waits; nothing committed is touched.",
    )
