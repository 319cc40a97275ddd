"""An ordered map under edit: it reads its own writes, until its transaction ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from itertools import chain, islice
from typing import Any

from prolly.chunks import ChunkWriter
from prolly.codec import key as key_codec
from prolly.codec import shown
from prolly.errors import Invalid
from prolly.tree import EditBuffer, WorkingTree

from .ordered_map import OrderedMap
from .records import EditedRecords
from .sorted_mapping import SortedMapping, key_not_found
from .values import encode_value, encode_values

# Pairs encoded in one go: enough to make the cost of a batch small beside that of its
# pairs, few enough to hold thousands of long values in memory.
UPDATE_PAIRS = 4096


class MutableOrderedMap(OrderedMap, MutableMapping[Any, Any]):
    """The records of a tree under edit as a mutable mapping. Not thread-safe.

    Single look-ups see the writes at once; ordered reads, numbers and lengths settle
    the edits first, O(edits x depth). An iterator sees the state at its creation. After
    ``close`` every use raises Invalid ``closed``, also of iterators made before.
    """

    def __init__(self, tree: WorkingTree, writer: ChunkWriter) -> None:
        self._edited = EditedRecords(tree, writer)
        SortedMapping.__init__(self, self._edited)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Write one record; Invalid or LimitExceeded leave the map as it was."""
        data = key_codec.encode_key(key)
        self._edited.put(data, encode_value(value, self._edited.writer))

    def __delitem__(self, key: Any) -> None:
        """Delete one record; KeyNotFound when there is none."""
        data = key_codec.encode_key(key)
        if self._edited.get(data) is None:
            raise key_not_found(key)
        self._edited.put(data, None)

    def update(self, pairs: Any = (), /, **more: Any) -> None:
        """Write the pairs of a mapping or of an iterable of any length, in order.

        ``more`` are records under text keys, written last.
        Of a key given twice the last value stays. Memory is bounded. When a pair is
        refused, those of earlier batches stay written, as with a ``dict``.
        """
        self._edited.require_open()
        for batch in chain(_batches(pairs), _batches(more)):
            try:
                keys = [key for key, _ in batch]
                values = [value for _, value in batch]
            except (TypeError, ValueError):
                raise _no_pair(batch) from None
            datas = key_codec.encode_keys(keys)
            stored = encode_values(values, self._edited.writer)
            self._edited.put_many(datas, stored)

    def popitem(self) -> tuple[Any, Any]:
        """Delete and return the pair of the greatest key; KeyNotFound ``empty``."""
        key, value = self.last()
        del self[key]
        return key, value

    def clear(self) -> None:
        """Delete all records."""
        self._edited.replace_all(EditBuffer())

    def close(self) -> None:
        """End the use of this map; twice is fine."""
        self._edited.close()


def _batches(pairs: Any) -> Iterator[list[Any]]:
    source: Iterable[Any] = pairs.items() if isinstance(pairs, Mapping) else pairs
    iterator = iter(source)
    return iter(lambda: list(islice(iterator, UPDATE_PAIRS)), [])


def _no_pair(batch: list[Any]) -> Invalid:
    for one in batch:
        try:
            _, _ = one
        except (TypeError, ValueError):
            return Invalid(
                f"not a pair of key and value: {shown(one)}",
                code="not-a-pair",
                hint="Give a mapping, or (key, value) tuples.",
            )
    raise AssertionError("every pair is one")
