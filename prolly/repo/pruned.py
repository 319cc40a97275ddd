"""Telling what was pruned from what was lost, when a version is read.

A collection takes a version out of the store in one step, its commit with its trees. So
a chunk that is missing while the commit is there is damage; without the commit the
whole version is gone.
"""

from __future__ import annotations

from collections.abc import Sequence

from prolly.errors import NotFound
from prolly.tree import NodeReader

from .storage import Storage


def pinned(storage: Storage, *anchors: bytes) -> Storage:
    """Return the storage for reading one version: a commit or root, and local data.

    Reading a chunk that is missing raises NotFound ``pruned`` when one of the
    ``anchors`` is missing too; else it is as absent as it was.
    """
    reader = storage.reader
    contains_many = storage.store.contains_many

    def get_chunk(address: bytes) -> bytes | None:
        try:
            chunk = reader.get_chunk(address)
        except NotFound:
            # A partial replica lacks it, which may have the same cause.
            require_anchor()
            raise
        if chunk is None:
            require_anchor()
        return chunk

    def get_many(addresses: Sequence[bytes]) -> list[bytes | None]:
        try:
            chunks = reader.get_chunks(addresses)
        except NotFound:
            require_anchor()
            raise
        if None in chunks:
            require_anchor()
        return chunks

    def require_anchor() -> None:
        for anchor, is_there in zip(anchors, contains_many(anchors), strict=True):
            if not is_there:
                raise pruned(anchor)

    return storage.varied(reader=NodeReader(get_chunk, reader.cache, get_many))


def pruned(anchor: bytes) -> NotFound:
    """Return the error for a version that a collection has removed."""
    return NotFound(
        f"version {anchor.hex()[:12]} was pruned: no ref led to it any more",
        code="pruned",
        hint="Open a version that a branch or tag leads to.",
        address=anchor,
    )
