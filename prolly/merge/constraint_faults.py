"""Which merged records break a constraint of their dataset, but for references.

Only what differs from a side that keeps a constraint is looked at, so the cost follows
the change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

from prolly.maps import iter_path_clashes
from prolly.tables import Check, Column, RecordCodec, Schema, index_violations
from prolly.tree import diff

from .candidate import Candidate
from .column_merge import SIDES, Side
from .merge_work import MergeWork
from .schema_merge import marked
from .translation import BATCH_RECORDS

EQUAL_CELLS = "rows have equal cells"


class Fault(NamedTuple):
    """Records, by key, that break a constraint together, or one alone."""

    what: str
    keys: tuple[bytes, ...]
    reason: str


def faults_of_records(work: MergeWork, candidate: Candidate) -> Iterator[Fault]:
    if candidate.entry.kind == "files":
        yield from _path_clashes(candidate)
    if candidate.schema is None or candidate.schema.is_unknown:
        return
    schema = candidate.schema
    kept: set[str] = set()
    for side in (*SIDES, None):
        checks, columns = _kept_by(work, candidate, side)
        names = {f"check {one.name}" for one in checks}
        checks = [one for one in checks if f"check {one.name}" not in kept]
        columns = [one for one in columns if f"column {one.name}" not in kept]
        kept |= names | {f"column {one.name}" for one in columns}
        if checks or columns:
            start = None if side is None else candidate.side(side)
            part = replace(schema, checks=tuple(checks))
            yield from _faulty_rows(candidate, start, part, columns)


def _kept_by(
    work: MergeWork, candidate: Candidate, side: Side | None
) -> tuple[list[Check], list[Column]]:
    """Return the checks, and the columns without null, that a side kept itself.

    Columns that no version allowed a null in need no look. For None all that there are.
    """
    assert candidate.schema is not None
    schema = candidate.schema
    suspects = [one for one in schema.cell_columns if not one.nullable]
    suspects = [one for one in suspects if not _never_null(work, candidate, one)]
    if side is None:
        return list(schema.checks), suspects
    own = candidate.side_schema(side)
    if own is None or own.is_unknown or side in candidate.unvetted:
        return [], []
    forms = {one.name: _check_form(own, one) for one in own.checks}
    checks = [
        one for one in schema.checks if forms.get(one.name) == _check_form(schema, one)
    ]
    by_id = {one.id: one for one in own.columns}
    columns = [
        one for one in suspects if one.id in by_id and not by_id[one.id].nullable
    ]
    return checks, columns


def _never_null(work: MergeWork, candidate: Candidate, column: Column) -> bool:
    """Tell whether no version of a column could hold a null."""
    if work.rules.on_conflict == "base" or candidate.unvetted:
        return False
    for side in SIDES:
        own = candidate.side_schema(side)
        known = {one.id: one for one in own.columns} if own is not None else {}
        if column.id not in known or known[column.id].nullable:
            return False
    return True


def _check_form(schema: Schema, check: Check) -> tuple[Any, ...]:
    ids = {one.name: one.id for one in schema.columns}
    asked = sorted([schema.column(one).id for one in check.predicate.columns])
    types = {one.id: one.type for one in schema.columns}
    return marked(check.predicate, ids), [(one, types[one]) for one in asked]


def _faulty_rows(
    candidate: Candidate,
    start: bytes | None,
    schema: Schema,
    columns: Sequence[Column],
) -> Iterator[Fault]:
    """Yield the rows that differ from ``start`` and break a check or hold a null."""
    reader = candidate.trees.reader
    codec = RecordCodec(schema)
    places = {one.name: schema.names.index(one.name) for one in columns}
    new = (
        (key, stored)
        for key, _, stored in diff(reader, start, _root(candidate))
        if stored is not None
    )
    while batch := list(islice(new, BATCH_RECORDS)):
        keys, values = map(list, zip(*batch, strict=True))
        cells = codec.decode_columns(keys, values, reader.get_chunk)
        for place, check in schema.row_checks.violations(cells):
            what = f"check {check.name}"
            yield Fault(what, (keys[place],), f"{what} is false for the row")
        for name, column in places.items():
            for place, cell in enumerate(cells[column]):
                if cell is None:
                    yield Fault(f"column {name}", (keys[place],), "null is not allowed")


def _root(candidate: Candidate) -> bytes:
    assert candidate.records is not None
    return candidate.records


def faults_of_indexes(candidate: Candidate) -> Iterator[Fault]:
    assert candidate.schema is not None
    schema, reader = candidate.schema, candidate.trees.reader
    for index in schema.indexes:
        _, vetted = candidate.vetted(index.name)
        for found in index_violations(reader, schema, index, _root(candidate), vetted):
            reason = found.reason or EQUAL_CELLS
            yield Fault(f"index {index.name}", found.keys, reason)


def _path_clashes(candidate: Candidate) -> Iterator[Fault]:
    """Yield files that would stand where another file's directory is."""
    reader, root = candidate.trees.reader, _root(candidate)
    for key, clashing in iter_path_clashes(reader, candidate.side("ours"), root):
        reason = "a file stands where another's directory is"
        yield Fault("path", (key, *clashing), reason)


def is_kept_by_ours(work: MergeWork, candidate: Candidate) -> bool:
    """Tell whether records break no rule of the dataset where they are all of ours."""
    if candidate.schema is None or candidate.entry.kind != "table":
        return False
    if _kept_by(work, candidate, "ours") != _kept_by(work, candidate, None):
        return False
    names = [one.name for one in candidate.schema.indexes]
    return all(candidate.vetted(name)[0] == "ours" for name in names)
