"""The conflicts of a merge that waits: looked at side by side, and settled.

The values in conflict stand in three manifests, base, ours and theirs; what is known of
each conflict stands in a tree that the working state refers to. To settle one writes
the value that is to stand into the working state and marks the conflict, in one step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from prolly.codec import Descriptor, FileEntry, WorkingState, key
from prolly.datasets import Manifest, missing_dataset, records_of
from prolly.errors import Invalid, KeyNotFound
from prolly.history import Commits
from prolly.maps import ABSENT, OrderedMap, blob_length
from prolly.merge import BLOB_KEY, ConflictKind, ConflictTree, StoredConflict
from prolly.tables import Schema, Table
from prolly.tree import NodeReader, Versions, get

Kind = Literal["record", "schema", "constraint"]
Side = Literal["base", "ours", "theirs"]

KINDS: Mapping[ConflictKind, Kind] = {
    ConflictKind.RECORD: "record",
    ConflictKind.SCHEMA: "schema",
    ConflictKind.CONSTRAINT: "constraint",
}
SIDES: tuple[Side, ...] = ("base", "ours", "theirs")

# How a conflict is named: dataset and key, and "schema" where it is no record's.
ConflictName = tuple[str, Any] | tuple[str, str, Literal["schema"]]


@dataclass(frozen=True, slots=True)
class Conflict:
    """One thing that both sides changed.

    ``kind`` is ``record``, ``constraint`` (theirs breaks one together with ours, and
    ours stands) or ``schema`` (a part of the dataset's description, named by ``key``).
    ``base``, ``ours`` and ``theirs`` are values, rows, or what a file is, ``ABSENT``
    where there is none. ``fields`` are the columns that clash, by their names now; none
    for the whole record. ``reason`` says more where there is more to say; ``settled``
    how it was settled, ``None`` while it is open; ``settled_fields`` names columns
    of an open one that were settled by themselves.
    """

    dataset: str
    key: Any
    base: Any
    ours: Any
    theirs: Any
    fields: tuple[str, ...] = ()
    kind: Kind = "record"
    reason: str = ""
    settled: str | None = None
    settled_fields: tuple[str, ...] = ()

    @property
    def name(self) -> ConflictName:
        """What it is called in ``Conflicts``."""
        if self.kind == "schema":
            return self.dataset, self.key, "schema"
        return self.dataset, self.key


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

    def known(self, identity: bytes) -> Descriptor:
        """Return the newest description of a dataset: merged, or as a side has it."""
        entries = [self.merged.by_id.get(identity)]
        entries += [self.entry(side, identity) for side in ("ours", "theirs", "base")]
        return next(entry for entry in entries if entry is not None)

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
            for stored in self.tree.entries(identity, open_only=open_only):
                yield self.shown(stored)

    def names(self) -> Iterator[ConflictName]:
        """Yield the names of what is open, each once, by dataset, kind and key."""
        for label in sorted(self._names):
            entry = self.known(self._names[label])
            for stored in self.tree.entries(self._names[label], open_only=True):
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
        return label, () if entry.kind == "blob" else key.decode_key(stored.key)

    def find(self, name: ConflictName) -> list[StoredConflict]:
        """Return what stands under a name: a record may clash in two ways."""
        dataset, user_key, *kind = name
        identity = self._names.get(dataset)
        if identity is None:
            if self.merged.find(dataset) is None:
                raise missing_dataset(dataset, self.merged)
            return []
        if kind:
            encoded = key.encode((user_key,))
            kinds = [ConflictKind.SCHEMA]
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
        return records_of(self.reader, entry).encode_key(user_key)

    def shown(self, stored: StoredConflict) -> Conflict:
        """Return a conflict with its three values."""
        entry = self.known(stored.dataset)
        kind = KINDS[stored.kind]
        names: dict[int, str] = {}
        if entry.kind == "table":
            columns = self.column_names(stored.dataset)
            fields = stored.entry.fields
            names = {one: columns[one] for one in fields if one in columns}
        is_open = stored.entry.settled is None
        fields = stored.entry.open_fields if is_open else tuple(names)
        if stored.kind == ConflictKind.SCHEMA:
            shown_key: Any = str(stored.entry.facts.get("what", ""))
            values = {one: self._described(one, stored, shown_key) for one in SIDES}
        else:
            shown_key = () if entry.kind == "blob" else key.decode_key(stored.key)
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
        )

    def column_names(self, identity: bytes) -> dict[int, str]:
        """Return the names of a table's columns by id: those now, then older ones."""
        found: dict[int, str] = {}
        for manifest in (self.merged, *map(self._manifests.get, reversed(SIDES))):
            entry = None if manifest is None else manifest.by_id.get(identity)
            if manifest is not None and entry is not None and entry.kind == "table":
                for column in manifest.schema(identity).columns:
                    found.setdefault(column.id, column.name)
        return found

    def record(self, side: Side, stored: StoredConflict) -> bytes | None:
        """Return the stored record of one side, or ``None``."""
        entry = self.entry(side, stored.dataset)
        if entry is None or entry.kind == "blob":
            return None
        return get(self.reader, entry.roots[0].address, stored.key)

    def value(self, side: Side, stored: StoredConflict) -> Any:
        """Return the value, row or description of a file of one side, or ABSENT."""
        entry = self.entry(side, stored.dataset)
        if entry is None:
            return ABSENT
        if entry.kind == "blob":
            reference = entry.roots[0]
            size = blob_length(self.reader.get_chunk, reference)
            return {"content": reference.address.hex(), "size": size}
        data = self.record(side, stored)
        if data is None:
            return ABSENT
        records = self._records(side, stored.dataset, entry)
        value = records.decode_record(stored.key, data)
        return value.summary() if isinstance(value, FileEntry) else value

    def _records(
        self, side: Side, identity: bytes, entry: Descriptor
    ) -> OrderedMap | Table:
        found = self._opened.get((side, identity))
        if found is None:
            found = records_of(self.reader, entry)
            self._opened[side, identity] = found
        return found

    def _described(self, side: Side, stored: StoredConflict, what: str) -> Any:
        """Return what one side says of a part of a dataset's description."""
        entry = self.entry(side, stored.dataset)
        if entry is None:
            return ABSENT
        thing, _, name = what.partition(" ")
        plain = {"name": entry.name, "local": entry.local, "kind": entry.kind}
        if thing in plain:
            return plain[thing]
        if thing == "policy":
            return entry.policies.get(name, ABSENT)
        if thing == "dropped":
            return {"kind": entry.kind, "root": entry.roots[0].address.hex()}
        if entry.kind != "table":
            return ABSENT
        return _part(Schema.from_value(entry.schema), thing, name, stored.entry.fields)


def _part(schema: Schema, thing: str, name: str, ids: tuple[int, ...]) -> Any:
    """Return a part of a schema in its JSON form, ABSENT where it has none."""
    form = schema.to_json()
    if thing in ("key", "schema"):
        return list(schema.key) if thing == "key" else form
    if thing == "column":
        named = {one.id: one.name for one in schema.columns}
        wanted = {named[one] for one in ids if one in named} or {name}
        listed = form["columns"]
    else:
        wanted = {name}
        listed = form.get(f"{thing}es" if thing == "index" else f"{thing}s", [])
    found = [one for one in listed if one["name"] in wanted]
    return found[0] if found else ABSENT


def no_conflict(name: ConflictName) -> KeyNotFound:
    """Return (not raise) the error for a name under which nothing is in conflict."""
    return KeyNotFound(
        f"{name[1]!r} of {name[0]!r} is not in conflict",
        code="no-such-conflict",
        hint="`prolly conflicts` lists those that there are.",
        dataset=name[0],
        key=name[1],
    )


def no_merge(branch: str) -> Invalid:
    """Return (not raise) the error where no merge waits."""
    return Invalid(
        f"no merge waits on branch {branch!r}",
        code="no-merge",
        hint="Begin one: `prolly merge REV`.",
        branch=branch,
    )
