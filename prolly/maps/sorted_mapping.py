"""What ordered maps and tables share: a mapping whose keys have an order and a number.

Only the spelling of keys and values differs between the two, and a subclass supplies
it. Nothing here ever loads more than one leaf: a look-up reads O(depth) nodes, and so
do ``len``, ``nth``, ``rank``, ``first``, ``last`` and the length of a view.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from operator import eq
from typing import Any

from prolly.codec import shown
from prolly.errors import KeyNotFound, NotFound
from prolly.tree import Batch, count, nth, rank

from .records import NOTHING, Records
from .views import SortedItems, SortedKeys, SortedValues, Stretch


class SortedMapping(Mapping[Any, Any]):
    """A mapping over the records of one tree, in the order of encoded keys.

    Bounds: ``start`` is inclusive, ``stop`` exclusive, ``None`` leaves a side open;
    a bound may also be a tuple of the leading parts of a key. ``prefix`` as text or
    bytes means keys whose first part begins with it, as a tuple keys that begin with
    those parts. Given together, all of them hold.
    """

    def __init__(self, records: Records) -> None:
        self._records = records

    @abstractmethod
    def encode_key(self, key: Any) -> bytes:
        """Return the bytes of a user key; Invalid when it cannot be one."""

    @abstractmethod
    def encode_bound(self, key: Any) -> bytes:
        """Return the bytes of a user key or of its leading parts."""

    @abstractmethod
    def encode_prefix(self, prefix: Any) -> tuple[bytes, bytes | None]:
        """Return [start, stop) of the encoded keys that begin with ``prefix``."""

    @abstractmethod
    def decode_keys(self, keys: Sequence[bytes]) -> list[Any]:
        """Return the user keys of encoded ones, in order."""

    @abstractmethod
    def decode_records(
        self, keys: Sequence[bytes], values: Sequence[bytes]
    ) -> list[Any]:
        """Return what the mapping holds under these keys, in order."""

    @abstractmethod
    def decode_record(self, key: bytes, stored: bytes) -> Any:
        """Return what the mapping holds under one key."""

    @property
    def root(self) -> bytes:
        """The root address that a tree of just these records has."""
        return self._records.settled()[1]

    def __getitem__(self, key: Any) -> Any:
        data = self.encode_key(key)
        stored = self._records.get(data)
        if stored is None:
            raise key_not_found(key)
        return self.decode_record(data, stored)

    def get(self, key: Any, default: Any = None) -> Any:
        """Return what stands under ``key``, else ``default``."""
        data = self.encode_key(key)
        stored = self._records.get(data)
        return default if stored is None else self.decode_record(data, stored)

    def __contains__(self, key: object) -> bool:
        return self._records.get(self.encode_key(key)) is not None

    def __len__(self) -> int:
        return count(*self._records.settled())

    def __bool__(self) -> bool:
        return len(self) > 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def __reversed__(self) -> Iterator[Any]:
        return iter(self.keys(reverse=True))

    def keys(
        self,
        *,
        start: Any = None,
        stop: Any = None,
        prefix: Any = None,
        reverse: bool = False,
    ) -> SortedKeys:
        """Return a lazy view of the keys within the bounds."""
        return SortedKeys(self, self._stretch(start, stop, prefix, reverse))

    def values(
        self,
        *,
        start: Any = None,
        stop: Any = None,
        prefix: Any = None,
        reverse: bool = False,
    ) -> SortedValues:
        """Return a lazy view of what stands under the keys within the bounds."""
        return SortedValues(self, self._stretch(start, stop, prefix, reverse))

    def items(
        self,
        *,
        start: Any = None,
        stop: Any = None,
        prefix: Any = None,
        reverse: bool = False,
    ) -> SortedItems:
        """Return a lazy view of (key, value) pairs within the bounds."""
        return SortedItems(self, self._stretch(start, stop, prefix, reverse))

    def raw_batches(
        self,
        *,
        start: Any = None,
        stop: Any = None,
        prefix: Any = None,
        reverse: bool = False,
    ) -> Iterator[Batch]:
        """Iterate (encoded keys, stored values) a leaf at a time, for speed.

        No batch is empty. A stored value of type ``Referring`` stands for a blob.
        """
        stretch = self._stretch(start, stop, prefix, reverse)
        return self._records.guard(stretch.batches())

    def nth(self, index: int) -> Any:
        """Return the record with ``index`` records before it, negative from the end.

        Of a map the pair, of a table the row. Raises NotFound ``no-such-index``.
        """
        found, size = self._numbered(index)
        if found is None:
            raise NotFound(
                f"there is no record number {shown(index)} among {size}",
                code="no-such-index",
                hint="Records are numbered from 0, or from -1 backwards.",
                index=index,
                count=size,
            )
        return self._present(*found)

    def rank(self, key: Any) -> int:
        """Return how many records lie below ``key``, which need not be there."""
        bound = self.encode_bound(key)
        return rank(*self._records.settled(None, bound), bound)

    def first(self) -> Any:
        """Return the record of the smallest key; KeyNotFound ``empty`` without one."""
        return self._end(0)

    def last(self) -> Any:
        """Return the record of the greatest key; KeyNotFound ``empty`` without one."""
        return self._end(-1)

    def __eq__(self, other: object) -> bool:
        """Tell whether both hold the same records, without loading either."""
        if isinstance(other, SortedMapping):
            return self.is_of_form(other) and self.has_records_of(other)
        if not isinstance(other, Mapping):
            return NotImplemented
        if len(self) != len(other):
            return False
        return all(key in other and other[key] == one for key, one in self.items())

    @abstractmethod
    def is_of_form(self, other: SortedMapping) -> bool:
        """Tell whether equal bytes mean equal records in the other one."""

    def has_records_of(self, other: SortedMapping) -> bool:
        """Tell whether the encoded records are the same; O(1) for equal roots."""
        if self.root == other.root:
            return True
        if len(self) != len(other):
            return False
        # The trees may be cut by different parameters, so their leaves need not match.
        return all(map(eq, _raw_pairs(self), _raw_pairs(other)))

    def _stretch(self, start: Any, stop: Any, prefix: Any, reverse: bool) -> Stretch:
        low = None if start is None else self.encode_bound(start)
        high = None if stop is None else self.encode_bound(stop)
        if prefix is not None:
            begin, end = self.encode_prefix(prefix)
            low = begin if low is None else max(low, begin)
            high = end if high is None else high if end is None else min(high, end)
        return Stretch(self._records, low, high, reverse)

    def _numbered(self, index: int) -> tuple[tuple[bytes, bytes] | None, int]:
        """Return the stored record of a number, if any, and how many there are."""
        reader, root = self._records.settled(*NOTHING)
        size = count(reader, root)
        found = nth(reader, root, index + size if index < 0 else index)
        # It depends on the records on the side that was counted from, and on itself.
        if found is None:
            self._records.settled()
        elif index < 0:
            self._records.settled(found[0], None)
        else:
            self._records.settled(None, found[0] + b"\0")
        return found, size

    def _end(self, index: int) -> Any:
        found, _ = self._numbered(index)
        if found is None:
            raise KeyNotFound(
                "there is no record at all",
                code="empty",
                hint="Ask for the length first.",
            )
        return self._present(*found)

    @abstractmethod
    def _present(self, key: bytes, stored: bytes) -> Any:
        """Return one record as ``nth``, ``first`` and ``last`` give it."""


def _raw_pairs(records: SortedMapping) -> Iterator[tuple[bytes, bytes]]:
    for keys, values in records.raw_batches():
        yield from zip(keys, values, strict=True)


def key_not_found(key: Any) -> KeyNotFound:
    """Return (not raise) the error for a key without a record."""
    return KeyNotFound(
        f"there is no record under the key {key!r}",
        hint="A key is exact, also in its type: 1, 1.0 and '1' are three keys.",
        key=key,
    )
