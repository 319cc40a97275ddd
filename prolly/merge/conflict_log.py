"""Conflicts as data: gathered while a merge runs, written as one tree.

    key ("base",)                      reference: the root of the base's manifest
    key (dataset id, kind)             reference: the root of a record tree | CBOR open
        key of the record, or text     CBOR { "fields", "reason", "settled", ... }

``kind`` is 0 for records, 1 for parts of a dataset's description, 2 for constraints;
``open`` says how many of a tree are not settled. The values in conflict are not copied:
they stand in the three versions. Memory is bounded whatever the number of conflicts.
Page: docs/spec/conflicts.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from blake3 import blake3

from prolly.chunks import ChunkWriter
from prolly.codec import (
    FORMAT_PARAMETERS,
    INLINE_BYTES_MAX,
    Reference,
    Referring,
    cbor,
    encode_referring,
)
from prolly.codec import key as key_codec
from prolly.codec.row import COLUMN_ID_BYTES
from prolly.datasets import root_reference
from prolly.errors import Corrupt
from prolly.maps import write_blob
from prolly.tree import Batch, EditBuffer, NodeReader, build

from .clash import shortened

# The scope of a policy is as long as a key in hexadecimal digits: no key holds that.
SCHEMA_KEY_BYTES_MAX = 400

BASE_KEY = key_codec.encode(("base",))
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

    def with_rest(self, how: str) -> ConflictEntry:
        """Return the entry with all that is open of it settled one way."""
        if self.taken:
            return self.with_taken(dict.fromkeys(self.open_fields, how))
        return self.with_settled(how)

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


def tree_key(dataset: bytes, kind: int) -> bytes:
    """Return the key under which the conflicts of a dataset and kind stand."""
    return key_codec.encode((dataset, int(kind)))


def tree_value(root: Reference, open_count: int) -> Referring:
    """Return the reference to the conflicts of a dataset and kind."""
    return encode_referring([root], cbor.encode(open_count))


class ConflictLog:
    """The conflicts of one merge. ``close`` gives temporary files back."""

    def __init__(self) -> None:
        self._buffers: dict[bytes, EditBuffer] = {}

    def __bool__(self) -> bool:
        return bool(self._buffers)

    def add(
        self, dataset: bytes, kind: ConflictKind, key: bytes, entry: ConflictEntry
    ) -> None:
        """Note a conflict; a second one of the same key joins the first."""
        buffer = self._buffers.setdefault(tree_key(dataset, kind), EditBuffer())
        found, data = buffer.find(key)
        if found and data is not None:
            entry = ConflictEntry.from_value(cbor.decode(data)).joined(entry)
        entry = entry._replace(reason=shortened(entry.reason))
        buffer.put(key, cbor.encode(entry.to_value()))

    def write(
        self, reader: NodeReader, writer: ChunkWriter, base: bytes | None
    ) -> tuple[bytes | None, int]:
        """Write the tree; return its root, None without a conflict, and their number.

        ``base`` is the root of the base's manifest, which the tree keeps.
        """
        if not self._buffers:
            return None, 0
        stored: dict[bytes, bytes] = {}
        total = 0
        for key, buffer in self._buffers.items():
            root = build(writer, _stored(writer, buffer), FORMAT_PARAMETERS)
            number = reader.read(root).count()
            stored[key] = tree_value(root_reference(reader, root), number)
            total += number
        if base is not None:
            stored[BASE_KEY] = encode_referring([root_reference(reader, base)])
        keys = sorted(stored)
        records = keys, [stored[key] for key in keys]
        return build(writer, [records], FORMAT_PARAMETERS), total

    def close(self) -> None:
        """Forget everything; twice is fine."""
        for buffer in self._buffers.values():
            buffer.close()
        self._buffers.clear()


def _stored(writer: ChunkWriter, buffer: EditBuffer) -> Iterator[Batch]:
    """Yield the entries of a buffer, which holds them encoded, as leaves store them."""
    for keys, datas in buffer.batches():
        values = [data for data in datas if data is not None]
        if max(map(len, values), default=0) > INLINE_BYTES_MAX:
            values = [
                one if len(one) <= INLINE_BYTES_MAX else _outside(one, writer)
                for one in values
            ]
        yield keys, values


def _outside(data: bytes, writer: ChunkWriter) -> Referring:
    return encode_referring([write_blob(writer, data)])


def _is_column_id(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 8 * COLUMN_ID_BYTES


def _is_way(value: object) -> bool:
    return type(value) is str and value in WAYS


def _bad_entry(reason: str) -> Corrupt:
    return Corrupt(
        f"not a conflict: {reason}",
        code="conflict-entry",
        hint="`prolly merge --abort` ends the merge; nothing committed is touched.",
    )
