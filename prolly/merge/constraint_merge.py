"""What merged records must keep, and whose change gives way where they do not.

Each side keeps its own constraints; both changes together may not. Then the change of
*theirs* to a record at fault is withheld: the record stands as ours has it, and is a
conflict. Where ours' own records break a constraint that theirs brought, the constraint
is left out, and is a conflict. This is repeated until nothing is at fault; it ends,
because each round takes something of theirs away, and ours alone is valid.

    check                     rows that make it false
    column without null       null in it
    index                     rows with equal cells where it is unique; cells that have
                              no place in a key
    files                     a file where another's directory is
    reference                 a row that refers to none: withheld, if theirs wrote it;
                              else the row that theirs deleted stays

Only what differs from a side that keeps a constraint is looked at, so the cost follows
the change. Which rows are withheld depends on the three versions alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

from prolly.codec import key as key_codec
from prolly.codec import shown
from prolly.errors import Invalid
from prolly.maps import ABSENT, iter_path_clashes
from prolly.tables import Check, Column, RecordCodec, Schema, index_violations
from prolly.tree import EditBuffer, diff

from .candidate import INDEX_FAULTS, Candidate, constraint_fields
from .column_merge import SIDES, SchemaConflict, Side
from .conflict_log import ConflictEntry, ConflictKind
from .findings import Found
from .merge_work import MergeWork
from .row_translation import same_values
from .schema_merge import marked
from .unique_links import LINKED_RECORDS_MAX, UniqueLinks

EQUAL_CELLS = "rows have equal cells"
# Rows decoded in one go, as columns.
BATCH_RECORDS = 2048


class Fault(NamedTuple):
    """Records, by key, that break a constraint together, or one alone."""

    what: str
    keys: tuple[bytes, ...]
    reason: str


class Withholding:
    """What one round takes back from one dataset."""

    def __init__(self, work: MergeWork, candidate: Candidate) -> None:
        self._work = work
        self._candidate = candidate
        self._edits = EditBuffer()
        self._dropped: set[str] = set()
        # The records that were withheld since somebody took these.
        self._latest: list[bytes] = []

    def blame(self, fault: Fault) -> None:
        """Withhold theirs' change to the records at fault, or the constraint.

        What breaks a constraint that is left out already is no fault.
        """
        if self.does_without(fault.what):
            return
        candidate = self._candidate
        guilty = []
        for key in fault.keys:
            if candidate.stored(key) != candidate.stored_by_ours(key):
                guilty.append(key)
        if not guilty:
            self.drop(fault.what, self._reason_in_ours(fault))
        for key in guilty:
            others = [one for one in fault.keys if one != key]
            facts = {"other_key": others[0]} if others else {}
            self.withhold(key, fault.what, fault.reason, facts)

    def _reason_in_ours(self, fault: Fault) -> str:
        """Return what is wrong, with the keys of the rows and the cells asked about."""
        candidate, schema = self._candidate, self._candidate.schema
        if schema is None or not fault.keys:
            return fault.reason
        asked = constraint_fields(schema, fault.what)
        rows = []
        for key in fault.keys:
            row = candidate.value_of(key, candidate.stored(key))
            cells = {} if row is ABSENT else row
            words = [
                f"{one.name} {shown(cells[one.name])}"
                for one in schema.columns
                if one.id in asked and one.name in cells
            ]
            rows.append(f"{shown(key_codec.decode_key(key))} ({', '.join(words)})")
        return f"{fault.reason}: {' and '.join(rows)}"

    def _withheld_fields(self, key: bytes, what: str) -> tuple[int, ...]:
        """Return the columns of a constraint, and those that give way with them."""
        candidate, schema = self._candidate, self._candidate.schema
        if schema is None or what.startswith("reference "):
            return ()
        fields = set(constraint_fields(schema, what))
        rows = [
            candidate.value_of(key, stored)
            for stored in (candidate.stored_by_ours(key), candidate.stored(key))
        ]
        if not any(row is ABSENT for row in rows):
            mine, merged = rows
            fields.update(
                one.id
                for one in schema.cell_columns
                if not same_values(mine[one.name], merged[one.name])
            )
        return tuple(sorted(fields))

    def withhold(
        self, key: bytes, what: str, reason: str, facts: dict[str, Any]
    ) -> None:
        """Let a record stand as ours has it."""
        if self._edits.find(key)[0]:
            return
        candidate = self._candidate
        self._edits.put(key, candidate.stored_by_ours(key))
        self._latest.append(key)
        candidate.withheld += 1
        fields = self._withheld_fields(key, what)
        entry = ConflictEntry(fields, reason, facts={"constraint": what, **facts})
        loses = candidate.stored(key)
        self._work.findings.record(
            candidate.identity,
            candidate.name,
            Found(ConflictKind.CONSTRAINT, key, entry),
            lambda: candidate.value_of(key, loses),
        )

    def holds_back(self, key: bytes) -> bool:
        """Tell whether a record was withheld."""
        return self._edits.find(key)[0]

    def does_without(self, what: str) -> bool:
        """Tell whether this constraint was left out."""
        return what in self._dropped

    @property
    def has_dropped(self) -> bool:
        """Tell whether a constraint was left out."""
        return bool(self._dropped)

    def take_latest(self) -> list[bytes]:
        """Return the records that were withheld since this was asked last."""
        latest, self._latest = self._latest, []
        return latest

    def drop(self, what: str, reason: str) -> None:
        """Do without a constraint that theirs brought."""
        if what not in self._dropped:
            self._dropped.add(what)
            fields = self._candidate.drop(what)
            reason = f"records of ours break it: {reason}"
            conflict = SchemaConflict(what, reason, fields)
            self._work.conflict(self._candidate.identity, conflict)

    def end(self) -> bool:
        """Take back what was withheld; tell whether there was anything."""
        found = bool(self._edits)
        if found:
            self._candidate.edit(self._edits)
        self._edits.close()
        return found or bool(self._dropped)


def settle_rules(work: MergeWork, candidate: Candidate) -> None:
    """Make a dataset keep all constraints but references, and write its indexes."""
    if not candidate.is_mixed or candidate.records is None:
        return
    while True:
        round_ = Withholding(work, candidate)
        for fault in _faults_of_records(work, candidate):
            round_.blame(fault)
        if round_.end():
            continue
        try:
            candidate.carry()
            return
        except Invalid as error:
            if error.code not in INDEX_FAULTS:
                raise
            reason = error.message
        round_ = Withholding(work, candidate)
        for fault in _faults_of_indexes(candidate):
            round_.blame(fault)
        if not round_.has_dropped and _is_kept_by_ours(work, candidate):
            _follow_clashes(round_, candidate)
        is_settled = round_.end()
        assert is_settled, reason


def _follow_clashes(round_: Withholding, candidate: Candidate) -> None:
    """Withhold what clashes with records that stand as ours again, step by step."""
    with UniqueLinks(candidate) as links:
        followed = 0
        while latest := round_.take_latest():
            followed += len(latest)
            if followed > LINKED_RECORDS_MAX:
                return
            faults = []
            for name, key, changed in links.clashes(latest):
                guilty = [one for one in changed if not round_.holds_back(one)]
                if guilty:
                    faults.append((f"index {name}", sorted({*guilty, key}), guilty))
            for what, keys, guilty in faults:
                for one in guilty:
                    other = next(known for known in keys if known != one)
                    facts = {"other_key": other}
                    round_.withhold(one, what, EQUAL_CELLS, facts)


def _is_kept_by_ours(work: MergeWork, candidate: Candidate) -> bool:
    """Tell whether records break no rule of the dataset where they are all of ours."""
    if candidate.schema is None or candidate.entry.kind != "table":
        return False
    if _kept_by(work, candidate, "ours") != _kept_by(work, candidate, None):
        return False
    names = [one.name for one in candidate.schema.indexes]
    return all(candidate.vetted(name)[0] == "ours" for name in names)


def _faults_of_records(work: MergeWork, candidate: Candidate) -> Iterator[Fault]:
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


def _faults_of_indexes(candidate: Candidate) -> Iterator[Fault]:
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
