"""Records that merge as one value each: those of maps, and the entries of files.

A value is decoded only where a policy or a resolver has to look at it; a batch is
decoded at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from prolly.codec import (
    TAGGED_POLICY,
    FileEntry,
    decode_file_entry,
    encode_file_entry,
)
from prolly.codec import key as key_codec
from prolly.errors import Invalid
from prolly.maps import ABSENT, decode_values, encode_value
from prolly.tree import Both

from .clash import Clash, storable
from .policies import APP_PREFIX, DEFAULT_POLICY, WHOLE_POLICIES
from .terms import RecordConflict, Terms
from .values import UNRESOLVED, Outcome, Values


class WholeRecords(ABC):
    """The merge of records that are taken whole, one value a key."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms

    @abstractmethod
    def decode(self, stored: Sequence[bytes]) -> list[Any]:
        """Return the values of stored records."""

    @abstractmethod
    def encode(self, value: Any, values: Values) -> bytes:
        """Return what stands for a new value; Invalid or LimitExceeded if it cannot."""

    def settle(self, batch: Sequence[Both]) -> list[bytes | None]:
        """Return what stands for each record that both sides changed."""
        terms = self._terms
        if terms.are_plain and terms.on_conflict != "keep-both":
            return [
                both.ours if both.ours == both.theirs else self._left(both, "")
                for both in batch
            ]
        stored = [one for both in batch for one in both[1:] if one is not None]
        decoded = iter(self.decode(stored))
        versions = [
            Values(*[ABSENT if one is None else next(decoded) for one in both[1:]])
            for both in batch
        ]
        return list(map(self._settled, batch, versions))

    def policy_of(self, key: bytes) -> str:
        """Return the policy of a record."""
        return self._terms.policies.of(key)

    def _settled(self, both: Both, values: Values) -> bytes | None:
        policy = self.policy_of(both.key)
        if both.ours == both.theirs and policy not in ("counter", TAGGED_POLICY):
            return both.ours
        outcome = self._decided(policy, both, values)
        if outcome.value is UNRESOLVED and self._terms.on_conflict == "keep-both":
            policy = "keep-both"
            outcome = self._decided(policy, both, values)
        if outcome.value is UNRESOLVED:
            return self._left(both, outcome.reason)
        stored: bytes | None = outcome.value
        if policy == "keep-both" and both.ours != both.theirs:
            loser = both.theirs if stored == both.ours else both.ours
            self._terms.lost(both.key, loser)
        return stored

    def _left(self, both: Both, reason: str) -> bytes | None:
        """Report a conflict, and return what stands meanwhile."""
        self._terms.report(RecordConflict(both.key, (), reason))
        return both.base if self._terms.on_conflict == "base" else both.ours

    def _decided(self, policy: str, both: Both, values: Values) -> Outcome:
        """Return what policy or resolvers want stored, or ``UNRESOLVED``."""
        terms, weighed = self._terms, Outcome(UNRESOLVED)
        if not policy.startswith(APP_PREFIX):
            found = terms.weigh(policy, values, both.key)
            weighed = self._storable(found, both, values)
        if weighed.value is not UNRESOLVED:
            # What both sides have would stand without a policy, too.
            if not both.ours == both.theirs == weighed.value:
                terms.note(policy)
            return weighed
        answer = terms.answer(
            policy,
            lambda: self._clash(both, values),
            lambda outcome: self._storable(outcome, both, values),
        )
        return answer._replace(reason=answer.reason or weighed.reason)

    def _clash(self, both: Both, values: Values) -> Clash:
        key = key_codec.decode_key(both.key)
        terms = self._terms
        return Clash(terms.dataset, key, *values, snapshots=terms.snapshots)

    def _storable(self, outcome: Outcome, both: Both, values: Values) -> Outcome:
        """Return the outcome with what a leaf stores in place of its value."""
        value = outcome.value
        if value is UNRESOLVED:
            return outcome
        for version, stored in zip(values, both[1:], strict=True):
            if value is version:
                return Outcome(stored)
        if value is ABSENT:
            return Outcome(None)
        return storable(lambda: Outcome(self.encode(value, values)))


class MapRecords(WholeRecords):
    """The records of a map: any value under any key."""

    def decode(self, stored: Sequence[bytes]) -> list[Any]:
        return decode_values(stored, self._terms.read)

    def encode(self, value: Any, values: Values) -> bytes:
        return encode_value(value, self._terms.writer)


class FileRecords(WholeRecords):
    """The entries of files, each with its content taken whole."""

    def policy_of(self, key: bytes) -> str:
        # A policy of one merge holds for all datasets, also where it can do nothing.
        policy = super().policy_of(key)
        fits = policy in WHOLE_POLICIES or policy.startswith(APP_PREFIX)
        return policy if fits else DEFAULT_POLICY

    def decode(self, stored: Sequence[bytes]) -> list[Any]:
        return list(map(decode_file_entry, stored))

    def encode(self, value: Any, values: Values) -> bytes:
        # An entry made up by a resolver could name content that is not there.
        if type(value) is not FileEntry or value not in values:
            raise Invalid(
                "the answer is no entry of base, ours or theirs, nor ABSENT",
                hint="Return one of the three as it was given.",
            )
        return encode_file_entry(value)
