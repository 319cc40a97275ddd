"""A patch of two versions: every stored record that differs, with all descriptions.

What is listed are stored records, not only what reads otherwise: who alters a column
may rewrite rows that show the same, and the roots are to come out exactly.
"""

from __future__ import annotations

from collections.abc import Iterator

from prolly.codec import Descriptor
from prolly.codec.patch import (
    MISSING,
    PatchRecord,
    PatchStamps,
    head_line,
    record_line,
    section_line,
    stamps_line,
    with_end,
)
from prolly.datasets import changed_datasets
from prolly.maps import decode_value
from prolly.tree import NodeReader, diff

from .patch_values import ToldRecords, blob_form, content_of
from .storage import Storage


def patch_lines(storage: Storage, old: bytes, new: bytes) -> Iterator[str]:
    """Yield the lines of a patch between two manifests, as they are found.

    O(changes x depth) nodes. Raises LimitExceeded ``patch-content`` for a content that
    is too large for one.
    """
    return with_end(_lines(storage.reader, old, new))


def _lines(reader: NodeReader, old: bytes, new: bytes) -> Iterator[str]:
    yield head_line(old, new)
    changed = changed_datasets(reader, old, new)
    for identity, (before, after) in sorted(changed.items()):
        yield section_line(identity, before, after)
        for record in _records(reader, before, after):
            yield record_line(record)
        for stamps in _stamps(reader, before, after):
            yield stamps_line(stamps)


def _records(
    reader: NodeReader, before: Descriptor | None, after: Descriptor | None
) -> Iterator[PatchRecord]:
    read = reader.get_chunk
    present = after or before
    assert present is not None
    if present.kind == "blob":
        old, new = blob_form(before, read), blob_form(after, read)
        if old != new:
            data = None if new is MISSING else content_of(new, read, present.name)
            yield PatchRecord(b"", old, new, data)
        return
    shown_old, shown_new = ToldRecords(before, read), ToldRecords(after, read)
    roots = [None if one is None else one.roots[0].address for one in (before, after)]
    for key, stored_old, stored_new in diff(reader, *roots):
        old, new = shown_old(key, stored_old), shown_new(key, stored_new)
        data = None
        if present.kind == "files" and new is not MISSING:
            known = None if old is MISSING else old["content"]
            if new["content"] != known:
                data = content_of(new, read, present.name)
        yield PatchRecord(key, old, new, data)


def _stamps(
    reader: NodeReader, before: Descriptor | None, after: Descriptor | None
) -> Iterator[PatchStamps]:
    found = [None if one is None else one.stamps for one in (before, after)]
    roots = [None if one is None else one.address for one in found]
    for key, *sides in diff(reader, *roots):
        old, new = (
            MISSING if one is None else decode_value(one, reader.get_chunk)
            for one in sides
        )
        yield PatchStamps(key, old, new)
