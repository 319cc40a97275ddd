"""Nodes from another replica: looked through so that nothing in them can surprise.

``decode_node`` is for bytes that were checked when they came in. Here each field must
be of its type, and all of them spelt as CBOR spells them shortest, before any other
code reads the node. That its entries are in order, within their limits and where their
tree wants them is found out by building the tree from its records: ``prolly.sync`` does
that.
"""

from __future__ import annotations

from struct import Struct
from typing import Any, NamedTuple, NoReturn

import cbor2

from prolly.errors import Corrupt

from .address import ADDRESS_BYTES
from .cbor import array_header, byte_string_header
from .column_places import string_at
from .node import INNER_MARK, LEAF_MARK, TREE_LEVEL_MAX, encode_leaf
from .stored_leaf import StoredLeaf
from .wire_messages import split_addresses

# The array of fields, and in it the array of keys or values.
_DEPTH_MAX = 3

# A leaf, and the array of its four fields.
_LEAF_HEAD = LEAF_MARK + b"\x84"
_LEAF_FIELDS = [bytes, list, list, bytes]
_INNER_FIELDS = [int, bytes, list, bytes, bytes, bytes]
_BYTES = {bytes}
_COUNT_BYTES, _WEIGHT_BYTES = 8, 4

EMPTY_LEAF = encode_leaf([], [])


class ReceivedNode(NamedTuple):
    """What there is to follow in a node: its children, or values that refer.

    ``records`` is the number of records of a leaf; 0 for an inner node. ``below`` is
    that of all leaves below it, as an inner node says.
    """

    level: int
    children: list[bytes]
    records: int
    referring: list[bytes]
    below: int = 0


def decode_received_node(chunk: bytes) -> ReceivedNode:
    """Return what a chunk from outside refers to, if it has the form of a node.

    An inner node has children, each once. Raises Corrupt ``node-form``.
    """
    even = _even_leaf(chunk)
    if even is not None:
        return even
    mark = chunk[:1]
    try:
        fields = cbor2.loads(
            chunk[1:], max_depth=_DEPTH_MAX, allow_indefinite=False, tag_hook=_refuse
        )
    except (cbor2.CBORDecodeError, ValueError, OverflowError) as error:
        raise _bad_form(str(error)) from error
    if type(fields) is not list:
        raise _bad_form("it is no array")
    kinds = list(map(type, fields))
    if mark == LEAF_MARK and kinds == _LEAF_FIELDS:
        node = _leaf(*fields)
    elif mark == INNER_MARK and kinds == _INNER_FIELDS:
        node = _inner(*fields)
    else:
        raise _bad_form("a field is of another type")
    if mark + cbor2.dumps(fields) != chunk:
        raise _bad_form("it is not spelt in its one way")
    return node


def _even_leaf(chunk: bytes) -> ReceivedNode | None:
    """Look a leaf through whose keys, and values, are of one length each.

    Most are such; a tenth of the time of taking one apart and spelling it anew. None
    for others, and for what is not spelt in its one way.
    """
    columns = StoredLeaf(chunk).even_columns()
    if columns is None:
        return None
    prefix, keys, values = columns
    count = len(keys)
    array = array_header(count)
    head = _LEAF_HEAD + byte_string_header(len(prefix)) + prefix + array
    if keys.start != len(head) or not chunk.startswith(head):
        return None
    if chunk[keys.stop : values.start] != array:
        return None
    for places in (keys, values):
        start, end = string_at(chunk, places.start)
        if start - places.start != len(byte_string_header(end - start)):
            return None
    ends = [string_at(chunk, places[at]) for places, at in ((keys, 0), (keys, -1))]
    _require_longest(prefix, [chunk[start:end] for start, end in ends], count)
    return ReceivedNode(0, [], count, [])


def _leaf(
    prefix: bytes, suffixes: list[Any], values: list[Any], bits: bytes
) -> ReceivedNode:
    _require_bytes(suffixes)
    _require_bytes(values)
    count = len(values)
    if len(suffixes) != count:
        raise _bad_form("the numbers of keys and values differ")
    _require_longest(prefix, suffixes, count)
    referring: list[bytes] = []
    if bits:
        marks = int.from_bytes(bits, "little")
        if len(bits) != (count + 7) // 8 or not marks or marks >> count:
            raise _bad_form("its reference bits do not fit")
        referring = [values[at] for at in range(count) if marks >> at & 1]
    return ReceivedNode(0, [], count, referring)


def _inner(
    level: int, prefix: bytes, suffixes: list[Any], *columns: bytes
) -> ReceivedNode:
    _require_bytes(suffixes)
    addresses, counts, weights = columns
    count = len(suffixes)
    if not 0 < level <= TREE_LEVEL_MAX or not count:
        raise _bad_form("its level is out of range, or it has no child")
    sizes = ADDRESS_BYTES * count, _COUNT_BYTES * count, _WEIGHT_BYTES * count
    if (len(addresses), len(counts), len(weights)) != sizes:
        raise _bad_form("its columns differ in length")
    children = split_addresses(addresses)
    if len(set(children)) != count:
        raise _bad_form("a child stands twice")
    below = sum(Struct(f"<{count}Q").unpack(counts))
    return ReceivedNode(level, children, 0, [], below)


def _require_longest(prefix: bytes, suffixes: list[bytes], count: int) -> None:
    """Refuse a leaf whose prefix is not all that its first and last key share."""
    if count > 1:
        is_longest = suffixes[0][:1] != suffixes[-1][:1]
    else:
        is_longest = not suffixes[0] if count else not prefix
    if not is_longest:
        raise _bad_form("its prefix is not what its keys share")


def _require_bytes(column: list[Any]) -> None:
    if column and set(map(type, column)) != _BYTES:
        raise _bad_form("a key or a value is no byte string")


def _refuse(tag: Any, immutable: bool) -> NoReturn:
    raise ValueError("a tag")


def _bad_form(reason: str) -> Corrupt:
    return Corrupt(
        f"not a node of a record tree: {reason}",
        code="node-form",
        hint="The other side sent damaged bytes; nothing of it was kept.",
    )
