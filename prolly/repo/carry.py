"""Carry a change over to a branch that moved: first committer wins per key.

Given the manifest a change was made on (base), the one it made (ours) and the one that
the branch has now (theirs), the change applies when nobody else touched what it
touched:

    base -> ours      base -> theirs        result
    no change         anything              theirs
    change            no change             ours
    change            change, even equal    Stale, naming dataset and key

An equal change is no exception: two transactions that both count 5 up to 6 would
otherwise lose one count. Only a dataset that both dropped is simply gone. The rule
holds per record; a blob is one record. A new name and changed records go together, and
an equal new name is one; another schema goes with nothing. Cost: O(our changes x
depth).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from prolly.codec import Descriptor, Reference, key, manifest_key
from prolly.datasets import (
    Manifest,
    changed_datasets,
    read_descriptor,
    root_reference,
    root_references,
    stored_table,
    write_manifest,
)
from prolly.errors import Stale
from prolly.tree import NodeReader, get

# What only a change on a branch that moved needs is loaded then.
if TYPE_CHECKING:
    from prolly.chunks import ChunkWriter


class Roots(NamedTuple):
    """Three manifest roots: where a change began, what it made, what stands now."""

    base: bytes
    ours: bytes
    theirs: bytes


def carry_over(writer: ChunkWriter, reader: NodeReader, roots: Roots) -> bytes:
    """Return the root of the manifest that holds both changes.

    ``reader`` must see what ``writer`` wrote. Raises Stale (``write-conflict``,
    ``dataset-conflict``) when both sides changed the same thing,
    Invalid ``unique-violation`` and ``file-path-clash`` when only both together break
    a unique index, or have a file where another's directory is.
    """
    if roots.theirs == roots.base:
        return roots.ours
    changes: dict[bytes, Descriptor | None] = {}
    for identity, (base, ours) in changed_datasets(
        reader, roots.base, roots.ours
    ).items():
        value = get(reader, roots.theirs, manifest_key(identity))
        theirs = None if value is None else read_descriptor(reader, value)
        if theirs == base:
            changes[identity] = ours
        elif (ours, theirs) != (None, None):
            changes[identity] = _carry_dataset(writer, reader, (base, ours, theirs))
    merged = write_manifest(reader, writer, roots.theirs, changes)
    _require_unique_names(Manifest(reader, merged), changes)
    return merged


def _require_unique_names(
    merged: Manifest, changes: Mapping[bytes, Descriptor | None]
) -> None:
    """Refuse two datasets of one name: each side made or renamed one to it."""
    ids = merged.ids()
    for identity, entry in changes.items():
        if entry is not None and ids[entry.name] != identity:
            raise _dataset_conflict(entry)
    if len(ids) != len(merged.by_id):
        raise _dataset_conflict(next(filter(None, changes.values()), None))


def _carry_dataset(
    writer: ChunkWriter,
    reader: NodeReader,
    versions: tuple[Descriptor | None, Descriptor | None, Descriptor | None],
) -> Descriptor:
    base, ours, theirs = versions
    if ours is None or theirs is None or ours.schema != theirs.schema:
        raise _dataset_conflict(ours or theirs or base)
    merged = _carry_fields(base, ours, theirs)
    sides = base, ours, theirs
    if ours.kind == "blob":
        content = _carry_blob(base, ours, theirs)
        return _with_stamps(writer, reader, merged._replace(roots=content), sides)
    from prolly.tree import EditBuffer, WorkingTree, diff

    start = base.roots[0].address if base else None
    ours_root, theirs_root = ours.roots[0].address, theirs.roots[0].address
    edits = EditBuffer()
    for encoded, old, new in diff(reader, start, ours_root):
        stands = get(reader, theirs_root, encoded)
        if stands != old:
            raise _record_conflict(ours.name, encoded)
        edits.put(encoded, new)
    tree = WorkingTree(reader, theirs_root, theirs.parameters, edits)
    roots = [tree.write(writer)]
    tree.close()
    if ours.kind == "files":
        from prolly.maps import require_no_path_clash

        require_no_path_clash(reader, theirs_root, roots[0])
    if ours.kind == "table":
        from prolly.tables import Trees, carry_indexes

        trees = Trees(reader, writer, theirs.parameters)
        stored = stored_table(theirs)
        roots += carry_indexes(trees, stored, stored.schema, roots[0])
    merged = merged._replace(roots=root_references(reader, roots, theirs.roots))
    return _with_stamps(writer, reader, merged, sides)


def _with_stamps(
    writer: ChunkWriter,
    reader: NodeReader,
    merged: Descriptor,
    versions: tuple[Descriptor | None, Descriptor, Descriptor],
) -> Descriptor:
    """Return the description with the stamps of both sides, where some are kept."""
    if not merged.keeps_stamps:
        return merged
    from prolly.merge import merge_stamps, stamps_root
    from prolly.tree import Versions

    stamps = merge_stamps(reader, writer, Versions(*map(stamps_root, versions)))
    stamps.clashes.close()
    root = root_reference(reader, stamps.root)
    return merged._replace(roots=(*merged.roots, root))


def _carry_blob(
    base: Descriptor | None, ours: Descriptor, theirs: Descriptor
) -> tuple[Reference, ...]:
    """Return the root of a blob that at most one side changed: it is one value."""
    unchanged = () if base is None else base.content_roots
    if theirs.content_roots == unchanged:
        return ours.content_roots
    if ours.content_roots == unchanged:
        return theirs.content_roots
    raise Stale(
        f"the blob {ours.name!r} was changed by another commit meanwhile",
        code="write-conflict",
        hint="Read the branch again and repeat the change.",
        dataset=ours.name,
        key=(),
    )


def _carry_fields(
    base: Descriptor | None, ours: Descriptor, theirs: Descriptor
) -> Descriptor:
    """Return the descriptor whose fields, roots aside, hold both changes."""
    bare_ours, bare_theirs = ours._replace(roots=()), theirs._replace(roots=())
    bare_base = None if base is None else base._replace(roots=())
    if bare_theirs in (bare_ours, bare_base):
        return bare_ours
    if bare_ours == bare_base:
        return bare_theirs
    raise _dataset_conflict(ours)


def _record_conflict(dataset: str, encoded: bytes) -> Stale:
    shown = key.decode_key(encoded)
    return Stale(
        f"the record {shown!r} of {dataset!r} was changed by another commit meanwhile",
        code="write-conflict",
        hint="Read the branch again and repeat the change.",
        dataset=dataset,
        key=shown,
    )


def _dataset_conflict(descriptor: Descriptor | None) -> Stale:
    name = "" if descriptor is None else descriptor.name
    return Stale(
        f"the dataset {name!r} was altered or dropped by another commit meanwhile",
        code="dataset-conflict",
        hint="Read the branch again and repeat the change.",
        dataset=name,
    )
