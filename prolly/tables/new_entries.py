"""What records that differ from others have in a unique index, to be asked by cells.

Several records may have one entry, which no index would hold; so here stand the hash of
the cells and that of the primary key, which together are no longer than a key may be.
It is a tree in scratch memory, so memory is bounded.

    key  BLAKE3 of the cells | BLAKE3 of the primary key     value  primary key
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from blake3 import blake3

from prolly.chunks import ScratchWriter
from prolly.codec import FORMAT_PARAMETERS
from prolly.tree import EditBuffer, NodeReader, build, diff, iter_batches

from .constraints import Index
from .index_faults import EntriesThatFit
from .index_upkeep import BATCH_RECORDS
from .schema import Schema


class NewEntries:
    """The entries of the records that differ from those under ``start``.

    ``close`` gives temporary files back. Records that have no entry are left out.
    """

    def __init__(
        self,
        reader: NodeReader,
        index: tuple[Schema, Index],
        start: bytes | None,
        records: bytes,
    ) -> None:
        self._spell = EntriesThatFit(reader, *index)
        self._scratch = ScratchWriter(reader.get_chunk)
        self._reader = NodeReader(self._scratch.get)
        buffer = EditBuffer()
        try:
            differences = diff(reader, start, records)
            new = ((key, value) for key, _, value in differences if value is not None)
            while batch := list(islice(new, BATCH_RECORDS)):
                spelt, primary = self._spell.entries(batch)
                hashes = map(_hash, spelt), map(_hash, primary)
                buffer.put_many(list(map(bytes.__add__, *hashes)), primary)
            batches = (
                (keys, [one for one in values if one is not None])
                for keys, values in buffer.batches()
            )
            self._root = build(self._scratch, batches, FORMAT_PARAMETERS)
        finally:
            buffer.close()

    def of(self, records: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Return the entries of records, cells and primary key, in order."""
        if not records:
            return []
        return sorted(zip(*self._spell.entries(records), strict=True))

    def keys(self, cells: bytes) -> list[bytes]:
        """Return the primary keys of the records with these cells, in order."""
        start = _hash(cells)
        found = iter_batches(
            self._reader, self._root, start=start, stop=start + b"\xff" * len(start)
        )
        return sorted([bytes(one) for _, values in found for one in values])

    def close(self) -> None:
        """Forget everything; twice is fine."""
        self._scratch.abort()


def _hash(data: bytes) -> bytes:
    return blake3(data).digest()
