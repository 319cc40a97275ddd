"""What a write changed in a record, as far as it is to be stamped or tagged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from prolly.codec import STAMPED_POLICY, TAGGED_POLICY, Referring, row
from prolly.maps import ABSENT
from prolly.tables import Schema, Trees
from prolly.tree import Difference

from .merged_row import CellAccess, same_cell
from .policies import Policies

# The columns of a row that were changed; None for a record as a whole.
Columns = Sequence[int] | None
# What stood and stands in cells that are sets, by column; under None in a record.
Sets = Mapping[int | None, tuple[Any, Any]]


class Change(NamedTuple):
    """The key of a record, what is stored under it now, and what of it changed.

    ``columns`` are to be stamped; ``sets`` are to have tags.
    """

    key: bytes
    stored: bytes | None
    columns: Columns
    sets: Sets = MappingProxyType({})


class ChangedRows:
    """Tells what of changed rows is to be stamped, under one schema for both sides."""

    def __init__(self, policies: Policies, schema: Schema, trees: Trees) -> None:
        self._policies = policies
        self._ids = [column.id for column in schema.cell_columns]
        self._fills = [column.fill for column in schema.cell_columns]
        self._access = CellAccess(self._fills, trees.reader.get_chunk, trees.writer)
        self._may_tag = [
            (slot, column)
            for slot, column in enumerate(self._ids)
            if policies.may_be(TAGGED_POLICY, column)
        ]

    def of(self, batch: Sequence[Difference]) -> Iterator[Change]:
        """Yield the rows to be stamped, or whose sets are to have tags."""
        for key, old, new in batch:
            whole = self._policies.of(key) == STAMPED_POLICY
            sets = self._sets(key, (old, new))
            columns: Columns = None
            if old is not None and new is not None:
                columns = self._columns(key, (old, new), whole=whole)
            elif not whole and not any(self._is_stamped(key, one) for one in self._ids):
                columns = ()
            if sets or columns is None or columns:
                yield Change(key, new, columns, sets)

    def _is_stamped(self, key: bytes, column: int) -> bool:
        return self._policies.of(key, column) == STAMPED_POLICY

    def _sets(self, key: bytes, rows: tuple[bytes | None, bytes | None]) -> Sets:
        """Return what stood and stands in cells that are sets, and differs."""
        slots = [
            (slot, column)
            for slot, column in self._may_tag
            if self._policies.of(key, column) == TAGGED_POLICY
        ]
        if not slots:
            return {}
        old, new = [None if one is None else self._cells(one) for one in rows]
        found: dict[int | None, tuple[Any, Any]] = {}
        for slot, column in slots:
            was = ABSENT if old is None else old[slot]
            now = ABSENT if new is None else new[slot]
            if not same_cell(was, now):
                found[column] = self._access.load(was), self._access.load(now)
        return found

    def _columns(
        self, key: bytes, rows: tuple[bytes, bytes], *, whole: bool
    ) -> list[int]:
        old, new = map(self._cells, rows)
        return [
            column
            for column, was, now in zip(self._ids, old, new, strict=True)
            if not same_cell(was, now) and (whole or self._is_stamped(key, column))
        ]

    def _cells(self, stored: bytes) -> list[Any]:
        if type(stored) is Referring:
            return self._access.decode(stored)
        return row.decode(stored, self._fills)
