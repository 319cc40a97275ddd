"""Edits of a record tree, as columns: what changes from one version to the next.

    TREE    CBOR { "base": address, "target": address, "parameters": [min, max, seed] }
    EDITS   CBOR [ prefix, key sizes, key suffixes, value sizes, values, bits ]

Sizes are u16, little-endian; a value size of ffff is a deletion. Suffixes and values
stand back to back. Keys ascend strictly within a frame, and from each frame of a tree
to the next. ``bits`` are the reference bits of a leaf. Page: ``docs/spec/sync.md``.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise
from operator import lt

import cbor2

from .address import ADDRESS_BYTES
from .key import KEY_BYTES_MAX
from .keyed_node import shared_prefix_length
from .parameters import TreeParameters
from .reference import INLINE_BYTES_MAX, Referring
from .wire import FrameType, bad_wire, encode_wire_frame
from .wire_messages import (
    decode_bits,
    decode_payload,
    encode_bits,
    encode_message,
)

# Edits in one frame: enough that its head does not count; their bytes are bounded, too.
WIRE_EDITS_MAX = 4096

_DELETED = 0xFFFF

EditColumns = tuple[list[bytes], list[bytes | None]]


@dataclass(frozen=True, slots=True)
class TreeEdits:
    """From which root to which one the edits that follow lead, under parameters."""

    base: bytes
    target: bytes
    parameters: TreeParameters


def encode_tree_edits(tree: TreeEdits) -> bytes:
    """Return the frame that begins the edits of one tree."""
    fields = {
        "base": tree.base,
        "target": tree.target,
        "parameters": tree.parameters.to_value(),
    }
    return encode_message(FrameType.TREE, fields)


def decode_tree_edits(payload: bytes) -> TreeEdits:
    """Return what the frame says. Raises Corrupt."""
    fields = decode_payload(payload)
    if type(fields) is not dict or fields.keys() != {"base", "target", "parameters"}:
        raise bad_wire("the head of edits has other fields")
    for name in ("base", "target"):
        if type(fields[name]) is not bytes or len(fields[name]) != ADDRESS_BYTES:
            raise bad_wire(f"{name!r} is no address")
    parameters = TreeParameters.from_value(fields["parameters"])
    return TreeEdits(fields["base"], fields["target"], parameters)


def encode_edits(keys: Sequence[bytes], values: Sequence[bytes | None]) -> bytes:
    """Return the frame of sorted edits, at least one and at most ``WIRE_EDITS_MAX``."""
    assert 0 < len(keys) <= WIRE_EDITS_MAX
    size = shared_prefix_length(keys[0], keys[-1])
    suffixes = [key[size:] for key in keys]
    kept = [value for value in values if value is not None]
    sizes = [_DELETED if value is None else len(value) for value in values]
    refers = [type(value) is Referring for value in values]
    columns = [
        keys[0][:size],
        _pack(list(map(len, suffixes))),
        b"".join(suffixes),
        _pack(sizes),
        b"".join(kept),
        encode_bits(refers) if True in refers else b"",
    ]
    return encode_wire_frame(FrameType.EDITS, cbor2.dumps(columns))


def decode_edits(payload: bytes) -> EditColumns:
    """Return the keys and values (``None`` deletes) of a frame.

    Raises Corrupt ``wire-frame`` for columns that do not match, keys that do not
    ascend, and sizes past the limits of keys and values.
    """
    columns = decode_payload(payload)
    if type(columns) is not list or list(map(type, columns)) != [bytes] * 6:
        raise bad_wire("edits are no six byte strings")
    prefix, key_sizes, suffixes, value_sizes, joined, bits = columns
    sizes = _unpack(key_sizes)
    count = len(sizes)
    if not 0 < count <= WIRE_EDITS_MAX or len(value_sizes) != len(key_sizes):
        raise bad_wire(f"{count} edits, or another number of values")
    if sum(sizes) != len(suffixes) or len(prefix) + max(sizes) > KEY_BYTES_MAX:
        raise bad_wire("keys do not fill their column, or are too long")
    ends = accumulate(sizes, initial=0)
    keys = [prefix + suffixes[low:high] for low, high in pairwise(ends)]
    if not keys[0] or not all(map(lt, keys, islice(keys, 1, None))):
        raise bad_wire("the keys of edits do not ascend")
    values = _values(_unpack(value_sizes), joined)
    if bits:
        for place, refers in enumerate(decode_bits(bits, count)):
            value = values[place]
            if refers and value is None:
                raise bad_wire("a deletion refers to something")
            values[place] = Referring(value) if refers and value is not None else value
    return keys, values


def _values(sizes: list[int], joined: bytes) -> list[bytes | None]:
    lengths = [0 if size == _DELETED else size for size in sizes]
    if sum(lengths) != len(joined) or max(lengths) > INLINE_BYTES_MAX:
        raise bad_wire("values do not fill their column, or are too long")
    ends = accumulate(lengths, initial=0)
    values: list[bytes | None] = [joined[low:high] for low, high in pairwise(ends)]
    if _DELETED in sizes:
        for place, size in enumerate(sizes):
            if size == _DELETED:
                values[place] = None
    return values


def _pack(numbers: Sequence[int]) -> bytes:
    column = array("H", numbers)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def _unpack(raw: bytes) -> list[int]:
    if len(raw) % 2:
        raise bad_wire("half a number")
    column = array("H", raw)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tolist()
