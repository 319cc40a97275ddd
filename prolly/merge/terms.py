"""The terms of one merge of one dataset: who decides, and who is told.

What all kinds of records share: policies and resolvers are asked in this order, and
what remains is settled as the merge as a whole wants it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import STAMPED_POLICY, TAGGED_POLICY
from prolly.errors import Unsupported

from .clash import Clash, Resolve, ask, shortened
from .column_merge import OnConflict
from .policies import APP_PREFIX, Policies
from .set_tags import NO_TAGS, Tags
from .values import NO_STAMPS, UNRESOLVED, Outcome, Stamps, Values, weigh

ReadChunk = Callable[[bytes], bytes | None]
# The stamps that ours and theirs gave a key since the base, for a column or, with None,
# the record.
FindStamps = Callable[[bytes, int | None], Stamps]
# The tags of a set, likewise, of all three versions.
FindTags = Callable[[bytes, int | None], Tags]

# What is counted as settled by the function that was given to one merge.
RESOLVE = "resolve"


class RecordConflict(NamedTuple):
    """A record that stays in conflict.

    ``fields`` are the ids of the columns that clash, none for the record as a whole;
    ``reason`` says why a policy or a resolver failed, if one was asked.
    """

    key: bytes
    fields: tuple[int, ...] = ()
    reason: str = ""


def _tell_nobody(*told: object) -> None:
    pass


@dataclass(frozen=True)
class Terms:
    """How the records of one dataset are merged; see ``RecordMerge`` for the fields."""

    policies: Policies
    read: ReadChunk
    writer: ChunkWriter
    dataset: str = ""
    on_conflict: OnConflict = "ours"
    resolve: Resolve | None = None
    resolvers: Mapping[str, Resolve] = field(default_factory=dict)
    stamps: FindStamps | None = None
    tags: FindTags | None = None
    snapshots: Any = None
    report: Callable[[RecordConflict], None] = _tell_nobody
    lost: Callable[[bytes, bytes | None], None] = _tell_nobody
    # Told the key of a row that stands though one side deleted it, and whose it is: 1
    # for ours, 2 for theirs. Not where stamps decided that.
    outlived: Callable[[bytes, int], None] = _tell_nobody
    # How many records, in tables cells, each policy settled; "resolve" for resolve=.
    settled: Counter[str] = field(default_factory=Counter)

    @property
    def are_plain(self) -> bool:
        """Tell whether every clash is a conflict that nobody is asked about."""
        return self.policies.are_plain and self.resolve is None

    def weigh(
        self, policy: str, values: Values, key: bytes, column_id: int | None = None
    ) -> Outcome:
        """Return what a built-in policy makes of three versions.

        Without a package that the policy needs, there is a conflict to be told of.
        Where none is told, other replicas would settle it otherwise: then it raises
        Unsupported ``missing-extra``.
        """
        stamps, tags = NO_STAMPS, NO_TAGS
        if policy == STAMPED_POLICY and self.stamps is not None:
            stamps = self.stamps(key, column_id)
        elif policy == TAGGED_POLICY and self.tags is not None:
            tags = self.tags(key, column_id)
        try:
            return weigh(policy, values, stamps, tags)
        except Unsupported as error:
            if self.on_conflict != "ours":
                raise
            return Outcome(UNRESOLVED, f"{error.message}: {error.hint}")

    def both_tagged(self, key: bytes, column_id: int | None = None) -> bool:
        """Tell whether both sides put in or took out elements of a set.

        Also where its value alone does not show it.
        """
        return self.tags is not None and self.tags(key, column_id).are_of_both

    def ask(self, policy: str | None, clash: Clash) -> Outcome:
        """Return what the resolver of an ``app:`` policy answers; of None, resolve=."""
        resolve, reason = self.resolve, ""
        if policy is not None:
            name = policy.removeprefix(APP_PREFIX)
            resolve = self.resolvers.get(name)
            reason = shortened(f"there is no resolver {name!r}")
        if resolve is None:
            return Outcome(UNRESOLVED, reason)
        return ask(resolve, clash)

    def answer(
        self,
        policy: str,
        clash: Callable[[], Clash],
        kept: Callable[[Outcome], Outcome],
    ) -> Outcome:
        """Ask the resolver of an ``app:`` policy, then resolve=, until one answers.

        ``kept`` makes what is stored of an answer, or ``UNRESOLVED`` where it cannot
        stand. Where nobody answers, the reasons are of all that were asked.
        """
        asked: list[str | None] = [policy] if policy.startswith(APP_PREFIX) else []
        if self.resolve is not None:
            asked.append(None)
        reasons = []
        for name in asked:
            outcome = kept(self.ask(name, clash()))
            if outcome.value is not UNRESOLVED:
                self.note(name)
                return outcome
            reasons.append(outcome.reason)
        return Outcome(UNRESOLVED, shortened("; ".join(filter(None, reasons))))

    def note(self, policy: str | None) -> None:
        """Count one record or cell as settled by a policy; by resolve= for None."""
        self.settled[policy or RESOLVE] += 1
