"""Rows of a table as resolvers see them, and the rows that they answer.

An answer must be a row of the table under the same key: every column that is no key
column, none that the table does not have, each cell of its column's type. Anything else
leaves the conflict, with the reason.
"""

from __future__ import annotations

from typing import Any, cast

from prolly.codec import cbor
from prolly.errors import Error, Invalid
from prolly.maps import ABSENT
from prolly.tables import Column, RecordCodec, Schema, column_type
from prolly.tree import Both

from .clash import Clash, reason_of, shortened, storable
from .merged_row import CellAccess, MergedRow
from .terms import Terms
from .values import UNRESOLVED, Outcome


class RowAnswers:
    """Who is asked about rows of one table, and what comes of the answers."""

    def __init__(self, terms: Terms, schema: Schema, access: CellAccess) -> None:
        self._terms = terms
        self._schema = schema
        self._codec = RecordCodec(schema)
        self._access = access

    def ask(self, both: Both, merged: MergedRow | None) -> Outcome:
        """Ask the resolver of the record's policy, then ``resolve=``.

        The value of the outcome is what is to be stored, None for nothing, or
        ``UNRESOLVED`` with the reasons of those that were asked. ``merged`` is None for
        a row that one side deleted.
        """
        return self._terms.answer(
            self._terms.policies.of(both.key),
            lambda: self._clash(both, merged),
            lambda outcome: self._storable(both, outcome),
        )

    def user_key(self, both: Both) -> Any:
        """Return the key of a record as people give it."""
        return self._codec.decode_keys([both.key])[0]

    def _clash(self, both: Both, merged: MergedRow | None) -> Clash:
        base, ours, theirs = [
            cast("Any", ABSENT)
            if stored is None
            else self._codec.decode_row(both.key, stored, self._terms.read)
            for stored in both[1:]
        ]
        standing: Any = ours
        fields: list[str] = []
        if merged is not None:
            names = [column.name for column in self._schema.cell_columns]
            cells = map(self._access.load, merged.cells)
            standing = {**ours, **dict(zip(names, cells, strict=True))}
            fields = [names[slot] for slot in merged.open]
        return Clash(
            self._terms.dataset,
            self.user_key(both),
            base,
            ours,
            theirs,
            fields=tuple(fields),
            merged=standing,
            snapshots=self._terms.snapshots,
        )

    def _storable(self, both: Both, outcome: Outcome) -> Outcome:
        """Return the outcome with what a leaf stores in place of a row."""
        if outcome.value is UNRESOLVED:
            return outcome
        if outcome.value is ABSENT:
            return Outcome(None)
        return storable(lambda: self._stored(both, outcome.value))

    def _stored(self, both: Both, answer: Any) -> Outcome:
        cells = self._cells_of(both, answer)
        if isinstance(cells, str):
            return Outcome(UNRESOLVED, shortened(cells))
        return Outcome(self._access.encode(cells))

    def _cells_of(self, both: Both, answer: Any) -> list[Any] | str:
        """Return the cells of a row that a resolver gave, or what is wrong with it."""
        if not isinstance(answer, dict):
            return "the answer is no row, ABSENT or UNRESOLVED"
        unknown = [name for name in answer if name not in self._schema.by_name]
        if unknown:
            return f"the row has column {unknown[0]!r}, which the table has not"
        if not self._has_key(both, answer):
            return "the row has another key"
        cells = []
        for column in self._schema.cell_columns:
            if column.name not in answer:
                return f"the row lacks column {column.name!r}"
            outcome = fitted(column, answer[column.name])
            if outcome.value is UNRESOLVED:
                return outcome.reason
            cells.append(outcome.value)
        return cells

    def _has_key(self, both: Both, answer: dict[Any, Any]) -> bool:
        """Tell whether the key columns that a row names are those of the record."""
        key = self.user_key(both)
        parts = key if len(self._schema.key) > 1 else (key,)
        known = dict(zip(self._schema.key, parts, strict=True))
        given = {name: answer.get(name, part) for name, part in known.items()}
        try:
            return self._codec.encode_key(self._codec.key_of(given)) == both.key
        except Error:
            return False


def fitted(column: Column, value: Any) -> Outcome:
    """Return a value as a column holds it, or ``UNRESOLVED`` where it cannot."""
    if value is None and column.nullable:
        return Outcome(None)
    try:
        if value is None:
            raise Invalid("it is not nullable", hint="Give a value.")
        held = column_type(column.type).check(value)
        # Within an array, as in its row: a level of nesting less than a value has.
        cbor.encode([held])
        return Outcome(held)
    except Exception as error:
        # The value may be an object of the application, whose methods raise anything.
        told = str(error) if isinstance(error, Error) else reason_of(error)
        return Outcome(UNRESOLVED, shortened(f"column {column.name!r}: {told}"))
