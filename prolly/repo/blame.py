"""Who changed which field of which record last.

Every cell of the version asked about begins as a suspect of its commit. The walk goes
from children to parents, and at each commit

    a cell that a parent has just so     is that parent's suspect from then on
    a cell that no parent has just so    was changed here, and is settled

so a merge answers only for what none of its parents has, and of a cell that was changed
and changed back the last commit that wrote it answers. Cells are compared as values:
what only stores a row in another way (another schema's rows, a renamed or widened
column) is no change where it shows the same. Cells with one commit to suspect are never
listed one by one: a commit suspects whole columns, but for the cells (``_away``) that
are settled or suspected elsewhere. Cost: O(changes x depth) node reads and memory; a
walk that blames one record reads no more nodes than its history does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prolly.codec import Address
from prolly.errors import KeyNotFound
from prolly.history import Front
from prolly.maps import Files, key_not_found
from prolly.tables import Column, Table
from prolly.tree import Difference

from .column_pairs import same_cell
from .commit_log import LogEntry
from .storage import Storage
from .trail import DatasetVersion, Trail, only

# The fields of a record that is no row.
VALUE_FIELD = "value"
FILE_FIELDS = ("content", "mode", "mtime")

# Schemas kept at hand: the two sides of a commit, and those of branches beside it.
VIEWS_KEPT = 8

Bounds = tuple[bytes | None, bytes | None]
# Which cells of which records: a bit for each field, by encoded key.
Cells = dict[bytes, int]


@dataclass(frozen=True, slots=True)
class Blame:
    """A record, and the commit that last changed each of its fields.

    The fields are a row's columns, ``content``, ``mode`` and ``mtime`` of a file, else
    just ``value``. The columns of a key were changed when the record was added.
    """

    key: Any
    fields: Mapping[str, LogEntry]


def blame_record(storage: Storage, head: bytes, dataset: str, record: Any) -> Blame:
    """Return who changed the fields of one record last.

    NotFound ``no-such-dataset``, KeyNotFound, Invalid as for a look-up.
    """
    trail = Trail(storage, head, dataset)
    version = trail.at(head)
    assert version is not None
    records = version.records
    encoded = records.encode_key(record)
    if record not in records:
        raise _not_there(records, record)
    search = _Search(storage, trail, version)
    search.run(head, only(encoded), one_record=encoded)
    return search.answer(encoded, records.decode_keys([encoded])[0])


def blame_all(storage: Storage, head: bytes, dataset: str) -> Iterator[Blame]:
    """Yield the same for every record of a dataset, in key order.

    The first answer comes when the history has been walked, back to the commit that
    made the dataset.
    """
    trail = Trail(storage, head, dataset)
    version = trail.at(head)
    assert version is not None
    search = _Search(storage, trail, version)
    search.run(head, (None, None))
    for keys, _ in version.records.raw_batches():
        names = version.records.decode_keys(keys)
        yield from map(search.answer, keys, names)


def _not_there(records: object, record: Any) -> KeyNotFound:
    error = key_not_found(record)
    error.hint = "`prolly history` shows records that were deleted, too."
    return error


class _Fields:
    """The fields of the version asked about, and how to find them in older ones."""

    def __init__(self, version: DatasetVersion) -> None:
        records = version.records
        self._columns: Sequence[Column] = ()
        if isinstance(records, Table):
            self._columns = records.schema.columns
            self.names: Sequence[str] = records.schema.names
        else:
            self.names = FILE_FIELDS if isinstance(records, Files) else (VALUE_FIELD,)
        self.all = (1 << len(self.names)) - 1
        self._views: list[tuple[Any, _View]] = []

    def view(self, version: DatasetVersion) -> _View:
        """Return how a version holds the fields; versions of one schema share it."""
        schema = version.entry.schema
        for known, view in self._views:
            if known == schema:
                return view
        view = _View(version, self.names, self._columns)
        self._views = [(schema, view), *self._views[: VIEWS_KEPT - 1]]
        return view


class _View:
    """The versions of one schema, as the fields of the version asked about."""

    def __init__(
        self, version: DatasetVersion, names: Sequence[str], columns: Sequence[Column]
    ) -> None:
        self.records = version.records
        self.names: list[str | None] = list(names)
        self.types: list[str] = [""] * len(names)
        if isinstance(self.records, Table):
            ids = {one.id for one in columns}
            found = [_counterpart(one, self.records, ids) for one in columns]
            self.names = [None if one is None else one.name for one in found]
            self.types = ["" if one is None else one.type for one in found]
        self.mask = sum(
            1 << place for place, name in enumerate(self.names) if name is not None
        )

    def cells(self, encoded: bytes, stored: bytes) -> Mapping[str, Any]:
        """Return a record's fields by the names that they have here."""
        if isinstance(self.records, Table):
            return self.records.decode_record(encoded, stored)
        if isinstance(self.records, Files):
            return self.records.decode_record(encoded, stored).summary()
        # A long value refers to its blob by address: equal values are equal bytes.
        return {VALUE_FIELD: bytes(stored)}


def _counterpart(column: Column, table: Table, ids: set[int]) -> Column | None:
    """Return what a column was in an older table: by id, else by name.

    ``ids`` are those of all columns now: what one of them was is no other one.
    """
    older = table.schema.columns
    same = [one for one in older if one.id == column.id]
    same += [one for one in older if one.name == column.name and one.id not in ids]
    return same[0] if same else None


def _changed(difference: Difference, old: _View, new: _View, wanted: int) -> int:
    """Return which of the wanted fields a difference changed."""
    encoded, before, after = difference
    if before is None or after is None:
        return wanted
    was, is_now = old.cells(encoded, before), new.cells(encoded, after)
    changed = 0
    for place in range(wanted.bit_length()):
        bit = 1 << place
        if not wanted & bit:
            continue
        older, newer = old.names[place], new.names[place]
        assert newer is not None
        types = old.types[place], new.types[place]
        if older is None or not same_cell(was[older], is_now[newer], types):
            changed |= bit
    return changed


class _Search:
    """The walk from a commit back to those that changed its cells."""

    def __init__(self, storage: Storage, trail: Trail, version: DatasetVersion) -> None:
        self._storage = storage
        self._trail = trail
        self._fields = _Fields(version)
        # What commits suspect: whole columns, and single cells beside them.
        self._columns: dict[bytes, int] = {}
        self._cells: dict[bytes, Cells] = {}
        # Cells that the owner of their column does not suspect.
        self._away: Cells = {}
        # What is settled: whole columns by place, single cells by key and place.
        self._of_column: dict[int, LogEntry] = {}
        self._of_cell: dict[bytes, dict[int, LogEntry]] = {}

    def run(
        self, head: bytes, bounds: Bounds, *, one_record: bytes | None = None
    ) -> None:
        """Walk until nothing is left to suspect."""
        if one_record is None:
            self._columns[head] = self._fields.all
        else:
            self._cells[head] = {one_record: self._fields.all}
        front = Front(self._storage.commits)
        front.add(head, 1)
        while front:
            commit_id = front.pop()
            for parent in self._visit(commit_id, bounds):
                front.add(parent, 1)

    def _visit(self, commit_id: bytes, bounds: Bounds) -> list[bytes]:
        """Hand what a commit suspects to its parents; return those that got some."""
        columns = self._columns.pop(commit_id, 0)
        cells = self._cells.pop(commit_id, {})
        if columns and cells:
            cells = self._taken_back(cells, columns)
        here = self._trail.at(commit_id)
        assert here is not None
        heirs = []
        for parent in self._storage.commits.read(commit_id).parents:
            there = self._trail.at(parent)
            if there is None or not (columns or cells):
                continue
            old, new = self._fields.view(there), self._fields.view(here)
            handed = columns & old.mask
            kept: Cells = {}
            for difference in self._trail.differences(there, here, bounds):
                self._keep(difference, (old, new), handed, (cells, kept))
            if old.mask != self._fields.all:
                cells = _split(cells, kept, old.mask)
            if handed:
                self._columns[parent] = self._columns.get(parent, 0) | handed
                columns &= ~handed
            if cells:
                self._give(parent, cells)
            if handed or cells:
                heirs.append(parent)
            cells = kept
        self._settle(commit_id, columns, cells)
        return heirs

    def _keep(
        self,
        difference: Difference,
        views: tuple[_View, _View],
        handed: int,
        sets: tuple[Cells, Cells],
    ) -> None:
        """Keep what a difference changed from being handed to the parent."""
        encoded = difference[0]
        cells, kept = sets
        if difference[2] is None:
            # Not here, so none of ours: whatever older commits did to it is past.
            self._away[encoded] = self._away.get(encoded, 0) | handed
            return
        listed = cells.get(encoded, 0)
        old, new = views
        unlisted = handed & ~self._away.get(encoded, 0)
        wanted = (listed & old.mask) | unlisted
        if not wanted:
            return
        changed = _changed(difference, old, new, wanted)
        if changed & listed:
            cells[encoded] = listed & ~changed
            if not cells[encoded]:
                del cells[encoded]
        if changed:
            kept[encoded] = kept.get(encoded, 0) | changed
            self._away[encoded] = self._away.get(encoded, 0) | (changed & unlisted)

    def _give(self, parent: bytes, cells: Cells) -> None:
        """Let a parent suspect single cells, beside those that it does already."""
        known = self._cells.get(parent)
        if known is None:
            self._cells[parent] = cells
            return
        if len(known) < len(cells):
            known, cells = cells, known
        for encoded, mask in cells.items():
            known[encoded] = known.get(encoded, 0) | mask
        self._cells[parent] = known

    def _taken_back(self, cells: Cells, columns: int) -> Cells:
        """Fold single cells into the columns that the same commit suspects."""
        rest: Cells = {}
        for encoded, mask in cells.items():
            away = self._away.get(encoded, 0) & ~(mask & columns)
            if away:
                self._away[encoded] = away
            else:
                self._away.pop(encoded, None)
            if mask & ~columns:
                rest[encoded] = mask & ~columns
        return rest

    def _settle(self, commit_id: bytes, columns: int, cells: Cells) -> None:
        if not columns and not cells:
            return
        entry = LogEntry(Address(commit_id), self._storage.commits.read(commit_id))
        for place in range(columns.bit_length()):
            if columns >> place & 1:
                self._of_column[place] = entry
        for encoded, mask in cells.items():
            settled = self._of_cell.setdefault(encoded, {})
            for place in range(mask.bit_length()):
                if mask >> place & 1:
                    settled[place] = entry

    def answer(self, encoded: bytes, key: Any) -> Blame:
        """Return what was found about one record."""
        settled = self._of_cell.get(encoded, {})
        found = {
            name: settled[place] if place in settled else self._of_column[place]
            for place, name in enumerate(self._fields.names)
        }
        return Blame(key, found)


def _split(cells: Cells, kept: Cells, mask: int) -> Cells:
    """Return the cells within ``mask``; the others are kept."""
    within: Cells = {}
    for encoded, fields in cells.items():
        if fields & mask:
            within[encoded] = fields & mask
        if fields & ~mask:
            kept[encoded] = kept.get(encoded, 0) | (fields & ~mask)
    return within
