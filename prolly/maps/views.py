"""Lazy views of a stretch of records: keys, values, or pairs.

A view has a length (two look-ups by rank, O(depth) node reads) and can be iterated any
number of times; nothing is read before. Over records under edit a view is live, and
each iterator sees the state at its creation.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import (
    Callable,
    ItemsView,
    Iterator,
    KeysView,
    MappingView,
    Sequence,
    ValuesView,
)
from itertools import chain, starmap
from typing import TYPE_CHECKING, Any, NamedTuple

from prolly.tree import Batch, count, iter_batches, iter_columns, rank

from .records import NOTHING, Records

if TYPE_CHECKING:
    from .sorted_mapping import SortedMapping


class Stretch(NamedTuple):
    """The records with start <= encoded key < stop, forwards or backwards.

    ``None`` leaves a side open.
    """

    records: Records
    start: bytes | None = None
    stop: bytes | None = None
    reverse: bool = False

    def size(self) -> int:
        """Return the number of records."""
        self.records.settled(self.start, self.stop)
        return self.estimate()

    def estimate(self) -> int:
        """Return the number of records for a choice that no result depends on.

        Nothing counts as read then.
        """
        reader, root = self.records.settled(*NOTHING)
        below = 0 if self.start is None else rank(reader, root, self.start)
        if self.stop is None:
            return count(reader, root) - below
        return max(rank(reader, root, self.stop) - below, 0)

    def batches(self) -> Iterator[Batch]:
        """Return (keys, values) a leaf at a time, of the state at this call."""
        reader, root = self.records.settled(self.start, self.stop)
        return iter_batches(
            reader, root, start=self.start, stop=self.stop, reverse=self.reverse
        )

    def each(self, decode: Callable[..., Any]) -> Iterator[Any]:
        """Return what ``decode(keys, values)`` gives, one after the other."""
        items = chain.from_iterable(starmap(decode, self.columns()))
        return self.records.guard(items)

    def columns(self) -> Iterator[tuple[Sequence[bytes], Sequence[bytes]]]:
        """Return what ``batches`` does, forwards in the form that decodes fastest."""
        if self.reverse:
            return self.batches()
        reader, root = self.records.settled(self.start, self.stop)
        return iter_columns(reader, root, (self.start, self.stop))

    def holds(self, key: bytes) -> bool:
        """Tell whether an encoded key lies between start and stop."""
        if self.start is not None and key < self.start:
            return False
        return self.stop is None or key < self.stop

    def turned(self) -> Stretch:
        """Return the same records in the opposite order."""
        return self._replace(reverse=not self.reverse)


class _StretchView(MappingView):
    """What the three views share: a stretch of a mapping, its length, both ways."""

    def __init__(self, mapping: SortedMapping, stretch: Stretch) -> None:
        super().__init__(mapping)
        self._sorted = mapping
        self._stretch = stretch

    def __len__(self) -> int:
        return self._stretch.size()

    @abstractmethod
    def __iter__(self) -> Iterator[Any]: ...

    def __reversed__(self) -> Iterator[Any]:
        return iter(type(self)(self._sorted, self._stretch.turned()))


class SortedKeys(_StretchView, KeysView[Any]):
    """The user keys of a stretch, in order; ``in`` costs one look-up."""

    def __contains__(self, key: object) -> bool:
        if not self._stretch.holds(self._sorted.encode_key(key)):
            return False
        return key in self._sorted

    def __iter__(self) -> Iterator[Any]:
        decode = self._sorted.decode_keys
        return self._stretch.each(lambda keys, values: decode(keys))


class SortedValues(_StretchView, ValuesView[Any]):
    """The values (of a table, the rows) of a stretch, in key order."""

    def __contains__(self, value: object) -> bool:
        return any(value is one or value == one for one in self)

    def __iter__(self) -> Iterator[Any]:
        return self._stretch.each(self._sorted.decode_records)


class SortedItems(_StretchView, ItemsView[Any, Any]):
    """The (key, value) pairs of a stretch, in key order; ``in`` costs one look-up."""

    def __contains__(self, pair: object) -> bool:
        if not isinstance(pair, tuple) or len(pair) != 2:
            return False
        key, value = pair
        if not self._stretch.holds(self._sorted.encode_key(key)):
            return False
        return key in self._sorted and bool(self._sorted[key] == value)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        decode_keys = self._sorted.decode_keys
        decode_records = self._sorted.decode_records
        return self._stretch.each(
            lambda keys, values: zip(
                decode_keys(keys), decode_records(keys, values), strict=True
            )
        )
