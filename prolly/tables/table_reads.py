"""Who is told of the reads of a table that do not pass its tree of records.

Rows found through an index depend on the stretch of the index that was looked through,
and on the records that it led to, not on all records of the table.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence


class TableReads(ABC):
    """A listener for one table; places are those of the schema it began with."""

    @abstractmethod
    def add_entries(self, place: int, low: bytes | None, high: bytes | None) -> None:
        """Take note that entries with low <= key < high of an index were read."""

    @abstractmethod
    def add_records(self, keys: Sequence[bytes]) -> None:
        """Take note that the records under these encoded keys were read."""
