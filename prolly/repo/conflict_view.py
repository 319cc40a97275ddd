"""The conflicts of a merge that waits: looked at side by side, and settled.

The values in conflict stand in three manifests, base, ours and theirs; what is known of
each conflict stands in a tree that the working state refers to. To settle one writes
the value that is to stand into the working state and marks the conflict, in one step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

from prolly.codec import Descriptor, FileEntry, WorkingState, key
from prolly.datasets import Manifest, missing_dataset, records_of
from prolly.errors import Error, Unsupported
from prolly.history import Commits
from prolly.maps import ABSENT, OrderedMap, blob_length
from prolly.merge import (
    BLOB_KEY,
    DEFAULT_POLICY,
    ConflictKind,
    ConflictTree,
    KeySpelling,
    StoredConflict,
    bad_conflict_tree,
    is_key_of,
    policy_rules,
    schema_key,
    shown_part,
)
from prolly.tables import Schema, Table
from prolly.tree import NodeReader, Versions, get

from .conflict import KINDS, SIDES, Conflict, ConflictName, Side
from .record_keys import key_under, spellings

# The order in which kinds are listed: what is said of the dataset itself comes before
# the records that clash because of it.
LISTED = (ConflictKind.SCHEMA, ConflictKind.RECORD, ConflictKind.CONSTRAINT)


class ConflictView:
    """The conflicts of one working state, as they stand there."""

    def __init__(
        self, reader: NodeReader, conflicts: bytes, versions: Versions, merged: bytes
    ) -> None:
        self.reader = reader
        self.tree = ConflictTree(reader, conflicts)
        self.merged = Manifest(reader, merged)
        self._manifests: dict[Side, Manifest | None] = {
            side: None if root is None else Manifest(reader, root)
            for side, root in zip(SIDES, versions, strict=True)
        }
        self._opened: dict[tuple[Side, bytes], OrderedMap | Table] = {}
        self._newest: dict[bytes, OrderedMap | Table] = {}
        self._columns: dict[bytes, dict[int, str]] = {}
        self._retyped: dict[bytes, bool] = {}

    @classmethod
    def of_state(
        cls, reader: NodeReader, commits: Commits, state: WorkingState
    ) -> ConflictView:
        """Return the view of a working state that a merge waits in."""
        assert state.conflicts is not None and state.merge_parents
        base = ConflictTree(reader, state.conflicts).base
        ours, theirs = state.base, state.merge_parents[0]
        versions = Versions(base, commits.read(ours).root, commits.read(theirs).root)
        return cls(reader, state.conflicts, versions, state.manifest)

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

    @cached_property
    def _names(self) -> dict[str, bytes]:
        """The datasets with conflicts by name; those that are gone by their last.

        Where another has that name by now, the beginning of the id stands behind it.
        """
        names: dict[str, bytes] = {}
        for one in self.tree.datasets():
            name = self.known(one).name
            holder = self.merged.find(name)
            is_another = holder is not None and holder[0] != one
            names[f"{name}~{one.hex()[:8]}" if is_another else name] = one
        return names

    @cached_property
    def _labels(self) -> dict[bytes, str]:
        return {identity: name for name, identity in self._names.items()}

    def require(self, dataset: str) -> bytes:
        """Return the id of a dataset that has conflicts; NotFound for any other."""
        identity = self._names.get(dataset)
        if identity is None:
            raise missing_dataset(dataset, self.merged)
        return identity

    def datasets(self) -> Mapping[str, bytes]:
        """Return the datasets with conflicts by name, settled ones included."""
        return self._names

    def open_count(self) -> int:
        """Return how many are not settled."""
        return self.tree.open_count

    def conflicts(
        self, dataset: str | None = None, *, open_only: bool = True
    ) -> Iterator[Conflict]:
        """Yield conflicts by the dataset's name, kind and key."""
        for name in sorted(self._names) if dataset is None else [dataset]:
            identity = self._names.get(name)
            if identity is None:
                continue
            for kind in LISTED:
                found = self.tree.entries(identity, kind, open_only=open_only)
                yield from map(self.shown, found)

    def names(self) -> Iterator[ConflictName]:
        """Yield the names of what is open, each once, by dataset, kind and key."""
        for label in sorted(self._names):
            entry = self.known(self._names[label])
            for kind in LISTED:
                for stored in self.tree.entries(
                    self._names[label], kind, open_only=True
                ):
                    if not self._is_second(stored):
                        yield self._name(label, entry, stored)

    def name_count(self) -> int:
        """Return how many names ``names`` yields."""
        found = self.tree.entries(kind=ConflictKind.CONSTRAINT, open_only=True)
        return self.open_count() - sum(map(self._is_second, found))

    def _is_second(self, stored: StoredConflict) -> bool:
        """Tell whether a record that breaks a constraint clashes by itself, too."""
        if stored.kind != ConflictKind.CONSTRAINT:
            return False
        first = self.tree.get(stored.dataset, ConflictKind.RECORD, stored.key)
        return first is not None and first.entry.settled is None

    def _name(
        self, label: str, entry: Descriptor, stored: StoredConflict
    ) -> ConflictName:
        if stored.kind == ConflictKind.SCHEMA:
            return label, str(stored.entry.facts.get("what", "")), "schema"
        return label, self._user_key(entry, stored)

    def _user_key(self, entry: Descriptor, stored: StoredConflict) -> Any:
        """Return the key of a record as people give it, under the schema of now."""
        if entry.kind == "blob":
            return ()
        found = None
        if self._is_retyped(stored.dataset):
            schemas = list(self._schemas(stored.dataset))
            base = self.schema("base", stored.dataset)
            found = key_under(schemas[0], stored.key, schemas, base)
        return key.decode_key(stored.key if found is None else found)

    def find(self, name: ConflictName) -> list[StoredConflict]:
        """Return what stands under a name: a record may clash in two ways."""
        dataset, user_key, *kind = name
        identity = self._names.get(dataset)
        if identity is None:
            if self.merged.find(dataset) is None:
                raise missing_dataset(dataset, self.merged)
            return []
        if kind:
            if not isinstance(user_key, str):
                return []
            encoded = schema_key(user_key)
            kinds = [ConflictKind.SCHEMA]
        elif user_key != () and self.known(identity).kind == "blob":
            return []
        else:
            encoded = self.encode_key(identity, user_key)
            kinds = [ConflictKind.RECORD, ConflictKind.CONSTRAINT]
        found = [self.tree.get(identity, one, encoded) for one in kinds]
        return [one for one in found if one is not None]

    def encode_key(self, identity: bytes, user_key: Any) -> bytes:
        """Return the key of a record as its dataset spells it."""
        entry = self.known(identity)
        if entry.kind == "blob":
            return BLOB_KEY
        if self._is_retyped(identity):
            for spelt in self._spelt(identity, user_key):
                kinds = ConflictKind.RECORD, ConflictKind.CONSTRAINT
                if any(self.tree.get(identity, one, spelt) for one in kinds):
                    return spelt
        return self.newest(identity).encode_key(user_key)

    def _spelt(self, identity: bytes, user_key: Any) -> Iterator[bytes]:
        """Yield how the merge may have spelt a key that is of any of the schemas."""
        parts = user_key if type(user_key) is tuple else (user_key,)
        with suppress(Error):
            spelt = key.encode(parts)
            schemas = list(self._schemas(identity))
            base = self.schema("base", identity)
            for schema in schemas:
                yield from spellings(spelt, schema, schemas, base)

    def _is_retyped(self, identity: bytes) -> bool:
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

    def shown(self, stored: StoredConflict) -> Conflict:
        """Return a conflict with its three values."""
        entry = self.known(stored.dataset)
        kind = KINDS[stored.kind]
        names: dict[int, str] = {}
        if entry.kind == "table":
            columns = self.column_names(stored.dataset)
            fields = stored.entry.fields
            # As the columns stand in the schema: their ids say nothing to anybody.
            names = {one: name for one, name in columns.items() if one in fields}
        is_open = stored.entry.settled is None
        fields = stored.entry.open_fields if is_open else tuple(names)
        if stored.kind == ConflictKind.SCHEMA:
            shown_key: Any = str(stored.entry.facts.get("what", ""))
            values = {one: self.described(one, stored, shown_key) for one in SIDES}
        else:
            shown_key = self._user_key(entry, stored)
            values = {side: self.value(side, stored) for side in SIDES}
        return Conflict(
            self._labels[stored.dataset],
            shown_key,
            values["base"],
            values["ours"],
            values["theirs"],
            fields=tuple([name for one, name in names.items() if one in fields]),
            kind=kind,
            reason=stored.entry.reason,
            settled=stored.entry.settled,
            settled_fields=tuple([names[one] for one in names if one not in fields]),
            facts=self._facts(stored),
        )

    def _facts(self, stored: StoredConflict) -> dict[str, Any]:
        """Return which constraint is broken, and by which other record.

        Of a policy in conflict where it holds: column and prefix, ``None`` for all.
        """
        facts = stored.entry.facts
        what = str(facts.get("what", ""))
        if what.startswith("policy "):
            scope = {what.removeprefix("policy "): DEFAULT_POLICY}
            [rule] = policy_rules(scope)
            names = {
                f"{one:08x}": name
                for one, name in self.column_names(stored.dataset).items()
            }
            column = names.get(rule.column or "", rule.column)
            return {"column": column, "prefix": rule.prefix}
        told = {"constraint": facts["constraint"]} if "constraint" in facts else {}
        if stored.kind == ConflictKind.RECORD and self._is_retyped(stored.dataset):
            forced = self._forced_key(stored)
            if forced is not None:
                told["stands_as"] = key.decode_key(forced)
        if isinstance(facts.get("other_key"), bytes):
            told["other_key"] = key.decode_key(facts["other_key"])
        if isinstance(facts.get("other_dataset"), bytes):
            told["other_dataset"] = self.known(facts["other_dataset"]).name
        return told

    def _forced_key(self, stored: StoredConflict) -> bytes | None:
        """Return the key that a row of another key stands under by now; else None.

        Whoever forced the type of a key made "007" the new row 7.
        """
        now = self.merged.by_id.get(stored.dataset)
        if now is None or now.kind != "table":
            return None
        schema = self.merged.schema(stored.dataset)
        before = self.schema("base", stored.dataset)
        if before is None or not is_key_of(before, stored.key):
            return None
        spelling = KeySpelling(before, schema)
        forced = spelling.forced(stored.key)
        if forced is None or spelling.forward(stored.key) is not None:
            return None
        found = get(self.reader, now.roots[0].address, forced)
        return None if found is None else forced

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
        if self._is_retyped(stored.dataset):
            schema = self.schema(side, stored.dataset)
            schemas = self._schemas(stored.dataset)
            base = self.schema("base", stored.dataset)
            spelt = spellings(stored.key, schema, schemas, base)
        for one in spelt:
            found = get(self.reader, entry.roots[0].address, one)
            if found is not None:
                return one, found
        return None

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
