"""Conflicts gathered while a merge runs, then written as one tree of groups.

Memory is bounded whatever the number of conflicts. What a group and an entry hold is
told in ``conflict_group`` and ``conflict_entry``.
"""

from __future__ import annotations

from collections.abc import Iterator

from prolly.chunks import ChunkWriter
from prolly.codec import (
    FORMAT_PARAMETERS,
    INLINE_BYTES_MAX,
    Referring,
    cbor,
    encode_referring,
)
from prolly.datasets import root_reference
from prolly.maps import write_blob
from prolly.tree import Batch, EditBuffer, NodeReader, build

from .clash import shortened
from .conflict_entry import ConflictEntry, ConflictKind
from .conflict_group import BASE_KEY, base_value, group_key, group_value


class ConflictLog:
    """The conflicts of one merge. ``close`` gives temporary files back."""

    def __init__(self) -> None:
        self._buffers: dict[bytes, EditBuffer] = {}

    def add(
        self, dataset: bytes, kind: ConflictKind, key: bytes, entry: ConflictEntry
    ) -> None:
        """Note a conflict; a second one of the same key joins the first."""
        buffer = self._buffers.setdefault(group_key(dataset, kind), EditBuffer())
        found, data = buffer.find(key)
        if found and data is not None:
            entry = ConflictEntry.from_value(cbor.decode(data)).joined(entry)
        entry = entry._replace(reason=shortened(entry.reason))
        buffer.put(key, cbor.encode(entry.to_value()))

    def write(
        self, reader: NodeReader, writer: ChunkWriter, base: bytes | None
    ) -> tuple[bytes | None, int]:
        """Write the tree; return its root, None without a conflict, and their number.

        ``base`` is the root of the base's manifest, which the tree keeps.
        """
        if not self._buffers:
            return None, 0
        stored: dict[bytes, bytes] = {}
        total = 0
        for key, buffer in self._buffers.items():
            root = build(writer, _stored(writer, buffer), FORMAT_PARAMETERS)
            number = reader.read(root).count()
            stored[key] = group_value(root_reference(reader, root), number)
            total += number
        if base is not None:
            stored[BASE_KEY] = base_value(root_reference(reader, base))
        keys = sorted(stored)
        records = keys, [stored[key] for key in keys]
        return build(writer, [records], FORMAT_PARAMETERS), total

    def close(self) -> None:
        """Forget everything; twice is fine."""
        for buffer in self._buffers.values():
            buffer.close()
        self._buffers.clear()


def _stored(writer: ChunkWriter, buffer: EditBuffer) -> Iterator[Batch]:
    """Yield the entries of a buffer, which holds them encoded, as leaves store them."""
    for keys, datas in buffer.batches():
        values = [data for data in datas if data is not None]
        if max(map(len, values), default=0) > INLINE_BYTES_MAX:
            values = [
                one if len(one) <= INLINE_BYTES_MAX else _outside(one, writer)
                for one in values
            ]
        yield keys, values


def _outside(data: bytes, writer: ChunkWriter) -> Referring:
    return encode_referring([write_blob(writer, data)])
