"""One conflict of a merge, as it is shown, and what it is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeGuard

from prolly.codec import shown
from prolly.errors import KeyNotFound
from prolly.merge import ConflictKind

Kind = Literal["record", "schema", "constraint"]
Side = Literal["base", "ours", "theirs"]
# What may be taken for a conflict: what a side has, or what stands now.
Choice = Literal["base", "ours", "theirs", "keep"]

KINDS: Mapping[ConflictKind, Kind] = {
    ConflictKind.RECORD: "record",
    ConflictKind.SCHEMA: "schema",
    ConflictKind.CONSTRAINT: "constraint",
}
SIDES: tuple[Side, ...] = ("base", "ours", "theirs")
CHOICES: tuple[Choice, ...] = ("base", "ours", "theirs", "keep")

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
    of an open one that were settled by themselves. ``facts`` of a constraint say which
    (``constraint``), and against what: ``other_key``, and ``other_dataset`` where that
    is another one; of a policy where it holds: ``column`` and ``prefix``, ``None`` for
    all; of a record whose key got another type by force the key that it ``stands_as``.
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
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> ConflictName:
        """What it is called in ``Conflicts``."""
        if self.kind == "schema":
            return self.dataset, self.key, "schema"
        return self.dataset, self.key


def no_conflict(name: object) -> KeyNotFound:
    """Return (not raise) the error for a name under which nothing is in conflict.

    That goes for what could be no name, too.
    """
    dataset, key = name[:2] if is_name(name) else (None, name)
    of = "" if dataset is None else f" of {shown(dataset)}"
    return KeyNotFound(
        f"{shown(key)}{of} is not in conflict",
        code="no-such-conflict",
        hint="`prolly conflicts` lists those that there are.",
        dataset=dataset,
        key=key,
    )


def is_name(name: object) -> TypeGuard[ConflictName]:
    """Tell whether something has the form of a name in ``Conflicts``."""
    if not isinstance(name, tuple) or len(name) not in (2, 3):
        return False
    of_records = len(name) == 2
    is_about = of_records or (isinstance(name[1], str) and name[2] == "schema")
    return isinstance(name[0], str) and is_about
