"""Build a tree from sorted records, in one pass and bounded memory.

Records come in batches; each level holds the entries of at most a few nodes that are
not cut yet, so memory is O(depth x node) whatever the number of records. Each node is
written once. O(n) time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise, repeat

from prolly.chunks import ChunkWriter
from prolly.codec import TreeParameters
from prolly.codec.node import Child

from .operations import Payload, encode, record_count, weigh
from .splitter import cut_ends, level_seed, priorities_of

# Entries gathered on a level before its nodes are cut: enough to make the per-cut work
# small beside the per-entry work, few enough to stay in the processor's cache.
PENDING_ENTRIES = 4096


class LevelBuilder:
    """The open right edge of one level: entries not yet cut into nodes."""

    def __init__(
        self, writer: ChunkWriter, parameters: TreeParameters, level: int
    ) -> None:
        self._writer = writer
        self._parameters = parameters
        self._level = level
        self._seed = level_seed(parameters.seed, level)
        self._keys: list[bytes] = []
        self._payloads: list[Payload] = []
        self.nodes_written = 0
        self.only: bytes = b""
        self._above: LevelBuilder | None = None

    def extend(self, keys: Sequence[bytes], payloads: Sequence[Payload]) -> None:
        """Append sorted entries; nodes whose end is settled are written."""
        for low in range(0, len(keys), PENDING_ENTRIES):
            high = low + PENDING_ENTRIES
            self._keys += keys[low:high]
            self._payloads += payloads[low:high]
            if len(self._keys) >= PENDING_ENTRIES:
                self._cut(final=False)

    def finish(self) -> bytes:
        """Cut what remains on this level and those above; return the root."""
        self._cut(final=True)
        if self.nodes_written == 1:
            return self.only
        assert self._above is not None
        return self._above.finish()

    def _cut(self, *, final: bool) -> None:
        weights = weigh(self._level, self._keys, self._payloads)
        priorities = priorities_of(self._keys, self._seed)
        limits = self._parameters.weight_min, self._parameters.weight_max
        ends = cut_ends(weights, priorities, *limits, final=final)
        if not ends and final and not self.nodes_written:
            ends = [0]
        spans = list(pairwise([0, *ends]))
        keys = [self._keys[low:high] for low, high in spans]
        payloads = [self._payloads[low:high] for low, high in spans]
        chunks = list(map(encode, repeat(self._level), keys, payloads))
        addresses = self._writer.put_many(chunks)
        counts = map(record_count, repeat(self._level), payloads)
        sizes = (sum(weights[low:high]) for low, high in spans)
        children = list(map(Child, addresses, counts, sizes))
        if ends:
            del self._keys[: ends[-1]], self._payloads[: ends[-1]]
            self._pass_up([some[-1] if some else b"" for some in keys], children)

    def _pass_up(self, keys: list[bytes], children: list[Child]) -> None:
        """Hand new nodes to the level above, which exists from the second node on."""
        self.nodes_written += len(children)
        self.only = children[0].address
        if self._above is None:
            self._above = LevelBuilder(self._writer, self._parameters, self._level + 1)
        self._above.extend(keys, children)


def build(
    writer: ChunkWriter,
    batches: Iterable[tuple[Sequence[bytes], Sequence[bytes]]],
    parameters: TreeParameters,
) -> bytes:
    """Build the tree of sorted records and return its root.

    ``batches`` gives (keys, stored values), ascending without repeats within and across
    batches; the caller vouches for that. No record at all makes one empty leaf.
    """
    level = LevelBuilder(writer, parameters, 0)
    for keys, values in batches:
        level.extend(keys, values)
    return level.finish()


def build_above(
    writer: ChunkWriter,
    parameters: TreeParameters,
    level: int,
    entries: tuple[Sequence[bytes], Sequence[Child]],
) -> bytes:
    """Build the levels from ``level`` up over finished nodes and return the root."""
    top = LevelBuilder(writer, parameters, level)
    top.extend(*entries)
    return top.finish()
