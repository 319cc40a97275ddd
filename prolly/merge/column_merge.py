"""Columns of three schemas made one, by their ids.

    base    ours       theirs     merged
    c       c          c1         c1: name, type, whether null is allowed, one by one
    c       c1         c2         each of the three that only one side changed; where
                                  both changed it alike, that; else ours, a conflict
    -       c          -          c; nullable, with a conflict, where the other side has
                                  rows and c has neither null nor a fill for them
    -       c          c'         as if both had changed it; fills that differ: ours',
                                  a conflict
    c       -          c          dropped
    c       -          c1, or     c1 stays with what it held, and a conflict: a drop
                       its cells  loses nothing that somebody worked on
    c       -          -          dropped

and the same with the sides swapped. Where ``ours`` decides, a merge for a virtual base
takes the base's instead. Two columns that come out with one name are a conflict: the
one of the greater id gets ``~`` and its id behind its name, whichever side it is of.
What is shown first: an order that one side changed stands, ours' if both did; new
columns stand behind the column that they follow in their own side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from prolly.codec import cbor
from prolly.tables import COLUMN_NAME_BYTES_MAX, Column, Schema

Side = Literal["ours", "theirs"]
OnConflict = Literal["ours", "base", "keep-both"]

SIDES: tuple[Side, Side] = ("ours", "theirs")


class SchemaConflict(NamedTuple):
    """A part of a dataset's description that could not be merged.

    ``what`` names it: ``column NAME``, ``index NAME``, ``check NAME``, ``reference
    NAME``, ``schema``, ``key``, ``kind``, ``name``, ``dropped``, ``policy SCOPE``.
    ``fields`` are the ids of the columns that it is about.
    """

    what: str
    reason: str
    fields: tuple[int, ...] = ()


@dataclass(frozen=True)
class RecordFacts:
    """What a merge of schemas asks of the records.

    ``touched(side, ids)`` tells which of these columns hold cells that the side wrote
    since the base; ``has_rows(side)`` whether it has any record.
    """

    touched: Callable[[Side, frozenset[int]], frozenset[int]] = lambda side, ids: (
        frozenset()
    )
    has_rows: Callable[[Side], bool] = lambda side: False


NO_RECORDS = RecordFacts()


class ColumnVersions(NamedTuple):
    """The three schemas; ``base`` is None where both sides began anew."""

    base: Schema | None
    ours: Schema
    theirs: Schema


def three_way(base: Any, ours: Any, theirs: Any) -> tuple[Any, bool]:
    """Return what one side changed, and whether both did, differently: then ours."""
    if theirs in (ours, base):
        return ours, False
    return (theirs, False) if ours == base else (ours, True)


class ColumnMerge:
    """The merge of the columns of one table.

    ``needed`` are ids that new constraints of a side ask about: such a column stays.
    """

    def __init__(
        self,
        versions: ColumnVersions,
        on_conflict: OnConflict,
        facts: RecordFacts,
        needed: Callable[[Side], frozenset[int]],
    ) -> None:
        self.conflicts: list[SchemaConflict] = []
        self._versions = versions
        self._on_conflict = on_conflict
        self._facts = facts
        self._needed = needed
        base = versions.base.columns if versions.base is not None else ()
        self._base = {one.id: one for one in base}
        self._sides = {
            "ours": {one.id: one for one in versions.ours.columns},
            "theirs": {one.id: one for one in versions.theirs.columns},
        }
        self._key = {one.id for one in versions.ours.key_columns}

    def run(self) -> list[Column]:
        """Return the merged columns, in display order, without slots."""
        ours, theirs = self._sides["ours"], self._sides["theirs"]
        kept = self._kept_columns()
        merged: dict[int, Column] = {}
        for number in sorted({*ours, *theirs}):
            if number in ours and number in theirs:
                merged[number] = self._both(number)
            elif number not in self._base:
                merged[number] = self._added(number)
            elif number in kept:
                merged[number] = self._kept(number)
        self._tell_names_apart(merged)
        return [
            replace(merged[number], slot=None) for number in self._order(set(merged))
        ]

    def _conflict(self, column: Column, reason: str) -> None:
        what = f"column {column.name}"
        self.conflicts.append(SchemaConflict(what, reason, (column.id,)))

    def _both(self, number: int) -> Column:
        base = self._base.get(number)
        ours, theirs = self._sides["ours"][number], self._sides["theirs"][number]
        changed: dict[str, Any] = {}
        clashes = []
        for field in ("name", "type", "nullable"):
            versions = [getattr(one, field, None) for one in (base, ours, theirs)]
            changed[field], clash = three_way(*versions)
            if clash:
                clashes.append(f"{field} {versions[1]!r} and {versions[2]!r}")
                if self._on_conflict == "base" and base is not None:
                    changed[field] = versions[0]
        fill, clash = self._fill(changed["type"], (base, ours, theirs))
        clashes += ["fill"] if clash else []
        merged = replace(ours, **changed, fill=fill)
        if clashes:
            self._conflict(merged, "both sides changed it: " + "; ".join(clashes))
        if number in self._key:
            merged = replace(merged, nullable=False, fill=None)
        return merged

    def _fill(
        self, kind: str, versions: tuple[Column | None, Column, Column]
    ) -> tuple[Any, bool]:
        """Return the fill of a column that comes out with this type."""
        typed = [one if one and one.type == kind else None for one in versions]
        base, ours, theirs = typed
        if ours is None or theirs is None:
            found = ours or theirs or base
            assert found is not None
            return found.fill, False
        fills = [None if one is None else cbor.encode(one.fill) for one in typed]
        chosen, clash = three_way(*fills)
        if clash and self._on_conflict == "base" and base is not None:
            return base.fill, True
        return (ours if chosen == fills[1] else theirs).fill, clash

    def _added(self, number: int) -> Column:
        """Return a column that one side added; the other's rows must have a default."""
        side: Side = "ours" if number in self._sides["ours"] else "theirs"
        other: Side = "theirs" if side == "ours" else "ours"
        column = self._sides[side][number]
        if column.has_default or not self._facts.has_rows(other):
            return column
        self._conflict(
            column, "it is new and has no default, and the other side has rows"
        )
        return replace(column, nullable=True)

    def _kept_columns(self) -> set[int]:
        """Return the columns that one side dropped and the other worked on."""
        kept: set[int] = set()
        for side in SIDES:
            other: Side = "theirs" if side == "ours" else "ours"
            mine, others = self._sides[side], self._sides[other]
            dropped = {one for one in mine if one in self._base and one not in others}
            altered = {one for one in dropped if self._is_altered(mine[one])}
            altered |= dropped & self._needed(side)
            rest = frozenset(dropped - altered)
            if rest:
                altered |= self._facts.touched(side, rest)
            kept |= altered
        return kept

    def _is_altered(self, column: Column) -> bool:
        base = replace(self._base[column.id], slot=None)
        return replace(column, slot=None) != base

    def _kept(self, number: int) -> Column:
        side: Side = "ours" if number in self._sides["ours"] else "theirs"
        other = "theirs" if side == "ours" else "ours"
        column = self._sides[side][number]
        self._conflict(column, f"{other} dropped it, and {side} changed it")
        # New rows of the side that dropped it have nothing for it.
        return column if column.has_default else replace(column, nullable=True)

    def _tell_names_apart(self, merged: dict[int, Column]) -> None:
        """Give columns of one name several names; the least id keeps it."""
        taken = {one.name for one in merged.values()}
        seen: set[str] = set()
        for number in sorted(merged):
            column = merged[number]
            if column.name in seen:
                name = apart(column.name, f"{number:08x}", taken)
                taken.add(name)
                reason = f"two columns have this name; one is {name} now"
                self._conflict(column, reason)
                merged[number] = replace(column, name=name)
            seen.add(merged[number].name)

    def _order(self, kept: set[int]) -> list[int]:
        """Return the ids in the order in which the columns are shown."""
        base, ours, theirs = (
            [one.id for one in version.columns if one.id in kept] if version else []
            for version in self._versions
        )
        # A column that a side dropped and that stays stands where the base has it.
        stood = [one for one in base if one in kept]
        orders = [_reordered(stood, side) for side in (ours, theirs)]
        order, _ = three_way(stood, *orders)
        known = set(stood)
        runs = [_runs(side, known) for side in (ours, theirs)]
        merged: list[int] = []
        for anchor in (None, *order):
            merged += [] if anchor is None else [anchor]
            new = [run.get(anchor, []) for run in runs]
            # Neither side comes first: the one with the least id does.
            new.sort(key=lambda run: min(run, default=0))
            merged += [one for run in new for one in run if one not in merged]
        return list(dict.fromkeys(merged))


def _reordered(stood: Sequence[int], side: Sequence[int]) -> list[int]:
    """Return columns in a side's order; those that it lacks stay behind their left."""
    there = [one for one in side if one in set(stood)]
    if there == [one for one in stood if one in set(there)]:
        return list(stood)
    order = list(there)
    for place, one in enumerate(stood):
        if one not in there:
            before = stood[place - 1] if place else None
            order.insert(order.index(before) + 1 if before is not None else 0, one)
    return order


def _runs(side: Iterable[int], known: set[int]) -> dict[int | None, list[int]]:
    """Return the new columns of a side by the known column that they follow."""
    runs: dict[int | None, list[int]] = {}
    anchor: int | None = None
    for one in side:
        if one in known:
            anchor = one
        else:
            runs.setdefault(anchor, []).append(one)
    return runs


def apart(
    name: str, mark: str, taken: set[str], bytes_max: int = COLUMN_NAME_BYTES_MAX
) -> str:
    """Return a name with a mark behind it, cut to fit, that is not taken."""
    tail = "~" + mark
    while True:
        room = bytes_max - len(tail)
        cut = name.encode()[:room].decode(errors="ignore").rstrip("/")
        if cut + tail not in taken:
            return cut + tail
        tail += "~"
