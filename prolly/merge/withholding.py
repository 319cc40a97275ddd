"""What one round takes back: what theirs changed in records, and its constraints."""

from __future__ import annotations

from typing import Any

from prolly.codec import key as key_codec
from prolly.codec import shown
from prolly.maps import ABSENT
from prolly.tree import EditBuffer

from .candidate import Candidate, constraint_fields
from .column_merge import SchemaConflict
from .conflict_entry import ConflictEntry, ConflictKind
from .constraint_faults import Fault
from .findings import Found
from .merge_work import MergeWork
from .value_order import same


class Withholding:
    """What one round takes back from one dataset."""

    def __init__(self, work: MergeWork, candidate: Candidate) -> None:
        self._work = work
        self._candidate = candidate
        self._edits = EditBuffer()
        self._dropped: set[str] = set()
        # The records that were withheld since somebody took these.
        self._latest: list[bytes] = []

    def blame(self, fault: Fault) -> None:
        """Withhold theirs' change to the records at fault, or the constraint.

        What breaks a constraint that is left out already is no fault.
        """
        if self.does_without(fault.what):
            return
        candidate = self._candidate
        guilty = []
        for key in fault.keys:
            if candidate.stored(key) != candidate.stored_by_ours(key):
                guilty.append(key)
        if not guilty:
            self.drop(fault.what, self._reason_in_ours(fault))
        for key in guilty:
            others = [one for one in fault.keys if one != key]
            facts = {"other_key": others[0]} if others else {}
            self.withhold(key, fault.what, fault.reason, facts)

    def _reason_in_ours(self, fault: Fault) -> str:
        """Return what is wrong, with the keys of the rows and the cells asked about."""
        candidate, schema = self._candidate, self._candidate.schema
        if schema is None or not fault.keys:
            return fault.reason
        asked = constraint_fields(schema, fault.what)
        rows = []
        for key in fault.keys:
            row = candidate.value_of(key, candidate.stored(key))
            cells = {} if row is ABSENT else row
            words = [
                f"{one.name} {shown(cells[one.name])}"
                for one in schema.columns
                if one.id in asked and one.name in cells
            ]
            rows.append(f"{shown(key_codec.decode_key(key))} ({', '.join(words)})")
        return f"{fault.reason}: {' and '.join(rows)}"

    def _withheld_fields(self, key: bytes, what: str) -> tuple[int, ...]:
        """Return the columns of a constraint, and those that give way with them.

        None of a deletion, which is withheld as a whole.
        """
        candidate, schema = self._candidate, self._candidate.schema
        mine, merged = [
            candidate.value_of(key, stored)
            for stored in (candidate.stored_by_ours(key), candidate.stored(key))
        ]
        if schema is None or merged is ABSENT:
            return ()
        fields = set(constraint_fields(schema, what))
        if mine is not ABSENT:
            fields.update(
                one.id
                for one in schema.cell_columns
                if not same(mine[one.name], merged[one.name])
            )
        return tuple(sorted(fields))

    def withhold(
        self, key: bytes, what: str, reason: str, facts: dict[str, Any]
    ) -> None:
        """Let a record stand as ours has it."""
        if self._edits.find(key)[0]:
            return
        candidate = self._candidate
        self._edits.put(key, candidate.stored_by_ours(key))
        self._latest.append(key)
        candidate.withheld += 1
        fields = self._withheld_fields(key, what)
        entry = ConflictEntry(fields, reason, facts={"constraint": what, **facts})
        loses = candidate.stored(key)
        self._work.findings.record(
            candidate.identity,
            candidate.name,
            Found(ConflictKind.CONSTRAINT, key, entry),
            lambda: candidate.value_of(key, loses),
        )

    def holds_back(self, key: bytes) -> bool:
        """Tell whether a record was withheld."""
        return self._edits.find(key)[0]

    def does_without(self, what: str) -> bool:
        """Tell whether this constraint was left out."""
        return what in self._dropped

    @property
    def has_dropped(self) -> bool:
        """Tell whether a constraint was left out."""
        return bool(self._dropped)

    def take_latest(self) -> list[bytes]:
        """Return the records that were withheld since this was asked last."""
        latest, self._latest = self._latest, []
        return latest

    def drop(self, what: str, reason: str) -> None:
        """Do without a constraint that theirs brought."""
        if what not in self._dropped:
            self._dropped.add(what)
            fields = self._candidate.drop(what)
            reason = f"records of ours break it: {reason}"
            conflict = SchemaConflict(what, reason, fields)
            self._work.conflict(self._candidate.identity, conflict)

    def end(self) -> bool:
        """Take back what was withheld; tell whether there was anything."""
        found = bool(self._edits)
        if found:
            self._candidate.edit(self._edits)
        self._edits.close()
        return found or bool(self._dropped)
