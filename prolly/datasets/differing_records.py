"""Which stored records of two versions of one dataset differ, whatever their schemas.

A diff of trees skips equal bytes. Under two schemas whose columns stand in other places
equal bytes may be cells of other columns, as after one was dropped: then every record
of both versions is handed on, and who decodes them finds out.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import groupby

from prolly.codec import Descriptor
from prolly.tree import Difference, NodeReader, diff

from .dataset import stored_table

Bounds = tuple[bytes | None, bytes | None]


def record_differences(
    reader: NodeReader,
    old: Descriptor | None,
    new: Descriptor | None,
    bounds: Bounds = (None, None),
) -> Iterator[Difference]:
    """Yield (key, old, new) of records that may differ, within [start, stop).

    Not for blobs. O(changes x depth) node reads, O(records) where columns moved.
    """
    start, stop = bounds
    before = None if old is None else old.roots[0].address
    after = None if new is None else new.roots[0].address
    if _reads_alike(old, new):
        return diff(reader, before, after, start=start, stop=stop)
    sides = (
        diff(reader, before, None, start=start, stop=stop),
        diff(reader, None, after, start=start, stop=stop),
    )
    return map(_joined, groupby(heapq.merge(*sides, key=_key), _key))


def _reads_alike(old: Descriptor | None, new: Descriptor | None) -> bool:
    if old is None or new is None or "table" not in (old.kind, new.kind):
        return True
    return stored_table(old).schema.reads_alike(stored_table(new).schema)


def _key(difference: Difference) -> bytes:
    return difference[0]


def _joined(group: tuple[bytes, Iterator[Difference]]) -> Difference:
    """Return both sides of one key as one difference."""
    key, sides = group
    before: bytes | None = None
    after: bytes | None = None
    for _, old, new in sides:
        before = old if new is None else before
        after = new if old is None else after
    return key, before, after
