"""A stored ordered map: any key of the tuple layer to any value, read lazily.

Keys of different types may be mixed; their order is that of the tuple layer (null,
bytes, text, tuples, integers, floats, booleans, uuids, dates, datetimes, decimals).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prolly.codec import key as key_codec
from prolly.tree import NodeReader

from .records import StoredRecords
from .sorted_mapping import SortedMapping
from .values import decode_value, decode_values


class OrderedMap(SortedMapping):
    """The records of one stored tree as a read-only mapping. Thread-safe.

    A look-up of an absent key raises KeyNotFound, which is a ``KeyError``; of something
    that cannot be a key, Invalid. A value comes back as a fresh object each time.
    """

    def __init__(self, reader: NodeReader, root: bytes) -> None:
        super().__init__(StoredRecords(reader, root))

    def encode_key(self, key: Any) -> bytes:
        return key_codec.encode_key(key)

    def encode_bound(self, key: Any) -> bytes:
        if type(key) is tuple:
            return key_codec.encode(key)
        return key_codec.encode_key(key)

    def encode_prefix(self, prefix: Any) -> tuple[bytes, bytes | None]:
        return key_codec.prefix_range(prefix)

    def decode_keys(self, keys: Sequence[bytes]) -> list[Any]:
        return key_codec.decode_keys(keys)

    def decode_records(
        self, keys: Sequence[bytes], values: Sequence[bytes]
    ) -> list[Any]:
        return decode_values(values, self._records.read_chunk)

    def decode_record(self, key: bytes, stored: bytes) -> Any:
        return decode_value(stored, self._records.read_chunk)

    def is_of_form(self, other: SortedMapping) -> bool:
        return isinstance(other, OrderedMap)

    def _present(self, key: bytes, stored: bytes) -> tuple[Any, Any]:
        return key_codec.decode_key(key), self.decode_record(key, stored)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of a tree>"
