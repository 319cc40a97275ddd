"""The stamps of a dataset's records, read and merged: who wrote what last.

A tree beside the records, from the key of a record to its stamps, deleted records
included. Stamps only grow, so the merge of two trees has the later stamp of each cell
and needs no base but to save work; but for a row that stands though one side deleted
it, which has those of the other. The tags of sets stand there, too, and are merged
against the base (``set_tags``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import FORMAT_PARAMETERS, Descriptor
from prolly.codec import key as key_codec
from prolly.codec.record_stamps import (
    UNSTAMPED,
    RecordStamps,
    decode_stamps,
    encode_stamps,
    joined_stamps,
)
from prolly.maps import decode_value, encode_value
from prolly.tree import (
    Both,
    EditBuffer,
    NodeReader,
    Versions,
    WorkingTree,
    get,
    iter_batches,
    merge,
)

from .key_spelling import KeySpelling
from .merged_keys import MergedKeys
from .set_tags import Tags, merged_record_tags
from .values import NO_STAMPS, Stamps

# What stands for the key of a blob, which has none: for its stamps, and in conflicts.
BLOB_KEY = key_codec.encode((None,))


def stored_stamps(stamps: RecordStamps, writer: ChunkWriter) -> bytes | None:
    """Return what a leaf stores for the stamps of a record; None for there are none.

    Long ones go out of line.
    """
    if stamps == UNSTAMPED:
        return None
    return encode_value(encode_stamps(stamps), writer)


def read_stamps(reader: NodeReader, stored: bytes | None) -> RecordStamps:
    """Return the stamps that a leaf stores, none for None; raises Corrupt."""
    if stored is None:
        return UNSTAMPED
    return decode_stamps(decode_value(stored, reader.get_chunk))


def stamps_of(reader: NodeReader, root: bytes | None, key: bytes) -> RecordStamps:
    """Return the stamps of a record; ``root`` is None where no tree is."""
    if root is None:
        return UNSTAMPED
    return read_stamps(reader, get(reader, root, key))


def stamps_root(entry: Descriptor | None) -> bytes | None:
    """Return the root of a dataset's stamps, None where it keeps none."""
    found = None if entry is None else entry.stamps
    return None if found is None else found.address


def stamps_versions(versions: Iterable[Descriptor | None]) -> Versions:
    """Return the roots of the stamps of three versions of a dataset."""
    return Versions(*map(stamps_root, versions))


def respelt_stamps(
    reader: NodeReader,
    writer: ChunkWriter,
    root: bytes | None,
    keys: MergedKeys | KeySpelling,
) -> bytes | None:
    """Return a tree of stamps under the keys that a table's records have now.

    Stamps of what can have no such key go. Without a change of keys it is ``root``.
    """
    if root is None or not keys.changes:
        return root
    edits = EditBuffer()
    tree = WorkingTree(reader, None, FORMAT_PARAMETERS, edits)
    try:
        for stood, values in iter_batches(reader, root):
            for key, stored in zip(stood, values, strict=True):
                new = keys.forward(key)
                if new is None:
                    continue
                is_second, first = edits.find(new)
                if is_second:
                    pair = [read_stamps(reader, one) for one in (first, stored)]
                    joined = stored_stamps(joined_stamps(*pair), writer)
                    edits.put(new, joined)
                else:
                    edits.put(new, stored)
        return tree.write(writer)
    finally:
        tree.close()


class MergedStamps(NamedTuple):
    """The root of merged stamps, and the keys that both sides stamped, differently.

    ``clashes`` holds them as keys of edits; whoever has it closes it.
    """

    root: bytes
    clashes: EditBuffer


def merge_stamps(
    reader: NodeReader, writer: ChunkWriter, versions: Versions
) -> MergedStamps:
    """Merge the stamps of two sides; ``versions`` are roots, None for no tree."""
    clashes = EditBuffer()

    def settle(batch: Sequence[Both]) -> list[bytes | None]:
        settled: list[bytes | None] = []
        for both in batch:
            base, *sides = [read_stamps(reader, one) for one in both[1:]]
            joined, tags = joined_stamps(*sides), merged_record_tags(base, *sides)
            merged = RecordStamps(joined.record, joined.columns, tags)
            settled.append(stored_stamps(merged, writer))
            clashes.put(both.key, None)
        return settled

    try:
        merged = merge(reader, writer, versions, FORMAT_PARAMETERS, settle)
    except BaseException:
        clashes.close()
        raise
    return MergedStamps(merged.root, clashes)


def with_stamps_of(
    reader: NodeReader,
    writer: ChunkWriter,
    known: tuple[bytes, Versions],
    sides: EditBuffer,
) -> bytes:
    """Return merged stamps after some records got those of one side alone.

    ``known`` are the merged root and the versions; ``sides`` has the place of the side
    by key, as one byte. Such a row stands though the other side deleted it: when that
    wrote and deleted it is no stamp of any cell that stands. Tags stay as merged.
    """
    root, versions = known
    edits = EditBuffer()
    tree = WorkingTree(reader, root, FORMAT_PARAMETERS, edits)
    try:
        for keys, places in sides.batches():
            for key, place in zip(keys, places, strict=True):
                assert place is not None
                merged = stamps_of(reader, root, key)
                kept = stamps_of(reader, versions[place[0]], key)
                alone = RecordStamps(kept.record, kept.columns, merged.tags)
                if alone != merged:
                    edits.put(key, stored_stamps(alone, writer))
        return tree.write(writer)
    finally:
        tree.close()


class SideStamps:
    """What both sides of a merge wrote when, for the records that it asks about.

    One record is held at a time, since a batch asks about it cell by cell.
    """

    def __init__(self, reader: NodeReader, versions: Versions) -> None:
        self._reader = reader
        self._roots = versions
        self._key: bytes | None = None
        self._known: list[RecordStamps] = []

    def find(self, key: bytes, column: int | None) -> Stamps:
        """Return the stamps of a cell that each side gave it since the base.

        Of a record as a whole, with None, the latest of its cells. A side that wrote
        nothing since, or without a stamp, has none.
        """
        known = self._of(key)
        if known[1] == known[2]:
            return NO_STAMPS
        base, ours, theirs = [one.of(column) for one in known]
        return (
            None if ours <= base else ours,
            None if theirs <= base else theirs,
        )

    def tags(self, key: bytes, column: int | None) -> Tags:
        """Return the tags of a set in all three versions; None is for a record."""
        known = self._of(key)
        return Tags(*[one.tags.get(column) for one in known])

    def _of(self, key: bytes) -> list[RecordStamps]:
        if key != self._key:
            reader = self._reader
            self._known = [stamps_of(reader, one, key) for one in self._roots]
            self._key = key
        return self._known


def clashing_keys(stamps: MergedStamps) -> Iterator[list[bytes]]:
    """Yield the keys that both sides stamped, in order, in batches."""
    for keys, _ in stamps.clashes.batches():
        yield keys
