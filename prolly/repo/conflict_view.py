"""The conflicts of a merge that waits, listed, named and found.

What is known of each stands in a tree that the working state refers to; the values in
conflict stand in three manifests, base, ours and theirs (``conflict_versions``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from prolly.codec import Descriptor, WorkingState, key
from prolly.datasets import missing_dataset
from prolly.history import Commits
from prolly.merge import (
    BLOB_KEY,
    DEFAULT_POLICY,
    ConflictKind,
    ConflictTree,
    KeySpelling,
    StoredConflict,
    is_key_of,
    policy_rules,
    schema_key,
)
from prolly.tree import NodeReader, Versions, get

from .conflict import KINDS, SIDES, Conflict, ConflictName
from .conflict_versions import ConflictVersions

# The order in which kinds are listed: what is said of the dataset itself comes before
# the records that clash because of it.
LISTED = (ConflictKind.SCHEMA, ConflictKind.RECORD, ConflictKind.CONSTRAINT)


class ConflictView(ConflictVersions):
    """The conflicts of one working state, as they stand there."""

    def __init__(
        self, reader: NodeReader, conflicts: bytes, versions: Versions, merged: bytes
    ) -> None:
        super().__init__(reader, versions, merged)
        self.tree = ConflictTree(reader, conflicts)

    @classmethod
    def of_state(
        cls, reader: NodeReader, commits: Commits, state: WorkingState
    ) -> ConflictView:
        """Return the view of a working state that a merge waits in."""
        assert state.conflicts is not None and state.is_merging
        base = ConflictTree(reader, state.conflicts).base
        if state.replay is not None:
            theirs = state.replay.theirs
        else:
            theirs = commits.read(state.merge_parents[0]).root
        versions = Versions(base, commits.read(state.base).root, theirs)
        return cls(reader, state.conflicts, versions, state.manifest)

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
        return label, self.user_key(entry, stored)

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
        if self.is_retyped(identity):
            for spelt in self.key_spellings(identity, user_key):
                kinds = ConflictKind.RECORD, ConflictKind.CONSTRAINT
                if any(self.tree.get(identity, one, spelt) for one in kinds):
                    return spelt
        return self.newest(identity).encode_key(user_key)

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
            shown_key = self.user_key(entry, stored)
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
        if stored.kind == ConflictKind.RECORD and self.is_retyped(stored.dataset):
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
