"""The two manifests that a patch is about, built where it is applied.

Where the manifest that it was made on is here, the other one follows from it exactly.
Where it is not, both are built from what stands here: the records of the patch as it
says that they were, and as it says that they are to be, all else as here. A merge of
the two into what stands here takes what still is as it was, and has a conflict in what
is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import Descriptor
from prolly.codec.patch import Patch, PatchSection, bad_patch
from prolly.datasets import Manifest, missing_dataset, write_manifest
from prolly.errors import Invalid
from prolly.merge import Policies
from prolly.tree import NodeReader

from .patch_values import patch_schema
from .patched_datasets import PatchedDatasets


class PatchRoots(NamedTuple):
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
        self._datasets = PatchedDatasets(reader, writer)

    def has_old(self) -> bool:
        """Tell whether the manifest that the patch was made on is here."""
        return self._reader.get_chunk(self._patch.old) is not None

    def known(self) -> PatchRoots:
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
        return PatchRoots(old, new)

    def _stood_as_told(
        self, section: PatchSection, stood: Descriptor | None
    ) -> Descriptor | None:
        if (stood is None) is not (section.old is None):
            raise bad_patch("a dataset that is not in the version it was made on")
        if section.new is None:
            return None
        return self._datasets.built(section, stood, "new", section.new)

    def assumed(self, ours: bytes) -> PatchRoots:
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
                after[identity] = self._datasets.built(
                    section, None, "new", section.present
                )
                continue
            if stood is None and section.new is None:
                continue
            stood = self._required(manifest, section, stood)
            told = self._cut_as(section.old, stood)
            old = self._datasets.built(section, stood, "old", told)
            before[identity] = old
            after[identity] = None
            if section.new is not None:
                told = self._cut_as(section.new, stood)
                after[identity] = self._datasets.built(section, old, "new", told)
        roots = [
            write_manifest(self._reader, self._writer, ours, changes)
            for changes in (before, after)
        ]
        return PatchRoots(*roots)

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
        return told._replace(parameters=stood.parameters)

    def is_applied(self, ours: bytes) -> bool:
        """Tell whether all that the patch brings about stands already."""
        manifest = Manifest(self._reader, ours)
        return all(
            self._datasets.stands(section, manifest.by_id.get(section.identity))
            for section in self._patch.sections
        )


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
