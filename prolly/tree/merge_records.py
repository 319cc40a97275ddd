"""Merge the records of a patch that both sides changed, a few leaves at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from operator import ne
from typing import NamedTuple

from prolly.codec.byte_strings import even_form
from prolly.codec.node import Leaf
from prolly.codec.stored_leaf import StoredLeaf

from .merge_patches import Entry, Patch
from .operations import compare, same_keys
from .reader import NodeReader


class Both(NamedTuple):
    """A record that both sides changed: its stored values, ``None`` where absent."""

    key: bytes
    base: bytes | None
    ours: bytes | None
    theirs: bytes | None


Settle = Callable[[Sequence[Both]], Sequence[bytes | None]]


class MergedRecords:
    """Merged records, in key order; ``chunk`` is the leaf of them, if they are *even*.

    That is, if they are of one leaf of base, of ours and of theirs, and if ours, theirs
    and these records have the same keys and weights. Then it is one leaf here, too, as
    far as the records behind it let it.
    """

    __slots__ = ("_keys", "_values", "chunk")

    def __init__(
        self, keys: list[bytes], values: list[bytes], chunk: bytes | None = None
    ) -> None:
        self._keys = keys
        self._values = values
        self.chunk = chunk

    @classmethod
    def even(cls, chunk: bytes) -> MergedRecords:
        """Return the records of a leaf of the result."""
        return cls([], [], chunk)

    def columns(self) -> tuple[list[bytes], list[bytes]]:
        """Return the keys and the stored values; not to be changed."""
        if self.chunk is not None:
            leaf = StoredLeaf(self.chunk).decode()
            return leaf.keys(), leaf.values
        return self._keys, self._values


class _Records:
    """The records of one side of a patch, read leaf by leaf."""

    def __init__(self, reader: NodeReader, entries: Sequence[Entry]) -> None:
        self._reader = reader
        self._entries = iter(entries)
        self._keys: list[bytes] = []
        self._values: list[bytes] = []

    def last_key(self) -> bytes | None:
        """Return the last key that is read and not taken; ``None`` at the end."""
        while not self._keys:
            entry = next(self._entries, None)
            if entry is None:
                return None
            leaf = self._reader.read_leaf(entry[1].address)
            self._keys, self._values = leaf.keys(), leaf.values
        return self._keys[-1]

    def take(self, upto: bytes) -> tuple[list[bytes], list[bytes]]:
        """Take the records that are read, up to and including a key."""
        end = bisect_right(self._keys, upto)
        taken = self._keys[:end], self._values[:end]
        self._keys, self._values = self._keys[end:], self._values[end:]
        return taken


class PatchMerge:
    """Merges records of three leaves; ``both`` counts those that were settled."""

    def __init__(self, reader: NodeReader, settle: Settle, *, equal_too: bool) -> None:
        self._reader = reader
        self._settle = settle
        self._equal_too = equal_too
        self.both = 0

    def of(self, patch: Patch) -> Iterator[MergedRecords]:
        """Yield the merged records of a patch, in order and bounded memory."""
        versions = patch.base, patch.ours, patch.theirs
        if patch.is_leaf:
            found = self.leaf(*(entries[0][1].address for entries in versions))
            if found is not None:
                yield found
                return
        sides = [_Records(self._reader, entries) for entries in versions]
        while True:
            ends = [end for side in sides if (end := side.last_key()) is not None]
            if not ends:
                return
            upto = min(ends)
            yield self._runs(*(side.take(upto) for side in sides))

    def leaf(self, *addresses: bytes) -> MergedRecords | None:
        """Merge one leaf of base, ours and theirs; ``None`` when their keys differ."""
        held = (self._reader.hold_at(address, 0) for address in addresses)
        stored = [one for one in held if isinstance(one, StoredLeaf)]
        chunk = _written_over(*stored)
        if chunk is not None:
            return MergedRecords.even(chunk)
        base, ours, theirs = (one.decode() for one in stored)
        if same_keys(base, ours) and same_keys(base, theirs):
            return self._columns(base, ours, theirs)
        return None

    def _columns(self, base: Leaf, ours: Leaf, theirs: Leaf) -> MergedRecords:
        """Merge three leaves with the same keys."""
        old, mine, other = base.values, ours.values, theirs.values
        merged: list[bytes | None] = list(mine)
        both: list[int] = []
        for at in compress(range(len(old)), map(ne, old, other)):
            if mine[at] == old[at]:
                merged[at] = other[at]
            elif self._equal_too or mine[at] != other[at]:
                both.append(at)
        answers = self._settled(
            [Both(base.key(at), old[at], mine[at], other[at]) for at in both]
        )
        for at, answer in zip(both, answers, strict=True):
            merged[at] = answer
        there = [value for value in merged if value is not None]
        if len(there) < len(merged):
            pairs = zip(base.keys(), merged, strict=True)
            return MergedRecords([key for key, one in pairs if one is not None], there)
        sizes = list(map(len, there))
        if sizes == list(map(len, mine)) == list(map(len, other)):
            return MergedRecords.even(ours.encode_with(there))
        return MergedRecords(base.keys(), there)

    def _runs(self, *runs: tuple[list[bytes], list[bytes]]) -> MergedRecords:
        """Merge three runs of records that lie between the same keys."""
        base, ours, theirs = runs
        if not base[0] and not ours[0]:
            return MergedRecords(*theirs)
        merged: dict[bytes, bytes | None] = dict(zip(*ours, strict=True))
        both: list[Both] = []
        for key, before, after in compare(base, theirs):
            mine = merged.get(key)
            if mine == before:
                merged[key] = after
            elif self._equal_too or mine != after:
                both.append(Both(key, before, mine, after))
        answers = self._settled(both)
        merged.update(zip((one.key for one in both), answers, strict=True))
        keys = sorted(key for key, value in merged.items() if value is not None)
        values = [value for key in keys if (value := merged[key]) is not None]
        return MergedRecords(keys, values)

    def _settled(self, both: list[Both]) -> Sequence[bytes | None]:
        if not both:
            return ()
        self.both += len(both)
        return self._settle(both)


def _written_over(
    base: StoredLeaf, ours: StoredLeaf, theirs: StoredLeaf
) -> bytes | None:
    """Return ours with what theirs alone changed written over its values.

    ``None`` where it takes decoding: a record that both changed, other keys, lengths
    that vary, references. Half of the time of decoding and encoding.
    """
    columns = base.even_columns()
    if columns is None:
        return None
    *_, places = columns
    start, size = places.start, places.step
    head = base.chunk[:start]
    if not (ours.has_values_at(places, head) and theirs.has_values_at(places, head)):
        return None
    form = even_form(size, len(places))
    old, mine, other = (
        form.unpack_from(one.chunk, start) for one in (base, ours, theirs)
    )
    merged = bytearray(ours.chunk)
    for at in compress(range(len(old)), map(ne, old, other)):
        if mine[at] != old[at]:
            return None
        place = places[at]
        merged[place : place + size] = other[at]
    return bytes(merged)
