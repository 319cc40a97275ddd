"""A sheet of conflicts that came back, read line by line, and settled as it says.

What a sheet looks like is told in ``conflict_sheet``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, groupby
from typing import NamedTuple

from prolly.errors import Error, Invalid
from prolly.repo import CHOICES, SIDES, Choice, Conflict, Conflicts, Kind, Take

from .byte_source import Place
from .conflict_cells import OWN_VALUE, Line, Speller
from .conflict_sheet import COLUMNS, sheet_fields
from .plain_files import open_table

KINDS: dict[str, Kind] = {
    "record": "record",
    "schema": "schema",
    "constraint": "constraint",
}
TAKES = ("ours", "theirs", "base", "keep", OWN_VALUE)
TAKEN: dict[str, Choice] = {one: one for one in CHOICES}


def import_conflicts(
    conflicts: Conflicts,
    place: Place,
    *,
    before_writing: Callable[[], object] = lambda: None,
    on_empty: Callable[[int], object] = lambda lines: None,
) -> int:
    """Settle what a sheet says; return how many of its lines took something.

    All of it or nothing. ``on_empty`` is told how many of these lines take a value and
    give none, which is null for a field and deletes a record. Raises Invalid
    ``conflict-sheet`` (``line``) for a line that is doubled, names no conflict, holds a
    base, ours or theirs that is not that of the conflict, an unknown take or a value
    that does not fit, and for an open conflict without a line; Invalid ``no-merge``;
    as reading a CSV file does, and as settling does, then with the line in front.
    """
    sheet = _Sheet(conflicts, place)
    takes = list(sheet.takes())
    sheet.require_whole()
    before_writing()
    if sheet.empty:
        on_empty(sheet.empty)
    if takes:
        try:
            conflicts.settle_each(sheet.told(takes))
        except Error as error:
            raise sheet.placed(error) from error
    return len(takes)


class _Told(NamedTuple):
    """What one line says, or several of one record."""

    name: Line
    take: Take


def _by_record(lines: list[_Told]) -> Iterator[_Told]:
    """Yield the fields of a record together that take one thing, where they stand so.

    A take writes a row, and a row of a thousand fields has as many lines.
    """
    for _, of_record in groupby(lines, lambda one: one.name[:3]):
        groups: dict[tuple[Choice | None, bool], list[_Told]] = {}
        for one in of_record:
            what = one.take.side, bool(one.take.fields)
            groups.setdefault(what, []).append(one)
        yield from map(_together, groups.values())


def _together(lines: list[_Told]) -> _Told:
    first = lines[0]
    if len(lines) == 1:
        return first
    takes = [one.take for one in lines]
    fields = tuple(chain.from_iterable(one.fields for one in takes))
    value = first.take.value
    if first.take.side is None:
        value = {name: cell for one in takes for name, cell in one.value.items()}
    return first._replace(take=first.take._replace(fields=fields, value=value))


class _Sheet:
    """A sheet as it is read, line by line."""

    def __init__(self, conflicts: Conflicts, place: Place) -> None:
        self._conflicts = conflicts
        self._place = place
        self._spellers: dict[str, Speller] = {}
        self._lines: dict[Line, int] = {}
        self._line = 0
        self.empty = 0
        self._name: Line | None = None
        self._last: tuple[tuple[str, str, str], Conflict] | None = None

    def takes(self) -> Iterator[_Told]:
        """Yield what is to stand for the lines that say it."""
        self._conflicts.require_merge()
        with open_table(self._place, "csv") as source:
            if not set(COLUMNS) <= set(source.columns):
                raise Invalid(
                    f"{source.files[0].name}: the columns of a sheet of conflicts are "
                    f"{', '.join(COLUMNS)}",
                    code="conflict-sheet",
                    hint="Export the conflicts once more, fill in that sheet, and "
                    "save it with commas between its cells.",
                    line=1,
                )
            for batch in source.iter_batches():
                for line, cells in zip(batch.lines, batch.rows, strict=True):
                    if not any(cells):
                        # Spreadsheets leave such lines where somebody emptied one.
                        continue
                    self._line = line
                    row = dict(zip(source.columns, cells, strict=True))
                    told = self._told(row)
                    if told is not None:
                        yield told

    def _told(self, row: dict[str, str]) -> _Told | None:
        name, conflict = self._found(row)
        speller = self._spellers[name.dataset]
        if name in self._lines:
            raise self._fault(f"it stands on line {self._lines[name]} already")
        self._lines[name] = self._line
        expected = speller.cells(conflict, name.field)
        for side, cell in zip(SIDES, expected, strict=True):
            if row[side] != cell:
                raise self._fault(
                    f"{side} is {row[side]!r} here and {cell!r} in the merge",
                    hint="The merge may be another one than the sheet was exported "
                    "from, or a program changed the cell: export it once more.",
                )
        take = self._wanted(row, conflict, name.field)
        return None if take is None else _Told(name, take)

    def _found(self, row: dict[str, str]) -> tuple[Line, Conflict]:
        conflict, field = self._conflict(row), row["field"]
        if field not in (*sheet_fields(conflict), *conflict.settled_fields):
            raise self._fault(
                f"the field {field!r} of {row['key']} of {conflict.dataset!r} is not "
                "in conflict"
            )
        return self._spellers[conflict.dataset].name(conflict, field), conflict

    def _conflict(self, row: dict[str, str]) -> Conflict:
        """Return what a line is about; read once for the lines of one record."""
        dataset, kind = row["dataset"], row["kind"]
        place = dataset, kind, row["key"]
        if self._last is not None and self._last[0] == place:
            return self._last[1]
        if dataset not in self._spellers:
            if dataset not in self._conflicts.dataset_names():
                raise self._fault(f"nothing of {dataset!r} is in conflict")
            self._spellers[dataset] = Speller(self._conflicts, dataset)
        speller = self._spellers[dataset]
        known = KINDS.get(kind)
        if known is None:
            raise self._fault(f"there is no kind {kind!r} of conflict")
        try:
            key = speller.key(kind, row["key"])
            found = self._conflicts.find(dataset, key, known)
        except (Error, ValueError, RecursionError) as error:
            problem = error.message if isinstance(error, Error) else str(error)
            raise self._fault(f"{row['key']} is no key: {problem}") from error
        if not found:
            raise self._fault(f"{row['key']} of {dataset!r} is not in conflict")
        self._last = place, found[0]
        return found[0]

    def _wanted(
        self, row: dict[str, str], conflict: Conflict, field: str
    ) -> Take | None:
        take = row["take"].strip().lower()
        if not take:
            if row["value"]:
                raise self._fault(
                    "a value and no take", hint="Write value under take, too."
                )
            return None
        if take not in TAKES:
            raise self._fault(
                f"there is nothing to take that is called {take!r}",
                hint=f"Write one of {', '.join(TAKES)}, or nothing.",
            )
        if take != OWN_VALUE and row["value"]:
            raise self._fault(f"a value beside {take}", hint="Leave one of them out.")
        fields = (field,) if field else ()
        name = conflict.dataset, conflict.key
        if take != OWN_VALUE:
            return Take(*name, TAKEN[take], fields, kind=conflict.kind)
        if conflict.kind == "schema":
            raise self._fault("a part of a description takes no value")
        speller = self._spellers[conflict.dataset]
        try:
            value = speller.value(row["value"], field)
        except (Error, ValueError, RecursionError) as error:
            problem = error.message if isinstance(error, Error) else str(error)
            hint = "Correct the line; nothing was settled."
            if speller.is_json(field):
                hint += ' Text in a json column stands in quotes twice: "\\"dark\\"".'
            raise self._fault(f"the value: {problem}", hint) from error
        self.empty += not row["value"]
        return Take(*name, None, fields, value, conflict.kind)

    def require_whole(self) -> None:
        """Refuse a sheet that lacks a line for something that is open."""
        for conflict in self._conflicts.of():
            speller = self._spellers.get(conflict.dataset)
            if speller is None:
                speller = Speller(self._conflicts, conflict.dataset)
                self._spellers[conflict.dataset] = speller
            for field in sheet_fields(conflict):
                name = speller.name(conflict, field)
                if name not in self._lines:
                    where = f"{field} of " if field else ""
                    raise Invalid(
                        f"the sheet has no line for {where}{name.key} of "
                        f"{name.dataset!r}, which is in conflict",
                        code="conflict-sheet",
                        hint="Keep all lines: without a take they stay open.",
                        dataset=name.dataset,
                    )

    def told(self, lines: list[_Told]) -> Iterator[Take]:
        """Yield the takes, remembering on which line each stands."""
        for name, take in _by_record(lines):
            self._name = name
            yield take
        self._name = None

    def placed(self, error: Error) -> Error:
        """Return an error of settling with the line that it came of, if one did."""
        if self._name is None:
            return error
        # Of a record with a line for each field that of the field, if one is at fault.
        field = self._name._replace(field=str(error.facts.get("column", "")))
        line = self._lines.get(field, self._lines[self._name])
        facts = {**error.facts, "line": line}
        message = f"line {line}: {error.message}"
        return type(error)(message, code=error.code, hint=error.hint, **facts)

    def _fault(
        self, problem: str, hint: str = "Correct the line; nothing was settled."
    ) -> Invalid:
        return Invalid(
            f"line {self._line}: {problem}",
            code="conflict-sheet",
            hint=hint,
            line=self._line,
        )
