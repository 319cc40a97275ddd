"""Deletions of rows whose key got another spelling by force, told as conflicts.

A row of the base whose key has no form without loss under the merged schema ("007",
where keys are numbers now) is no row of the merged base. So what the version that
turned it into 7 has there is a new row, and another version that deleted "007" seems to
have done nothing. Such a deletion is found here:

    a side has neither "007" nor 7      it deleted the row
    the other has one of them           its row stands, and the deletion is a conflict
    the other has none                  both deleted it

The same goes where the key fits the merged schema, and not that of a side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from prolly.codec import key as key_codec
from prolly.tables import Schema
from prolly.tree import EditBuffer, NodeReader, get, iter_batches

from .column_merge import SIDES, Side
from .conflict_log import ConflictEntry
from .key_spelling import KeySpelling
from .row_translation import Records

# What is told of a deletion: whose, the merged key of the row that stands, in words.
Tell = Callable[[Side, bytes, ConflictEntry], None]


class _Version(NamedTuple):
    """One side: its records, and its keys from the base's and to the merged ones."""

    records: Records
    of_base: KeySpelling
    to_merged: KeySpelling

    def found(self, reader: NodeReader, key: bytes) -> bytes | None:
        """Return the key of a row of the base as it stands here, None for none."""
        for spelt in (self.of_base.forward(key), self.of_base.forced(key)):
            if spelt is not None and get(reader, self.records.root, spelt) is not None:
                return spelt
        return None


class LostDeletions:
    """Rows of the base that have no key in the merged table; ``close`` forgets them."""

    def __init__(self) -> None:
        self._keys = EditBuffer()

    def add(self, key: bytes) -> None:
        """Take the key of such a row, as the base spells it."""
        self._keys.put(key, None)

    def _add_misfits(
        self, reader: NodeReader, base: Records, spelling: KeySpelling
    ) -> None:
        """Take the rows of the base whose keys do not fit a side."""
        for keys, _ in iter_batches(reader, base.root):
            for key in keys:
                if spelling.forward(key) is None:
                    self.add(key)

    def close(self) -> None:
        """Forget everything; twice is fine."""
        self._keys.close()

    def tell(
        self,
        reader: NodeReader,
        versions: tuple[Records, Records, Records],
        merged: Schema,
        tell: Tell,
    ) -> None:
        """Tell of each deletion by one side that the other side's row outlives.

        ``versions`` are base, ours and theirs, ``merged`` is the schema of the result.
        """
        base, *sides = versions
        ours, theirs = [
            _Version(
                one,
                KeySpelling(base.schema, one.schema),
                KeySpelling(one.schema, merged, base.schema),
            )
            for one in sides
        ]
        for one in (ours, theirs):
            if one.of_base.changes and one.to_merged.changes:
                self._add_misfits(reader, base, one.of_base)
        for keys, _ in self._keys.batches():
            for key in keys:
                spelt = [one.found(reader, key) for one in (ours, theirs)]
                if (spelt[0] is None) is (spelt[1] is None):
                    continue
                deleted, stands = (0, 1) if spelt[0] is None else (1, 0)
                kept = spelt[stands]
                assert kept is not None
                standing = (ours, theirs)[stands].to_merged.forward(kept)
                if standing is None:
                    continue
                old = key_codec.decode_key(key)
                reason = f"{SIDES[deleted]} deleted it while its key was {old!r}"
                tell(SIDES[deleted], standing, ConflictEntry((), reason))
