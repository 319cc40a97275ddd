"""Work on whole nodes: weigh, rank, merge, encode, compare. Pure functions.

This module is the seam for speed: everything here is called once a node, never once a
record. Where the kernel does the same, it goes first. An *entry* is a key with a
payload: the stored value in a leaf (level 0), a :class:`Child` in an inner node.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import compress, repeat
from operator import add, ne
from typing import Any, NamedTuple

from prolly.codec import Referring
from prolly.codec.kernel import kernel
from prolly.codec.node import (
    INNER_ENTRY_OVERHEAD,
    LEAF_ENTRY_OVERHEAD,
    Child,
    Inner,
    Leaf,
    Node,
    encode_inner,
    encode_leaf,
)
from prolly.codec.stored_leaf import StoredLeaf

# The stored value (bytes) in a leaf, a Child in an inner node; the level says which, so
# one body of code serves both.
Payload = Any
Keys = list[bytes]

# From here on, merging by dictionary beats one bisect and one insertion an edit.
FEW_EDITS = 8


def weigh(level: int, keys: Sequence[bytes], payloads: Sequence[Payload]) -> list[int]:
    """Return the weight of each entry."""
    if level:
        return [size + INNER_ENTRY_OVERHEAD for size in map(len, keys)]
    sizes = map(add, map(len, keys), map(len, payloads))
    return list(map(add, sizes, repeat(LEAF_ENTRY_OVERHEAD)))


def node_weight(node: Node) -> int:
    """Return the sum of the weights of a node's entries."""
    total = len(node.prefix) * len(node) + sum(map(len, node.suffixes))
    if isinstance(node, Inner):
        return total + INNER_ENTRY_OVERHEAD * len(node)
    return total + sum(map(len, node.values)) + LEAF_ENTRY_OVERHEAD * len(node)


def entries_of(node: Node) -> tuple[Keys, list[Payload]]:
    """Return the keys and payloads of a node; the caller must not change them."""
    if isinstance(node, Inner):
        return node.keys(), node.children()
    return node.keys(), node.values


def encode(level: int, keys: Sequence[bytes], payloads: Sequence[Payload]) -> bytes:
    """Encode the entries of one node."""
    if level:
        return encode_inner(level, keys, payloads)
    return encode_leaf(keys, payloads)


def record_count(level: int, payloads: Sequence[Payload]) -> int:
    """Return how many records stand in or below the entries of one node."""
    if level == 0:
        return len(payloads)
    return sum(child.records for child in payloads)


class Merged(NamedTuple):
    """The entries of a node after edits.

    ``reshaped`` tells that an entry came, went or changed its weight, so that cuts may
    move.
    """

    keys: Keys
    payloads: list[Payload]
    reshaped: bool


def merge_edits(
    level: int,
    node: tuple[Keys, list[Payload]],
    edit_keys: Sequence[bytes],
    edit_payloads: Sequence[Payload | None],
) -> Merged:
    """Apply sorted edits (``None`` deletes) to a node's sorted entries."""
    if len(edit_keys) > FEW_EDITS:
        return _merge_many(level, node, edit_keys, edit_payloads)
    keys, payloads = list(node[0]), list(node[1])
    reshaped = False
    for key, payload in zip(edit_keys, edit_payloads, strict=True):
        index = bisect_left(keys, key)
        if index < len(keys) and keys[index] == key:
            old = payloads[index]
            if payload is None:
                del keys[index], payloads[index]
                reshaped = True
            else:
                reshaped |= level == 0 and len(old) != len(payload)
                payloads[index] = payload
        elif payload is not None:
            keys.insert(index, key)
            payloads.insert(index, payload)
            reshaped = True
    return Merged(keys, payloads, reshaped)


def _merge_many(
    level: int,
    node: tuple[Keys, list[Payload]],
    edit_keys: Sequence[bytes],
    edit_payloads: Sequence[Payload | None],
) -> Merged:
    entries: dict[bytes, Payload | None] = dict(zip(*node, strict=True))
    entries.update(zip(edit_keys, edit_payloads, strict=True))
    order = sorted(entries)
    column = list(map(entries.__getitem__, order))
    if None in set(edit_payloads):
        kept = [payload is not None for payload in column]
        order = list(compress(order, kept))
        column = list(compress(column, kept))
    payloads: list[Payload] = column
    if order != node[0]:
        return Merged(order, payloads, True)
    heavier = level == 0 and any(map(ne, map(len, payloads), map(len, node[1])))
    return Merged(order, payloads, heavier)


def update_inner(
    node: Inner, edit_keys: Sequence[bytes], edit_payloads: Sequence[Child | None]
) -> Inner | None:
    """Apply sorted edits that keep every key; ``None`` when one does not.

    Returns the node itself when nothing changes.
    """
    changed: dict[int, Child] = {}
    for key, payload in zip(edit_keys, edit_payloads, strict=True):
        index = node.find(key)
        if payload is None or index < 0:
            if payload is None and index < 0:
                continue
            return None
        changed[index] = payload
    renewed = node.with_children(changed)
    return node if renewed.chunk == node.chunk else renewed


Difference = tuple[bytes, bytes | None, bytes | None]


def same_keys(one: Node, other: Node) -> bool:
    """Tell whether two nodes of one level have the same keys, without listing them."""
    if isinstance(one, Inner) and isinstance(other, Inner):
        return one.has_keys_of(other)
    return one.prefix == other.prefix and one.suffixes == other.suffixes


def changed_values(old: Leaf, new: Leaf) -> list[Difference]:
    """Return (key, old, new) where two leaves with the same keys differ."""
    differ = list(map(ne, old.values, new.values))
    places = compress(range(len(differ)), differ)
    return [(old.key(at), old.values[at], new.values[at]) for at in places]


def compare(
    old: tuple[Sequence[bytes], Sequence[bytes]],
    new: tuple[Sequence[bytes], Sequence[bytes]],
) -> Iterable[Difference]:
    """Return (key, old, new) where two sorted runs of records differ, in key order."""
    old_keys, old_values = old
    new_keys, new_values = new
    before = dict(zip(old_keys, old_values, strict=True))
    after = dict(zip(new_keys, new_values, strict=True))
    found: list[Difference] = [
        (key, value, after.get(key))
        for key, value in before.items()
        if after.get(key) != value
    ]
    found += [(key, None, after[key]) for key in after.keys() - before.keys()]
    found.sort()
    return found


def leaf_changes(old: StoredLeaf, new: StoredLeaf) -> Iterable[Difference]:
    """Return what differs between two leaves of one stretch of keys.

    Leaves of the same keys whose lengths are even and the same are compared as bytes,
    and nothing in them is decoded; by the kernel none are.
    """
    if kernel is not None:
        try:
            return kernel.leaf_changes(old.chunk, new.chunk, Referring)
        except kernel.Unfit:
            pass
    found = old.changed_values(new)
    if found is not None:
        return found
    before, after = old.decode(), new.decode()
    if same_keys(before, after):
        return changed_values(before, after)
    return compare((before.keys(), before.values), (after.keys(), after.values))
