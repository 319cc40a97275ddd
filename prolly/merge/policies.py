"""Policies: how a dataset wants clashes settled, as its descriptor holds it.

    policies   { scope: policy }                 text to text, in the descriptor
    scope      "COLUMN/PREFIX"                   "/" is the dataset's default
    COLUMN     empty, or the id of a column as 8 hexadecimal digits
    PREFIX     empty, or the beginning of encoded keys, hexadecimal

A prefix that is whole parts of a key means the keys of these parts, alone or followed
by others; one that ends within its first part, text or bytes, means the keys whose
first part begins so. Of the scopes that hold for a cell, those of its column go before
those of the whole record, and within each the longest prefix goes first; without any,
it is ``conflict``. Page: docs/spec/policies.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from prolly.codec import KEY_BYTES_MAX, shown
from prolly.codec import key as key_codec
from prolly.errors import Corrupt

POLICIES = (
    "conflict",
    "ours",
    "theirs",
    "last-writer-wins",
    "counter",
    "max",
    "min",
    "set",
    "set:add-wins",
    "map",
    "text",
    "text:characters",
    "keep-both",
)
DEFAULT_POLICY = "conflict"
# Before the name of a resolver that the application brings.
APP_PREFIX = "app:"
# As of a dataset's name: a resolver is called like a function, which has a shorter one.
RESOLVER_NAME_BYTES_MAX = 255

# What decides between two things without looking into them, deletions included.
WHOLE_POLICIES = frozenset(
    {"conflict", "ours", "theirs", "last-writer-wins", "keep-both"}
)
_SCOPE = re.compile(r"([0-9a-f]{8})?/((?:[0-9a-f]{2})*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Scope(NamedTuple):
    """Where a policy holds: cells of a column, or records; keys that begin so."""

    column_id: int | None = None
    prefix: bytes = b""

    def __str__(self) -> str:
        column = "" if self.column_id is None else f"{self.column_id:08x}"
        return f"{column}/{self.prefix.hex()}"


class Policies:
    """The policies of one dataset, to be asked for each record or cell.

    ``otherwise`` holds wherever ``conflict`` would; ``names`` are those that hold
    anywhere. Raises Corrupt ``policies`` for a map that no dataset may have.
    """

    def __init__(
        self, policies: Mapping[str, Any], *, otherwise: str = DEFAULT_POLICY
    ) -> None:
        self._otherwise = otherwise
        self._records = _Rules({}, otherwise)
        self._columns: dict[int, _Rules] = {}
        by_column: dict[int | None, dict[bytes, str]] = {}
        for scope, policy in parsed_policies(policies):
            stands = otherwise if policy == DEFAULT_POLICY else policy
            by_column.setdefault(scope.column_id, {})[scope.prefix] = stands
        for column_id, prefixes in by_column.items():
            if column_id is None:
                self._records = _Rules(prefixes, otherwise)
            else:
                self._columns[column_id] = _Rules(prefixes, None)
        every = [self._records, *self._columns.values()]
        self.names = {name for rules in every for name in rules.names}

    @property
    def are_plain(self) -> bool:
        """Tell whether every clash is a conflict."""
        return self.names == {DEFAULT_POLICY}

    def of(self, key: bytes, column_id: int | None = None) -> str:
        """Return the policy of an encoded key, or of a column's cell under it."""
        found = None if column_id is None else self.of_column(key, column_id)
        return found or self._records.find(key) or self._otherwise

    def of_column(self, key: bytes, column_id: int) -> str | None:
        """Return the policy that speaks of this column by name, or None."""
        rules = self._columns.get(column_id)
        return None if rules is None else rules.find(key)

    def may_be(self, policy: str, column_id: int | None = None) -> bool:
        """Tell whether some key has this policy, in this column or as a record."""
        if column_id in self._columns and policy in self._columns[column_id].names:
            return True
        return policy in self._records.names


class _Rules:
    """Policies by prefix, for one column or for whole records."""

    def __init__(self, prefixes: Mapping[bytes, str], otherwise: str | None) -> None:
        self._everywhere = prefixes.get(b"", otherwise)
        longer = [one for one in prefixes if one]
        self._lengths = sorted(set(map(len, longer)), reverse=True)
        self._rules = {one: (prefixes[one], is_whole(one)) for one in longer}
        self.names = set(prefixes.values())
        if self._everywhere is not None:
            self.names.add(self._everywhere)

    def find(self, key: bytes) -> str | None:
        for length in self._lengths:
            rule = self._rules.get(key[:length])
            # Behind whole parts, ff means that the last goes on: 00 ff spells a NUL.
            if rule and not (rule[1] and key[length : length + 1] == b"\xff"):
                return rule[0]
        return self._everywhere


def is_policy(policy: object) -> bool:
    """Tell whether something names a policy, of ours or of a resolver."""
    if type(policy) is not str:
        return False
    name = policy.removeprefix(APP_PREFIX)
    if name == policy:
        return policy in POLICIES
    if not name or _CONTROL.search(name):
        return False
    return len(name.encode()) <= RESOLVER_NAME_BYTES_MAX


def parsed_policies(policies: Mapping[str, Any]) -> Iterator[tuple[Scope, str]]:
    """Yield scopes and policies of a descriptor; raises Corrupt ``policies``."""
    for text, policy in policies.items():
        match = _SCOPE.fullmatch(text)
        if match is None or len(match[2]) > 2 * KEY_BYTES_MAX:
            raise _bad_policies(f"scope {shown(text)}")
        if not is_policy(policy):
            raise _bad_policies(f"policy {shown(policy)}")
        prefix = bytes.fromhex(match[2])
        if prefix and not is_whole(prefix) and not _is_open(prefix):
            raise _bad_policies(f"prefix {prefix.hex()}")
        yield Scope(int(match[1], 16) if match[1] else None, prefix), policy


def is_whole(prefix: bytes) -> bool:
    """Tell whether a prefix ends with the end of a part."""
    try:
        key_codec.decode(prefix)
    except Corrupt:
        return False
    return True


def _is_open(prefix: bytes) -> bool:
    """Tell whether a prefix is the beginning of a first part, text or bytes."""
    if prefix[:1] not in (b"\x01", b"\x02") or not is_whole(prefix + b"\0"):
        return False
    return len(key_codec.decode(prefix + b"\0")) == 1


def _bad_policies(reason: str) -> Corrupt:
    return Corrupt(
        f"not the policies of a dataset: {reason}",
        code="policies",
        hint="The bytes are damaged, or a newer version wrote them.",
    )
