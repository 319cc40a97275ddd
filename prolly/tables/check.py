"""Checks: predicates that no row of a table may make false.

As a plain value ``[ name, predicate ]``, as JSON ``{"name": ..., "where": text}``. Most
tables have none, and whoever opens one of those does not load this module. Page:
docs/spec/tables.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from prolly.codec import cbor
from prolly.errors import Invalid

from .column import Column, bad_schema_json, check_name, refuse_schema
from .constraints import fields_of_form
from .predicate import Predicate, predicate_of_value
from .predicate_text import Where, as_predicate, format_predicate


@dataclass(frozen=True, slots=True)
class Check:
    """A predicate that no row may make false; a null passes, as in SQL."""

    name: str
    predicate: Predicate

    def to_value(self) -> list[Any]:
        """Return the plain value."""
        return [self.name, self.predicate.to_value()]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object; the predicate is text."""
        return {"name": self.name, "where": format_predicate(self.predicate)}

    def renamed(self, old: str, new: str) -> Check:
        """Return the check with a column's new name."""
        return replace(self, predicate=self.predicate.renamed(old, new))

    def check(self, columns: Mapping[str, Column]) -> None:
        """Raise Invalid ``schema`` or ``predicate`` unless it fits these columns."""
        check_name(self.name)
        value = cbor.encode(self.predicate.to_value())
        if cbor.encode(self.predicate.bound(columns).to_value()) != value:
            refuse_schema(
                f"check {self.name!r}: a literal is not of its column's type",
                "Use Schema.create.",
            )


def check_of_value(value: Any) -> Check:
    """Return the check of a plain value; Invalid or TypeError when it is none."""
    name, predicate = value
    return Check(name, predicate_of_value(predicate))


def check_of_json(form: object) -> Check:
    """Return the check of a JSON object, not bound yet; Invalid as for an index."""
    fields = fields_of_form("a check", form, ("name", "where"), ())
    where = fields["where"]
    if not isinstance(where, str):
        raise bad_schema_json("the predicate of a check is text")
    return Check(fields["name"], as_predicate(where))


def bound_checks(
    checks: Iterable[Check], columns: Iterable[Column]
) -> tuple[Check, ...]:
    """Return checks with literals of their columns' types; Invalid ``predicate``."""
    named = {one.name: one for one in columns}
    return tuple([_bound_check(one, named) for one in checks])


def _bound_check(check: Check, columns: Mapping[str, Column]) -> Check:
    """Return a check with literals of its columns' types.

    Raises Invalid ``predicate``, which names the check.
    """
    try:
        return replace(check, predicate=check.predicate.bound(columns))
    except Invalid as error:
        raise Invalid(
            f"check {check.name!r}: {error.message}",
            code=error.code,
            hint=error.hint,
            **{**error.facts, "check": check.name},
        ) from error


def unbound_check(check: Check) -> Check:
    """Return a check as its text says it, to be bound to columns of other types."""
    try:
        return replace(check, predicate=as_predicate(format_predicate(check.predicate)))
    except Invalid:
        # It has joints without parts, which text has not, and literals that may fit.
        return check


def made_check(name: str, where: Where) -> Check:
    """Return a check of a predicate in any form, not bound yet."""
    check_name(name)
    return Check(name, as_predicate(where))
