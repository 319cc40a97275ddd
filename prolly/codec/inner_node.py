"""An inner node as it is stored: its columns are found in its bytes when asked for.

A walk over a tree opens many inner nodes to see which children differ, and needs hardly
a key of them. So opening one finds no more than where its columns stand::

    02 86 level prefix [suffix, ...] | addresses counts weights

The heads of the last three follow from the number of children, so they are found from
the end. The keys are decoded when the first of them is asked for, and whether two nodes
have the same keys is one comparison of bytes.

For bytes whose address was verified and which were checked when they came in, as
``decode_node``. Page: ``docs/spec/nodes.md``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

import cbor2

from prolly.errors import Corrupt

from .address import ADDRESS_BYTES, ChunkType
from .column_places import array_at, differing_places, string_at
from .keyed_node import KeyedNode, split_prefix

INNER_MARK = bytes([ChunkType.INNER])

# What one inner entry weighs beyond its key: address, count, weight, head of the key.
INNER_ENTRY_OVERHEAD = 48

COUNT_BYTES = 8
WEIGHT_BYTES = 4

# An inner node, and the array of its six fields.
_HEAD = INNER_MARK + b"\x86"
# Levels from here on take a byte behind this mark.
_LEVEL_1 = 24
_COUNT = Struct("<Q")
_WEIGHT = Struct("<I")

# Numbers of children in a node are some hundred.
_FORMS_KEPT = 1024


class Child(NamedTuple):
    """What an inner entry says of its child: address, records below, own weight."""

    address: bytes
    records: int
    weight: int


class _Form:
    """Where the three columns of a node of so many children stand behind its keys."""

    __slots__ = ("addresses", "columns", "counts", "heads", "size", "weights")

    def __init__(self, children: int) -> None:
        at = 0
        heads: list[tuple[int, bytes]] = []
        starts: list[int] = []
        for entry_bytes in (ADDRESS_BYTES, COUNT_BYTES, WEIGHT_BYTES):
            size = entry_bytes * children
            head = cbor2.dumps(bytes(size))
            heads.append((at, head[: len(head) - size]))
            starts.append(at + len(head) - size)
            at += len(head)
        self.size = at
        self.heads = heads
        self.addresses, self.counts, self.weights = starts
        self.columns = (
            Struct(f"{ADDRESS_BYTES}s" * children),
            Struct(f"<{children}Q"),
            Struct(f"<{children}I"),
        )


_form = lru_cache(maxsize=_FORMS_KEPT)(_Form)


class Inner(KeyedNode):
    """A node of level 1 or more: the last key, address, count, weight of each child.

    Thread-safe. Corrupt ``node-form`` when the bytes do not have the form of one, of
    the keys when they are first asked for.
    """

    __slots__ = (
        "_addresses_at",
        "_columns",
        "_counts_at",
        "_form",
        "_size",
        "_suffixes",
        "_suffixes_at",
        "_weights_at",
        "chunk",
        "is_used",
        "level",
    )

    chunk: bytes
    level: int
    # The mark of a cache: somebody asked for it since the cache last passed by.
    is_used: bool

    def __init__(self, chunk: bytes) -> None:
        self.chunk = chunk
        self._suffixes: list[bytes] | None = None
        try:
            if chunk[:2] != _HEAD:
                raise IndexError
            self.level, at = _level(chunk)
            start, at = string_at(chunk, at)
            self.prefix = chunk[start:at]
            self._suffixes_at = at
            self._size = array_at(chunk, at)[0]
            # Each child takes more than its address: a length from nowhere costs
            # nothing.
            if self._size * ADDRESS_BYTES > len(chunk):
                raise IndexError
        except IndexError:
            raise _misformed() from None
        form = self._form = _form(self._size)
        columns = self._columns = len(chunk) - form.size
        if columns <= at or not all(
            chunk.startswith(head, columns + place) for place, head in form.heads
        ):
            raise _misformed()
        self._addresses_at = columns + form.addresses
        self._counts_at = columns + form.counts
        self._weights_at = columns + form.weights

    @property
    def suffixes(self) -> list[bytes]:
        """What remains of each key behind the prefix; the list is not to be changed."""
        found = self._suffixes
        return self._decode_suffixes() if found is None else found

    def _decode_suffixes(self) -> list[bytes]:
        try:
            found = cbor2.loads(self.chunk[self._suffixes_at : self._columns])
        except (cbor2.CBORDecodeError, TypeError, ValueError, OverflowError) as error:
            raise _misformed() from error
        if type(found) is not list or len(found) != self._size:
            raise _misformed()
        if set(map(type, found)) - {bytes}:
            raise _misformed()
        self._suffixes = found
        return found

    def position(self, key: bytes) -> int:
        """Return the index of the first entry whose key is not below ``key``."""
        # As its base, but for what a property costs: every look-up comes through here.
        suffixes = self._suffixes
        if suffixes is None:
            suffixes = self._decode_suffixes()
        prefix = self.prefix
        size = len(prefix)
        head = key[:size]
        if head == prefix:
            return bisect_left(suffixes, key[size:])
        return 0 if head < prefix else len(suffixes)

    def address_for(self, key: bytes) -> bytes | None:
        """Return the address of the child that a key belongs into, if there is one."""
        # As ``position`` and ``address``, for the same reason.
        suffixes = self._suffixes
        if suffixes is None:
            suffixes = self._decode_suffixes()
        prefix = self.prefix
        if key.startswith(prefix):
            index = bisect_left(suffixes, key[len(prefix) :])
        else:
            index = 0 if key < prefix else self._size
        if index == self._size:
            return None
        at = self._addresses_at + index * ADDRESS_BYTES
        return self.chunk[at : at + ADDRESS_BYTES]

    def __len__(self) -> int:
        return self._size

    @property
    def addresses(self) -> bytes:
        """The addresses of the children, one behind the other."""
        at = self._addresses_at
        return self.chunk[at : at + self._size * ADDRESS_BYTES]

    @property
    def counts(self) -> tuple[int, ...]:
        """The numbers of records below the children."""
        column = self._form.columns[1]
        found: tuple[int, ...] = column.unpack_from(self.chunk, self._counts_at)
        return found

    @property
    def weights(self) -> tuple[int, ...]:
        """The weights of the children."""
        column = self._form.columns[2]
        found: tuple[int, ...] = column.unpack_from(self.chunk, self._weights_at)
        return found

    def count(self) -> int:
        """Return the number of records below."""
        return sum(self.counts)

    def address(self, index: int) -> bytes:
        """Return the address of one child."""
        at = self._addresses_at + index * ADDRESS_BYTES
        return self.chunk[at : at + ADDRESS_BYTES]

    def weight(self, index: int) -> int:
        """Return the weight of one child."""
        at = self._weights_at + index * WEIGHT_BYTES
        found: int = _WEIGHT.unpack_from(self.chunk, at)[0]
        return found

    def child(self, index: int) -> Child:
        """Return all that the entry says of one child."""
        at = self._counts_at + index * COUNT_BYTES
        records: int = _COUNT.unpack_from(self.chunk, at)[0]
        return Child(self.address(index), records, self.weight(index))

    def children(self) -> list[Child]:
        """Return all that the entries say of the children."""
        return list(map(Child, self.child_addresses(), self.counts, self.weights))

    def child_addresses(self) -> tuple[bytes, ...]:
        """Return the addresses of the children, in key order."""
        column = self._form.columns[0]
        found: tuple[bytes, ...] = column.unpack_from(self.chunk, self._addresses_at)
        return found

    def has_keys_of(self, other: Inner) -> bool:
        """Tell whether another node has the same keys and level; nothing is decoded."""
        end = self._columns
        return end == other._columns and self.chunk[:end] == other.chunk[:end]

    def differing_children(self, other: Inner) -> list[int]:
        """Return the places of children that a node with the same keys has not."""
        at = self._addresses_at
        end = at + self._size * ADDRESS_BYTES
        return differing_places(self.chunk, other.chunk, range(at, end, ADDRESS_BYTES))

    def has_weights_of(self, other: Inner) -> bool:
        """Tell whether the children of a node with the same keys weigh the same."""
        at = self._weights_at
        return self.chunk[at:] == other.chunk[at:]

    def with_children(self, changed: Mapping[int, Child]) -> Inner:
        """Return a node of the same keys over changed children."""
        chunk = bytearray(self.chunk)
        addresses, counts = self._addresses_at, self._counts_at
        weights = self._weights_at
        for index, (address, records, weight) in changed.items():
            at = addresses + index * ADDRESS_BYTES
            chunk[at : at + ADDRESS_BYTES] = address
            _COUNT.pack_into(chunk, counts + index * COUNT_BYTES, records)
            _WEIGHT.pack_into(chunk, weights + index * WEIGHT_BYTES, weight)
        return self._of_same_keys(bytes(chunk))

    def over_leaves_of(
        self, other: Inner, places: Iterable[int], addresses: Mapping[int, bytes]
    ) -> Inner:
        """Return this node over some children of another, and some at new addresses.

        The nodes have the same keys and weights, the children at new addresses the same
        counts.
        """
        chunk, source = bytearray(self.chunk), other.chunk
        addresses_at, counts = self._addresses_at, self._counts_at
        for index in places:
            at, count = (
                addresses_at + index * ADDRESS_BYTES,
                counts + index * COUNT_BYTES,
            )
            chunk[at : at + ADDRESS_BYTES] = source[at : at + ADDRESS_BYTES]
            chunk[count : count + COUNT_BYTES] = source[count : count + COUNT_BYTES]
        for index, address in addresses.items():
            at = addresses_at + index * ADDRESS_BYTES
            chunk[at : at + ADDRESS_BYTES] = address
        return self._of_same_keys(bytes(chunk))

    def _of_same_keys(self, chunk: bytes) -> Inner:
        """Return the node of bytes that have all but children in common with these.

        Keys that were decoded stay so: whoever changes a node soon reads it again.
        """
        twin = Inner.__new__(Inner)
        twin.chunk, twin.level, twin.prefix = chunk, self.level, self.prefix
        twin._size, twin._form = self._size, self._form
        twin._suffixes, twin._suffixes_at = self._suffixes, self._suffixes_at
        twin._columns, twin._addresses_at = self._columns, self._addresses_at
        twin._counts_at, twin._weights_at = self._counts_at, self._weights_at
        return twin


def encode_inner(level: int, keys: Sequence[bytes], children: Sequence[Child]) -> bytes:
    """Encode the children of one inner node under their last keys."""
    prefix, suffixes = split_prefix(keys)
    addresses, counts, weights = zip(*children, strict=True)
    _, count_column, weight_column = _form(len(children)).columns
    columns = [
        b"".join(addresses),
        count_column.pack(*counts),
        weight_column.pack(*weights),
    ]
    return INNER_MARK + cbor2.dumps([level, prefix, suffixes, *columns])


def _level(chunk: bytes) -> tuple[int, int]:
    """Return the level, and where it ends."""
    mark = chunk[2]
    if mark < _LEVEL_1:
        return mark, 3
    if mark == _LEVEL_1:
        return chunk[3], 4
    raise IndexError


def _misformed() -> Corrupt:
    return Corrupt(
        "an inner node does not have the form of one",
        code="node-form",
        hint="Run `prolly fsck` to see what is damaged.",
    )
