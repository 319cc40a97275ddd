"""A leaf as it is stored: one record is found in its bytes, without decoding it.

Decoding a leaf makes two objects for each of its records; whoever looks one record up
needs none of them. The first look-up finds out where the entries of the two columns
start, every later one is a search for the key's bytes between them. Where all entries
of a column are of one length, as most keys and many values are, the starts are a range,
which one strided slice proves: the first entry's header says how long it is, and if the
byte at each later multiple of that length is the same header, by induction each entry
ends where the next one begins.

For bytes whose address was verified, as ``decode_node``. Page: docs/spec/nodes.md.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import compress
from operator import ne
from struct import Struct

from prolly.errors import Corrupt

from .node import LEAF_MARK, Leaf, decode_node
from .reference import Referring

# What byte strings and arrays of up to 23, 255 and 65,535 bytes or items begin with.
_STRING, _STRING_1, _STRING_2 = 0x40, 0x58, 0x59
_ARRAY, _ARRAY_1, _ARRAY_2 = 0x80, 0x98, 0x99

# A leaf, and the array of its four fields.
_HEAD = LEAF_MARK + b"\x84"


Changed = tuple[bytes, bytes, bytes]

# Lengths of values are few, and numbers of records in a leaf some hundred.
_FORMS_KEPT = 1024


class StoredLeaf:
    """The bytes of a leaf, and where its records stand in them. Thread-safe."""

    __slots__ = ("_bits", "_keys", "_keys_end", "_prefix", "_values", "chunk")

    level = 0

    def __init__(self, chunk: bytes) -> None:
        self.chunk = chunk
        self._keys: Sequence[int] | None = None

    def decode(self) -> Leaf:
        """Return the decoded leaf; Corrupt when the bytes do not have its form."""
        leaf = decode_node(self.chunk)
        assert isinstance(leaf, Leaf)
        return leaf

    def find(self, key: bytes) -> bytes | None:
        """Return the stored value under ``key``, ``None`` when there is none.

        Raises Corrupt when the bytes do not have the form of a leaf.
        """
        index = self._index(key)
        return None if index < 0 else self._value(index)

    def with_values(
        self, keys: Sequence[bytes], values: Sequence[bytes | None]
    ) -> bytes | None:
        """Return the bytes of the leaf with other values under keys that it has.

        ``None`` where that takes more than to write over the old values: for a key that
        is not there, a deletion, another length, a reference. It costs two copies of
        the bytes, a tenth of decoding and encoding them.
        """
        pieces: list[bytes] = []
        done = 0
        chunk = self.chunk
        for key, value in zip(keys, values, strict=True):
            index = self._index(key)
            if index < 0 or type(value) is not bytes or self._refers(index):
                return None
            start, end = _string(chunk, self._values[index])
            if end - start != len(value):
                return None
            pieces += (chunk[done:start], value)
            done = end
        pieces.append(chunk[done:])
        return b"".join(pieces)

    def changed_values(self, new: StoredLeaf) -> list[Changed] | None:
        """Return (key, old, new) where a leaf with the same keys has other values.

        ``None`` where it takes decoding to tell: other keys or lengths, references.
        """
        places, others = self._even_values(), new._even_values()
        # Two ranges of one number are equal whatever their steps.
        if not places or places != others or places.step != others.step:
            return None
        if self.chunk[: places.start] != new.chunk[: places.start]:
            return None
        form = _even_form(places.step, len(places))
        before = form.unpack_from(self.chunk, places.start)
        after = form.unpack_from(new.chunk, places.start)
        changed = list(compress(range(len(places)), map(ne, before, after)))
        self._located()
        new._located()
        return [
            (self._key(index), self._value(index), new._value(index))
            for index in changed
        ]

    def _even_values(self) -> range | None:
        """Return where the values start if neither keys nor values vary in length.

        Nothing is found out about a leaf of other lengths, nor of one with references.
        """
        chunk = self.chunk
        try:
            if chunk[:2] != _HEAD:
                return None
            _, at = _string(chunk, 2)
            keys, at = _even_starts(chunk, at)
            if keys is None:
                return None
            values, at = _even_starts(chunk, at)
            if values is None or len(keys) != len(values):
                return None
            return values if chunk[at:] == _SHORT[0] else None
        except IndexError:
            return None

    def first_key(self) -> bytes:
        """Return the first key of a leaf that is not empty."""
        self._located()
        return self._key(0)

    def _key(self, index: int) -> bytes:
        assert self._keys is not None
        start, end = _string(self.chunk, self._keys[index])
        return self._prefix + self.chunk[start:end]

    def _located(self) -> Sequence[int]:
        return self._locate() if self._keys is None else self._keys

    def entries_claimed(self) -> int:
        """Return how many keys the leaf says it has; 0 when it has not the form."""
        try:
            return _array(self.chunk, _string(self.chunk, 2)[1])[0]
        except IndexError:
            return 0

    def __len__(self) -> int:
        """Return the number of records; Corrupt as ``find``."""
        return len(self._located())

    def _refers(self, index: int) -> bool:
        bits = self._bits
        return bool(bits) and bool(bits[index >> 3] >> (index & 7) & 1)

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
            index = bisect_left(starts, place)
            # The same bytes may stand across the border of two entries.
            if index < len(starts) and starts[index] == place:
                return index
            place = chunk.find(wanted, place + 1, end)
        return -1

    def _value(self, index: int) -> bytes:
        chunk, at = self.chunk, self._values[index]
        mark = chunk[at]
        if mark < _STRING_1:
            value = chunk[at + 1 : at + 1 + mark - _STRING]
        elif mark == _STRING_1:
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
            start, at = _string(chunk, 2)
            self._prefix = chunk[start:at]
            keys, self._keys_end = _starts(chunk, at)
            self._values, at = _starts(chunk, self._keys_end)
            start, end = _string(chunk, at)
            self._bits = chunk[start:end]
            if len(keys) != len(self._values) or end != len(chunk):
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


@lru_cache(maxsize=_FORMS_KEPT)
def _even_form(stride: int, count: int) -> Struct:
    """Return what divides a column of so many entries of one length."""
    return Struct(f"{stride}s" * count)


def _header(size: int) -> bytes:
    """Return what CBOR puts before a byte string of 24 bytes or more."""
    if size < 1 << 8:
        return bytes((_STRING_1, size))
    return bytes((_STRING_2, size >> 8, size & 0xFF))


_SHORT = [bytes((_STRING + size,)) for size in range(24)]


def _string(chunk: bytes, at: int) -> tuple[int, int]:
    """Return where the byte string whose header stands at ``at`` begins and ends."""
    mark = chunk[at]
    if _STRING <= mark < _STRING_1:
        return at + 1, at + 1 + mark - _STRING
    if mark == _STRING_1:
        return at + 2, at + 2 + chunk[at + 1]
    if mark == _STRING_2:
        return at + 3, at + 3 + (chunk[at + 1] << 8 | chunk[at + 2])
    raise IndexError


def _array(chunk: bytes, at: int) -> tuple[int, int]:
    """Return the length of the array whose header stands at ``at``, and its start."""
    mark = chunk[at]
    if _ARRAY <= mark < _ARRAY_1:
        return mark - _ARRAY, at + 1
    if mark == _ARRAY_1:
        return chunk[at + 1], at + 2
    if mark == _ARRAY_2:
        return chunk[at + 1] << 8 | chunk[at + 2], at + 3
    raise IndexError


def _starts(chunk: bytes, at: int) -> tuple[Sequence[int], int]:
    """Return where the byte strings of an array start, and where it ends."""
    even, end = _even_starts(chunk, at)
    if even is not None:
        return even, end
    count, at = _array(chunk, at)
    starts = array("I", [at])
    for _ in range(count):
        at = _string(chunk, at)[1]
        starts.append(at)
    del starts[-1]
    return starts, at


def _even_starts(chunk: bytes, at: int) -> tuple[range | None, int]:
    """Do the same for byte strings of one length; ``None`` where lengths differ."""
    count, at = _array(chunk, at)
    if not count:
        return range(0), at
    first, end = _string(chunk, at)
    stride = end - at
    end = at + count * stride
    if end > len(chunk):
        return None, at
    for column in range(at, first):
        if chunk[column:end:stride].count(chunk[column]) != count:
            return None, at
    return range(at, end, stride), end
