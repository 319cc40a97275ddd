"""Stamps of what is written anew by a merge, though its values are old.

Who takes a change back writes the old values now: whatever differs from what stood gets
new stamps, on top of all that its records had. Else the write that was taken back would
be the later one, and win on every other replica.
"""

from __future__ import annotations

from prolly.chunks import ChunkWriter
from prolly.codec import Descriptor
from prolly.datasets import changed_datasets, root_references, write_manifest
from prolly.merge import Write, stamp_write
from prolly.tables import Trees
from prolly.tree import NodeReader

from .storage import Storage


def stamped_now(
    storage: Storage, trees: tuple[NodeReader, ChunkWriter], old: bytes, new: bytes
) -> bytes:
    """Return the manifest ``new`` in which what differs from ``old`` is written now.

    Datasets that keep no stamps stay as they are.
    """
    reader, writer = trees
    changes: dict[bytes, Descriptor | None] = {}
    for identity, (before, after) in changed_datasets(reader, old, new).items():
        if after is None or not after.keeps_stamps:
            continue
        known = None if before is None else before.stamps
        bare = after._replace(roots=after.content_roots)
        write = Write(before, bare, None if known is None else known.address)
        where = Trees(reader, writer, after.parameters)
        root = stamp_write(where, write, storage.stamp_clock)
        roots = (*bare.roots, *root_references(reader, [root]))
        changes[identity] = bare._replace(roots=roots)
    return write_manifest(reader, writer, new, changes) if changes else new
