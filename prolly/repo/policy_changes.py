"""Policies that differ between two versions of a dataset."""

from __future__ import annotations

from typing import Any, NamedTuple

from prolly.codec import Descriptor
from prolly.tables import Schema


class PolicyChange(NamedTuple):
    """A policy of one scope; ``old`` or ``new`` is ``None`` where there is none.

    ``column`` and ``prefix`` are ``None`` for all columns, or all keys.
    """

    column: str | None
    prefix: Any
    old: str | None
    new: str | None


def policy_changes(
    old: Descriptor | None, new: Descriptor | None
) -> tuple[PolicyChange, ...]:
    """Return what differs between the policies of two versions.

    Nothing where one of them is missing: then all of the dataset is new, or gone.
    """
    if old is None or new is None or old.policies == new.policies:
        return ()
    from prolly.merge import policy_rules

    schema = Schema.from_value(new.schema) if new.kind == "table" else None
    before, after = [
        {(one.column, one.prefix): one.policy for one in policy_rules(held, schema)}
        for held in (old.policies, new.policies)
    ]
    scopes = [*before, *(one for one in after if one not in before)]
    return tuple(
        PolicyChange(*scope, before.get(scope), after.get(scope))
        for scope in scopes
        if before.get(scope) != after.get(scope)
    )
