"""A leaf as it is stored: one record is found in its bytes, without decoding it.

Decoding a leaf makes two objects for each of its records; whoever looks one record up
needs none of them. The first look-up finds out where the entries of the two columns
start, every later one is a search for the key's bytes between them. Whoever wants all
records gets the columns whole, and takes them apart as far as needed.

For bytes whose address was verified, as ``decode_node``. Page: docs/spec/nodes.md.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import cbor2

from prolly.errors import Corrupt

from .byte_strings import ByteStrings, EvenStrings, ListedStrings
from .column_places import (
    STRING,
    STRING_1,
    STRING_2,
    array_at,
    differing_places,
    even_starts_at,
    header_size,
    starts_at,
    string_at,
)
from .kernel import kernel
from .node import LEAF_MARK, Leaf, decode_node
from .reference import Referring

# A leaf, and the array of its four fields.
_HEAD = LEAF_MARK + b"\x84"

# How the last field of a leaf is spelt in which no value refers.
_NO_BITS = b"\x40"

# An array of the last two fields, values and bits.
_PAIR = b"\x82"

Changed = tuple[bytes, bytes, bytes]
Columns = tuple[ByteStrings, ByteStrings]

# The prefix of all keys, and where keys and values stand.
EvenColumns = tuple[bytes, range, range]


class StoredLeaf:
    """The bytes of a leaf, and where its records stand in them. Thread-safe."""

    __slots__ = (
        "_bits",
        "_keys",
        "_keys_end",
        "_places",
        "_prefix",
        "_values",
        "chunk",
        "is_used",
    )

    level = 0
    # The mark of a cache, as of an inner node.
    is_used: bool
    _values: Sequence[int]

    def __init__(self, chunk: bytes) -> None:
        self.chunk = chunk
        # Where the records stand: as the kernel tells it, or as its twin does.
        self._places: bytes | None = None
        self._keys: Sequence[int] | None = None

    def decode(self) -> Leaf:
        """Return the decoded leaf; Corrupt when the bytes do not have its form."""
        leaf = decode_node(self.chunk)
        assert isinstance(leaf, Leaf)
        return leaf

    def columns(self) -> Columns:
        """Return all keys and all values; Corrupt as ``decode``.

        What makes an object of each string, and the strings that are to be joined with
        their prefix, waits until somebody asks for them.
        """
        return _columns_of(self.chunk)

    def records(self) -> tuple[list[bytes], list[bytes]]:
        """Return all keys and all values as lists of the caller; as ``columns``."""
        if kernel is not None:
            try:
                return kernel.leaf_records(self.chunk, Referring)
            except kernel.Unfit:
                pass
        keys, values = _columns_of(self.chunk)
        return keys.apart(), values.apart()

    def find(self, key: bytes) -> bytes | None:
        """Return the stored value under ``key``, ``None`` when there is none.

        Raises Corrupt when the bytes do not have the form of a leaf.
        """
        if kernel is not None:
            try:
                places = self._places
                if places is None:
                    places = self._places = kernel.leaf_places(self.chunk)
                return kernel.leaf_find(self.chunk, places, key, Referring)
            except kernel.Unfit:
                pass
        index = self._index(key)
        return None if index < 0 else self._value(index)

    def even_columns(self) -> EvenColumns | None:
        """Return where records stand whose keys, and values, are of one length each.

        ``None`` for others, for none at all, and where a value refers.
        """
        chunk = self.chunk
        try:
            if chunk[:2] != _HEAD:
                return None
            start, at = string_at(chunk, 2)
            prefix = chunk[start:at]
            keys, at = even_starts_at(chunk, at)
            if not keys:
                return None
            values, at = even_starts_at(chunk, at)
        except IndexError:
            return None
        if values is None or len(values) != len(keys) or chunk[at:] != _NO_BITS:
            return None
        return prefix, keys, values

    def changed_values(self, new: StoredLeaf) -> list[Changed] | None:
        """Return (key, old, new) where a leaf with the same keys has other values.

        ``None`` where it takes decoding to tell: other keys or lengths, references.
        """
        columns = self.even_columns()
        if columns is None:
            return None
        prefix, keys, values = columns
        if not new.has_values_at(values, self.chunk[: values.start]):
            return None
        skipped = header_size(self.chunk[values.start])
        every = EvenStrings(
            self.chunk, keys, header_size(self.chunk[keys.start]), prefix
        )
        old, other = (
            EvenStrings(chunk, values, skipped) for chunk in (self.chunk, new.chunk)
        )
        return [
            (every[at], old[at], other[at])
            for at in differing_places(self.chunk, new.chunk, values)
        ]

    def has_values_at(self, places: range, head: bytes) -> bool:
        """Tell whether values stand just there behind these bytes, and none refers.

        ``places`` and ``head`` are of a leaf that has ``even_columns``: it has the
        same keys, then.
        """
        chunk, start, end = self.chunk, places.start, places.stop
        if chunk[:start] != head or chunk[end:] != _NO_BITS:
            return False
        try:
            first, behind = string_at(chunk, start)
        except IndexError:
            return False
        stride, count = places.step, len(places)
        if behind - start != stride:
            return False
        for at in range(start, first):
            if chunk[at:end:stride].count(chunk[at]) != count:
                return False
        return True

    def entries_claimed(self) -> int:
        """Return how many keys the leaf says it has; 0 when it has not the form."""
        try:
            return array_at(self.chunk, string_at(self.chunk, 2)[1])[0]
        except IndexError:
            return 0

    def _index(self, key: bytes) -> int:
        """Return the number of the entry under ``key``, or -1."""
        starts = self._keys
        if starts is None:
            starts = self._locate()
        prefix = self._prefix
        if not key.startswith(prefix):
            return -1
        suffix = key[len(prefix) :]
        size = len(suffix)
        wanted = (_SHORT[size] if size < 24 else _header(size)) + suffix
        chunk, end = self.chunk, self._keys_end
        place = chunk.find(wanted, starts[0], end) if starts else -1
        while place >= 0:
            # The same of an even column, by one division.
            if type(starts) is range and place in starts:
                return starts.index(place)
            index = bisect_left(starts, place)
            # The same bytes may stand across the border of two entries.
            if index < len(starts) and starts[index] == place:
                return index
            place = chunk.find(wanted, place + 1, end)
        return -1

    def _value(self, index: int) -> bytes:
        chunk, at = self.chunk, self._values[index]
        mark = chunk[at]
        if mark < STRING_1:
            value = chunk[at + 1 : at + 1 + mark - STRING]
        elif mark == STRING_1:
            value = chunk[at + 2 : at + 2 + chunk[at + 1]]
        else:
            size = chunk[at + 1] << 8 | chunk[at + 2]
            value = chunk[at + 3 : at + 3 + size]
        bits = self._bits
        if bits and bits[index >> 3] >> (index & 7) & 1:
            return Referring(value)
        return value

    def _locate(self) -> Sequence[int]:
        """Find out where the entries start; return those of the keys."""
        chunk = self.chunk
        try:
            if chunk[:2] != _HEAD:
                raise IndexError
            start, at = string_at(chunk, 2)
            self._prefix = chunk[start:at]
            keys, self._keys_end = starts_at(chunk, at)
            self._values, at = starts_at(chunk, self._keys_end)
            start, end = string_at(chunk, at)
            self._bits = chunk[start:end]
            if len(keys) != len(self._values) or end != len(chunk):
                raise IndexError
            if end > start and end - start != (len(keys) + 7) >> 3:
                raise IndexError
        except IndexError:
            raise Corrupt(
                "a leaf does not have the form of one",
                code="node-form",
                hint="Run `prolly fsck` to see what is damaged.",
            ) from None
        # Last, since another thread takes it for the sign that all is there.
        self._keys = keys
        return keys


def _columns_of(chunk: bytes) -> Columns:
    """Return all keys and all values of a leaf; Corrupt as ``decode_node``."""
    try:
        if chunk[:2] == _HEAD:
            start, at = string_at(chunk, 2)
            prefix = chunk[start:at]
            places, at = even_starts_at(chunk, at)
            if places:
                skipped = header_size(chunk[places.start])
                keys = EvenStrings(chunk, places, skipped, prefix)
                values = _values_at(chunk, at, len(places))
                if values is not None:
                    return keys, values
    except IndexError:
        pass
    leaf = decode_node(chunk)
    assert isinstance(leaf, Leaf)
    return ListedStrings(leaf.suffixes, leaf.prefix), ListedStrings(leaf.values)


def _values_at(chunk: bytes, at: int, count: int) -> ByteStrings | None:
    """Return the values whose array stands at ``at``; ``None`` where it is unclear."""
    places, end = even_starts_at(chunk, at)
    if places is not None:
        if len(places) != count or chunk[end:] != _NO_BITS:
            return None
        return EvenStrings(chunk, places, header_size(chunk[places.start]))
    try:
        values, bits = cbor2.loads(_PAIR + chunk[at:])
    except (cbor2.CBORDecodeError, TypeError, ValueError):
        return None
    return ListedStrings(values) if not bits and len(values) == count else None


def _header(size: int) -> bytes:
    """Return what CBOR puts before a byte string of 24 bytes or more."""
    if size < 1 << 8:
        return bytes((STRING_1, size))
    return bytes((STRING_2, size >> 8, size & 0xFF))


_SHORT = [bytes((STRING + size,)) for size in range(24)]
