"""Rows against the checks of their schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from prolly.errors import Invalid

from .column import cell_text

if TYPE_CHECKING:
    from .check import Check
    from .predicate_filter import Filter
    from .schema import Schema


class RowChecks:
    """The checks of a schema, or some of them, over batches of columns."""

    def __init__(self, schema: Schema, checks: Sequence[Check]) -> None:
        self._schema = schema
        self._filters: list[tuple[Check, Filter]] = []
        if checks:
            # Predicates are felt in a start, and few tables have any.
            from .predicate_filter import Filter

            names = schema.names
            self._filters = [(one, Filter(one.predicate, names)) for one in checks]

    def __bool__(self) -> bool:
        return bool(self._filters)

    def first_violation(
        self, columns: Sequence[Sequence[Any]]
    ) -> tuple[int, Invalid] | None:
        """Return the place of a row that makes a check false, and the error for it.

        Invalid ``check-violation`` with ``check``, ``columns`` and the row's ``key``.
        """
        size = len(columns[0]) if columns else 0
        for check, tested in self._filters:
            mask = tested.mask(columns, size)
            if False in mask:
                place = mask.index(False)
                return place, self._violation(check, columns, place)
        return None

    def violations(
        self, columns: Sequence[Sequence[Any]]
    ) -> Iterator[tuple[int, Check]]:
        """Yield the place of each row that makes a check false, and the check."""
        size = len(columns[0]) if columns else 0
        for check, tested in self._filters:
            mask = tested.mask(columns, size)
            if False in mask:
                for place, one in enumerate(mask):
                    if one is False:
                        yield place, check

    def _violation(
        self, check: Check, columns: Sequence[Sequence[Any]], place: int
    ) -> Invalid:
        from .predicate_text import format_predicate

        names = self._schema.names
        row = {name: column[place] for name, column in zip(names, columns, strict=True)}
        parts = tuple([row[name] for name in self._schema.key])
        key = parts if len(parts) > 1 else parts[0]
        asked = [name for name in names if name in check.predicate.columns]
        cells = [
            f"{name} = {cell_text(self._schema.column(name), row[name])}"
            for name in asked
        ]
        shown = ", ".join(cells)
        return Invalid(
            f"row {key!r} ({shown}) breaks check {check.name!r}",
            code="check-violation",
            hint=f"It must hold that {format_predicate(check.predicate)}.",
            check=check.name,
            columns=tuple(asked),
            key=key,
        )
