"""Stamping what a write changed, in datasets whose policies ask who wrote last.

    change                                    stamped
    a record added or deleted                 the record, which covers all its cells
    a record of a map, files or a blob        the record
    cells of a row                            each of them whose policy, or that of the
                                              record, is last-writer-wins
    a set under set:add-wins                  nothing, but each element that was put in
                                              gets a tag (``set_tags``)

A deleted record has no tags any more. A change is what differs between the records that
stood and those that are to stand: writing an equal value is none. A stamp is later than
all that the record had before, even where the clock is behind: nobody's new value loses
to the one it replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from prolly.chunks import ScratchWriter
from prolly.codec import (
    FORMAT_PARAMETERS,
    STAMPED_POLICY,
    TAGGED_POLICY,
    Descriptor,
)
from prolly.codec.record_stamps import (
    UNSTAMPED,
    RecordStamps,
    TagSet,
    joined_stamps,
    later_stamp,
)
from prolly.datasets import stored_table
from prolly.maps import ABSENT, decode_value
from prolly.tables import Trees
from prolly.tree import (
    EditBuffer,
    NodeReader,
    WorkingTree,
    count,
    diff,
    get,
)

from .changed_rows import Change, ChangedRows, Sets
from .key_spelling import KeySpelling
from .policies import Policies
from .schema_merge import same_key
from .set_tags import written_tags
from .stamp_tree import BLOB_KEY, respelt_stamps, stamps_of, stamps_root, stored_stamps
from .table_merge import under_schema
from .translation import BATCH_RECORDS


@dataclass(frozen=True)
class Write:
    """One write to a dataset: what stood, what stands, and what is known beside.

    ``before`` and ``after`` are descriptions, ``after`` with the policies that hold and
    all its trees but that of stamps. ``start`` is the root of the stamps as yet, None
    where there are none. ``given`` are stored stamps that some records are to have
    instead of new ones. Where a record comes out as ``origin`` has it, it gets the
    stamps of ``origin`` back.
    """

    before: Descriptor | None
    after: Descriptor
    start: bytes | None = None
    given: Mapping[bytes, bytes | None] = field(default_factory=dict)
    origin: Descriptor | None = None


def stamp_write(trees: Trees, write: Write, now: Callable[[], bytes]) -> bytes:
    """Return the root of the stamps after a write, all with the stamp of ``now``.

    ``now`` is asked once, and only if something is to be stamped.
    """
    return _Stamping(trees, write, now).run()


class _Stamping:
    def __init__(self, trees: Trees, write: Write, now: Callable[[], bytes]) -> None:
        self._reader, self._writer, _ = trees
        self._write = write
        self._now = now
        self._policies = Policies(write.after.policies)
        self._start = write.start
        self._origin = self._comparable(write.origin)

    def run(self) -> bytes:
        """Stamp every change; return the root of the stamps."""
        self._start = self._start_now()
        edits = EditBuffer()
        tree = WorkingTree(self._reader, self._start, FORMAT_PARAMETERS, edits)
        try:
            for change in self._changes():
                edits.put(change.key, self._stored(change))
            return tree.write(self._writer)
        finally:
            tree.close()

    def _start_now(self) -> bytes | None:
        """Return the stamps as yet, under the keys that records have now.

        A table that got a key of other columns has none: no stamp is of its records.
        """
        before, after, start = self._write.before, self._write.after, self._write.start
        if before is None or before.kind != "table" or after.kind != "table":
            return start
        old, new = [stored_table(one).schema for one in (before, after)]
        if not old.is_unknown and not same_key(old, new):
            return None
        spelling = KeySpelling(old, new)
        return respelt_stamps(self._reader, self._writer, start, spelling)

    def _comparable(self, entry: Descriptor | None) -> Descriptor | None:
        """Return a version whose stored records are alike if they are equal."""
        after = self._write.after
        if entry is None or not entry.keeps_stamps or entry.kind != after.kind:
            return None
        return entry if entry.schema == after.schema else None

    def _stored(self, change: Change) -> bytes | None:
        """Return what is to be stored as the stamps of a record."""
        key, new, columns, sets = change
        if key in self._write.given:
            return self._write.given[key]
        origin = self._origin
        if origin is not None and _record(self._reader, origin, key) == new:
            root = stamps_root(origin)
            assert root is not None
            return get(self._reader, root, key)
        known = self._known(key)
        if known is UNSTAMPED and columns is None and not sets:
            return self._first_stamp
        tags = {} if new is None else self._tags(key, known.tags, sets)
        if columns is not None and not columns:
            stamps = RecordStamps(known.record, known.columns, tags)
            return stored_stamps(stamps, self._writer)
        stamp = later_stamp(self._stamp, known.of(None))
        written = RecordStamps(stamp)
        if columns is not None:
            # None of a record that is stamped up to the end of time is later than it.
            later = columns if stamp > known.record else ()
            written = RecordStamps(known.record, dict.fromkeys(later, stamp))
        joined = joined_stamps(known, written)
        stamps = RecordStamps(joined.record, joined.columns, tags)
        return stored_stamps(stamps, self._writer)

    def _tags(
        self, key: bytes, known: Mapping[int | None, TagSet], sets: Sets
    ) -> dict[int | None, TagSet]:
        """Return the tags of a record that stands; none of what is no set any more."""
        tags = {
            column: one
            for column, one in known.items()
            if column in self._columns_now
            and self._policies.of(key, column) == TAGGED_POLICY
        }
        for column, (old, new) in sets.items():
            if type(new) is list:
                held = known.get(column)
                tags[column] = written_tags(held, old, new, self._stamp)
            else:
                tags.pop(column, None)
        return tags

    @cached_property
    def _columns_now(self) -> frozenset[int | None]:
        """What a record has tags under: columns of a table, else None."""
        after = self._write.after
        if after.kind != "table":
            return frozenset([None])
        return frozenset([one.id for one in stored_table(after).schema.columns])

    def _known(self, key: bytes) -> RecordStamps:
        """Return the stamps that a record has as yet."""
        return UNSTAMPED if self._is_new else stamps_of(self._reader, self._start, key)

    @cached_property
    def _is_new(self) -> bool:
        """Tell whether there are no stamps yet: then many records may be written."""
        return self._start is None or count(self._reader, self._start) == 0

    @cached_property
    def _stamp(self) -> bytes:
        return self._now()

    @cached_property
    def _first_stamp(self) -> bytes | None:
        """What is stored for a record that was never stamped before."""
        return stored_stamps(RecordStamps(self._stamp), self._writer)

    def _changes(self) -> Iterator[Change]:
        """Yield what is to be stamped: key, what is stored now, columns."""
        before, after = self._write.before, self._write.after
        if after.kind == "blob":
            is_new = before is None or before.roots[0] != after.roots[0]
            if is_new and self._policies.of(b"") == STAMPED_POLICY:
                yield Change(BLOB_KEY, bytes(after.roots[0].address), None)
            return
        if after.kind == "table":
            yield from self._changed_rows()
            return
        start = None if before is None else before.roots[0].address
        for key, old, new in diff(self._reader, start, after.roots[0].address):
            policy = self._policies.of(key)
            if policy == STAMPED_POLICY:
                yield Change(key, new, None)
            elif policy == TAGGED_POLICY and after.kind == "map":
                yield Change(key, new, (), {None: (self._value(old), self._value(new))})

    def _value(self, stored: bytes | None) -> Any:
        """Return the value of a record of a map."""
        if stored is None:
            return ABSENT
        return decode_value(stored, self._reader.get_chunk)

    def _changed_rows(self) -> Iterator[Change]:
        before, after = self._write.before, self._write.after
        scratch = ScratchWriter(self._reader.get_chunk)
        try:
            reader = NodeReader(scratch.get, self._reader.cache)
            trees = Trees(reader, scratch, after.parameters)
            schema = stored_table(after).schema
            start = under_schema(trees, after, before, schema)
            rows = ChangedRows(self._policies, schema, trees)
            changes = diff(reader, start, after.roots[0].address)
            while batch := list(islice(changes, BATCH_RECORDS)):
                yield from rows.of(batch)
        finally:
            scratch.abort()


def _record(reader: NodeReader, entry: Descriptor, key: bytes) -> bytes | None:
    if entry.kind == "blob":
        return bytes(entry.roots[0].address)
    return get(reader, entry.roots[0].address, key)
