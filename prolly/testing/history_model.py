"""What merging whole versions must give, on plain dictionaries: for random histories.

Beside the datasets of ``merge_model`` (a map, and tables whose constraints meet often)
a version has counters, a table whose columns come, go, and get other names and types,
and a map that is dropped and made again. Bases of criss-crosses are found and merged
here as well, from nothing but which commit has which parents. Nothing here knows of
trees, bytes or schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from .merge_model import NAMES, Records, Row, State, empty_state, merge_states

Mode = Literal["ours", "base"]

COUNTERS, WIDE, FLEETING = "counters", "wide", "fleeting"
# The columns of the wide table that every version has, by what they are called here.
# Of these ``count`` is a counter; ``title`` may have another name, ``amount`` another
# type.
WIDE_COLUMNS = ("title", "amount", "count")
EXTRA_COLUMNS = ("x0", "x1")

Conflicts = set[tuple[str, Any]]


@dataclass
class Version:
    """The records of all datasets, and how the wide table is described.

    Rows of the wide table have ``WIDE_COLUMNS`` and ``extras`` as their columns,
    whatever the name of ``title`` is.
    """

    plain: State = field(default_factory=empty_state)
    counters: Records = field(default_factory=dict)
    wide: dict[Any, Row] = field(default_factory=dict)
    title: str = "title"
    amount: str = "int"
    extras: frozenset[str] = frozenset()
    fleeting: Records | None = None

    def copy(self) -> Version:
        """Return a copy that shares nothing."""
        return deepcopy(self)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the wide table but its key."""
        return (*WIDE_COLUMNS, *sorted(self.extras))

    def records(self) -> dict[str, Records]:
        """Return the records of each dataset, under the names that columns have."""
        wide = {key: self.shown(row) for key, row in self.wide.items()}
        found = {**self.plain, COUNTERS: self.counters, WIDE: wide}
        return found if self.fleeting is None else {**found, FLEETING: self.fleeting}

    def shown(self, row: Row) -> Row:
        """Return a row of the wide table under the names that its columns have."""
        return {
            (self.title if name == "title" else name): row[name]
            for name in self.columns
        }


class Merged(NamedTuple):
    """A merged version, and what is in conflict: (dataset, key) and (dataset, what)."""

    version: Version
    records: Conflicts
    descriptions: Conflicts


def merge_versions(
    base: Version, ours: Version, theirs: Version, mode: Mode = "ours"
) -> Merged:
    """Merge three versions; what both changed is as ``mode`` has it."""
    plain = merge_states(base.plain, ours.plain, theirs.plain, mode=mode)
    merged = Version(plain.state)
    conflicts: Conflicts = {
        (name, key) for name in NAMES for key in plain.conflicts[name]
    }
    keys = {*base.counters, *ours.counters, *theirs.counters}
    for key in keys:
        three = [one.counters.get(key) for one in (base, ours, theirs)]
        merged.counters[key] = _count(*three)
    descriptions = _describe(merged, (base, ours, theirs), mode)
    fleeting = [one.fleeting for one in (base, ours, theirs)]
    merged.fleeting, told = _merge_fleeting(fleeting, mode)
    conflicts |= {(FLEETING, key) for key in told if key != "dropped"}
    descriptions |= {(FLEETING, key) for key in told if key == "dropped"}
    rows = [
        _under(merged, one, base if one is not base else None)
        for one in (base, ours, theirs)
    ]
    for key in {*rows[0], *rows[1], *rows[2]}:
        row, is_settled = _merge_row([one.get(key) for one in rows], mode)
        if row is not None:
            merged.wide[key] = row
        if not is_settled:
            conflicts.add((WIDE, key))
    return Merged(merged, conflicts, descriptions)


def _count(base: int | None, ours: int | None, theirs: int | None) -> int | None:
    """Add the changes of both sides, equal ones too; a side without one has none."""
    if base == ours:
        return theirs
    if base == theirs:
        return ours
    return (ours or 0) + (theirs or 0) - (base or 0)


def _merge_fleeting(
    three: list[Records | None], mode: Mode
) -> tuple[Records | None, set[Any]]:
    """Merge a dataset that is not always there; tell the keys, or ``dropped``."""
    base, ours, theirs = three
    if ours is None or theirs is None:
        there = theirs if ours is None else ours
        if base is None or there is None:
            return there, set()
        return (None, set()) if there == base else (there, {"dropped"})
    merged, told = {}, set()
    for key in {*ours, *theirs, *(base or {})}:
        cells = [one.get(key, ...) for one in (base or {}, ours, theirs)]
        value, clash = _three_way(cells, mode)
        if value is not ...:
            merged[key] = value
        if clash:
            told.add(key)
    return merged, told


def _describe(
    merged: Version, versions: tuple[Version, Version, Version], mode: Mode
) -> Conflicts:
    """Merge what the wide table's columns are; return what both changed."""
    base, ours, theirs = versions
    told: Conflicts = set()
    merged.title, clash = _three_way([one.title for one in versions], mode)
    if clash:
        told.add((WIDE, f"column {merged.title}"))
    merged.amount, _ = _three_way([one.amount for one in versions], mode)
    extras = set()
    for name in {*ours.extras, *theirs.extras}:
        there = [one for one in (ours, theirs) if name in one.extras]
        if len(there) == 1 and name in base.extras:
            if not _wrote(there[0], base, name):
                continue
            told.add((WIDE, f"column {name}"))
        extras.add(name)
    merged.extras = frozenset(extras)
    return told


def _three_way(three: list[Any], mode: Mode) -> tuple[Any, bool]:
    base, ours, theirs = three
    if theirs in (ours, base):
        return ours, False
    if ours == base:
        return theirs, False
    return (base if mode == "base" else ours), True


def _wrote(side: Version, base: Version, name: str) -> bool:
    """Tell whether a side wrote into a column since the base."""
    return any(
        row[name] != base.wide[key][name] if key in base.wide else row[name] is not None
        for key, row in side.wide.items()
    )


def _under(merged: Version, version: Version, base: Version | None) -> dict[Any, Row]:
    """Return the rows of a version under the merged columns.

    A column that a side dropped and that stays has in its rows what the base has.
    """
    rows: dict[Any, Row] = {}
    for key, row in version.wide.items():
        rows[key] = turned = {}
        for name in merged.columns:
            if name in row:
                turned[name] = row[name]
            else:
                stood = {} if base is None else base.wide.get(key, {})
                turned[name] = stood.get(name)
        amount = turned["amount"]
        if merged.amount == "text" and amount is not None:
            turned["amount"] = str(amount)
    return rows


def _merge_row(three: list[Any], mode: Mode) -> tuple[Row | None, bool]:
    base, ours, theirs = three
    if ours is None or theirs is None:
        if theirs in (ours, base):
            return ours, True
        if ours == base:
            return theirs, True
        return (base if mode == "base" else ours), False
    row: Row = {}
    is_settled = True
    for name in ours:
        cells = [None if one is None else one[name] for one in three]
        if name == "count":
            row[name] = _count(*cells)
            continue
        # In a row that both added no cell stood before, not even a null.
        if base is None and cells[1] != cells[2]:
            is_settled = False
            row[name] = cells[1]
            continue
        row[name], clash = _three_way(cells, mode)
        is_settled = is_settled and not clash
    if base is None and not is_settled and mode == "base":
        return None, False
    return row, is_settled


class Graph:
    """Commits by id, with parents and versions, and bases found the plain way."""

    def __init__(self) -> None:
        self.versions: dict[bytes, Version] = {}
        self._above: dict[bytes, frozenset[bytes]] = {}

    def add(self, commit_id: bytes, parents: tuple[bytes, ...], held: Version) -> None:
        """Add a commit whose parents are known; one that is there stays."""
        if commit_id not in self.versions:
            self.versions[commit_id] = held
            self._above[commit_id] = self._closure(parents)

    def bases(self, ours: frozenset[bytes], theirs: frozenset[bytes]) -> list[bytes]:
        """Return the best common ancestors of two merges of commits, in order."""
        shared = self._closure(ours) & self._closure(theirs)
        above: set[bytes] = set()
        for one in shared:
            above |= self._above[one]
        return sorted(shared - above)

    def base_of(self, ours: bytes, theirs: bytes) -> Version:
        """Return the version to merge two commits over."""
        return self._merged(self.bases(frozenset([ours]), frozenset([theirs])))

    def _closure(self, ids: frozenset[bytes] | tuple[bytes, ...]) -> frozenset[bytes]:
        return frozenset(ids).union(*[self._above[one] for one in ids])

    def _merged(self, ids: list[bytes]) -> Version:
        """Return what several commits come to as a base: halves, merged over theirs."""
        assert ids, "every history begins with one commit"
        if len(ids) == 1:
            return self.versions[ids[0]]
        spelt = {one: f"{int.from_bytes(one):0256b}" for one in ids}
        place = next(
            at for at in range(256) if len({bits[at] for bits in spelt.values()}) > 1
        )
        low = [one for one in ids if spelt[one][place] == "0"]
        high = [one for one in ids if spelt[one][place] == "1"]
        base = self._merged(self.bases(frozenset(low), frozenset(high)))
        return merge_versions(
            base, self._merged(low), self._merged(high), "base"
        ).version


def lost(
    result: Mapping[str, Records],
    side: Mapping[str, Records],
    base: Mapping[str, Records],
) -> Conflicts:
    """Return the records of which something that a side wrote is not in a result.

    All three under one description. Counters, which are sums, are left out.
    """
    found: Conflicts = set()
    for dataset in side:
        if dataset == COUNTERS:
            continue
        before, after = base.get(dataset, {}), result.get(dataset, {})
        for key in {*side[dataset], *before}:
            wrote, stood = side[dataset].get(key), before.get(key)
            stands = after.get(key)
            if wrote != stood and _is_lost(wrote, stood, stands):
                found.add((dataset, key))
    return found


def _is_lost(wrote: Any, stood: Any, stands: Any) -> bool:
    if not isinstance(wrote, dict) or not isinstance(stands, dict):
        return bool(wrote != stands)
    return any(
        cell != (stood or {}).get(name, ...) and cell != stands.get(name)
        for name, cell in wrote.items()
        if name != "count"
    )
