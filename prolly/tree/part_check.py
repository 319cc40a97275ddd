"""Checking single nodes against what their parents say, and against their neighbours.

For trees that are not all here. What :class:`TreeCheck` finds in a whole tree is found
as far as the nodes are there: a node whose cut depends on one that is not is taken on
trust.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from prolly.codec import TreeParameters
from prolly.codec.node import Child, Inner, Node

from .operations import entries_of, node_weight, record_count, weigh
from .splitter import cut_ends, level_seed, priorities_of


class NodeEntry(NamedTuple):
    """What a parent says of a node: the key before its first, its last, its numbers."""

    before: bytes
    last: bytes
    child: Child
    level: int


def entries_below(node: Inner, own: NodeEntry | None) -> Iterator[NodeEntry]:
    """Yield what an inner node says of its children; ``own`` is what is said of it."""
    before = b"" if own is None else own.before
    for last, child in zip(node.keys(), node.children(), strict=True):
        yield NodeEntry(before, last, child, node.level - 1)
        before = last


def misfit(node: Node, entry: NodeEntry | None) -> str:
    """Return what is wrong with a node beside its parent's entry; empty if nothing.

    A root has no entry.
    """
    if entry is None:
        is_stalk = isinstance(node, Inner) and len(node) == 1
        return "the root has one child alone" if is_stalk else ""
    keys, payloads = entries_of(node)
    if node.level != entry.level:
        return f"level {node.level}, not {entry.level}"
    if not keys or keys[-1] != entry.last or keys[0] <= entry.before:
        return "its keys are not those of its parent's entry"
    if record_count(node.level, payloads) != entry.child.records:
        return "its parent tells another number of records"
    if node_weight(node) != entry.child.weight:
        return "its parent tells another weight"
    return ""


def cut_misfit(
    nodes: Sequence[Node], parameters: TreeParameters, *, is_end: bool
) -> str:
    """Return what is wrong with the end of the first node; empty if nothing is known.

    The others follow it on its level, one behind the other; behind the last there is
    nothing if ``is_end``.
    """
    keys: list[bytes] = []
    weights: list[int] = []
    for node in nodes:
        more, payloads = entries_of(node)
        keys += more
        weights += weigh(node.level, more, payloads)
    limits = parameters.weight_min, parameters.weight_max
    if not keys or (not is_end and sum(weights) <= limits[1]):
        return ""
    seed = level_seed(parameters.seed, nodes[0].level)
    ends = cut_ends(weights, priorities_of(keys, seed), *limits, final=is_end)
    if ends[0] == len(nodes[0]):
        return ""
    return f"it ends after {len(nodes[0])} entries, not after {ends[0]}"
