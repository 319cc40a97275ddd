"""Walking parts of trees that are not here: only what key ranges hold, level by level.

In a partial replica a node that is here may lack what is below it, so nothing is passed
over for being here: what ends a walk is a node of a version that is here with all that
its ranges hold. All trees go down together, one request a level.

Such trees cannot be made from their records, so each node is checked by itself and
against its parent and its neighbours: its one spelling, level, keys, counts, weights
and, as far as what it depends on came, its cut. What stands below a node and was not
asked for is taken on trust, until it comes. A few nodes beside a range come along, or
whoever edits at its ends would have to ask for them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from prolly.codec import (
    ChunkType,
    Descriptor,
    Referring,
    TreeParameters,
    decode_referring,
)
from prolly.codec.node import Inner, Leaf, Node, check_node, decode_node
from prolly.codec.received_node import decode_received_node
from prolly.repo import Storage
from prolly.tree import NodeEntry, cut_misfit, entries_below, misfit

from .node_walk import WALK_ADDRESSES_MAX, FetchChunks, bad_shape
from .quarantine import Quarantine
from .received import Received

# The window of a cut reaches over so many nodes at most, to either side: MAX / MIN.
MARGIN_NODES = 3

Range = tuple[bytes, bytes | None]
"""The keys from the first on and before the second, if that is given."""

WHOLE: Range = (b"", None)


class Part(NamedTuple):
    """A tree of a dataset and a range of its keys; ``is_records`` or else stamps."""

    entry: Descriptor
    root: bytes
    parameters: TreeParameters
    range: Range
    is_records: bool = True


class _Due(NamedTuple):
    address: bytes
    entry: NodeEntry | None
    is_last: bool


class _Run(NamedTuple):
    """Nodes of one level of a part, in the order of their keys."""

    part: Part
    nodes: list[_Due]


class PartWalk:
    """A walk over parts of trees, all of which are named before it runs.

    ``opened`` is afterwards what was looked at of parts, parents first; ``blobs`` is
    what their values refer to.
    """

    def __init__(
        self,
        storage: Storage,
        quarantine: Quarantine,
        fetch: FetchChunks,
        on_records: Callable[[int], object],
    ) -> None:
        self._store = storage.here.store
        self._quarantine = quarantine
        self._received = Received(quarantine, self._store)
        self._fetch = fetch
        self._on_records = on_records
        self._seen: set[tuple[bytes, Range]] = set()
        self._wanted: list[Part] = []
        self._runs: list[_Run] = []
        # Nodes below which nothing is lacking, with what a parent says of them.
        self.known: dict[Range, dict[bytes, NodeEntry | None]] = {}
        self.opened: list[tuple[Part, bytes]] = []
        self.blobs: dict[bytes, None] = {}
        self.fetched = 0

    def know(self, root: bytes, wanted: Range) -> None:
        """Take note of a tree of which a range is here already, with all it holds."""
        known = self.known.setdefault(wanted, {})
        front: list[tuple[bytes, NodeEntry | None]] = [(root, None)]
        while front:
            address, entry = front.pop()
            if address in known:
                continue
            chunk = self._received.get(address)
            if chunk is None:
                continue
            known[address] = entry
            node = decode_node(chunk)
            if not isinstance(node, Inner):
                continue
            below = [one for one in entries_below(node, entry) if _meets(one, wanted)]
            if node.level == 1:
                known.update((one.child.address, one) for one in below)
            else:
                front += [(one.child.address, one) for one in below]

    def want(self, part: Part) -> None:
        """Ask for a range of a tree."""
        self._wanted.append(part)

    def run(self) -> None:
        """Fetch until nothing is lacking. Raises Corrupt, and what the line raises."""
        for part in self._wanted:
            if not self._is_over(part.root, part.range):
                self._runs.append(_Run(part, [_Due(part.root, None, True)]))
        while self._runs:
            runs, self._runs = self._runs, []
            self._bring(runs)
            for one in runs:
                self._descend(one)

    def _is_over(self, address: bytes, wanted: Range) -> bool:
        """Tell whether nothing is lacking below a node, or it is in line already."""
        if address in self.known.get(wanted, ()) or (address, wanted) in self._seen:
            return True
        self._seen.add((address, wanted))
        return False

    def _bring(self, runs: Iterable[_Run]) -> None:
        """Fetch the nodes of some runs that are not here."""
        wanted = list(dict.fromkeys(due.address for one in runs for due in one.nodes))
        here = self._store.contains_many(wanted)
        lacking = [
            address
            for address, found in zip(wanted, here, strict=True)
            if not found and address not in self._quarantine
        ]
        for start in range(0, len(lacking), WALK_ADDRESSES_MAX):
            batch = lacking[start : start + WALK_ADDRESSES_MAX]
            for address, chunk in zip(batch, self._fetch(batch), strict=True):
                require_record_node(address, chunk)
                self._quarantine.put(address, chunk)
                self.fetched += 1

    def _descend(self, run: _Run) -> None:
        if run.part.range == WHOLE:
            self._descend_whole(run)
            return
        entries: list[tuple[NodeEntry, bool]] = []
        for due, node in self._checked(run):
            if isinstance(node, Leaf):
                self._take_leaf(node)
                continue
            below = list(entries_below(node, due.entry))
            entries += [(one, due.is_last and one is below[-1]) for one in below]
        known = self.known.get(run.part.range, {})
        due_below: list[_Due] = []
        for entry, is_last in _with_margin(entries, run.part.range):
            address = entry.child.address
            if known.get(address) not in (None, entry):
                raise bad_shape(address, "its parents do not say the same of it")
            if not self._is_over(address, run.part.range):
                due_below.append(_Due(address, entry, is_last))
        if due_below:
            self._runs.append(_Run(run.part, due_below))

    def _descend_whole(self, run: _Run) -> None:
        """Go down everywhere; what came is checked by making the tree again."""
        due_below: list[_Due] = []
        for due in run.nodes:
            node = decode_received_node(self._require(due.address))
            self._take_referring(node.referring)
            self._on_records(node.records)
            for address in node.children:
                if not self._is_over(address, WHOLE):
                    due_below.append(_Due(address, None, False))
        if due_below:
            self._runs.append(_Run(run.part, due_below))

    def _checked(self, run: _Run) -> Iterator[tuple[_Due, Node]]:
        """Yield the nodes of a run, each checked; a few ahead are held decoded."""
        weight_max = run.part.parameters.weight_max
        coming = iter(run.nodes)
        ahead: deque[tuple[_Due, Node]] = deque()
        while True:
            for due in islice(coming, 2 * MARGIN_NODES - len(ahead)):
                ahead.append((due, self._opened(run.part, due)))
            if not ahead:
                return
            due, node = ahead.popleft()
            follow = [node]
            last, weight = due, 0
            for beside, more in ahead:
                if last.is_last or last.entry is None or beside.entry is None:
                    break
                if beside.entry.before != last.entry.last or weight > weight_max:
                    break
                follow.append(more)
                last, weight = beside, weight + beside.entry.child.weight
            wrong = cut_misfit(follow, run.part.parameters, is_end=last.is_last)
            if wrong:
                raise bad_shape(due.address, wrong)
            yield due, node

    def _opened(self, part: Part, due: _Due) -> Node:
        node = check_node(self._require(due.address))
        wrong = misfit(node, due.entry)
        if wrong:
            raise bad_shape(due.address, wrong)
        self.opened.append((part, due.address))
        return node

    def _require(self, address: bytes) -> bytes:
        chunk = self._received.get(address)
        assert chunk is not None, "it was fetched, or was here"
        require_record_node(address, chunk)
        return chunk

    def _take_leaf(self, leaf: Leaf) -> None:
        self._on_records(len(leaf))
        self._take_referring([one for one in leaf.values if type(one) is Referring])

    def _take_referring(self, values: Iterable[bytes]) -> None:
        for value in values:
            for reference in decode_referring(value)[0]:
                self.blobs[reference.address] = None


def require_record_node(address: bytes, chunk: bytes) -> None:
    """Raise Corrupt for what has not the form of a node of records."""
    if chunk[0] not in (ChunkType.LEAF, ChunkType.INNER):
        raise bad_shape(address, f"type {chunk[0]} where a node is due")
    decode_received_node(chunk)


def _meets(entry: NodeEntry, wanted: Range) -> bool:
    start, stop = wanted
    return entry.last >= start and (stop is None or entry.before < stop)


def _with_margin(
    entries: Sequence[tuple[NodeEntry, bool]], wanted: Range
) -> Iterator[tuple[NodeEntry, bool]]:
    """Yield the entries that a range meets, and those beside them.

    New keys behind all others belong to the last.
    """
    meeting = [
        place
        for place, (entry, is_last) in enumerate(entries)
        if _meets(entry, wanted) or (is_last and entry.last < wanted[0])
    ]
    if meeting:
        first = max(meeting[0] - MARGIN_NODES, 0)
        yield from entries[first : meeting[-1] + 1 + MARGIN_NODES]
