"""Which row of the base a row of one version is, whatever its key lost on the way.

Most changes of a key's type can be followed back by the key alone (``key_spelling``).
Others cannot: 1.0 may have been made of "1" by force, or of "01", and a float 2.5 of
the decimal 2.50. So each row of the base is looked up under the key that it has in the
version, was it given that without loss, by force, or by way of a float:

    a row of the base comes to  that row is this one
    it, and is there
    two rows of the base do     it is the one that the key alone leads back to, else the
                                first

Nothing is read before somebody asks for a key that leads back to nothing. Then it is
the base as a whole, which a change of keys rewrites anyway.
"""

from __future__ import annotations

from prolly.tree import EditBuffer, NodeReader, get, iter_batches

from .base_rows import Records
from .key_spelling import KeySpelling


class BaseKeys:
    """Keys of the base for the rows of one version; ``close`` forgets them."""

    def __init__(
        self, reader: NodeReader, base: Records | None, version: Records
    ) -> None:
        self._reader = reader
        self._base = base
        self._version = version
        known = None if base is None else base.schema
        self._spelling = KeySpelling(known, version.schema)
        self._hidden: EditBuffer | None = None

    def base_key(self, key: bytes) -> bytes | None:
        """Return the key that the base has a row under; None for a row that is new."""
        base = self._base
        if base is None:
            return None
        for one in self._spelling.all_back(key):
            if self._has(base, one):
                return one
        if not self._spelling.changes:
            return None
        if self._hidden is None:
            self._hidden = self._search(base)
        return self._hidden.find(key)[1]

    def close(self) -> None:
        """Forget everything; twice is fine."""
        if self._hidden is not None:
            self._hidden.close()
            self._hidden = None

    def _search(self, base: Records) -> EditBuffer:
        """Return the base's keys by those of the version that do not lead to them."""
        hidden = EditBuffer()
        for keys, _ in iter_batches(self._reader, base.root):
            for key in keys:
                here = self._here(key)
                if here is None or hidden.find(here)[0]:
                    continue
                if not any(
                    self._has(base, one) for one in self._spelling.all_back(here)
                ):
                    hidden.put(here, key)
        return hidden

    def _here(self, key: bytes) -> bytes | None:
        """Return the key that a row of the base has in the version, None for none."""
        ways = self._spelling.forward(key), self._spelling.forced(key)
        for spelt in (*ways, *self._spelling.byways(key)):
            if spelt is not None and self._has(self._version, spelt):
                return spelt
        return None

    def _has(self, records: Records, key: bytes) -> bool:
        return get(self._reader, records.root, key) is not None
