"""A leaf under edits that may change its shape: new bytes, and what moved.

What the cuts of a level depend on is where each entry stands: the sum of the weights up
to and including it, counted from some node's start. An edit puts entries in, and moves
those behind it. ``LeafShape`` tells which entries of a leaf stand in a stretch of sums;
``LeafChange`` which entries came, and how far others moved at most.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from operator import add
from typing import NamedTuple

from prolly.codec import Referring
from prolly.codec.byte_strings import ByteStrings, EvenStrings
from prolly.codec.kernel import kernel
from prolly.codec.node import LEAF_ENTRY_OVERHEAD, Leaf, encode_leaf
from prolly.codec.stored_leaf import StoredLeaf

Edits = tuple[Sequence[bytes], Sequence[bytes | None]]


class LeafShape:
    """Where the entries of a leaf stand: entry i at the sum of the first i + 1 weights.

    The leaf is not looked at before somebody asks.
    """

    def __init__(self, held: StoredLeaf) -> None:
        self._held = held

    @cached_property
    def _columns(self) -> tuple[ByteStrings, Sequence[int]]:
        """The keys, and the sum at which each entry stands."""
        keys, values = self._held.columns()
        if isinstance(keys, EvenStrings) and isinstance(values, EvenStrings):
            each = keys.size + values.size + LEAF_ENTRY_OVERHEAD
            return keys, range(each, each * len(keys) + 1, each)
        lengths = map(add, map(len, keys.apart()), map(len, values.apart()))
        return keys, list(accumulate(map(LEAF_ENTRY_OVERHEAD.__add__, lengths)))

    def keys_within(self, low: int, high: int) -> list[bytes]:
        """Return the keys of the entries that stand at low < sum <= high."""
        keys, sums = self._columns
        first = bisect_right(sums, low)
        end = bisect_right(sums, high, first)
        return keys.part(slice(first, end)).apart()


class LeafChange(NamedTuple):
    """A leaf after edits. ``chunk`` and ``last_key`` are empty when nothing changed.

    ``last_key`` is empty when no record is left, too. ``inserted`` has new keys with
    the sums at which they stand now. An entry that stayed moved by ``-lighter`` to
    ``heavier``, those behind the leaf by ``grown``. ``before`` is the old shape.
    """

    chunk: bytes
    records: int
    last_key: bytes
    inserted: list[tuple[bytes, int]]
    lighter: int
    heavier: int
    grown: int
    before: LeafShape

    @property
    def moves_nothing(self) -> bool:
        """Tell whether values were only written over others of the same lengths."""
        return not (self.inserted or self.lighter or self.heavier)


def change_leaf(held: StoredLeaf, edits: Edits) -> LeafChange:
    """Apply sorted edits (``None`` deletes) to a leaf."""
    if kernel is not None:
        try:
            edited = kernel.leaf_edit(held.chunk, *edits, Referring)
            return LeafChange(*edited, LeafShape(held))
        except kernel.Unfit:
            pass
    return _ListedChange(held).apply(edits)


class _ListedChange:
    """A decoded leaf that is edited: keys are compared behind their common prefix."""

    def __init__(self, held: StoredLeaf) -> None:
        leaf = held.decode()
        self._held = held
        self._old = leaf
        self._prefix = leaf.prefix
        self._suffixes = leaf.suffixes[:]
        self._values = leaf.values[:]
        self._inserted: list[tuple[bytes, int]] = []
        self._moved = self._lighter = self._heavier = 0

    def apply(self, edits: Edits) -> LeafChange:
        """Return the leaf after sorted edits."""
        if not all(key.startswith(self._prefix) for key in edits[0]):
            self._suffixes = self._old.keys()[:]
            self._prefix = b""
        for key, value in zip(*edits, strict=True):
            self._edit(key, value)
        return self._finish()

    def _edit(self, key: bytes, value: bytes | None) -> None:
        suffixes, values = self._suffixes, self._values
        suffix = key[len(self._prefix) :]
        at = bisect_left(suffixes, suffix)
        is_there = at < len(suffixes) and suffixes[at] == suffix
        if is_there and value is not None:
            self._moved += len(value) - len(values[at])
            values[at] = value
        elif is_there:
            self._moved -= len(key) + len(values[at]) + LEAF_ENTRY_OVERHEAD
            del suffixes[at], values[at]
        elif value is not None:
            suffixes.insert(at, suffix)
            values.insert(at, value)
            self._moved += len(key) + len(value) + LEAF_ENTRY_OVERHEAD
            self._inserted.append((key, self._sum_to(at + 1)))
        self._lighter = min(self._lighter, self._moved)
        self._heavier = max(self._heavier, self._moved)

    def _sum_to(self, end: int) -> int:
        """Return the sum of the weights of so many entries."""
        behind = sum(map(len, self._suffixes[:end]))
        values = sum(map(len, self._values[:end]))
        return behind + values + end * (len(self._prefix) + LEAF_ENTRY_OVERHEAD)

    def _finish(self) -> LeafChange:
        old, values = self._old, self._values
        is_same = not self._inserted and values == old.values
        chunk, last_key = (b"", b"") if is_same else self._encoded()
        return LeafChange(
            chunk,
            len(values),
            last_key,
            self._inserted,
            -self._lighter,
            self._heavier,
            self._moved,
            LeafShape(self._held),
        )

    def _encoded(self) -> tuple[bytes, bytes]:
        """Return the bytes of the leaf, and its last key."""
        prefix, suffixes, old = self._prefix, self._suffixes, self._old
        if not suffixes:
            return encode_leaf([], []), b""
        ends = suffixes[0], suffixes[-1]
        if prefix and ends == (*old.suffixes[:1], *old.suffixes[-1:]):
            # The ends decide what all keys share, so it is what it was.
            chunk = Leaf(prefix, suffixes, self._values).encode_with(self._values)
            return chunk, prefix + ends[1]
        keys = [prefix + suffix for suffix in suffixes]
        return encode_leaf(keys, self._values), keys[-1]
