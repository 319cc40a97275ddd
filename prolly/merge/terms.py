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

from .clash import Clash, Resolve, ask, shortened
from .column_merge import OnConflict
from .policies import APP_PREFIX, Policies
from .values import NO_STAMPS, UNRESOLVED, Outcome, Stamps, Values, weigh

ReadChunk = Callable[[bytes], bytes | None]
# The stamps that ours and theirs gave a key since the base, for a column or, with None,
# the record.
FindStamps = Callable[[bytes, int | None], Stamps]

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
    snapshots: Any = None
    report: Callable[[RecordConflict], None] = _tell_nobody
    lost: Callable[[bytes, bytes | None], None] = _tell_nobody
    # How many records, in tables cells, each policy settled; "resolve" for resolve=.
    settled: Counter[str] = field(default_factory=Counter)

    @property
    def are_plain(self) -> bool:
        """Tell whether every clash is a conflict that nobody is asked about."""
        return self.policies.are_plain and self.resolve is None

    def weigh(
        self, policy: str, values: Values, key: bytes, column_id: int | None = None
    ) -> Outcome:
        """Return what a built-in policy makes of three versions."""
        stamps = NO_STAMPS
        if policy == "last-writer-wins" and self.stamps is not None:
            stamps = self.stamps(key, column_id)
        return weigh(policy, values, stamps)

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

    def note(self, policy: str | None) -> None:
        """Count one record or cell as settled by a policy; by resolve= for None."""
        self.settled[policy or RESOLVE] += 1
