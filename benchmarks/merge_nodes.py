"""What a merge of two sides reads, decodes and writes, in nodes: counted, never timed.

    python -m benchmarks.merge_nodes [--records 10k,100k,1M] [--edits 1000] [--seed 1]

Each side edits so many records of its own, none of them the other's. The cache is cold.
The counts depend on the sizes and the seed alone, so any machine prints the same ones;
they stand in docs/design/0008-merge-walk.md.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from prolly.chunks import Costs, CountingStore, MemoryStore
from prolly.codec import DEFAULT_PARAMETERS
from prolly.tree import (
    Both,
    CountingCache,
    NodeReader,
    TreeMerge,
    Versions,
    apply,
    build,
    merge,
)

from .__main__ import parse_counts

RECORDS_DEFAULT = "10k,100k,1M"
EDITS_DEFAULT = 1000
SEED_DEFAULT = 1
# With the key 103 bytes of a record.
VALUE_BYTES = 90
# Records handed to the builder in one go.
BUILD_RECORDS = 4096

Edits = dict[bytes, bytes | None]


def key_of(number: int) -> bytes:
    """Return the key of a record; between two of them there is room for others."""
    return b"key:%09d" % (7 * number)


def updated(keys: Sequence[bytes], mark: bytes) -> Edits:
    """Write values of the same length over the old ones."""
    return dict.fromkeys(keys, mark * VALUE_BYTES)


def inserted(keys: Sequence[bytes], mark: bytes) -> Edits:
    """Put a record behind each of the keys."""
    return {key + b"+": mark * VALUE_BYTES for key in keys}


def deleted(keys: Sequence[bytes], mark: bytes) -> Edits:
    """Take the records away."""
    return dict.fromkeys(keys)


KINDS: dict[str, Callable[[Sequence[bytes], bytes], Edits]] = {
    "update": updated,
    "insert": inserted,
    "delete": deleted,
}


class Counted(NamedTuple):
    """One merge: how it came about, and what passed between it and the store."""

    walk: TreeMerge
    costs: Costs


class Grown:
    """A tree of so many records in memory, and merges of edits of it."""

    def __init__(self, count: int) -> None:
        self._store = CountingStore(MemoryStore())
        self._writer = self._store.writer()
        self._count = count
        self._root = build(self._writer, self._batches(), DEFAULT_PARAMETERS)

    def _batches(self) -> Iterator[tuple[list[bytes], list[bytes]]]:
        for start in range(0, self._count, BUILD_RECORDS):
            stop = min(start + BUILD_RECORDS, self._count)
            yield (
                list(map(key_of, range(start, stop))),
                [bytes(VALUE_BYTES)] * (stop - start),
            )

    def _edited(self, edits: Edits) -> bytes:
        keys = sorted(edits)
        columns = keys, [edits[key] for key in keys]
        reader = NodeReader(self._writer.get)
        return apply(reader, self._writer, self._root, columns, DEFAULT_PARAMETERS)

    def merged(self, ours: Edits, theirs: Edits) -> Counted:
        """Merge two sides that share no record."""
        versions = Versions(self._root, self._edited(ours), self._edited(theirs))
        costs = self._store.costs
        costs.reset()
        reader = NodeReader(self._writer.get, CountingCache(costs))
        walk = merge(reader, self._writer, versions, DEFAULT_PARAMETERS, _unasked)
        return Counted(walk, costs)


def _unasked(both: Sequence[Both]) -> Sequence[bytes | None]:
    raise AssertionError("the sides share no record")


def lines(counts: Sequence[int], edits: int, seed: int) -> Iterator[str]:
    """Yield the table in Markdown, a line for each size and kind of edits."""
    yield "| records | edits | read | decoded | written | taken | merged |"
    yield "|--:|---|--:|--:|--:|--:|--:|"
    for count in counts:
        grown = Grown(count)
        chosen = random.Random(seed).sample(range(count), 2 * edits)
        keys = list(map(key_of, chosen))
        for kind, edit in KINDS.items():
            walk, costs = grown.merged(
                edit(keys[:edits], b"o"), edit(keys[edits:], b"t")
            )
            told = [
                costs.gets,
                costs.nodes_decoded,
                costs.puts,
                walk.from_ours + walk.from_theirs,
                walk.patches_merged,
            ]
            cells = " | ".join(f"{one:,}" for one in told)
            yield f"| {count:,} | {kind} | {cells} |"


def main() -> None:
    """Print what the merges cost."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=parse_counts, default=RECORDS_DEFAULT)
    parser.add_argument("--edits", type=int, default=EDITS_DEFAULT)
    parser.add_argument("--seed", type=int, default=SEED_DEFAULT)
    asked = parser.parse_args()
    if 2 * asked.edits > min(asked.records):
        parser.error(f"both sides edit {2 * asked.edits:,} records: there are fewer")
    for line in lines(asked.records, asked.edits, asked.seed):
        print(line, flush=True)


if __name__ == "__main__":
    main()
