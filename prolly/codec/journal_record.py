"""Records of a local store's journal: one small commit each.

    record   head | body
    head     "PJR1" | generation u64 | place u64 | size u32 | checksum (16 bytes)
    body     CBOR array [sequence, [address, entry, ...], [pack number, hash, ...],
             [name, log entry, target or null, ...]]

Integers of the head are little-endian. ``place`` is the offset of the record in the
file, ``size`` the length of the body, and the checksum is XXH3-128 of the first 24
bytes of the head and the body. Entries of chunks, pack numbers and log entries are
those of the tables (``store_entry``). Page: ``docs/spec/local-store.md``.
"""

from __future__ import annotations

from struct import Struct
from typing import Any, NamedTuple

import cbor2
from xxhash import xxh3_128_digest

from prolly.errors import Corrupt

from .address import ADDRESS_BYTES

_FACTS = Struct("<4sQQI")
_CHECKSUM_BYTES = 16
JOURNAL_HEAD_BYTES = _FACTS.size + _CHECKSUM_BYTES

_MAGIC = b"PJR1"

# What one commit may put there: less than waits in memory before it goes to a pack,
# and twice the entries that a pack of a thousand nodes has.
JOURNAL_BODY_BYTES_MAX = 512 * 1024

Rows = list[tuple[bytes, bytes]]


class JournalMove(NamedTuple):
    """A ref's name, its log entry, and what it points at now, ``None`` for nothing."""

    name: bytes
    entry: bytes
    target: bytes | None


class JournalRecord(NamedTuple):
    """One commit: its sequence number, and what it adds to the tables of the index.

    ``chunks`` are (address, entry), ``packs`` are (number, hash).
    """

    sequence: int
    chunks: Rows
    packs: Rows
    moves: list[JournalMove]


def encode_journal_body(record: JournalRecord) -> bytes:
    """Return the body of a record."""
    sequence, chunks, packs, moves = record
    flat = [[part for row in rows for part in row] for rows in (chunks, packs, moves)]
    return cbor2.dumps([sequence, *flat])


def encode_journal_record(body: bytes, generation: int, place: int) -> bytes:
    """Return the record that is to stand at ``place``."""
    assert len(body) <= JOURNAL_BODY_BYTES_MAX
    facts = _FACTS.pack(_MAGIC, generation, place, len(body))
    return facts + xxh3_128_digest(facts + body) + body


def journal_mark(generation: int) -> bytes:
    """Return the bytes that every record of a generation begins with."""
    return _FACTS.pack(_MAGIC, generation, 0, 0)[:12]


def journal_body_bytes(head: bytes, generation: int, place: int) -> int | None:
    """Return the length of the body behind a head; ``None`` if it belongs elsewhere.

    That is how what earlier generations left is told from what was written since.
    """
    if len(head) < JOURNAL_HEAD_BYTES:
        return None
    magic, its_generation, its_place, size = _FACTS.unpack_from(head)
    if (magic, its_generation, its_place) != (_MAGIC, generation, place):
        return None
    return int(size) if size <= JOURNAL_BODY_BYTES_MAX else None


def is_whole_record(head: bytes, body: bytes) -> bool:
    """Tell whether head and body were written together, to the last byte."""
    facts = head[: _FACTS.size]
    return xxh3_128_digest(facts + body) == head[_FACTS.size : JOURNAL_HEAD_BYTES]


def decode_journal_body(body: bytes) -> JournalRecord:
    """Return the record that a body spells. Raises Corrupt ``store-entry``."""
    try:
        sequence, chunks, packs, moves = cbor2.loads(body)
        return JournalRecord(
            _count(sequence),
            _rows(chunks, ADDRESS_BYTES),
            _rows(packs, 4),
            [JournalMove(*one) for one in _groups(moves, 3)],
        )
    except (cbor2.CBORDecodeError, TypeError, ValueError) as error:
        raise Corrupt(
            f"a record of the journal does not decode: {error}",
            code="store-entry",
            hint="Run `prolly fsck` to see what can be rebuilt.",
        ) from error


def _count(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError("a sequence number is an integer from 1")
    return value


def _groups(parts: Any, size: int) -> list[tuple[Any, ...]]:
    if type(parts) is not list or len(parts) % size:
        raise ValueError("a list of another length is due")
    if not set(map(type, parts)) <= {bytes, type(None)}:
        raise ValueError("byte strings are due")
    return list(zip(*[iter(parts)] * size, strict=True))


def _rows(parts: Any, key_bytes: int) -> Rows:
    rows: Rows = _groups(parts, 2)
    if any(len(key) != key_bytes or not entry for key, entry in rows):
        raise ValueError("a row without key or entry")
    return rows
