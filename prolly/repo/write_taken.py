"""What sides have that is taken for conflicts, written into the working state.

    of a record                  the clashing fields as that side has them
    of a part of a description   name, policy, dropped: that; others if they stand so

Without fields the whole record is meant, deletion included. A field is written onto the
row as it stands, so edits of other fields stay; of a side without the row it is the
default of its column. Theirs of a record that broke a constraint is all that theirs
changed in it, since all of that was withheld.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import groupby, islice
from typing import NamedTuple

from prolly.codec import Descriptor, cbor
from prolly.datasets import missing_dataset
from prolly.errors import Error, Unsupported
from prolly.maps import ABSENT
from prolly.merge import ConflictKind, StoredConflict
from prolly.tables import MutableTable, Schema

from .cells_now import Row, cells_now, columns_now, key_parts
from .conflict import Side
from .conflict_view import ConflictView
from .taken_part import restore, take_part
from .workspace import Workspace

# Rows of one dataset written in one go: some megabytes of them, and enough that what a
# batch costs by itself does not show.
BATCH_RECORDS = 2048


class Taken(NamedTuple):
    """What is taken for one conflict: a side, in some columns or, with none, whole.

    ``named``: somebody named these columns, so nothing but them is settled.
    """

    stored: StoredConflict
    side: Side
    fields: tuple[int, ...] = ()
    named: bool = False

    @property
    def group(self) -> tuple[bytes, ConflictKind, Side]:
        """What is written in one go has this in common."""
        return self.stored.dataset, self.stored.kind, self.side


def take_side(workspace: Workspace, view: ConflictView, taken: Taken) -> None:
    """Write what one side has for a conflict."""
    _take_batch(workspace, view, [taken])


def take_sides(workspace: Workspace, view: ConflictView, taken: Iterable[Taken]) -> int:
    """Write what sides have for conflicts in their order; return how many there were.

    One by one it would be the same, and slower.
    """
    number = 0
    for _, group in groupby(taken, lambda one: one.group):
        while batch := list(islice(group, BATCH_RECORDS)):
            _take_batch(workspace, view, batch)
            number += len(batch)
    return number


def _take_batch(
    workspace: Workspace, view: ConflictView, batch: Sequence[Taken]
) -> None:
    """Write what one side has for conflicts of one dataset and kind."""
    dataset, kind, side = batch[0].group
    if kind == ConflictKind.SCHEMA:
        for one in batch:
            take_part(workspace, view, one.stored, one.side)
        return
    is_blob = view.known(dataset).kind == "blob"
    if side == "ours" and workspace.entry(dataset) is None and not is_blob:
        # Somebody dropped the dataset since, with all that was in conflict.
        return
    entry = require_entry(workspace, view, dataset)
    if entry.kind == "table":
        _take_rows(workspace.table(entry.name), view, batch)
    elif entry.kind != "blob":
        edits = {one.stored.key: view.record(side, one.stored) for one in batch}
        workspace.put_stored(dataset, entry, edits)
    else:
        there = view.entry(side, dataset)
        if there is None:
            workspace.drop(entry.name)
        else:
            workspace.put_blob(dataset, there.roots[0])


def require_entry(
    workspace: Workspace, view: ConflictView, dataset: bytes
) -> Descriptor:
    """Return the dataset as it stands; NotFound when it was dropped since.

    A blob that is gone is there again: its conflict may have been settled so before.
    """
    entry = workspace.entry(dataset)
    if entry is not None:
        return entry
    known = view.known(dataset)
    if known.kind == "blob":
        restore(workspace, dataset, known)
        return known
    raise missing_dataset(known.name, workspace.base)


def _take_rows(table: MutableTable, view: ConflictView, batch: Sequence[Taken]) -> None:
    """Write the rows that one side has, or their fields, into a table."""
    dataset, _, side = batch[0].group
    schema, there = table.schema, view.schema(side, dataset)
    pairs = [] if there is None else columns_now(there, schema)
    rows: list[Row] = []
    for one in batch:
        row = view.value(side, one.stored)
        spelt = view.key_under(one.stored, schema, wanted=row is not ABSENT)
        if spelt is None:
            continue
        [key] = table.decode_keys([spelt])
        stands = table.get(key)
        if row is not ABSENT:
            cells = cells_now(pairs, row)
            if stands is not None:
                wanted = _wanted(view, one)
                if wanted:
                    cells = {
                        column.name: cells[column.name]
                        for _, column in pairs
                        if column.id in wanted
                    }
                cells = {**stands, **cells}
            parts = zip(schema.key, key_parts(key, schema), strict=True)
            rows.append({**cells, **dict(parts)})
        elif stands is not None and one.named:
            rows.append({**stands, **_defaults(schema, one.fields)})
        elif stands is not None:
            table.delete(key)
    _write_rows(table, rows)


def _defaults(schema: Schema, ids: Sequence[int]) -> Row:
    """Return what columns hold in a row that nobody gave them a value in."""
    cells: Row = {}
    for column in schema.columns:
        if column.id not in ids:
            continue
        if not column.has_default:
            raise Unsupported(
                f"that side has no row, and column {column.name!r} has no default",
                code="settle-by-hand",
                hint="Give a value, or settle the record as a whole.",
                column=column.name,
            )
        cells[column.name] = column.fill
    return cells


def _write_rows(table: MutableTable, rows: list[Row]) -> None:
    """Write rows of different keys, together where there are several."""
    if len(rows) > 1:
        try:
            table.load(rows, mode="update", missing="default")
            return
        except Error:
            # Nothing was written. One by one, the error names just its own row.
            pass
    for row in rows:
        table.upsert(row)


def _wanted(view: ConflictView, taken: Taken) -> set[int]:
    """Return the columns that are written onto a row that stands; none for all."""
    stored = taken.stored
    ids = set(taken.fields)
    breaks = stored.kind == ConflictKind.CONSTRAINT and taken.side == "theirs"
    if breaks and ids and ids == set(stored.entry.fields):
        ids |= _changed_by_theirs(view, stored)
    return ids


def _changed_by_theirs(view: ConflictView, stored: StoredConflict) -> set[int]:
    """Return the columns in which theirs differs from the base, all without one."""
    schema, row = view.schema("theirs", stored.dataset), view.value("theirs", stored)
    if schema is None or row is ABSENT:
        return set()
    old, was = view.schema("base", stored.dataset), view.value("base", stored)
    before: Row = {}
    if old is not None and was is not ABSENT:
        # Another type is no change of a cell. What has no form in it has changed.
        with suppress(Error):
            before = cells_now(columns_now(old, schema), was)
    return {
        one.id
        for one in schema.columns
        if cbor.encode([before.get(one.name)]) != cbor.encode([row[one.name]])
        or one.name not in before
    }
