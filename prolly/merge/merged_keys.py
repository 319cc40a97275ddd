"""The keys of one version of a table as the merged table spells them.

    the row is one of the base  what the base's key becomes; if that loses anything,
                                what force makes of it
    the row is new              what its own key becomes without loss; else it has none
    it is the base's own        what its key becomes without loss; by force only where
                                both sides have keys of other types, and no other row
                                of the base comes to that

The last line is why "007" that only one side made 7 is a new row: the other side knows
it by its old name, and what that did to it is told (``lost_deletions``).
"""

from __future__ import annotations

from collections.abc import Sequence

from prolly.tables import Schema
from prolly.tree import EditBuffer, NodeReader, get, iter_batches

from .base_keys import BaseKeys
from .base_rows import Records
from .key_spelling import KeySpelling


class MergedKeys:
    """The merged keys of the rows of ``version``; ``close`` forgets what was read.

    ``sides`` are ours and theirs, where ``version`` is the base.
    """

    def __init__(
        self,
        reader: NodeReader,
        base: Records | None,
        version: Records,
        target: Schema,
        *,
        sides: Sequence[Records] = (),
    ) -> None:
        self._reader = reader
        self._version = version
        known = None if base is None else base.schema
        self._way = KeySpelling(version.schema, target, known)
        self._of_base = KeySpelling(known, target)
        self._base_keys = BaseKeys(reader, base, version)
        ways = [KeySpelling(known, one.schema) for one in sides]
        self._both_retyped = bool(ways) and all(one.changes for one in ways)
        self._hidden: EditBuffer | None = None
        self.changes = self._way.changes
        self.base_key = self._base_keys.base_key

    @property
    def follow_cells(self) -> bool:
        """Tell whether each key follows from the cells of its row alone."""
        return not (self._way.goes_by_base or (self.changes and self._both_retyped))

    def forward(self, key: bytes) -> bytes | None:
        """Return the merged key of a row; None for a row that has none."""
        if self.follow_cells:
            return self._way.forward(key)
        if self._both_retyped:
            return self._way.forward(key) or self._forced(key)
        before = self.base_key(key)
        if before is not None:
            found = self._of_base.forward(before) or self._of_base.forced(before)
            if found is not None:
                return found
        return self._way.forward(key)

    def _forced(self, key: bytes) -> bytes | None:
        """Return the merged key of a row of the base by force, where nobody has it."""
        forced = self._way.forced(key)
        if forced is None or any(map(self._stands, self._way.all_back(forced))):
            return None
        return forced

    def found(self, merged: bytes) -> bytes | None:
        """Return the key of the row that has this merged key; None for none.

        One that the merged key does not lead to is looked for in the whole version.
        """
        for key in self._way.all_back(merged):
            if self._stands(key) and self.forward(key) == merged:
                return key
        if self.follow_cells and self._way.leads_back:
            return None
        if self._hidden is None:
            self._hidden = self._search()
        return self._hidden.find(merged)[1]

    def close(self) -> None:
        """Forget everything; twice is fine."""
        self._base_keys.close()
        if self._hidden is not None:
            self._hidden.close()
            self._hidden = None

    def _search(self) -> EditBuffer:
        """Return the keys of rows by merged ones; of two for one the first stays."""
        hidden = EditBuffer()
        for keys, _ in iter_batches(self._reader, self._version.root):
            for key in keys:
                merged = self.forward(key)
                if merged is not None and not hidden.find(merged)[0]:
                    hidden.put(merged, key)
        return hidden

    def _stands(self, key: bytes) -> bool:
        return get(self._reader, self._version.root, key) is not None
