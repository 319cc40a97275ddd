"""One dataset as a side of a patch has it: its records, indexes and stamps."""

from __future__ import annotations

from typing import Any, Literal

from prolly.chunks import ChunkWriter
from prolly.codec import FORMAT_PARAMETERS, Descriptor, Reference
from prolly.codec.patch import MISSING, PatchRecord, PatchSection, bad_patch
from prolly.datasets import root_references, stored_table
from prolly.errors import Error, NotFound
from prolly.maps import encode_value
from prolly.tables import StoredTable, Trees, carry_indexes
from prolly.tree import EditBuffer, NodeReader, WorkingTree, build, get, iter_batches

from .patch_values import RecordWriter, patch_schema

PatchSide = Literal["old", "new"]


class PatchedDatasets:
    """Builds datasets from sections of a patch; ``reader`` sees what ``writer`` writes.

    Raises Corrupt ``patch`` for a section that no dataset can follow, NotFound
    ``patch-content-missing``.
    """

    def __init__(self, reader: NodeReader, writer: ChunkWriter) -> None:
        self._reader = reader
        self._writer = writer

    def stands(self, section: PatchSection, stood: Descriptor | None) -> bool:
        """Tell whether a dataset is by now what the new side of its section says."""
        told = section.new
        if stood is None or told is None:
            return stood is told
        if (stood.schema, stood.policies) != (told.schema, told.policies):
            return False
        if stood.name != told.name:
            return False
        if not self._has_stamps(section, stood):
            return False
        if told.kind == "blob":
            # A form that is none is refused where it is built.
            return all(
                type(record.new) is dict
                and stood.roots[0].address.hex() == record.new.get("content")
                for record in section.records()
            )
        stored = RecordWriter(told, self._reader.get_chunk, self._writer)
        root = stood.roots[0].address
        return all(
            get(self._reader, root, record.key) == stored(record, record.new)
            for record in section.records()
        )

    def _has_stamps(self, section: PatchSection, stood: Descriptor) -> bool:
        """Tell whether the stamps are those that the patch brings."""
        root = None if stood.stamps is None else stood.stamps.address
        for one in section.stamps():
            known = None if root is None else get(self._reader, root, one.key)
            if known != self._stored_stamps(one.new):
                return False
        return True

    def _stored_stamps(self, value: Any) -> bytes | None:
        return None if value is MISSING else encode_value(value, self._writer)

    def built(
        self,
        section: PatchSection,
        start: Descriptor | None,
        side: PatchSide,
        told: Descriptor,
    ) -> Descriptor:
        """Return a dataset as one side of the patch has it, on top of ``start``."""
        if told.kind == "blob":
            roots: tuple[Reference, ...] = (self._blob(section, start, side, told),)
        else:
            roots = self._trees(section, start, side, told)
        if told.keeps_stamps:
            root = self._stamps(section, start, side)
            roots = (*roots, *root_references(self._reader, [root], ()))
        return told._replace(roots=roots)

    def _blob(
        self,
        section: PatchSection,
        start: Descriptor | None,
        side: PatchSide,
        told: Descriptor,
    ) -> Reference:
        stored = RecordWriter(told, self._reader.get_chunk, self._writer)
        for record in section.records():
            form = getattr(record, side)
            if form is MISSING:
                raise bad_patch("a blob without a content")
            found = self._content(stored, record, form)
            if found is not None:
                return found
        if start is None:
            raise bad_patch("a blob without a content")
        return start.roots[0]

    def _content(
        self, stored: RecordWriter, record: PatchRecord, form: Any
    ) -> Reference | None:
        """Return a content; None for an old one that is not here to be named."""
        try:
            return stored.content(record, form)
        except NotFound:
            if form is record.old:
                return None
            raise
        except (Error, ValueError, KeyError, TypeError) as error:
            raise bad_patch("a content that is none") from error

    def _trees(
        self,
        section: PatchSection,
        start: Descriptor | None,
        side: PatchSide,
        told: Descriptor,
    ) -> tuple[Reference, ...]:
        """Return the records and their indexes."""
        reader, writer = self._reader, self._writer
        cut = told.parameters if start is None else start.parameters
        root = None if start is None else start.roots[0].address
        edits = EditBuffer()
        tree = WorkingTree(reader, root, cut, edits)
        stored = RecordWriter(told, reader.get_chunk, writer)
        try:
            for record in section.records():
                edits.put(record.key, self._stored(stored, record, side))
            records = tree.write(writer)
        finally:
            tree.close()
        known = None if start is None else stored_table_of(start)
        if cut != told.parameters:
            records = build(writer, iter_batches(reader, records), told.parameters)
            known = None
        roots = [records]
        if told.kind == "table":
            schema = patch_schema(told)
            known = StoredTable(schema, None, ()) if known is None else known
            trees = Trees(reader, writer, told.parameters)
            roots += carry_indexes(trees, known, schema, records)
        return root_references(reader, roots, ())

    def _stored(
        self, stored: RecordWriter, record: PatchRecord, side: PatchSide
    ) -> bytes | None:
        """Return a record as a side has it.

        None too for an old file whose content is not here: it can be named by nobody,
        and what stands here is in conflict with the new one.
        """
        try:
            return stored(record, getattr(record, side))
        except NotFound:
            if side == "old":
                return None
            raise

    def _stamps(
        self, section: PatchSection, start: Descriptor | None, side: PatchSide
    ) -> bytes:
        known = None if start is None else start.stamps
        root = None if known is None else known.address
        edits = EditBuffer()
        tree = WorkingTree(self._reader, root, FORMAT_PARAMETERS, edits)
        try:
            for one in section.stamps():
                edits.put(one.key, self._stored_stamps(getattr(one, side)))
            return tree.write(self._writer)
        finally:
            tree.close()


def stored_table_of(entry: Descriptor) -> StoredTable | None:
    """Return the trees of a table; None for another kind."""
    return stored_table(entry) if entry.kind == "table" else None
