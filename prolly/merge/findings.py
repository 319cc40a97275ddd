"""What a merge finds that it cannot settle by policy, and where that goes.

    attended          conflicts, in the log
    virtual base      nowhere: the base's value, or ours, stands
    unattended        the loser goes to the dataset ``prolly/conflicts``, where every
    (keep-both)       replica puts it in the same place

``prolly/conflicts`` is a map from (dataset id, key of the record, hash) to what lost. A
key of more than ``LOSER_KEY_BYTES_MAX`` bytes stands there as its BLAKE3. What is put
there is a function of the data alone: no sentence of ours, which another release would
word differently, may change the head of a branch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from blake3 import blake3

from prolly.chunks import ChunkWriter
from prolly.codec import Descriptor, cbor, dataset_id
from prolly.codec import key as key_codec
from prolly.errors import LimitExceeded
from prolly.maps import ABSENT, encode_value
from prolly.tree import EditBuffer

from .column_merge import OnConflict, SchemaConflict
from .conflict_entry import ConflictEntry, ConflictKind, schema_key
from .conflict_log import ConflictLog
from .dataset_parts import described_part

LOSERS_NAME = "prolly/conflicts"
LOSERS_ID = dataset_id(LOSERS_NAME, "map", ())

# Zero bytes are spelt as two in a key: twice this, a dataset's id and a hash fit into
# one in the worst case.
LOSER_KEY_BYTES_MAX = 400
_HASH_BYTES = 16

_KINDS = {
    ConflictKind.RECORD: "record",
    ConflictKind.SCHEMA: "schema",
    ConflictKind.CONSTRAINT: "constraint",
}


class Found(NamedTuple):
    """A record in conflict, or one that lost: the key, and what is known of it."""

    kind: ConflictKind
    key: bytes
    entry: ConflictEntry


class Findings:
    """The findings of one merge; ``close`` gives temporary files back."""

    def __init__(self, on_conflict: OnConflict, writer: ChunkWriter) -> None:
        self.on_conflict = on_conflict
        self.log = ConflictLog()
        self.losers = EditBuffer()
        self._writer = writer

    def schema(
        self,
        identity: bytes,
        name: str,
        conflict: SchemaConflict,
        sides: Iterable[Descriptor | None] = (),
    ) -> None:
        """Take a part of a dataset's description that was not merged.

        ``sides`` are the descriptions of which ``prolly/conflicts`` keeps that part.
        """
        key = schema_key(conflict.what)
        if self.on_conflict == "ours":
            facts = {"what": conflict.what}
            entry = ConflictEntry(conflict.fields, conflict.reason, facts=facts)
            self.log.add(identity, ConflictKind.SCHEMA, key, entry)
        elif self.on_conflict == "keep-both":
            value: dict[str, Any] = {"dataset": name, "kind": "schema"}
            value["what"] = conflict.what
            if conflict.what != "dropped":
                value["versions"] = _versions(conflict, sides)
            self._lose(identity, key, value)

    def record(
        self,
        identity: bytes,
        name: str,
        found: Found,
        loser: Callable[[], Any],
    ) -> None:
        """Take a record in conflict; ``loser`` gives what does not stand, or ABSENT."""
        if self.on_conflict == "ours":
            self.log.add(identity, *found)
        elif self.on_conflict == "keep-both":
            self.lose(identity, name, found, loser())

    def lose(
        self,
        identity: bytes,
        name: str,
        found: Found,
        loser: Any,
    ) -> None:
        """Put what lost aside, whatever the kind of merge, but for a virtual base."""
        kind, key, entry = found
        if self.on_conflict == "base" or identity == LOSERS_ID:
            return
        value = {
            "dataset": name,
            "kind": _KINDS[kind],
            "key": plain(key_codec.decode(key)),
            **entry.facts,
        }
        if loser is ABSENT:
            value["deleted"] = True
        else:
            value["value"] = loser
        self._lose(identity, key, value)

    def _lose(self, identity: bytes, key: bytes, value: Mapping[str, Any]) -> None:
        short = key if len(key) <= LOSER_KEY_BYTES_MAX else blake3(key).digest()
        told = {name: one for name, one in value.items() if name != "dataset"}
        try:
            data = cbor.encode(told)
        except LimitExceeded:
            # Within a map it would be nested one too deep: it stands as its encoding.
            value = {**value, "value": cbor.encode(value["value"])}
            data = cbor.encode({**told, "value": value["value"]})
        # Not of the dataset's name: replicas that know it by another agree on the key.
        mark = blake3(data).digest()[:_HASH_BYTES]
        stored = encode_value(value, self._writer)
        self.losers.put(key_codec.encode((identity, short, mark)), stored)

    def close(self) -> None:
        """Forget everything; twice is fine."""
        self.log.close()
        self.losers.close()


def plain(value: Any) -> Any:
    """Return the parts of a key as a value: tuples as arrays."""
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    return value


def _versions(
    conflict: SchemaConflict, sides: Iterable[Descriptor | None]
) -> list[Any]:
    """Return what the sides say of a part, each version once, in no side's order."""
    parts = [described_part(one, conflict.what, conflict.fields) for one in sides]
    encoded = {cbor.encode(one): one for one in parts if one is not ABSENT}
    return [encoded[data] for data in sorted(encoded)]
