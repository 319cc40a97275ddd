"""Three versions of one tree, and what merging their records one by one must give."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Self

from prolly.chunks import CountingStore, MemoryStore
from prolly.codec import TreeParameters
from prolly.tree import Both, NodeReader, TreeMerge, Versions, build, iter_batches
from prolly.tree import merge as merge_trees
from prolly.tree.merge_patches import Patch
from prolly.tree.merge_walk import find_patches

from .tree_model import Records

ThreeRecords = tuple[Records, Records, Records]

# Keys of five bytes under values of at most thirty: two such entries are below the
# least weight of a small tree.
SMALL_VALUE_MAX = 30
SMALL_WEIGHTS = ((130, 195), (130, 390), (200, 300), (200, 607))


class SmallParameters(TreeParameters):
    """Parameters below the caps of the format: trees of many levels, few records.

    They hold for the keys and values of ``small_versions``, and for no others.
    """

    __slots__ = ()

    def __new__(cls, weight_min: int, weight_max: int, seed: int = 0) -> Self:
        """Accept them; the format's own caps do not."""
        return tuple.__new__(cls, (weight_min, weight_max, seed))


class ThreeTrees:
    """Trees of one writer, merged beside their dictionaries."""

    def __init__(self, parameters: TreeParameters) -> None:
        store = CountingStore(MemoryStore())
        self.counts = store.costs
        self.writer = store.writer()
        self.parameters = parameters

    def rebuild(self, records: Records) -> bytes:
        """Build the tree of the records from scratch."""
        keys = sorted(records)
        batch = keys, [records[key] for key in keys]
        return build(self.writer, [batch], self.parameters)

    def leaves(self, root: bytes) -> list[list[bytes]]:
        """Return the keys of every leaf of a tree."""
        reader = NodeReader(self.writer.get)
        return [keys for keys, _ in iter_batches(reader, root)]

    def merge(
        self, versions: Versions, *, equal_too: bool = False
    ) -> tuple[TreeMerge, list[Both]]:
        """Merge with an empty cache; return the merge and what was settled.

        Reads and writes are counted from zero in ``counts``.
        """
        settled: list[Both] = []

        def settle(batch: Sequence[Both]) -> Sequence[bytes | None]:
            settled.extend(batch)
            return [settle_alike(one) for one in batch]

        self.counts.reset()
        reader = NodeReader(self.writer.get)
        merged = merge_trees(
            reader,
            self.writer,
            versions,
            self.parameters,
            settle,
            equal_too=equal_too,
        )
        return merged, settled


def plain_patches(
    reader: NodeReader, versions: Versions, reach: int, *, equal_too: bool = False
) -> list[Patch]:
    """Return the patches between three trees, strips taken apart."""
    patches: list[Patch] = []
    for one in find_patches(reader, versions, reach, equal_too=equal_too):
        if isinstance(one, Patch):
            patches.append(one)
        else:
            patches += [patch for patch, _ in one.patches(reader)]
    return patches


def settle_alike(both: Both) -> bytes | None:
    """Settle a record without regard to sides: now and then its base, or absent."""
    values = [value for value in (both.ours, both.theirs) if value is not None]
    if both.base is not None and len(both.base) % 5 == 0:
        return None
    if both.base is not None and len(both.base) % 5 == 1:
        return both.base
    return max(values, default=None)


def merge_records(
    versions: ThreeRecords, *, equal_too: bool = False
) -> tuple[Records, list[Both]]:
    """Return the merged records, and those that both sides changed, in key order."""
    base, ours, theirs = versions
    merged: Records = {}
    settled: list[Both] = []
    for key in sorted(base.keys() | ours.keys() | theirs.keys()):
        both = Both(key, base.get(key), ours.get(key), theirs.get(key))
        value = both.ours
        if both.ours == both.theirs and not (equal_too and both.ours != both.base):
            pass
        elif both.ours == both.base:
            value = both.theirs
        elif both.theirs != both.base:
            settled.append(both)
            value = settle_alike(both)
        if value is not None:
            merged[key] = value
    return merged, settled


def _small_value(source: random.Random, size: int | None) -> bytes:
    return source.randbytes(
        source.randint(0, SMALL_VALUE_MAX) if size is None else size
    )


def _small_edit(
    source: random.Random, records: Records, space: int, size: int | None
) -> Records:
    """Return the records after edits of one kind, scattered or in one place."""
    edited = dict(records)
    kind = source.choice(
        ("put", "delete", "equal", "mixed", "range", "append", "cluster")
    )
    if kind == "range":
        there = sorted(edited)
        low = source.randrange(len(there) + 1)
        for key in there[low : low + source.choice((1, 10, 100, 1000))]:
            del edited[key]
        return edited
    number = source.choice((1, 1, 2, 5, 20, 80))
    low = source.randrange(space)
    for _ in range(number):
        now = source.choice(("put", "delete", "equal")) if kind == "mixed" else kind
        if now in ("delete", "equal") and edited:
            key = source.choice(list(edited))
            value = edited.pop(key)
            if now == "equal":
                edited[key] = source.randbytes(len(value))
            continue
        place = source.randrange(space)
        if now == "append":
            place = space + source.randrange(2 * number)
        elif now == "cluster":
            place = low + source.randrange(2 * number)
        edited[b"%05d" % place] = _small_value(source, size)
    return edited


def small_versions(source: random.Random) -> ThreeRecords:
    """Return base, ours and theirs, of which any may be empty or unlike the others."""
    space = source.choice((50, 300, 3000))
    size = source.choice((None, 10, 10))
    count = source.choice((0, 1, 30, 300, 1500))

    def fresh() -> Records:
        keys = [b"%05d" % source.randrange(space) for _ in range(count)]
        return {key: _small_value(source, size) for key in keys}

    base = fresh()
    shared = base
    if source.random() < 0.15:
        shared = _small_edit(source, base, space, size)
    sides: list[Records] = []
    for _ in range(2):
        side = shared
        for _ in range(source.choice((1, 1, 2, 4))):
            side = _small_edit(source, side, space, size)
        chance = source.random()
        sides.append({} if chance < 0.05 else fresh() if chance < 0.1 else side)
    return ({} if source.random() < 0.1 else base), sides[0], sides[1]
