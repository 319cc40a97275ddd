"""Deletions of rows whose key leads back to nothing, told as conflicts.

A row of the base whose key has no form without loss under the merged schema ("007",
where keys are numbers now) is no row of the merged base. So what the version that
turned it into 7 has there is a new row, and another version that deleted "007" seems to
have done nothing. Such a deletion is found here:

    a side has neither "007" nor 7      it deleted the row
    the other has one of them           its row stands, and the deletion is a conflict
    the other has none                  both deleted it

The same goes where the merged keys are those of a side that made 7 the text "7.0", by
way of a float, whose key at once would be "7".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from prolly.codec import key as key_codec
from prolly.tables import Schema
from prolly.tree import EditBuffer, NodeReader, diff, get, iter_batches

from .base_rows import Records
from .column_merge import SIDES, Side
from .conflict_entry import ConflictEntry
from .key_spelling import KeySpelling

# What is told of a deletion: whose, the merged key of the row that stands, in words.
Tell = Callable[[Side, bytes, ConflictEntry], None]


class _Version(NamedTuple):
    """One side: its records, and its keys from the base's and to the merged ones."""

    records: Records
    of_base: KeySpelling
    to_merged: KeySpelling

    def found(self, reader: NodeReader, key: bytes) -> bytes | None:
        """Return the key of a row of the base as it stands here, None for none."""
        ways = self.of_base.forward(key), self.of_base.forced(key)
        for spelt in (*ways, *self.of_base.byways(key)):
            if spelt is not None and self.has(reader, spelt):
                return spelt
        return None

    def gone(self, reader: NodeReader, base: Records) -> Iterator[bytes]:
        """Yield the keys of rows of the base that do not stand here."""
        if not self.of_base.changes:
            for key, _, new in diff(reader, base.root, self.records.root):
                if new is None:
                    yield key
            return
        for keys, _ in iter_batches(reader, base.root):
            for key in keys:
                if self.found(reader, key) is None:
                    yield key

    def has(self, reader: NodeReader, key: bytes) -> bool:
        """Tell whether a row stands here under just this key."""
        return get(reader, self.records.root, key) is not None

    def went_by(self, reader: NodeReader, key: bytes) -> bool:
        """Tell whether a row of the base stands here under a key of a byway alone."""
        spelt = self.of_base.forward(key)
        if spelt is None or self.has(reader, spelt):
            return False
        return any(self.has(reader, one) for one in self.of_base.byways(key))


class LostDeletions:
    """Rows of the base that have no key in the merged table; ``close`` forgets them."""

    def __init__(self) -> None:
        self._keys = EditBuffer()

    def add(self, key: bytes) -> None:
        """Take the key of such a row, as the base spells it."""
        self._keys.put(key, None)

    def _add_byways(
        self, reader: NodeReader, base: Records, sides: Sequence[_Version]
    ) -> None:
        """Take the rows that one side deleted and the other has under a byway's key.

        A side whose keys are turned for the merge has it under the base's key there.
        """
        for side, other in zip(sides, reversed(sides), strict=True):
            if side.of_base.has_byways and not side.to_merged.changes:
                for key in other.gone(reader, base):
                    if side.went_by(reader, key):
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
        forced = KeySpelling(base.schema, merged)
        self._add_byways(reader, base, (ours, theirs))
        for keys, _ in self._keys.batches():
            for key in keys:
                spelt = [one.found(reader, key) for one in (ours, theirs)]
                if (spelt[0] is None) is (spelt[1] is None):
                    continue
                deleted, stands = (0, 1) if spelt[0] is None else (1, 0)
                kept = spelt[stands]
                assert kept is not None
                side = (ours, theirs)[stands]
                standing = side.to_merged.forward(kept)
                if side.of_base.changes and side.to_merged.changes:
                    standing = forced.forward(key) or forced.forced(key)
                if standing is None:
                    continue
                old = key_codec.decode_key(key)
                reason = f"{SIDES[deleted]} deleted it while its key was {old!r}"
                tell(SIDES[deleted], standing, ConflictEntry((), reason))
