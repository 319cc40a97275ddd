"""Policies as people give and see them: refused where they could settle nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from prolly.codec import hidden_mark, shown
from prolly.codec import key as key_codec
from prolly.errors import Invalid
from prolly.tables import Column, RecordCodec, Schema

from .policies import (
    APP_PREFIX,
    POLICIES,
    WHOLE_POLICIES,
    Scope,
    is_policy,
    is_whole,
    parsed_policies,
)

# The types of columns whose cells a policy can merge; all others take any type.
_TYPES = {
    "counter": ("int", "decimal", "json"),
    "set": ("json",),
    "set:add-wins": ("json",),
    "map": ("json",),
    "text": ("text", "json"),
    "text:characters": ("text", "json"),
}


class PolicyRule(NamedTuple):
    """One policy as people see it: name of the column and prefix, or None for all."""

    column: str | None
    prefix: Any
    policy: str


def check_policy(
    policy: str,
    kind: str,
    schema: Schema | None = None,
    *,
    column: str | None = None,
    prefix: Any = None,
) -> str:
    """Return the scope, as text, under which a policy is to stand in the descriptor.

    ``column`` is a name; ``prefix`` is one that the dataset's mapping takes, text or
    bytes for the beginning of a first part, a tuple for whole parts. Raises Invalid:
    ``unknown-policy``; ``policy-scope`` for a column or prefix that the kind does not
    have, or a key column; ``policy-type`` for a policy that cannot merge what is in the
    scope; ``unknown-column``, and as the mapping for the prefix.
    """
    check_new_policy_name(policy)
    start = b"" if prefix is None else _encoded_prefix(kind, schema, prefix)
    if column is None:
        _require_mergeable(policy, kind, schema.cell_columns if schema else ())
        return str(Scope(None, start))
    if kind != "table" or schema is None:
        raise _bad_scope(f"a dataset of kind {kind} has no columns", "Leave it out.")
    found = schema.column(column)
    if found.name in schema.key:
        raise _bad_scope(
            f"{column!r} is a key column, which is never in conflict",
            "Name another column.",
        )
    _require_mergeable(policy, kind, (found,))
    return str(Scope(found.id, start))


def check_policy_name(policy: object) -> None:
    """Raise Invalid ``unknown-policy`` for what names no policy.

    Whether there is a resolver of that name shows when it is needed.
    """
    if not is_policy(policy):
        raise Invalid(
            f"there is no policy {shown(policy)}",
            code="unknown-policy",
            hint=f"The policies are {', '.join(POLICIES)}, and {APP_PREFIX}NAME for a "
            "resolver of the application.",
            policy=policy,
        )


def check_new_policy_name(policy: str) -> None:
    """Raise Invalid ``unknown-policy`` as above, and for marks that nobody sees.

    With them the names of two resolvers look equal. What a dataset has already stays.
    """
    check_policy_name(policy)
    mark = hidden_mark(policy)
    if mark:
        raise Invalid(
            f"the policy {shown(policy)} contains {mark}, which nobody sees",
            code="unknown-policy",
            hint="Call the resolver by letters, digits, '-' and '_'.",
            policy=policy,
        )


def policy_rules(
    policies: Mapping[str, Any], schema: Schema | None = None
) -> Iterator[PolicyRule]:
    """Yield the policies of a descriptor as people give them, those of records first.

    A column that the table has no more is named by the digits of its id. Raises Corrupt
    ``policies``.
    """
    names = {one.id: one.name for one in schema.columns} if schema else {}
    for scope, policy in sorted(parsed_policies(policies), key=_display_order):
        column = None
        if scope.column_id is not None:
            column = names.get(scope.column_id, f"{scope.column_id:08x}")
        prefix = _decoded_prefix(scope.prefix) if scope.prefix else None
        yield PolicyRule(column, prefix, policy)


def _display_order(rule: tuple[Scope, str]) -> tuple[int, bytes]:
    column_id = rule[0].column_id
    return -1 if column_id is None else column_id, rule[0].prefix


def _decoded_prefix(prefix: bytes) -> Any:
    """Return what a user gives for a prefix: text or bytes, or a tuple of parts."""
    if is_whole(prefix):
        return key_codec.decode(prefix)
    return key_codec.decode(prefix + b"\0")[0]


def _encoded_prefix(kind: str, schema: Schema | None, prefix: Any) -> bytes:
    if kind == "blob":
        raise _bad_scope("a dataset of kind blob has no keys", "Leave it out.")
    if kind == "files" and type(prefix) is not str:
        raise _bad_scope("a path is text", "Give the beginning of paths.")
    if kind == "table" and schema is not None:
        return RecordCodec(schema).encode_prefix(prefix)[0]
    return key_codec.prefix_range(prefix)[0]


def _require_mergeable(policy: str, kind: str, columns: tuple[Column, ...]) -> None:
    """Raise Invalid ``policy-type`` where a policy could never settle anything."""
    if policy in WHOLE_POLICIES or policy.startswith(APP_PREFIX):
        return
    if kind in ("files", "blob"):
        raise Invalid(
            f"{policy} cannot merge a file, which is taken whole",
            code="policy-type",
            hint=f"Use one of {', '.join(sorted(WHOLE_POLICIES))}.",
            policy=policy,
        )
    wanted = _TYPES.get(policy)
    for column in columns:
        if wanted is not None and column.type not in wanted:
            raise Invalid(
                f"{policy} cannot merge column {column.name!r} of type {column.type}",
                code="policy-type",
                hint=f"It takes columns of {', '.join(wanted)}; name one of these.",
                policy=policy,
                column=column.name,
            )


def _bad_scope(problem: str, hint: str) -> Invalid:
    return Invalid(problem, code="policy-scope", hint=hint)
