"""What an exchange with another replica did, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from prolly.codec import Address

from .remote import Traffic

if TYPE_CHECKING:
    from prolly.repo import MergeResult


class RefChange(NamedTuple):
    """Where a ref stood and stands; None where it is not there."""

    old: Address | None
    new: Address | None


@dataclass(slots=True)
class SyncReport:
    """What moved. ``updated`` has refs of this side, of a push those of the other.

    ``bytes_received``, ``bytes_sent`` and ``round_trips`` are of the line. ``objects``
    counts the chunks and commits that came or went, ``records`` those in edits and
    leaves. ``mode`` is ``ops`` (edits), ``nodes``, ``ops+nodes``, or empty when nothing
    was to be moved; ``fallbacks`` counts trees whose edits led elsewhere
    (``ops-mismatch``), so that their nodes were moved. ``tips`` are the branches of the
    other side. ``merge`` is the result of a pull that merged.
    """

    updated: dict[str, RefChange] = field(default_factory=dict)
    bytes_received: int = 0
    bytes_sent: int = 0
    round_trips: int = 0
    objects: int = 0
    records: int = 0
    mode: str = ""
    fallbacks: int = 0
    tips: dict[str, Address] = field(default_factory=dict)
    merge: MergeResult | None = None

    def note(self, name: str, old: bytes | None, new: bytes | None) -> None:
        """Add a ref that moved."""
        before = None if old is None else Address(old)
        after = None if new is None else Address(new)
        self.updated[name] = RefChange(before, after)

    def count(self, traffic: Traffic) -> None:
        """Take over what went over the line."""
        self.bytes_received = traffic.bytes_received
        self.bytes_sent = traffic.bytes_sent
        self.round_trips = traffic.round_trips


class SyncProgress(NamedTuple):
    """How far it is: records and bytes moved so far; all records, where known."""

    records: int
    bytes: int
    records_total: int | None = None


Progress = Callable[[SyncProgress], object]


def no_progress(progress: SyncProgress) -> None:
    """Do nothing."""
