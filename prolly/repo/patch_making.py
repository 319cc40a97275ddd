"""A patch of two versions: every stored record that differs, with all descriptions.

What is listed are stored records, not only what reads otherwise: who alters a column
may rewrite rows that show the same, and the roots are to come out exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prolly.chunks import ScratchWriter
from prolly.codec import Descriptor
from prolly.codec.patch import MISSING, PatchRecord, PatchStamps
from prolly.codec.patch_lines import (
    head_line,
    record_line,
    section_line,
    stamps_line,
    with_end,
)
from prolly.datasets import (
    Manifest,
    changed_datasets,
    missing_dataset,
    write_manifest,
)
from prolly.maps import decode_value
from prolly.tree import NodeReader, diff

from .patch_values import ToldRecords, blob_form, content_of

Changed = Mapping[bytes, tuple[Descriptor | None, Descriptor | None]]


def patch_lines(
    reader: NodeReader, old: bytes, new: bytes, dataset: str | None = None
) -> Iterator[str]:
    """Yield the lines of a patch between two manifests, as they are found.

    With a dataset it leads to the old one with just this dataset as the new one has it.
    O(changes x depth) nodes. Raises NotFound ``no-such-dataset``; LimitExceeded
    ``patch-content`` for a content that is too large for a patch, when it comes to it.
    """
    changed: Changed = changed_datasets(reader, old, new)
    if dataset is not None:
        changed = _part(reader, (old, new), changed, dataset)
        with ScratchWriter(reader.get_chunk) as scratch:
            here = NodeReader(scratch.get)
            taken = {identity: after for identity, (_, after) in changed.items()}
            new = write_manifest(here, scratch, old, taken)
    return with_end(_lines(reader, (old, new), changed))


def _part(
    reader: NodeReader, roots: tuple[bytes, bytes], changed: Changed, name: str
) -> Changed:
    """Return what differs of the dataset that has a name on either side.

    Where the name that it gets is another's in the old version, that one goes along:
    two of one name are in no version.
    """
    before, after = (Manifest(reader, root) for root in roots)
    if before.find(name) is None and after.find(name) is None:
        raise missing_dataset(name, after)
    part: dict[bytes, tuple[Descriptor | None, Descriptor | None]] = {}
    names = {name}
    while True:
        more = {
            identity: sides
            for identity, sides in changed.items()
            if identity not in part
            and any(one is not None and one.name in names for one in sides)
        }
        if not more:
            return part
        part.update(more)
        names |= {new.name for _, new in more.values() if new is not None}


def _lines(
    reader: NodeReader, roots: tuple[bytes, bytes], changed: Changed
) -> Iterator[str]:
    yield head_line(*roots)
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
