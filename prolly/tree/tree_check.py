"""Checking a tree against the format: every rule that ties its nodes together.

One node's own spelling is ``check_node``'s to judge. Here it is what a node and its
neighbours must agree on:

    node-level   a child is one level below its parent
    node-key     the key of an entry is the last key of its child, and the child's first
                 key lies behind the entry before
    node-count   the count of an entry is the number of records below it
    node-weight  the weight of an entry is that of its child
    node-cut     a node ends where the splitter ends it
    tree-shape   a root with one child, or an empty node that is not the whole tree

Versions share most of their nodes. What was found right once, an entry with its child
or a node with all that its cut depends on, is not looked at again, so a history costs
what its changes cost. Memory: two tokens of 33 bytes a node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from blake3 import blake3

from prolly.codec import ADDRESS_BYTES, TreeParameters
from prolly.codec.node import Child, Inner, Leaf, Node
from prolly.errors import Corrupt

from .address_set import AddressSet, Known
from .operations import entries_of, node_weight, record_count, weigh
from .splitter import cut_ends, level_seed, priorities_of

# Decoded nodes kept: a node is read for its own sake, and for the cuts of the nodes
# before it, which look a few nodes ahead.
NODES_KEPT = 256

ReadNode = Callable[[bytes], Node | None]
CheckLeaf = Callable[[Leaf, bytes], Iterator[Corrupt]]


class Place(NamedTuple):
    """A node and what follows it on its level, as far as its cut may depend on it.

    ``is_end``: nothing follows ``tail``.
    """

    address: bytes
    level: int
    tail: tuple[bytes, ...]
    is_end: bool


class TreeCheck:
    """Checks any number of trees. Not thread-safe.

    ``read_node`` gives a node, or ``None`` for one that is missing or damaged, which is
    for the caller to report; what depends on it is passed over. ``right`` takes a token
    for all that was looked at; another check, told of them by ``take``, passes over it.
    """

    def __init__(self, read_node: ReadNode, right: Known | None = None) -> None:
        self._read_node = read_node
        self._nodes: dict[bytes, Node | None] = {}
        self._right: Known = AddressSet() if right is None else right
        self._parameters = TreeParameters()
        self._context = b""
        self._check_leaf: CheckLeaf | None = None

    def faults(
        self,
        root: bytes,
        parameters: TreeParameters,
        check_leaf: CheckLeaf | None = None,
        context: bytes = b"",
    ) -> Iterator[Corrupt]:
        """Yield what is wrong in a tree, each fault with the ``address`` of a node.

        ``check_leaf`` adds what is wrong with the records of a leaf. ``context`` names
        what it depends on beside the leaf, so that a leaf is checked once for each.
        """
        self._begin(parameters, check_leaf, context)
        node = self._read(root)
        if node is None:
            return
        if isinstance(node, Inner) and len(node) == 1:
            yield _fault("tree-shape", root, "the root has one child alone")
        if isinstance(node, Inner) or len(node):
            yield from self._visit(Place(root, node.level, (), True))

    def _begin(
        self, parameters: TreeParameters, check_leaf: CheckLeaf | None, context: bytes
    ) -> None:
        self._parameters = parameters
        self._context = b"%d %d %d " % (
            parameters.weight_min,
            parameters.weight_max,
            parameters.seed,
        )
        self._context += context
        self._check_leaf = check_leaf

    def iter_places(
        self, root: bytes, parameters: TreeParameters, context: bytes = b""
    ) -> Iterator[Place]:
        """Yield the nodes right above leaves that ``faults`` would look at.

        ``faults_at`` checks each by itself, here or elsewhere; ``take`` says that it
        was found right.
        """
        self._begin(parameters, None, context)
        node = self._read(root)
        front = [] if node is None else [Place(root, node.level, (), True)]
        while front:
            place = front.pop()
            if not place.level or self._token_of_place(place) in self._right:
                continue
            node = self._read(place.address)
            if not isinstance(node, Inner) or node.level != place.level:
                continue
            if place.level == 1:
                yield place
            else:
                front += reversed(list(self._places_below(place, node)))

    def faults_at(
        self,
        place: Place,
        parameters: TreeParameters,
        check_leaf: CheckLeaf | None = None,
        context: bytes = b"",
    ) -> Iterator[Corrupt]:
        """Yield what is wrong at a place and below it; as ``faults`` otherwise."""
        self._begin(parameters, check_leaf, context)
        yield from self._visit(place)

    def take(self, looked_at: bytes) -> None:
        """Look no more at what another check found right: its tokens, joined."""
        for start in range(0, len(looked_at), ADDRESS_BYTES):
            self._right.add(looked_at[start : start + ADDRESS_BYTES])

    def _visit(self, place: Place) -> Iterator[Corrupt]:
        token = self._token_of_place(place)
        if token in self._right:
            return
        self._right.add(token)
        node = self._read(place.address)
        if node is None or node.level != place.level:
            return
        if not len(node):
            yield _fault("tree-shape", place.address, "a node is empty")
            return
        yield from self._cut_faults(place, node)
        if isinstance(node, Leaf):
            if self._check_leaf is not None:
                yield from self._check_leaf(node, place.address)
            return
        yield from self._entry_faults(place.address, node)
        for below in self._places_below(place, node):
            yield from self._visit(below)

    def _entry_faults(self, address: bytes, node: Inner) -> Iterator[Corrupt]:
        """Compare the entries of an inner node with its children."""
        before = b""
        for key, child in zip(node.keys(), node.children(), strict=True):
            numbers = b"%d %d %d" % (node.level, child.records, child.weight)
            if not self._is_known(b"entry", before, key, child.address, numbers):
                for code, detail in self._misfits(node.level, before, key, child):
                    yield _fault(code, child.address, f"{detail}, in {address.hex()}")
            before = key

    def _misfits(
        self, level: int, before: bytes, key: bytes, entry: Child
    ) -> Iterator[tuple[str, str]]:
        child = self._read(entry.address)
        if child is None:
            return
        if child.level != level - 1:
            yield "node-level", f"level {child.level} below level {level}"
            return
        keys, payloads = entries_of(child)
        if keys and (keys[-1] != key or keys[0] <= before):
            yield "node-key", "its keys are not those of its parent's entry"
        records = record_count(child.level, payloads)
        if records != entry.records:
            yield "node-count", f"{records} records, its parent says {entry.records}"
        weight = node_weight(child)
        if weight != entry.weight:
            yield "node-weight", f"weight {weight}, its parent says {entry.weight}"

    def _cut_faults(self, place: Place, node: Node) -> Iterator[Corrupt]:
        """Cut the entries from a node's first on again: it must end where it does."""
        keys, payloads = entries_of(node)
        all_keys, weights = list(keys), weigh(node.level, keys, payloads)
        limits = self._parameters.weight_min, self._parameters.weight_max
        is_end = place.is_end
        for address in place.tail:
            following = self._read(address)
            if following is None or following.level != node.level:
                is_end = False
                break
            more = entries_of(following)
            all_keys += more[0]
            weights += weigh(node.level, *more)
        seed = level_seed(self._parameters.seed, node.level)
        if not is_end and sum(weights) <= limits[1]:
            return
        ends = cut_ends(weights, priorities_of(all_keys, seed), *limits, final=is_end)
        if ends[0] != len(node):
            detail = f"it ends after {len(node)} entries, not after {ends[0]}"
            yield _fault("node-cut", place.address, detail)

    def _places_below(self, place: Place, node: Inner) -> Iterator[Place]:
        """Yield the children of an inner node, each with what its cut depends on."""
        children: list[Child] = list(node.children())
        is_end = place.is_end
        for address in place.tail:
            following = self._read(address)
            if not isinstance(following, Inner) or following.level != node.level:
                is_end = False
                break
            children += following.children()
        for index in range(len(node)):
            end = _window_end(children, index, self._parameters.weight_max)
            tail = tuple(child.address for child in children[index + 1 : end])
            is_last = is_end and end == len(children)
            yield Place(children[index].address, node.level - 1, tail, is_last)

    def _read(self, address: bytes) -> Node | None:
        if address in self._nodes:
            return self._nodes[address]
        if len(self._nodes) >= NODES_KEPT:
            for old in list(self._nodes)[: NODES_KEPT // 2]:
                del self._nodes[old]
        node = self._nodes[address] = self._read_node(address)
        return node

    def _token_of_place(self, place: Place) -> bytes:
        return self._token(b"place", place.address, *place.tail, b"%d" % place.is_end)

    def _token(self, *parts: bytes) -> bytes:
        """Return what stands for a thing that is looked at under these parameters."""
        hasher = blake3(self._context)
        for part in parts:
            hasher.update(b"%d:" % len(part))
            hasher.update(part)
        return hasher.digest()

    def _is_known(self, *parts: bytes) -> bool:
        """Tell whether this was looked at before under the same parameters."""
        token = self._token(*parts)
        if token in self._right:
            return True
        self._right.add(token)
        return False


def _window_end(children: Sequence[Child], index: int, weight_max: int) -> int:
    """Return the end of the children that the cut of one of them may depend on."""
    total = 0
    for end in range(index, len(children)):
        total += children[end].weight
        if total > weight_max:
            return end + 1
    return len(children)


def _fault(code: str, address: bytes, detail: str) -> Corrupt:
    return Corrupt(f"node {address.hex()[:12]}: {detail}", code=code, address=address)
