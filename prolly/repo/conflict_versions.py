"""A dataset in conflict as three versions and the merged one have it: values by key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from prolly.codec import Descriptor, FileEntry, key
from prolly.datasets import Manifest, records_of
from prolly.errors import Error, Unsupported
from prolly.maps import ABSENT, OrderedMap, blob_length
from prolly.merge import (
    KeySpelling,
    MergedKeys,
    Records,
    StoredConflict,
    bad_conflict_tree,
    is_key_of,
    shown_part,
)
from prolly.tables import Schema, Table
from prolly.tree import NodeReader, Versions, get

from .conflict import SIDES, Side
from .record_keys import key_under, spellings


class ConflictVersions:
    """The manifests of base, ours and theirs, and the one that stands meanwhile.

    ``merged`` is the last of them. What is opened of them is kept.
    """

    def __init__(self, reader: NodeReader, versions: Versions, merged: bytes) -> None:
        self.reader = reader
        self.merged = Manifest(reader, merged)
        self._manifests: dict[Side, Manifest | None] = {
            side: None if root is None else Manifest(reader, root)
            for side, root in zip(SIDES, versions, strict=True)
        }
        self._opened: dict[tuple[Side, bytes], OrderedMap | Table] = {}
        self._newest: dict[bytes, OrderedMap | Table] = {}
        self._columns: dict[bytes, dict[int, str]] = {}
        self._retyped: dict[bytes, bool] = {}
        self._merged_keys: dict[tuple[Side, bytes], MergedKeys] = {}

    def entry(self, side: Side, identity: bytes) -> Descriptor | None:
        """Return how a side describes a dataset, or ``None``."""
        manifest = self._manifests[side]
        return None if manifest is None else manifest.by_id.get(identity)

    def schema(self, side: Side, identity: bytes) -> Schema | None:
        """Return the schema of a side, kept once read; ``None`` for what is no table
        there."""
        manifest, entry = self._manifests[side], self.entry(side, identity)
        if manifest is None or entry is None or entry.kind != "table":
            return None
        return manifest.schema(identity)

    def known(self, identity: bytes) -> Descriptor:
        """Return the newest description of a dataset: merged, or as a side has it.

        Raises Corrupt ``conflict-tree`` for an id that no version knows.
        """
        entries = [self.merged.by_id.get(identity)]
        entries += [self.entry(side, identity) for side in ("ours", "theirs", "base")]
        for entry in entries:
            if entry is not None:
                return entry
        raise bad_conflict_tree(f"no version has a dataset {identity.hex()}")

    def user_key(self, entry: Descriptor, stored: StoredConflict) -> Any:
        """Return the key of a record as people give it, under the schema of now."""
        if entry.kind == "blob":
            return ()
        found = None
        if self.is_retyped(stored.dataset):
            schemas = list(self._schemas(stored.dataset))
            base = self.schema("base", stored.dataset)
            found = key_under(schemas[0], stored.key, schemas, base)
        return key.decode_key(stored.key if found is None else found)

    def key_spellings(self, identity: bytes, user_key: Any) -> Iterator[bytes]:
        """Yield how the merge may have spelt a key that is of any of the schemas."""
        parts = user_key if type(user_key) is tuple else (user_key,)
        with suppress(Error):
            spelt = key.encode(parts)
            schemas = list(self._schemas(identity))
            base = self.schema("base", identity)
            for schema in schemas:
                yield from spellings(spelt, schema, schemas, base)

    def is_retyped(self, identity: bytes) -> bool:
        """Tell whether the versions of a table differ in the types of its key."""
        found = self._retyped.get(identity)
        if found is None:
            schemas = list(self._schemas(identity))
            found = any(KeySpelling(schemas[0], one).changes for one in schemas)
            self._retyped[identity] = found
        return found

    def newest(self, identity: bytes) -> OrderedMap | Table:
        """Return a dataset that is no blob as its newest description has it."""
        found = self._newest.get(identity)
        if found is None:
            found = records_of(self.reader, self.known(identity))
            self._newest[identity] = found
        return found

    def column_names(self, identity: bytes) -> dict[int, str]:
        """Return the names of a table's columns by id: those now, then older ones."""
        found = self._columns.get(identity)
        if found is None:
            found = self._columns[identity] = {}
            schemas = [self.schema(side, identity) for side in reversed(SIDES)]
            now = self.merged.by_id.get(identity)
            if now is not None and now.kind == "table":
                schemas.insert(0, self.merged.schema(identity))
            for schema in schemas:
                for column in () if schema is None else schema.columns:
                    found.setdefault(column.id, column.name)
        return found

    def record(self, side: Side, stored: StoredConflict) -> bytes | None:
        """Return the stored record of one side, or ``None``."""
        entry = self.entry(side, stored.dataset)
        if entry is None or entry.kind == "blob":
            return None
        found = self._found(side, stored, entry)
        return None if found is None else found[1]

    def _found(
        self, side: Side, stored: StoredConflict, entry: Descriptor
    ) -> tuple[bytes, bytes] | None:
        """Return the key of a record as one side spells it, and what stands there."""
        spelt: Iterable[bytes] = [stored.key]
        if self.is_retyped(stored.dataset):
            schema = self.schema(side, stored.dataset)
            schemas = self._schemas(stored.dataset)
            base = self.schema("base", stored.dataset)
            spelt = spellings(stored.key, schema, schemas, base)
        for one in spelt:
            found = get(self.reader, entry.roots[0].address, one)
            if found is not None:
                return one, found
        hidden = self._hidden_key(side, stored)
        if hidden is None:
            return None
        found = get(self.reader, entry.roots[0].address, hidden)
        return None if found is None else (hidden, found)

    def _hidden_key(self, side: Side, stored: StoredConflict) -> bytes | None:
        """Return a key of a side that the merged one does not lead to by itself."""
        identity = stored.dataset
        now = self.merged.by_id.get(identity)
        if not self.is_retyped(identity) or now is None or now.kind != "table":
            return None
        target = self.merged.schema(identity)
        if not is_key_of(target, stored.key):
            return None
        found = self._merged_keys.get((side, identity))
        if found is None:
            base, *sides = [self._version(one, identity) for one in SIDES]
            version = {"base": base, "ours": sides[0], "theirs": sides[1]}[side]
            if version is None:
                return None
            both = [one for one in sides if one is not None]
            found = MergedKeys(
                self.reader,
                base,
                version,
                target,
                sides=both if side == "base" else (),
            )
            self._merged_keys[side, identity] = found
        return found.found(stored.key)

    def _version(self, side: Side, identity: bytes) -> Records | None:
        """Return the records of a table of one side; ``None`` for no such table."""
        entry, schema = self.entry(side, identity), self.schema(side, identity)
        if entry is None or schema is None or schema.is_unknown:
            return None
        return Records(schema, entry.roots[0].address, entry.parameters)

    def _schemas(self, identity: bytes) -> Iterator[Schema]:
        """Yield the schemas of a table that its keys may be spelt under."""
        now = self.merged.by_id.get(identity)
        if now is not None and now.kind == "table":
            yield self.merged.schema(identity)
        for side in reversed(SIDES):
            schema = self.schema(side, identity)
            if schema is not None:
                yield schema

    def key_under(
        self, stored: StoredConflict, schema: Schema, *, wanted: bool
    ) -> bytes | None:
        """Return the key of a row under the schema that its table has by now.

        Of one that does not fit it there is no row: None, or, if a row is ``wanted``,
        Unsupported ``settle-by-hand``.
        """
        base = self.schema("base", stored.dataset)
        found = key_under(schema, stored.key, self._schemas(stored.dataset), base)
        if found is None and wanted:
            name = self.known(stored.dataset).name
            raise Unsupported(
                f"{key.decode_key(stored.key)!r} is no key of {name!r} as it is now",
                code="settle-by-hand",
                hint="Write the row under the key that it is to have, then settle it "
                f"as it stands: `prolly resolve {name} KEY --keep`.",
                dataset=name,
            )
        return found

    def value(self, side: Side, stored: StoredConflict) -> Any:
        """Return the value, row or description of a file of one side, or ABSENT."""
        entry = self.entry(side, stored.dataset)
        if entry is None:
            return ABSENT
        if entry.kind == "blob":
            reference = entry.roots[0]
            size = blob_length(self.reader.get_chunk, reference)
            return {"content": reference.address.hex(), "size": size}
        found = self._found(side, stored, entry)
        if found is None:
            return ABSENT
        value = self._records(side, stored.dataset, entry).decode_record(*found)
        return value.summary() if isinstance(value, FileEntry) else value

    def _records(
        self, side: Side, identity: bytes, entry: Descriptor
    ) -> OrderedMap | Table:
        found = self._opened.get((side, identity))
        if found is None:
            found = records_of(self.reader, entry)
            self._opened[side, identity] = found
        return found

    def described(self, side: Side, stored: StoredConflict, what: str) -> Any:
        """Return what one side says of a part of a dataset's description."""
        entry = self.entry(side, stored.dataset)
        schema = self.schema(side, stored.dataset)
        return shown_part(entry, what, stored.entry.fields, schema=schema)
