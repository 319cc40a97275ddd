"""One conflict as it is stored: what is known of it, and how it was settled.

    CBOR { "fields", "reason", "settled", ... }

The values in conflict are not in it: they stand in the three versions. Page:
docs/spec/conflicts.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from blake3 import blake3

from prolly.codec import key as key_codec
from prolly.codec.row import COLUMN_ID_BYTES
from prolly.errors import Corrupt

from .clash import shortened

# The scope of a policy is as long as a key in hexadecimal digits: no key holds that.
SCHEMA_KEY_BYTES_MAX = 400

# How a conflict was settled of which fields were settled differently.
MIXED = "fields"
WAYS = frozenset({"ours", "theirs", "base", "kept", "value", MIXED})
_FIELDS = ("fields", "reason", "settled")


class ConflictKind(IntEnum):
    """What is in conflict: a record, a part of the description, or a constraint."""

    RECORD = 0
    SCHEMA = 1
    CONSTRAINT = 2


class ConflictEntry(NamedTuple):
    """What is known of one conflict.

    ``fields`` are ids of columns, none for the whole record; ``settled`` tells how it
    was settled, None while it is open; ``facts`` are named as in
    docs/spec/conflicts.md.
    """

    fields: tuple[int, ...] = ()
    reason: str = ""
    settled: str | None = None
    facts: Mapping[str, Any] = MappingProxyType({})

    def to_value(self) -> dict[str, Any]:
        """Return the plain value."""
        return {
            **self.facts,
            "fields": list(self.fields),
            "reason": self.reason,
            "settled": self.settled,
        }

    @classmethod
    def from_value(cls, value: Any) -> ConflictEntry:
        """Return the entry of a plain value, or raise Corrupt ``conflict-entry``."""
        if type(value) is not dict or not all(name in value for name in _FIELDS):
            raise _bad_entry("it is no map of fields, reason and settled")
        fields, reason, settled = (value[name] for name in _FIELDS)
        if type(fields) is not list or not all(map(_is_column_id, fields)):
            raise _bad_entry("its fields are no ids of columns")
        if type(reason) is not str or not (settled is None or _is_way(settled)):
            raise _bad_entry("its reason or how it was settled")
        facts = {name: one for name, one in value.items() if name not in _FIELDS}
        taken = facts.get("taken", {})
        if type(taken) is not dict or not all(map(_is_way, taken.values())):
            raise _bad_entry("how its fields were settled")
        if not all(type(facts.get(one, "")) is str for one in ("what", "constraint")):
            raise _bad_entry("what it is about")
        return cls(tuple(fields), reason, settled, facts)

    @property
    def taken(self) -> Mapping[str, str]:
        """How single fields were settled, by column id in hexadecimal digits."""
        found: Mapping[str, str] = self.facts.get("taken", {})
        return found

    @property
    def open_fields(self) -> tuple[int, ...]:
        """The fields that are not settled yet; none where the whole record is meant."""
        return tuple([one for one in self.fields if f"{one:08x}" not in self.taken])

    def waits_for(self, fields: Collection[int] = ()) -> bool:
        """Tell whether it is open: in one of these columns or, without any, at all."""
        is_open = self.settled is None
        return is_open and (not fields or not set(fields).isdisjoint(self.open_fields))

    def with_settled(self, how: str | None) -> ConflictEntry:
        """Return the entry settled as a whole, or opened again."""
        facts = {name: one for name, one in self.facts.items() if name != "taken"}
        return self._replace(settled=how, facts=facts)

    def with_taken(self, taken: Mapping[int, str]) -> ConflictEntry:
        """Return the entry with some fields settled; as a whole when none is left.

        The others stay as they were, also where the record was settled as a whole.
        """
        known = dict(self.taken)
        if self.settled is not None and not known:
            known = {f"{one:08x}": self.settled for one in self.fields}
        known.update({f"{one:08x}": how for one, how in taken.items()})
        changed = self._replace(facts={**self.facts, "taken": known})
        if changed.open_fields:
            return changed._replace(settled=None)
        ways = {known[f"{one:08x}"] for one in self.fields}
        return changed._replace(settled=ways.pop() if len(ways) == 1 else MIXED)

    def with_rest(self, how: str, fields: Collection[int] = ()) -> ConflictEntry:
        """Return the entry with all that is open of it settled one way.

        With ``fields`` only what is open of these.
        """
        if not self.taken and not fields:
            return self.with_settled(how)
        wanted = [one for one in self.open_fields if not fields or one in fields]
        return self.with_taken(dict.fromkeys(wanted, how))

    def joined(self, other: ConflictEntry) -> ConflictEntry:
        """Return one entry for two findings about one key."""
        fields = self.fields and other.fields
        if fields:
            fields = tuple(sorted({*self.fields, *other.fields}))
        reasons = dict.fromkeys([one for one in (self.reason, other.reason) if one])
        reason = shortened("; ".join(reasons))
        return ConflictEntry(fields, reason, None, {**other.facts, **self.facts})


def schema_key(what: str) -> bytes:
    """Return the key under which a part of a dataset's description is in conflict.

    A name of more than ``SCHEMA_KEY_BYTES_MAX`` bytes stands there as its hash. Raises
    Invalid for text that is none in UTF-8.
    """
    data = what.encode(errors="surrogatepass")
    if len(data) > SCHEMA_KEY_BYTES_MAX:
        what = "#" + blake3(data).hexdigest()
    return key_codec.encode((what,))


def _is_column_id(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 8 * COLUMN_ID_BYTES


def _is_way(value: object) -> bool:
    return type(value) is str and value in WAYS


def _bad_entry(reason: str) -> Corrupt:
    return Corrupt(
        f"not a conflict: {reason}",
        code="conflict-entry",
        hint="`prolly reset --hard` ends what waits; nothing committed is touched.",
    )
