"""A tree that came from elsewhere, made again over its leaves as they are.

The root of a tree is a function of its records, so a tree is right if making it from
its records leads to the same root. Where each leaf is known to have the one spelling of
its records, nothing of it needs to be encoded again: the rule of cuts says where leaves
must end, and the levels above follow from the last keys, counts and weights of leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prolly.chunks import ChunkWriter
from prolly.codec import TreeParameters
from prolly.codec.byte_strings import ByteStrings, EvenStrings
from prolly.codec.node import LEAF_ENTRY_OVERHEAD, Child, Inner
from prolly.codec.stored_leaf import StoredLeaf

from .builder import PENDING_ENTRIES, LevelBuilder
from .operations import weigh
from .reader import NodeReader
from .splitter import cut_ends, level_seed, priorities_of

# Leaves that are read and written together: a quarter of a megabyte.
LEAVES_AT_ONCE = 32

Inspect = Callable[[list[bytes], ByteStrings, ByteStrings], object]
"""Looks at the keys of one leaf, apart and as a column, and at its values."""


def recut(
    reader: NodeReader,
    writer: ChunkWriter,
    root: bytes,
    parameters: TreeParameters,
    inspect: Inspect,
) -> bytes | None:
    """Write the tree of the leaves below ``root``; return its root.

    ``None`` if leaves end where the parameters would not cut them. The caller vouches
    that each leaf is spelt in its one way, and ``inspect`` that keys ascend, also from
    one leaf to the next. O(n) time, memory of a few thousand records. Raises Corrupt
    for nodes that are missing, of a wrong level, or no nodes.
    """
    cuts = _Cuts(writer, parameters)
    for chunks in _leaves(reader, root):
        addresses = writer.put_many([leaf.chunk for leaf in chunks])
        for address, leaf in zip(addresses, chunks, strict=True):
            keys, values = leaf.columns()
            if not len(keys):
                return None
            listed = keys.apart()
            inspect(listed, keys, values)
            cuts.add(address, listed, (keys, values))
        if not cuts.are_right():
            return None
    return cuts.root() if cuts.are_right(final=True) else None


def _leaves(reader: NodeReader, root: bytes) -> Iterator[Sequence[StoredLeaf]]:
    """Yield the leaves below a root in key order, some at a time."""
    node = reader.hold(root)
    if isinstance(node, StoredLeaf):
        yield [node]
        return
    if node.level > 1:
        for index in range(len(node)):
            yield from _leaves_below(reader, node, index)
        return
    places = range(len(node))
    waiting: list[StoredLeaf] = []
    for leaf in reader.hold_leaves(node, places):
        waiting.append(leaf)
        if len(waiting) == LEAVES_AT_ONCE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _leaves_below(
    reader: NodeReader, parent: Inner, index: int
) -> Iterator[Sequence[StoredLeaf]]:
    # Levels that fall by one at each step bound the descent.
    reader.hold_below(parent, index)
    yield from _leaves(reader, parent.address(index))


class _Cuts:
    """Leaves one after the other, those whose end is not settled yet at hand."""

    def __init__(self, writer: ChunkWriter, parameters: TreeParameters) -> None:
        self._parameters = parameters
        self._seed = level_seed(parameters.seed, 0)
        self._above = LevelBuilder(writer, parameters, 1)
        self._weights: list[int] = []
        self._priorities: list[int] = []
        self._ends: list[int] = []
        self._last_keys: list[bytes] = []
        self._children: list[Child] = []
        self._count = 0
        self._only = b""

    def add(
        self,
        address: bytes,
        listed: Sequence[bytes],
        columns: tuple[ByteStrings, ByteStrings],
    ) -> None:
        """Append a leaf, its keys apart and as a column."""
        keys, values = columns
        if type(keys) is EvenStrings and type(values) is EvenStrings:
            weight = keys.size + values.size + LEAF_ENTRY_OVERHEAD
            weights = [weight] * len(listed)
        else:
            weights = weigh(0, listed, values.apart())
        self._weights += weights
        self._priorities += priorities_of(listed, self._seed)
        self._ends.append(len(self._weights))
        self._last_keys.append(listed[-1])
        self._children.append(Child(address, len(listed), sum(weights)))
        self._count += 1

    def are_right(self, *, final: bool = False) -> bool:
        """Tell whether leaves end where they must, and pass those up that do.

        Without ``final`` more leaves may come.
        """
        if not final and len(self._weights) < PENDING_ENTRIES:
            return True
        limits = self._parameters.weight_min, self._parameters.weight_max
        due = cut_ends(self._weights, self._priorities, *limits, final=final)
        done = len(due)
        if due != self._ends[:done] or (final and done != len(self._ends)):
            return False
        if due:
            settled = due[-1]
            del self._weights[:settled], self._priorities[:settled]
            self._ends = [end - settled for end in self._ends[done:]]
            self._above.extend(self._last_keys[:done], self._children[:done])
            self._only = self._children[0].address
            del self._last_keys[:done], self._children[:done]
        return True

    def root(self) -> bytes:
        """Return the root over all leaves, which were right."""
        return self._only if self._count == 1 else self._above.finish()
