"""What is taken for conflicts, written into the working state.

    take       record                                   part of a description
    a side     the clashing fields as that side has     name, policy, dropped: that;
               them                                     others if they stand so
    a value    that value, or row                       -

Without fields the whole record is meant, deletion included. A field is written onto the
row as it stands, so edits of other fields stay; of a side without the row it is the
default of its column. Theirs of a record that broke a
constraint is all that theirs changed in it, since all of that was withheld.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import groupby, islice
from typing import Any, NamedTuple

from prolly.codec import Descriptor, cbor
from prolly.codec import key as key_codec
from prolly.datasets import missing_dataset
from prolly.errors import Error, Invalid, Unsupported
from prolly.maps import ABSENT
from prolly.merge import ConflictKind, StoredConflict
from prolly.tables import Column, MutableTable, Schema, converted

from .conflict import Side
from .conflict_view import ConflictView
from .taken_part import take_part
from .workspace import Workspace

Row = dict[str, Any]

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
    if side == "ours" and workspace.entry(dataset) is None:
        # Somebody dropped the dataset since, with all that was in conflict.
        return
    entry = _require_entry(workspace, view, dataset)
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


def _require_entry(
    workspace: Workspace, view: ConflictView, dataset: bytes
) -> Descriptor:
    """Return the dataset as it stands; NotFound when it was dropped since."""
    entry = workspace.entry(dataset)
    if entry is None:
        raise missing_dataset(view.known(dataset).name, workspace.base)
    return entry


def _take_rows(table: MutableTable, view: ConflictView, batch: Sequence[Taken]) -> None:
    """Write the rows that one side has, or their fields, into a table."""
    dataset, _, side = batch[0].group
    schema, there = table.schema, view.schema(side, dataset)
    pairs = [] if there is None else _columns_now(there, schema)
    rows: list[Row] = []
    for one in batch:
        row = view.value(side, one.stored)
        spelt = view.key_under(one.stored, schema, wanted=row is not ABSENT)
        if spelt is None:
            continue
        [key] = table.decode_keys([spelt])
        stands = table.get(key)
        if row is not ABSENT:
            cells = _cells_now(pairs, row)
            if stands is not None:
                wanted = _wanted(view, one)
                if wanted:
                    cells = {
                        column.name: cells[column.name]
                        for _, column in pairs
                        if column.id in wanted
                    }
                cells = {**stands, **cells}
            parts = zip(schema.key, _parts(key, schema), strict=True)
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
            before = _cells_now(_columns_now(old, schema), was)
    return {
        one.id
        for one in schema.columns
        if cbor.encode([before.get(one.name)]) != cbor.encode([row[one.name]])
        or one.name not in before
    }


def _columns_now(old: Schema, schema: Schema) -> list[tuple[Column, Column]]:
    """Return the columns of two schemas that are the same, old and new."""
    before = {one.id: one for one in old.columns}
    return [(before[one.id], one) for one in schema.columns if one.id in before]


def _cells_now(pairs: Sequence[tuple[Column, Column]], row: Row) -> Row:
    """Return the cells of a row under the names and types that columns have now."""
    cells = {}
    for old, new in pairs:
        value = row[old.name]
        if old.type != new.type and value is not None:
            value = _converted(old, new, value)
        cells[new.name] = value
    return cells


def _converted(old: Column, new: Column, value: Any) -> Any:
    try:
        return converted(old, new, [value])[0]
    except Error as error:
        raise Invalid(
            f"column {new.name!r} is of type {new.type} now, and the value is not: "
            f"{error.message}",
            code="settle-type",
            hint="Give a value of your own.",
            column=new.name,
            value=value,
        ) from error


def _parts(key: Any, schema: Schema) -> tuple[Any, ...]:
    return key if len(schema.key) > 1 else (key,)


def write_value(
    workspace: Workspace, view: ConflictView, stored: StoredConflict, value: Any
) -> None:
    """Write a value of the user's own for a record in conflict."""
    entry = _require_entry(workspace, view, stored.dataset)
    if entry.kind == "map":
        mapping = workspace.map(entry.name)
        key = mapping.decode_keys([stored.key])[0]
        if value is not ABSENT:
            mapping[key] = value
        elif key in mapping:
            del mapping[key]
    elif entry.kind == "table":
        table = workspace.table(entry.name)
        wanted = value is not ABSENT
        spelt = view.key_under(stored, table.schema, wanted=wanted)
        key = None if spelt is None else table.decode_keys([spelt])[0]
        if not wanted:
            if spelt is not None and key in table:
                table.delete(key)
            return
        if not isinstance(value, Mapping):
            raise Invalid(
                f"{type(value).__name__} is no row of {entry.name!r}",
                code="value-type",
                hint="Give a row, column by column; what is left out stays.",
                dataset=entry.name,
            )
        parts = dict(zip(table.schema.key, _parts(key, table.schema), strict=True))
        known = table.get(key)
        if known is None:
            known = _row_of_sides(view, stored, table.schema)
        table[key] = {**known, **parts, **value}
    elif entry.kind == "files":
        _write_file(workspace, entry, key_codec.decode_key(stored.key), value)
    elif value is ABSENT:
        workspace.drop(entry.name)
    else:
        with workspace.blob(entry.name, "wb") as blob:
            blob.write(_content(entry, value))


def _row_of_sides(view: ConflictView, stored: StoredConflict, schema: Schema) -> Row:
    """Return a record that does not stand as theirs has it, or else ours or the base.

    Empty where no side has it.
    """
    for side in ("theirs", "ours", "base"):
        there, row = view.schema(side, stored.dataset), view.value(side, stored)
        if there is not None and row is not ABSENT:
            return _cells_now(_columns_now(there, schema), row)
    return {}


def _write_file(workspace: Workspace, entry: Descriptor, path: str, value: Any) -> None:
    files = workspace.files(entry.name)
    if value is not ABSENT:
        files.write(path, _content(entry, value))
    elif path in files:
        del files[path]


def _content(entry: Descriptor, value: Any) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise Invalid(
            f"{entry.name!r} holds bytes, and {type(value).__name__} is no content",
            code="value-type",
            hint="Give bytes, or write what is to stand and settle it as it stands "
            "(`prolly resolve --keep`).",
            dataset=entry.name,
        )
    return bytes(value)
