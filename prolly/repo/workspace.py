"""Datasets under edit: the part that transactions and the working state share.

A workspace stands on one manifest. Datasets are opened on first use; their edits wait
in memory (spilling past a bound) until ``write`` turns them into trees and a manifest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from prolly.codec import (
    DEFAULT_PARAMETERS,
    FORMAT_PARAMETERS,
    RESERVED_NAMES,
    Descriptor,
    Reference,
    check_new_dataset_name,
    dataset_id,
    is_local_id,
)
from prolly.datasets import (
    Manifest,
    Standing,
    VersionRoots,
    find_dataset,
    missing_dataset,
    require_kind,
    require_local,
    root_reference,
    root_references,
    seen_names,
    stored_table,
    write_manifest,
)
from prolly.errors import AlreadyExists, Invalid, NotFound
from prolly.tree import NodeReader, build

from .reads import Reads
from .storage import Storage

# What each kind of dataset needs is loaded when there is one of it: starting is felt.
if TYPE_CHECKING:
    from prolly.maps import BlobEdit, BlobFile, MutableFiles, MutableOrderedMap
    from prolly.tables import MutableTable, Schema
    from prolly.tree import WorkingTree

    Handle = MutableOrderedMap | MutableTable | MutableFiles | BlobEdit


class _Open:
    """One dataset under edit. A blob has no record tree."""

    def __init__(self, tree: WorkingTree | None, handle: Handle) -> None:
        self.tree = tree
        self.handle = handle

    def close(self) -> None:
        """End the use of the dataset."""
        self.handle.close()
        if self.tree is not None:
            self.tree.close()


class Workspace:
    """The datasets of one manifest, for reading and writing. Not thread-safe.

    ``reads`` is told of what is read; by default nobody is. ``origin`` is the manifest
    that the edits will be compared with, where that is another one: a record that comes
    to be as it is there counts as not written. ``local`` is the root of the manifest of
    local datasets, which are edited along and parted again by ``write``; whoever takes
    no care of these leaves it out, and makes none.
    """

    def __init__(
        self,
        storage: Storage,
        manifest_root: bytes,
        reads: Reads | None = None,
        *,
        origin: bytes | None = None,
        local: bytes | None = None,
    ) -> None:
        self._storage = storage
        self._reads = Reads() if reads is None else reads
        self.writer = storage.store.writer()
        self._reader = NodeReader(
            self.writer.get, storage.reader.cache, self.writer.get_many
        )
        self.base = Manifest(self._reader, manifest_root)
        self.local_base = self.local_root = local
        # Both manifests as they stood; ids tell which of the two a dataset is of.
        self._stood = self.base.by_id
        if local is not None:
            self._stood = {**self._stood, **Manifest(self._reader, local).by_id}
        self._entries: dict[bytes, Descriptor] = dict(self._stood)
        self._origin = None if origin is None else Manifest(self._reader, origin)
        self._open: dict[bytes, _Open] = {}
        # Stamps that records are to have instead of new ones, by dataset and key.
        self._stamps: dict[bytes, Mapping[bytes, bytes | None]] = {}
        # Datasets that got records as they are stored, unlooked at.
        self._unvetted: set[bytes] = set()
        self._closed = False

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the datasets, in order."""
        self._check()
        self._reads.record_listing()
        if any(map(is_local_id, self._entries)):
            return iter(sorted(seen_names(self._entries)))
        return iter(sorted(entry.name for entry in self._entries.values()))

    @property
    def alters_local(self) -> bool:
        """Tell whether ``write`` made other local datasets than there were."""
        return self.local_root != self.local_base

    def find(self, name: str) -> Descriptor | None:
        """Return the descriptor of a dataset as it stands here, or ``None``."""
        identity = self._identity(name)
        if identity is None:
            return None
        # A root tells all that is below it.
        self._reads.record(identity)
        return self._entries[identity]

    def entry(self, identity: bytes) -> Descriptor | None:
        """Return the descriptor of a dataset by its id as it stands here, if any."""
        return self._entries.get(identity)

    def require(self, name: str) -> Descriptor:
        """Return the descriptor of a dataset; NotFound when there is none."""
        return self._entries[self._require(name)]

    def _identity(self, name: str, local: bool | None = None) -> bytes | None:
        self._reads.record_name(name)
        return find_dataset(self._entries, name, local)

    def _require(self, name: str) -> bytes:
        self._check()
        identity = self._identity(name)
        if identity is None:
            roots = VersionRoots(self.base.root, self.local_base)
            raise missing_dataset(name, Standing(self._reader, roots))
        return identity

    def _check(self) -> None:
        if self._closed:
            raise Invalid(
                "these edits have ended: they are stored or discarded",
                code="closed",
                hint="Begin another transaction, or another edit.",
            )

    def map(self, name: str, *, local: bool | None = None) -> MutableOrderedMap:
        """Open the map of this name; created when there is no dataset of it.

        ``local``: a new dataset of any kind stays out of commits and sync; Invalid
        ``local-mismatch`` when one is there that is otherwise. Where there are both it
        says which of the two; the local one if it does not.
        """
        return cast("MutableOrderedMap", self._opened(name, "map", None, local).handle)

    def table(
        self,
        name: str,
        key: str | Sequence[str] | None = None,
        schema: Schema | Mapping[str, Any] | None = None,
        *,
        local: bool | None = None,
    ) -> MutableTable:
        """Open the table of this name; created when there is no dataset of it.

        A new table wants its ``schema``, as such or as its JSON object, or its ``key``
        columns alone: then the first rows written decide the types. For a table that
        exists both may be left out; if given, they must agree with it (Invalid
        ``schema-mismatch``).
        """
        self._check()
        from .table_request import TableRequest

        asked = TableRequest(name, key, schema)
        new = None
        if self._identity(name, local) is None:
            new = asked.schema_of_new()
        handle = cast("MutableTable", self._opened(name, "table", new, local).handle)
        asked.require_agreement(handle.schema)
        return handle

    def files(self, name: str, *, local: bool | None = None) -> MutableFiles:
        """Open the files of this name; created when there is no dataset of it."""
        return cast("MutableFiles", self._opened(name, "files", None, local).handle)

    def blob(
        self, name: str, mode: str = "r+b", *, local: bool | None = None
    ) -> BlobFile:
        """Open the blob of this name as a file; created when there is none of it.

        Invalid ``option`` for an unknown mode.
        """
        from prolly.maps import BlobFile

        BlobFile.check_mode(mode)
        handle = cast("BlobEdit", self._opened(name, "blob", None, local).handle)
        return BlobFile(handle, mode)

    def _opened(
        self, name: str, kind: str, schema: Schema | None, local: bool | None
    ) -> _Open:
        self._check()
        identity = self._identity(name, local)
        if identity is None:
            identity = self._create(name, kind, schema, local=bool(local))
        entry = self._entries[identity]
        require_kind(entry, kind)
        require_local(entry, local)
        return self._under_edit(identity)

    def _under_edit(self, identity: bytes) -> _Open:
        """Return a dataset under edit, opened on first use."""
        found = self._open.get(identity)
        if found is None:
            found = self._handle(identity, self._entries[identity])
            self._open[identity] = found
        return found

    def _create(
        self, name: str, kind: str, schema: Schema | None, *, local: bool
    ) -> bytes:
        check_new_dataset_name(name)
        taken = {*self._entries, *self._stood}
        identity = dataset_id(name, kind, taken, local=local)
        self._entries[identity] = Descriptor(
            name,
            kind,
            roots=(),
            parameters=DEFAULT_PARAMETERS,
            schema=None if schema is None else schema.to_value(),
            local=local,
        )
        return identity

    def _handle(self, identity: bytes, entry: Descriptor) -> _Open:
        if entry.kind == "blob":
            from prolly.maps import BlobEdit

            self._reads.record(identity)
            edit = BlobEdit(self.writer, entry.roots[0] if entry.roots else None)
            return _Open(None, edit)
        root = entry.roots[0].address if entry.roots else None
        tree = self._reads.tree(identity, self._reader, root, entry.parameters)
        handle: Handle
        if entry.kind == "map":
            from prolly.maps import MutableOrderedMap

            if entry.name.startswith(RESERVED_NAMES):
                from .losers_map import LosersMap

                handle = LosersMap(entry.name, tree, self.writer)
            else:
                handle = MutableOrderedMap(tree, self.writer)
        elif entry.kind == "files":
            from prolly.maps import MutableFiles

            handle = MutableFiles(tree, self.writer)
        else:
            from prolly.tables import MutableTable

            table = stored_table(entry)
            handle = MutableTable(
                tree,
                self.writer,
                table.schema,
                table.indexes,
                new_id=self._storage.new_id,
                reads=self._reads.table(identity),
            )
        return _Open(tree, handle)

    def drop(self, name: str) -> None:
        """Remove a dataset; NotFound when there is none of the name."""
        identity = self._require(name)
        opened = self._open.pop(identity, None)
        if opened is not None:
            opened.close()
        del self._entries[identity]

    def rename(self, old: str, new: str) -> None:
        """Give a dataset another name; AlreadyExists when that is taken.

        Tables that refer to it follow.
        """
        identity = self._require(old)
        check_new_dataset_name(new)
        if self._identity(new) is not None:
            raise AlreadyExists(
                f"there is a dataset {new!r} already",
                code="dataset-exists",
                hint="Choose another name, or drop that one first.",
                dataset=new,
            )
        stood = self._entries[identity].name
        self._entries[identity] = self._entries[identity]._replace(name=new)
        # Tables refer to tables of their own manifest, by the names that those have.
        for one, entry in list(self._entries.items()):
            if entry.kind == "table" and is_local_id(one) is is_local_id(identity):
                self._follow(one, stood, new)

    def _follow(self, identity: bytes, old: str, new: str) -> None:
        """Let the references of a table follow a rename."""
        schema = stored_table(self._entries[identity]).schema
        if identity in self._open or old in [one.table for one in schema.references]:
            table = cast("MutableTable", self._under_edit(identity).handle)
            table.change_schema(table.schema.with_table_renamed(old, new))

    def set_policy(
        self,
        name: str,
        policy: str | None,
        *,
        prefix: Any = None,
        column: str | None = None,
    ) -> None:
        """Say how a merge settles what both sides changed in a dataset.

        ``prefix`` limits it to keys that begin so, ``column`` to one column of a table.
        ``None`` removes the policy of just that scope. NotFound ``no-such-dataset``,
        ``no-such-policy`` where there is none to be removed; Invalid as
        :func:`prolly.merge.check_policy`.
        """
        identity = self._require(name)
        entry = self._entries[identity]
        schema = None
        if entry.kind == "table":
            schema = self.table(name).schema
        from prolly.merge import DEFAULT_POLICY, check_policy

        checked = DEFAULT_POLICY if policy is None else policy
        scope = check_policy(checked, entry.kind, schema, column=column, prefix=prefix)
        if policy is None and scope not in entry.policies:
            raise NotFound(
                f"dataset {name!r} has no policy of just this scope",
                code="no-such-policy",
                hint="`prolly policy DATASET` lists those that it has.",
                dataset=name,
            )
        self.set_scope(name, scope, policy)

    def set_scope(self, name: str, scope: str, policy: str | None) -> None:
        """Set the policy of a scope as the descriptor spells it; ``None`` removes."""
        identity = self._require(name)
        entry = self._entries[identity]
        policies = {one: held for one, held in entry.policies.items() if one != scope}
        if policy is not None:
            policies[scope] = policy
        changed = entry._replace(policies=policies)
        if entry.roots and changed.keeps_stamps is not entry.keeps_stamps:
            # Stamps go with the last policy that asks for them, and begin with none.
            roots = entry.content_roots
            if changed.keeps_stamps:
                root = build(self.writer, [], FORMAT_PARAMETERS)
                roots = (*roots, root_reference(self._reader, root))
            changed = changed._replace(roots=roots)
        self._entries[identity] = changed

    def adopt(self, identity: bytes, entry: Descriptor | None) -> None:
        """Take over a whole dataset as another manifest has it; ``None`` drops it.

        What it refers to must be stored. Not for a dataset that was opened here.
        """
        self._check()
        assert identity not in self._open
        if entry is None:
            self._entries.pop(identity, None)
        else:
            self._entries[identity] = entry

    def put_blob(self, identity: bytes, content: Reference) -> None:
        """Let a blob that is there have a content that is stored."""
        from prolly.maps import BlobEdit

        self._check()
        opened = self._open.pop(identity, None)
        if opened is not None:
            opened.close()
        self._open[identity] = _Open(None, BlobEdit(self.writer, content))

    def put_stored(
        self,
        identity: bytes,
        entry: Descriptor,
        edits: Mapping[bytes, bytes | None],
        stamps: Mapping[bytes, bytes | None] | None = None,
    ) -> None:
        """Write records as they are stored, by encoded key; ``None`` deletes.

        ``entry`` describes the dataset where there is none of this id: it is made then,
        without its records. With ``stamps`` (stored ones, by the same keys) nobody is
        said to have written them now. Of files that exclude each other the end raises
        Invalid ``file-path-clash``.
        """
        self._check()
        self._unvetted.add(identity)
        if identity not in self._entries:
            self._entries[identity] = entry._replace(roots=())
        if stamps is not None:
            self._stamps[identity] = {**self._stamps.get(identity, {}), **stamps}
        found = self._under_edit(identity)
        assert found.tree is not None
        for encoded, stored in edits.items():
            found.tree.put(encoded, stored)

    def write(self) -> bytes:
        """Turn all edits into trees and a manifest; return the manifest's root.

        That of the local datasets is ``local_root`` then.
        """
        self._check()
        changes: dict[bytes, Descriptor | None] = {}
        for identity in self._stood:
            if identity not in self._entries:
                changes[identity] = None
        for identity, entry in self._entries.items():
            finished = self._finish(identity, entry)
            if finished != self._stood.get(identity):
                changes[identity] = finished
        beside = {one: changes.pop(one) for one in [*changes] if is_local_id(one)}
        if beside:
            root = self.local_base
            if root is None:
                root = build(self.writer, [], FORMAT_PARAMETERS)
            self.local_root = write_manifest(self._reader, self.writer, root, beside)
        if not changes:
            return self.base.root
        return write_manifest(self._reader, self.writer, self.base.root, changes)

    def _finish(self, identity: bytes, entry: Descriptor) -> Descriptor:
        opened = self._open.get(identity)
        if opened is None:
            if entry.roots:
                return entry
            opened = self._handle(identity, entry)
        handle: Any = opened.handle
        if entry.kind == "blob":
            return self._stamped(identity, entry, (handle.store(),))
        if entry.kind == "files":
            handle.flush()
        assert opened.tree is not None
        # Indexes and stamps follow from the old leaves; others are not asked again.
        is_plain = entry.kind == "map" or (
            entry.kind == "table" and not handle.schema.indexes
        )
        keep_read = not is_plain or entry.keeps_stamps
        roots = [opened.tree.write(self.writer, keep_read=keep_read)]
        if entry.kind == "files" and identity in self._unvetted:
            old = entry.roots[0].address if entry.roots else None
            from prolly.maps import require_no_path_clash

            require_no_path_clash(self._reader, old, roots[0])
        if entry.kind == "table":
            if handle.schema is not stored_table(entry).schema:
                # The same object, where the schema stayed, stays one in the manifest.
                entry = entry._replace(schema=handle.schema.to_value())
            roots += handle.write_indexes(self._reader, roots[0])
        references = root_references(self._reader, roots, entry.roots)
        return self._stamped(identity, entry, references)

    def _stamped(
        self, identity: bytes, entry: Descriptor, roots: tuple[Reference, ...]
    ) -> Descriptor:
        """Return the description over new trees; what they change is stamped."""
        if not entry.keeps_stamps:
            return entry._replace(roots=roots)
        from prolly.merge import Write, stamp_write
        from prolly.tables import Trees

        origin = self._origin
        start = entry.stamps
        write = Write(
            self._stood.get(identity),
            entry._replace(roots=roots),
            None if start is None else start.address,
            given=self._stamps.get(identity, {}),
            origin=None if origin is None else origin.by_id.get(identity),
        )
        trees = Trees(self._reader, self.writer, entry.parameters)
        root = stamp_write(trees, write, self._storage.stamp_clock)
        return entry._replace(roots=(*roots, root_reference(self._reader, root)))

    def close(self) -> None:
        """Forget all edits that were not committed; twice is fine."""
        if self._closed:
            return
        self._closed = True
        for opened in self._open.values():
            opened.close()
        self.writer.abort()
