"""References between merged tables: rows that theirs wrote or deleted give way.

    a row refers to none, and theirs wrote it     withheld
    a row refers to none, which theirs deleted    the deleted row stays
    the table that is referred to was dropped     by theirs: it stays
    anything else                                 theirs brought the reference: it is
                                                  left out

What gives way is a conflict each time. Restored rows must keep their own table's rules,
so those are looked at again, until nothing is at fault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from prolly.codec import Descriptor
from prolly.datasets import (
    Manifest,
    ReferenceLinks,
    ReferenceViolation,
    reference_violations,
)
from prolly.tree import get

from .candidate import Candidate, Candidates
from .column_merge import SchemaConflict
from .constraint_merge import settle_rules
from .merge_work import DatasetVersions, MergeWork
from .taken_dataset import taken
from .unique_links import LINKED_RECORDS_MAX
from .withholding import Withholding


class Manifests(NamedTuple):
    """The manifests of both sides, whose references hold, and how to write a merged."""

    ours: Manifest
    theirs: Manifest
    write: Callable[[], bytes]


def settle_references(
    work: MergeWork, manifests: Manifests, candidates: Candidates
) -> bytes:
    """Make all references hold; return the root of the merged manifest."""
    while True:
        merged = manifests.write()
        valid = [manifests.ours.root, manifests.theirs.root]
        if merged in valid:
            return merged
        round_ = _Round(work, manifests.ours, candidates)
        for violation in reference_violations(work.reader, valid, merged):
            round_.blame(violation)
        round_.follow(merged)
        changed = round_.end()
        if changed is None:
            return merged
        for candidate in changed:
            settle_rules(work, candidate)


class _Round:
    """What one round of violations takes back."""

    def __init__(self, work: MergeWork, ours: Manifest, candidates: Candidates) -> None:
        self._work = work
        self._ours = ours
        self._candidates = candidates
        self._withholding: dict[bytes, Withholding] = {}
        self._restored = False

    def blame(self, violation: ReferenceViolation) -> None:
        """Take back what a violation comes from."""
        what = f"reference {violation.reference.name}"
        child_key, parent_key = violation.child_key, violation.parent_key
        reason = violation.error.message
        blamed = self._withholding.get(violation.child)
        if blamed is not None and blamed.does_without(what):
            return
        if child_key is None or parent_key is None:
            if not self._restore_table(violation):
                self._of(violation.child).drop(what, reason)
            return
        assert violation.parent is not None
        facts = {"other_dataset": violation.parent, "other_key": parent_key}
        if self._is_changed(violation.child, child_key):
            self._of(violation.child).withhold(child_key, what, reason, facts)
        elif self._is_changed(violation.parent, parent_key):
            facts = {"other_dataset": violation.child, "other_key": child_key}
            self._of(violation.parent).withhold(parent_key, what, reason, facts)
        else:
            self._of(violation.child).drop(what, reason)

    def follow(self, version: bytes) -> None:
        """Withhold what refers to rows that were withheld, step by step.

        ``version`` is the manifest that the round looked at. It comes to what rounds
        come to: a row that is gone breaks no other rule, so nothing else is to be asked
        in between. Where it is not rows of theirs that go, rounds go on.
        """
        links: ReferenceLinks | None = None
        followed = 0
        while gone := self._gone():
            followed += sum(map(len, gone.values()))
            if followed > LINKED_RECORDS_MAX:
                return
            links = links or ReferenceLinks(self._work.reader, version)
            broken = [
                one for one in links.violations(gone) if not self._is_withheld(one)
            ]
            keys = [(one.child, one.child_key) for one in broken]
            if not all(key and self._is_changed(child, key) for child, key in keys):
                return
            for violation in broken:
                self.blame(violation)

    def _gone(self) -> dict[bytes, list[bytes]]:
        """Return the rows that went in the last step, none unless all just went."""
        gone: dict[bytes, list[bytes]] = {}
        if self._restored:
            return {}
        for identity, withholding in self._withholding.items():
            latest = withholding.take_latest()
            candidate = self._candidate(identity)
            if withholding.has_dropped:
                return {}
            if any(candidate.stored_by_ours(one) is not None for one in latest):
                return {}
            if latest:
                gone[identity] = latest
        return gone

    def _is_withheld(self, violation: ReferenceViolation) -> bool:
        withholding = self._withholding.get(violation.child)
        assert violation.child_key is not None
        return withholding is not None and withholding.holds_back(violation.child_key)

    def _is_changed(self, identity: bytes, key: bytes) -> bool:
        """Tell whether a record stands otherwise than ours has it."""
        candidate = self._candidates.get(identity)
        if candidate is None or candidate.records is None:
            return False
        # A key that no row can have, because no key can hold what refers to it.
        stood = candidate.side("ours")
        before = None if stood is None else get(self._work.reader, stood, key)
        return candidate.stored(key) != before

    def _restore_table(self, violation: ReferenceViolation) -> bool:
        """Let a table that theirs dropped stay; tell whether that is what it was."""
        found = self._ours.find(violation.reference.table)
        if violation.parent is not None or found is None:
            return False
        identity, entry = found
        if identity not in self._candidates or self._candidates[identity] is not None:
            return False
        if self._is_taken(entry):
            return False
        del self._candidates[identity]
        self._work.names[identity] = entry.name
        reason = "theirs dropped it, and ours refers to it"
        self._work.conflict(identity, SchemaConflict("dropped", reason))
        self._restored = True
        return True

    def _is_taken(self, entry: Descriptor) -> bool:
        return any(
            one is not None and one.name == entry.name
            for one in self._candidates.values()
        )

    def _of(self, identity: bytes) -> Withholding:
        found = self._withholding.get(identity)
        if found is None:
            found = Withholding(self._work, self._candidate(identity))
            self._withholding[identity] = found
        return found

    def _candidate(self, identity: bytes) -> Candidate:
        """Return a dataset under merge; one that stood as ours becomes one."""
        candidate = self._candidates.get(identity)
        if candidate is None:
            entry = self._ours.by_id[identity]
            self._work.names.setdefault(identity, entry.name)
            versions = DatasetVersions(entry, entry, entry)
            candidate = taken(self._work, identity, versions, "ours")
            self._candidates[identity] = candidate
        return candidate

    def end(self) -> list[Candidate] | None:
        """Take back what was found; return what that changed, None for nothing at all.

        A table that theirs dropped and that stays is none of these: it is ours'.
        """
        changed = [
            self._candidate(identity)
            for identity, one in self._withholding.items()
            if one.end()
        ]
        return changed if changed or self._restored else None
