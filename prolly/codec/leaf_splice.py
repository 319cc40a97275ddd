"""Records put into the bytes of a leaf, and taken out, without taking it apart.

Where all keys of a leaf are of one length, all values are, and what comes is of the
same lengths, a record is one stride of the keys' column and one of the values'. The
prefix is what the first key shares with the last, so while these two stay it stays,
and the bytes made here are those of encoding all records anew: a fifth of the work.
Page: ``docs/spec/nodes.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .byte_strings import EvenStrings
from .cbor import array_header
from .column_places import string_at
from .stored_leaf import EvenColumns, StoredLeaf

# How the last field of a leaf is spelt in which no value refers.
_NO_BITS = b"\x40"


class Step(NamedTuple):
    """One record more (1) or less (-1): its place among the old ones, and its key."""

    place: int
    by: int
    key: bytes


class Splice(NamedTuple):
    """A leaf after edits, and what made it: steps in order of keys.

    ``record_bytes`` is the length of a key and a value, which all records share, and
    ``old_keys`` are the keys before.
    """

    chunk: bytes
    records: int
    record_bytes: int
    steps: list[Step]
    old_keys: EvenStrings


def splice_leaf(
    held: StoredLeaf, keys: Sequence[bytes], values: Sequence[bytes | None]
) -> Splice | None:
    """Apply sorted edits (``None`` deletes) to a leaf; ``None`` where it takes more.

    That is so for lengths that differ, references, and where the first or the last key
    would be another.
    """
    columns = held.even_columns()
    if columns is None:
        return None
    splicing = _Splicing(held.chunk, columns)
    if not all(map(splicing.edit, keys, values)):
        return None
    return splicing.finish()


class _Column:
    """Strings of one length: where they stand, their head, how many bytes behind it."""

    __slots__ = ("head", "places", "size", "start", "stride")

    def __init__(self, chunk: bytes, places: range) -> None:
        self.places = places
        self.start, self.stride = places.start, places.step
        self.head = chunk[self.start : string_at(chunk, self.start)[0]]
        self.size = self.stride - len(self.head)


class _Splicing:
    """The bytes of a leaf as far as they were gone through."""

    def __init__(self, chunk: bytes, columns: EvenColumns) -> None:
        self._chunk = chunk
        self._prefix, keys, values = columns
        self._keys = _Column(chunk, keys)
        self._values = _Column(chunk, values)
        self._count = len(keys)
        self._done = 0
        self._key_parts: list[bytes] = []
        self._value_parts: list[bytes] = []
        self._steps: list[Step] = []

    def edit(self, key: bytes, value: bytes | None) -> bool:
        """Apply the next edit; False when it takes more than this."""
        prefix, keys = self._prefix, self._keys
        suffix = key[len(prefix) :]
        if len(suffix) != keys.size or not key.startswith(prefix):
            return value is None
        if value is not None and (
            type(value) is not bytes or len(value) != self._values.size
        ):
            return False
        wanted = keys.head + suffix
        place = self._place_of(wanted)
        at = keys.start + place * keys.stride
        is_there = self._chunk[at : at + keys.stride] == wanted
        if value is None:
            if not is_there:
                return True
            if not 0 < place < self._count - 1:
                return False
            self._steps.append(Step(place, -1, key))
        elif not is_there:
            if not 0 < place < self._count:
                return False
            self._steps.append(Step(place, 1, key))
        self._pass(place)
        self._done = place + is_there
        if value is not None:
            self._key_parts.append(wanted)
            self._value_parts += (self._values.head, value)
        return True

    def _place_of(self, wanted: bytes) -> int:
        """Return how many of the keys are below."""
        chunk, start, stride = self._chunk, self._keys.start, self._keys.stride
        low, high = self._done, self._count
        while low < high:
            middle = (low + high) >> 1
            at = start + middle * stride
            if chunk[at : at + stride] < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    def _pass(self, place: int) -> None:
        """Take over the records before a place."""
        for column, parts in (
            (self._keys, self._key_parts),
            (self._values, self._value_parts),
        ):
            low = column.start + self._done * column.stride
            high = column.start + place * column.stride
            parts.append(self._chunk[low:high])

    def finish(self) -> Splice:
        """Return the leaf with the rest of its records."""
        self._pass(self._count)
        records = self._count + sum(step.by for step in self._steps)
        counted = array_header(records)
        keys_at = self._keys.start - len(array_header(self._count))
        chunk = b"".join(
            [
                self._chunk[:keys_at],
                counted,
                *self._key_parts,
                counted,
                *self._value_parts,
                _NO_BITS,
            ]
        )
        column = self._keys
        keys = EvenStrings(self._chunk, column.places, len(column.head), self._prefix)
        record_bytes = keys.size + self._values.size
        return Splice(chunk, records, record_bytes, self._steps, keys)
