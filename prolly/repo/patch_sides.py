"""The two manifests that a patch is about, built where it is applied.

Where the manifest that it was made on is here, the other one follows from it exactly.
Where it is not, both are built from what stands here: the records of the patch as it
says that they were, and as it says that they are to be, all else as here. A merge of
the two into what stands here takes what still is as it was, and has a conflict in what
is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import FORMAT_PARAMETERS, Descriptor, Reference
from prolly.codec.patch import MISSING, Patch, PatchRecord, PatchSection, bad_patch
from prolly.datasets import (
    Manifest,
    missing_dataset,
    root_references,
    stored_table,
    write_manifest,
)
from prolly.errors import Error, Invalid, NotFound
from prolly.maps import encode_value
from prolly.merge import Policies
from prolly.tables import StoredTable, Trees, carry_indexes
from prolly.tree import (
    EditBuffer,
    NodeReader,
    WorkingTree,
    build,
    get,
    iter_batches,
)

from .patch_values import RecordWriter, patch_schema

PatchSide = Literal["old", "new"]


class Sides(NamedTuple):
    """The roots of the manifests that a patch leads from and to."""

    old: bytes
    new: bytes


class PatchSides:
    """Builds both sides of a patch; ``reader`` sees what ``writer`` writes.

    Raises Corrupt ``policies`` for a patch with policies that no dataset may have.
    """

    def __init__(self, reader: NodeReader, writer: ChunkWriter, patch: Patch) -> None:
        for section in patch.sections:
            Policies(section.present.policies)
        self._reader = reader
        self._writer = writer
        self._patch = patch

    def has_old(self) -> bool:
        """Tell whether the manifest that the patch was made on is here."""
        return self._reader.get_chunk(self._patch.old) is not None

    def known(self) -> Sides:
        """Return both where the old one is here; Corrupt ``patch`` if it leads
        elsewhere than it says."""
        old = self._patch.old
        manifest = Manifest(self._reader, old)
        changes = {
            section.identity: self._stood_as_told(
                section, manifest.by_id.get(section.identity)
            )
            for section in self._patch.sections
        }
        new = write_manifest(self._reader, self._writer, old, changes)
        if new != self._patch.new:
            raise bad_patch("it leads to another version than it names")
        return Sides(old, new)

    def _stood_as_told(
        self, section: PatchSection, stood: Descriptor | None
    ) -> Descriptor | None:
        if (stood is None) is not (section.old is None):
            raise bad_patch("a dataset that is not in the version it was made on")
        if section.new is None:
            return None
        return self._side(section, stood, "new", section.new)

    def assumed(self, ours: bytes) -> Sides:
        """Return both as they would be here, where what stands is ``ours``.

        Raises NotFound ``no-such-dataset`` and Invalid ``patch-schema`` for what the
        patch changes and is not here.
        """
        manifest = Manifest(self._reader, ours)
        before: dict[bytes, Descriptor | None] = {}
        after: dict[bytes, Descriptor | None] = {}
        for section in self._patch.sections:
            identity = section.identity
            stood = manifest.by_id.get(identity)
            if section.old is None:
                before[identity] = None
                after[identity] = self._side(section, None, "new", section.present)
                continue
            if stood is None and section.new is None:
                continue
            stood = self._required(manifest, section, stood)
            told = self._cut_as(section.old, stood)
            old = self._side(section, stood, "old", told)
            before[identity] = old
            after[identity] = None
            if section.new is not None:
                told = self._cut_as(section.new, stood)
                after[identity] = self._side(section, old, "new", told)
        roots = [
            write_manifest(self._reader, self._writer, ours, changes)
            for changes in (before, after)
        ]
        return Sides(*roots)

    def _required(
        self, manifest: Manifest, section: PatchSection, stood: Descriptor | None
    ) -> Descriptor:
        """Return the dataset that is to be changed, of the form that is told."""
        assert section.old is not None
        if stood is None:
            raise missing_dataset(section.old.name, manifest)
        if stood.schema != section.old.schema:
            raise _other_schema(stood, section.old)
        return stood

    @staticmethod
    def _cut_as(told: Descriptor, stood: Descriptor) -> Descriptor:
        return replace(told, parameters=stood.parameters)

    def is_applied(self, ours: bytes) -> bool:
        """Tell whether all that the patch brings about stands already."""
        manifest = Manifest(self._reader, ours)
        return all(
            self._stands(section, manifest.by_id.get(section.identity))
            for section in self._patch.sections
        )

    def _stands(self, section: PatchSection, stood: Descriptor | None) -> bool:
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

    def _side(
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
        return replace(told, roots=roots)

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


def _other_schema(stood: Descriptor, told: Descriptor) -> Invalid:
    """Return (not raise) the error for a table that has other columns by now."""
    facts: Mapping[str, Any] = {"dataset": stood.name}
    here, there = (
        {one.id: one for one in patch_schema(e).columns} for e in (stood, told)
    )
    names = [one.name for identity, one in there.items() if identity not in here]
    lacking = f": it has no column {', '.join(map(repr, names))}" if names else ""
    return Invalid(
        f"the table {stood.name!r} has another schema than the patch was made "
        f"on{lacking}",
        code="patch-schema",
        hint="Alter the table first (`prolly schema DATASET --set`), or merge the "
        "version that the patch was made of.",
        **facts,
    )
