"""The rows of a table under another schema, rewritten only where they must be.

Columns are the same by their ids. A new column, a new order, another name, or a null
that is allowed from now on touch no row; a null that is not, and a new check, read them
all; a column that goes or gets another type rewrites them. The key stays the key,
though its columns may be renamed and widened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prolly.codec import cbor
from prolly.errors import Error, Invalid

from .check_rows import RowChecks
from .column import Column
from .conversion import converted, first_lossy
from .schema import Schema

Columns = Sequence[Sequence[Any]]


class SchemaChange:
    """The way from one schema to another, for a table that may have rows.

    With ``force`` values may lose something. With ``empty_text`` null becomes empty
    text where a column becomes text, or is new and text.
    """

    def __init__(
        self, old: Schema, new: Schema, *, force: bool, empty_text: bool
    ) -> None:
        self.old = old
        self.new = new
        self._force = force
        self._empty_text = empty_text
        self._before = {one.id: one for one in old.columns}
        self._after = {one.id: one for one in new.columns}
        self._refuse_other_key()
        self._refuse_other_fills()
        self._places = {one.id: place for place, one in enumerate(old.columns)}
        self._checks = RowChecks(new, self._new_checks())

    def _refuse_other_key(self) -> None:
        before = [one.id for one in self.old.key_columns]
        if before != [one.id for one in self.new.key_columns]:
            raise key_change(self.old.key)

    def _refuse_other_fills(self) -> None:
        for column in self.new.columns:
            before = self._before.get(column.id)
            if before is None or before.type != column.type:
                continue
            if cbor.encode(before.fill) != cbor.encode(column.fill):
                raise Invalid(
                    f"the fill of column {column.name!r} would change",
                    code="fill-change",
                    hint="A fill never changes; add another column.",
                    column=column.name,
                )

    def _new_checks(self) -> list[Any]:
        """Return the checks that rows were not tested by yet."""
        retyped = {one.name for one in self._retyped()}
        names = {one.id: one.name for one in self.new.columns}
        known = []
        for check in self.old.checks:
            predicate = check.predicate
            marks = {one.name: f"\n{one.id}" for one in self.old.columns}
            for name in predicate.columns:
                predicate = predicate.renamed(name, marks[name])
            for number, name in names.items():
                predicate = predicate.renamed(f"\n{number}", name)
            known.append(predicate)
        return [
            check
            for check in self.new.checks
            if check.predicate not in known or check.predicate.columns & retyped
        ]

    def _retyped(self) -> list[Column]:
        return [
            one
            for one in self.new.columns
            if one.id in self._before and self._before[one.id].type != one.type
        ]

    @property
    def dropped(self) -> list[Column]:
        """The columns that go."""
        return [one for one in self.old.columns if one.id not in self._after]

    @property
    def added(self) -> list[Column]:
        """The columns that are new."""
        return [one for one in self.new.columns if one.id not in self._before]

    @property
    def rewrites(self) -> bool:
        """Tell whether stored rows change."""
        if self._empty_text and any(one.type == "text" for one in self.added):
            return True
        stood = [(one.id, one.slot) for one in self.old.cell_columns]
        stands = [(one.id, one.slot) for one in self.new.cell_columns]
        return bool(self._retyped()) or stands[: len(stood)] != stood

    @property
    def reads(self) -> bool:
        """Tell whether the rows must be looked at."""
        return self.rewrites or bool(self._narrowed()) or bool(self._checks)

    def _narrowed(self) -> list[Column]:
        return [
            one
            for one in self.new.columns
            if not one.nullable
            and one.id in self._before
            and self._before[one.id].nullable
        ]

    def refuse_gaps(self) -> None:
        """Raise Invalid ``missing-column`` for a new column that rows cannot have."""
        for column in self.added:
            is_filled = self._empty_text and column.type == "text"
            if not column.has_default and not is_filled:
                raise Invalid(
                    f"the new column {column.name!r} is not nullable and has no fill, "
                    "and there are rows",
                    code="missing-column",
                    hint="Give it a fill, which those rows then have, or make it "
                    "nullable.",
                    column=column.name,
                )

    def turned(self, columns: Columns) -> list[Sequence[Any]]:
        """Return a batch of rows, given as columns, under the new schema.

        Raises Invalid ``alter-loses-data`` or ``schema-violation`` (``key``,
        ``column``, ``value``), ``check-violation``.
        """
        size = len(columns[0])
        if not self._force:
            self._refuse_dropping(columns)
        turned: list[Sequence[Any]] = []
        for column in self.new.columns:
            before = self._before.get(column.id)
            if before is None:
                turned.append([self._absent(column)] * size)
            else:
                turned.append(self._convert(before, column, columns))
        found = self._checks.first_violation(turned)
        if found is not None:
            raise found[1]
        return turned

    def _absent(self, column: Column) -> Any:
        is_empty = self._empty_text and column.type == "text" and column.fill is None
        return "" if is_empty else column.fill

    def _refuse_dropping(self, columns: Columns) -> None:
        for column in self.dropped:
            values = columns[self._places[column.id]]
            for place, value in enumerate(values):
                if value is not None and value != column.fill:
                    raise self._refuse(
                        (columns, place),
                        column,
                        (value, "it would be dropped with its column"),
                        "alter-loses-data",
                    )

    def _convert(self, old: Column, new: Column, columns: Columns) -> Sequence[Any]:
        values = columns[self._places[old.id]]
        try:
            now = converted(old, new, values)
        except Error:
            raise self._misfit(old, new, columns) from None
        if self._empty_text and new.type == "text" != old.type and None in now:
            now = ["" if one is None else one for one in now]
        if not new.nullable and old.nullable and None in now:
            at = columns, list(now).index(None)
            reason = None, "it is null, and the column not nullable any more"
            raise self._refuse(at, new, reason, "schema-violation")
        place = None if self._force else first_lossy(old, new, values, now)
        if place is not None:
            reason = values[place], f"it would become {now[place]!r}"
            raise self._refuse((columns, place), new, reason, "alter-loses-data")
        return now

    def _misfit(self, old: Column, new: Column, columns: Columns) -> Invalid:
        """Return the error for the first value of a batch that does not convert."""
        for place, value in enumerate(columns[self._places[old.id]]):
            try:
                converted(old, new, [value])
            except Error as error:
                reason = value, error.message
                return self._refuse((columns, place), new, reason, "schema-violation")
        raise AssertionError("a column was refused, and each of its values is fine")

    def _refuse(
        self,
        at: tuple[Columns, int],
        column: Column,
        fault: tuple[Any, str],
        code: str,
    ) -> Invalid:
        columns, place = at
        places = [self._places[one.id] for one in self.old.key_columns]
        parts = tuple([columns[one][place] for one in places])
        key = parts if len(parts) > 1 else parts[0]
        value, reason = fault
        facts: dict[str, Any] = {"key": key, "column": column.name, "value": value}
        hint = "Change the value first, or choose a wider type."
        if code == "alter-loses-data":
            hint = "Force it if that is meant."
            heir = self._heir(column)
            if heir is not None:
                facts["renamed"] = heir.name
                hint = (
                    f"If {heir.name!r} is its new name, say so: `rename_column`, or "
                    f'"was": {column.name!r} in a schema. Forced, its values are lost.'
                )
        return Invalid(
            f"row {key!r}, column {column.name!r}: {reason}",
            code=code,
            hint=hint,
            **facts,
        )

    def _heir(self, gone: Column) -> Column | None:
        """Return the new column that may be a dropped one under another name."""
        if gone.id in self._after:
            return None
        added = [one for one in self.added if one.name not in self.new.key]
        # The same type says more than the same place.
        place = self._places[gone.id]
        after = {one.id: at for at, one in enumerate(self.new.columns)}
        added.sort(key=lambda one: (one.type != gone.type, abs(after[one.id] - place)))
        return added[0] if added else None


def key_change(key: Sequence[str]) -> Invalid:
    """Return (not raise) the error for another key than the table has."""
    return Invalid(
        f"the key of the table is {', '.join(key)}",
        code="key-change",
        hint='The key stays: say "was" of a renamed column of it, or import into a new '
        "table to choose another.",
    )
