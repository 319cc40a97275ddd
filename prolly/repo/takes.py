"""What is to stand for conflicts, whole or field by field, and how it is marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from prolly.chunks import ChunkWriter
from prolly.codec import shown
from prolly.errors import Invalid, NotFound, Stale
from prolly.maps import ABSENT
from prolly.merge import ConflictKind, ConflictTree, StoredConflict

from .conflict import CHOICES, KINDS, Choice, ConflictName, Kind, no_conflict
from .conflict_view import ConflictView

# What a mark in the tree of conflicts says of one that got a value of its own.
OWN_VALUE = "value"
KEPT = "kept"


class Take(NamedTuple):
    """What is to stand for one conflict.

    ``side`` tells whose value, or ``keep`` for what stands now; ``None`` that it is
    ``value``: a value of a map, a row, which may leave columns out, or ``ABSENT`` for
    nothing. With ``fields`` only these
    columns are settled, and a ``value`` is a row of them. A record that clashes as a
    record and by a constraint is settled as both, unless ``kind`` says one; of a
    conflict about the dataset itself, ``kind`` is ``schema`` and ``key`` what it is
    about.
    """

    dataset: str
    key: Any
    side: Choice | None = None
    fields: tuple[str, ...] = ()
    value: Any = ABSENT
    kind: Kind | None = None

    @property
    def name(self) -> ConflictName:
        """The name of the conflict in ``Conflicts``."""
        if self.kind == "schema":
            return self.dataset, self.key, "schema"
        return self.dataset, self.key

    def found(self, view: ConflictView) -> list[StoredConflict]:
        """Return what is to be settled, or raise NotFound ``no-such-conflict``.

        Invalid ``take`` for a side that there is not.
        """
        if self.side is not None:
            check_choice(self.side)
        found = [
            one
            for one in view.find(self.name)
            if self.kind in (None, KINDS[one.kind]) or one.kind == ConflictKind.SCHEMA
        ]
        if not found:
            raise no_conflict(self.name)
        if self.fields:
            # A record that clashes in two ways: columns of either may be named.
            found = [one for one in found if self._named(view, one)] or found[:1]
        return found

    def field_ids(self, view: ConflictView, stored: StoredConflict) -> tuple[int, ...]:
        """Return the ids of the columns that are settled.

        Those of ``fields``; else those that are still open, none for a whole record.
        Raises NotFound ``no-such-conflict`` for a column that does not clash.
        """
        entry = stored.entry
        if not self.fields:
            return entry.open_fields if entry.settled is None else entry.fields
        ids = self._named(view, stored)
        others = view.find(self.name) if self.kind is None else []
        known = {*ids}.union(*[self._named(view, one) for one in others])
        for field in self.fields:
            if field not in known:
                raise self._no_field(field, view)
        return tuple([ids[field] for field in self.fields if field in ids])

    def _no_field(self, field: str, view: ConflictView) -> NotFound:
        """Return (not raise) the error for a column that does not clash."""
        clashing = {
            name: None
            for one in view.find(self.name)
            for name in view.shown(one).fields + view.shown(one).settled_fields
        }
        problem = f"column {field!r} of {self.key!r} of {self.dataset!r} is not"
        hint = f"The columns that are: {', '.join(clashing)}."
        if not clashing:
            problem = f"not column {field!r} but all of {self.key!r} is"
            hint = "Settle the whole record: leave the field out."
        return NotFound(
            f"{problem} in conflict",
            code="no-such-conflict",
            hint=hint,
            dataset=self.dataset,
            key=self.key,
            column=field,
        )

    def _named(self, view: ConflictView, stored: StoredConflict) -> dict[str, int]:
        """Return the ids of those of ``fields`` that clash in a conflict, by name."""
        if view.known(stored.dataset).kind != "table":
            return {}
        names = view.column_names(stored.dataset)
        ids = {names[one]: one for one in stored.entry.fields if one in names}
        return {name: ids[name] for name in self.fields if name in ids}


def named_columns(
    view: ConflictView, dataset: str | None, fields: Sequence[str]
) -> frozenset[int]:
    """Return the ids of columns of a dataset with conflicts, by their names now.

    Raises NotFound ``no-such-conflict`` for what is no column of it, and Invalid
    ``take`` for columns of no dataset.
    """
    if dataset is None and fields:
        raise Invalid(
            "columns are of one table",
            code="take",
            hint="Name the dataset whose columns these are.",
        )
    names = {} if dataset is None else view.column_names(view.require(dataset))
    ids = {name: number for number, name in reversed(names.items())}
    unknown = [one for one in fields if one not in ids]
    if unknown:
        known = ", ".join(names.values())
        raise NotFound(
            f"{dataset!r} has no column {shown(unknown[0])}",
            code="no-such-conflict",
            hint=f"Its columns are: {known}."
            if known
            else "Only rows of a table have columns: leave the field out.",
            dataset=dataset,
            column=unknown[0],
        )
    return frozenset([ids[one] for one in fields])


class Marks:
    """How the conflicts that one edit settles are marked, gathered while it is made."""

    def __init__(self) -> None:
        self._whole: dict[tuple[bytes, ConflictKind], dict[bytes, str | None]] = {}
        self._fields: dict[tuple[bytes, ConflictKind], dict[bytes, dict[int, str]]] = {}
        self._found: list[tuple[str, StoredConflict]] = []

    def add(self, stored: StoredConflict, take: Take, ids: tuple[int, ...]) -> None:
        """Mark one conflict, or the columns of it that were settled."""
        self._found.append((take.dataset, stored))
        how = OWN_VALUE if take.side is None else mark_of(take.side)
        group = stored.dataset, stored.kind
        if take.fields or (stored.entry.taken and stored.entry.settled is None):
            fields = self._fields.setdefault(group, {}).setdefault(stored.key, {})
            fields.update(dict.fromkeys(ids, how))
        else:
            self._whole.setdefault(group, {})[stored.key] = how

    def mark(self, tree: ConflictTree, writer: ChunkWriter) -> bytes:
        """Mark all of them in a tree; return the root of the new one.

        Raises Stale ``settled-meanwhile`` for one that somebody settled since.
        """
        for name, one in self._found:
            if tree.get(one.dataset, one.kind, one.key) != one:
                raise settled_meanwhile(name)
        for (dataset, kind), settled in self._whole.items():
            tree = tree.at(tree.settle(writer, dataset, kind, settled))
        for (dataset, kind), taken in self._fields.items():
            tree = tree.at(tree.settle_fields(writer, dataset, kind, taken))
        return tree.root


def check_choice(take: object) -> None:
    """Raise Invalid ``take`` for what is none of the words."""
    if take not in CHOICES:
        raise Invalid(
            f"there is nothing to take that is called {shown(take)}",
            code="take",
            hint=f"Take one of {', '.join(CHOICES)}.",
        )


def mark_of(take: Choice) -> str:
    """Return how a conflict is marked for which this was taken."""
    return KEPT if take == "keep" else take


def settled_meanwhile(what: str) -> Stale:
    """Return (not raise) the error for a conflict that another process settled."""
    return Stale(
        "another process settled the same conflict meanwhile",
        code="settled-meanwhile",
        hint="`prolly conflicts` lists those that are open; settle again what should "
        "stand otherwise.",
        what=what,
    )
